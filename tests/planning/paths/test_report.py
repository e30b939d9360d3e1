"""What plans and lists show of paths: a row each, and the bandwidth that they are promised on interfaces."""

from __future__ import annotations

from dataclasses import replace

from dtn_agent.protocol import Interface

from dtnctl.model.endpoint_summary import Usage
from dtnctl.model.path_rows import PathRow, PromisedBandwidth
from dtnctl.model.resources import Snapshot
from dtnctl.planning.nameable import nameable_objects
from dtnctl.planning.paths.report import path_rows
from dtnctl.planning.paths.wanted import ports_by_provider
from tests.planning.building import site, world
from tests.planning.dtns import endpoint
from tests.planning.machines import LAN, machine
from tests.planning.paths.scene import ASKED, PORTS, RANGE, SITE, SPEC, STATIC, declared, left, look, planned, provider, seen
from tests.properties.world import World

AGENTS = endpoint(interfaces="{wan: eth9}") + endpoint("b", interfaces="{wan: eth9}")
WARNS = SITE.replace("max_prune: 100%", "max_prune: 100%, path_bandwidth: warn")


def test_row_says_where_a_path_is_what_it_has_and_how_it_is() -> None:
    text = declared()
    (row,) = path_rows(text, look(world(text), provider(seen(words="ACTIVATED"))))
    assert row == PathRow("a2b", "anagram", "active", "ACTIVATED", ("a eth1", "b eth1"), 1790, 10_000_000, 0, "wan")


def test_state_of_a_path_that_is_not_there_and_of_one_that_is_not_known() -> None:
    text = declared(path=RANGE)
    made = world(text)
    assert [row.state for row in path_rows(text, look(made, provider()))] == ["missing"]
    (row,) = path_rows(text, look(made, provider(silence="gone")))
    assert (row.state, row.words, row.vlan) == ("unknown", "gone", 0)


def test_path_of_others_is_as_declared_and_may_have_ends_that_are_no_endpoints() -> None:
    text = declared(path=STATIC.replace("vlan", "  - {port: far}\nvlan"), session="", network="")
    assert path_rows(text, Snapshot({})) == (
        PathRow("a2b", "static", "declared", "made by others; dtnctl checks it", ("a", "b", "far"), 1790, 0, 9000),
    )


def test_path_that_no_file_declares_has_a_row() -> None:
    text = site(SITE)
    found = look(world(text), provider(seen("failed", words="FAILED"), seen(name="a2c", endpoints=("a",))))
    assert [(row.name, row.state, row.words, row.ends) for row in path_rows(text, found)] == [
        ("a2b", "failed", "FAILED", ("a", "b")),
        ("a2c", "active", "no file declares it", ("a",)),
    ]
    assert ("path", "a2c", "") in nameable_objects(text, found)


def test_plan_has_the_rows() -> None:
    text = declared()
    assert [row.state for row in planned(text, world(text), seen("asked")).paths] == ["asked"]


def test_providers_are_asked_about_the_ports_of_their_paths() -> None:
    assert ports_by_provider(declared()) == {"anagram": frozenset(PORTS)}
    assert ports_by_provider(declared(path=STATIC)) == {"static": frozenset()}


# --- bandwidth ----------------------------------------------------------------------------------------------


def fast(*more: Interface, speed: int | None = 25_000) -> World:
    return world(declared(AGENTS), machines=dict.fromkeys("ab", machine(LAN.model_copy(update={"speed": speed}), *more)))


def test_bandwidth_is_promised_on_the_interface_at_each_end() -> None:
    text = declared(AGENTS)
    usage = Usage(0, 10_000_000, 25_000_000)
    assert planned(text, fast()).promised == (PromisedBandwidth("a", "eth9", usage), PromisedBandwidth("b", "eth9", usage))
    assert {row.usage.before for row in planned(text, fast(), seen(bandwidth=3_000_000)).promised} == {3_000_000}
    assert {row.usage.before for row in planned(text, fast(), seen("failed")).promised} == {0}


def test_path_of_others_has_what_its_file_says_before_and_after() -> None:
    text = declared(AGENTS, path=STATIC + "bandwidth: 5gbit\n")
    assert {row.usage for row in planned(text, fast()).promised} == {Usage(5_000_000, 5_000_000, 25_000_000)}


def test_paths_without_bandwidth_are_promised_nothing() -> None:
    assert not planned(declared(AGENTS, path=STATIC), fast()).promised


def test_speed_is_that_of_what_an_interface_is_on_top_of_or_unknown() -> None:
    text = declared(endpoint(interfaces="{wan: eth9.7}") + endpoint("b", interfaces="{wan: none0}"))
    below = Interface(name="eth9.7", index=71, kind="vlan", parent="eth9", vlan=7, mtu=9000)
    found = planned(text, fast(below)).promised
    assert [(row.endpoint, row.interface, row.usage.total) for row in found] == [("a", "eth9.7", 25_000_000), ("b", "none0", 0)]
    assert [row.usage.total for row in planned(declared(AGENTS), fast(speed=None)).promised] == [0, 0]
    assert [row.usage.total for row in planned(declared(AGENTS), world(declared(AGENTS))).promised] == [0, 0]
    assert not planned(text, fast()).promised[0].is_too_much


def test_more_than_an_interface_has_is_refused() -> None:
    text = declared(AGENTS, path=ASKED.replace("10gbit", "30gbit"))
    assert left(text, fast()) == (
        "E0542",
        "path a2b: paths are promised 30000mbit on eth9 of a, which has 25000mbit",
        "less, or `limits: {path_bandwidth: warn}`",
    )


def test_what_is_there_already_is_not_refused() -> None:
    text = declared(AGENTS, path=ASKED.replace("10gbit", "30gbit"))
    assert not [item for item in planned(text, fast(), seen(bandwidth=30_000_000)).blocked if item.kind == "path"]


def test_site_may_promise_more_and_is_told() -> None:
    text = declared(AGENTS, path=ASKED.replace("10gbit", "30gbit"), settings=WARNS)
    found = planned(text, fast())
    assert not found.blocked
    assert "paths are promised 30000mbit on eth9 of b, which has 25000mbit" in found.notes
    assert not [note for note in planned(declared(AGENTS, settings=WARNS), fast()).notes if "promised" in note]


def test_other_interfaces_do_not_matter() -> None:
    other = ASKED.replace("paths/a2b", "paths/a2c").replace("1790", "1791").replace("10gbit", "30gbit")
    lan = "# networks/lan\ndriver: macvlan\npath: a2c\nsubnet: 10.8.0.0/24\n"
    hosts = endpoint(interfaces="{wan: eth9, lan: eth8}") + endpoint("b", interfaces="{wan: eth9, lan: eth8}")
    text = declared(hosts, other, lan)
    slow = LAN.model_copy(update={"name": "eth8", "index": 8, "speed": 1000})
    found = planned(text, fast(slow))
    assert [(item.name, item.code) for item in found.blocked if item.kind == "path"] == [("a2c", "E0542")]
    assert replace(SPEC) == SPEC
