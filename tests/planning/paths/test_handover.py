"""VLANs that one path lets go of and another one gets in the same plan: released before it is asked for, or why that takes two applies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dtnctl.model.resources import Attachment, ForeignSeen
from dtnctl.model.site import Site
from dtnctl.planning.paths.study import users_of
from tests.planning.building import site, world
from tests.planning.listing import steps
from tests.planning.paths.scene import ASKED, PORTS, SESSION, SITE, WAN, declared, left, look, planned, provider, running, seen

OSCARS = "kind: oscars, url: 'https://oscars.example.net', token: {secret: 'env:T'}"
OTHER_PATH = ASKED.replace("a2b", "a2c")


def needs_of(step: str, lines: list[str]) -> str:
    (found,) = [line for line in lines if line.partition(" <- ")[0] == step]
    return found.partition(" <- ")[2]


def moved(interface: str) -> Site:
    """The session is on a network over another path with the same VLAN, whose interface on both endpoints is this one."""
    head = "docker: unix:///run/{0}.sock\nhost: {0}.example.net\n".format
    ends = "".join(f"# endpoints/{name}\n{head(name)}interfaces: {{wan2: {interface}}}\n" for name in "ab")
    network = WAN.replace("networks/wan", "networks/wan2").replace("a2b", "a2c").replace("10.9", "10.8")
    return site(SITE + network + OTHER_PATH + SESSION.replace("[wan]", "[wan2]") + ends)


# --- one after the other ------------------------------------------------------------------------------------


def test_vlan_is_asked_for_once_the_path_that_no_file_wants_any_more_is_gone() -> None:
    """Both were carried out at once, and the provider refused the one or the other, as it came."""
    text = declared(session="")
    found = planned(text, world(text), seen("reserved", name="old", path_id="c0"))
    assert found.blocked == ()
    assert needs_of("anagram/request-path/a2b", steps(found)) == "anagram/wait-released-path/old"
    (shown,) = [item for item in found.changes if item.kind == "path" and item.mark == "create"]
    assert "it gets a VLAN that path old has until its release" in shown.notes


def test_report_of_free_vlans_does_not_refuse_one_that_is_released_first() -> None:
    text, free = declared(session=""), frozenset({1785})
    former, taken = seen(name="old", path_id="c0"), {PORTS[0]: free, PORTS[1]: free}
    found = planned(text, look(world(text), provider(former, free_vlans=taken)))
    assert found.blocked == ()
    assert needs_of("anagram/request-path/a2b", steps(found)) == "anagram/wait-released-path/old"
    kept = replace(former, spec=replace(former.spec, ends=(PORTS[0], "another")))
    assert left(text, look(world(text), provider(kept, free_vlans=taken)))[1] == (
        f"path a2b: anagram would not grant it: VLAN 1790 is not free at {PORTS[1]}"
    )


@pytest.mark.parametrize("there", [{"vlan": 1785}, {"ends": ("another", "port")}, {"until": "2026-01-01T00:00:00Z"}])
def test_path_of_another_vlan_or_port_or_time_is_not_waited_for(there: dict[str, Any]) -> None:
    settings = SITE.replace("kind: nsi, url: 'https://nsi.example.net', options: {requester: r, aggregator: g}", OSCARS)
    window = ASKED.replace(PORTS[0], "r1:1/1").replace(PORTS[1], "r2:1/1") + "window: {from: '2027-01-01T00:00:00Z'}\n"
    text = declared(path=window, settings=settings, session="")
    former = seen("reserved", name="old", path_id="c0", **{"ends": ("r1:1/1", "r2:1/1"), **there})
    found = planned(text, world(text), former)
    assert found.blocked == ()
    assert needs_of("anagram/request-path/a2b", steps(found)) == ""


def test_path_with_an_end_is_asked_for_as_it_is_since_no_provider_shows_when_another_begins() -> None:
    settings = SITE.replace("kind: nsi, url: 'https://nsi.example.net', options: {requester: r, aggregator: g}", OSCARS)
    window = ASKED.replace(PORTS[0], "r1:1/1").replace(PORTS[1], "r2:1/1") + "window: {until: '2027-01-01T00:00:00Z'}\n"
    text = declared(path=window, settings=settings, session="")
    found = planned(text, world(text), seen("reserved", name="old", path_id="c0", ends=("r1:1/1", "r2:1/1")))
    assert needs_of("anagram/request-path/a2b", steps(found)) == ""


def test_two_paths_swap_their_vlans() -> None:
    text = declared(OTHER_PATH.replace("1790", "1791"), session="", network="")
    found = planned(text, world(text), seen("reserved", vlan=1791), seen("reserved", vlan=1790, name="a2c", path_id="c2"))
    assert found.blocked == ()
    for name, other in (("a2b", "a2c"), ("a2c", "a2b")):
        needs = f"anagram/wait-released-path/{name}, anagram/wait-released-path/{other}"
        assert needs_of(f"anagram/request-path/{name}", steps(found)) == needs


def test_second_reservation_with_the_vlan_that_the_path_moves_to_is_released_before() -> None:
    text = declared(session="")
    found = planned(text, world(text), seen(vlan=1780), seen("reserved", path_id="c2"))
    assert found.blocked == ()
    assert "anagram/wait-released-path/a2b@c2" in needs_of("anagram/request-path/a2b", steps(found))


def test_session_that_moves_on_one_interface_is_stopped_and_its_path_released_before_the_next_one_is_asked_for() -> None:
    found = planned(moved("eth1"), running(declared()), seen())
    assert found.blocked == ()
    lines = steps(found)
    assert needs_of("anagram/request-path/a2c", lines) == "anagram/wait-released-path/a2b"
    assert needs_of("a/remove-network/wan", lines) == "a/remove/lab.one"


# --- two applies --------------------------------------------------------------------------------------------


def test_session_that_moves_without_a_pause_needs_two_applies() -> None:
    """It keeps its container on the old path until the new one runs: each would wait for the other."""
    made = running(declared())
    assert [item for item in planned(moved("eth2"), made, seen()).steps if item.endpoint == "anagram"] == []
    (change,) = [item for item in planned(moved("eth2"), made, seen()).blocked if (item.kind, item.name) == ("path", "a2c")]
    assert (change.code, change.cause.text, change.fix) == (
        "E0541",
        "path a2c: VLAN 1790 is that of path a2b of this site, which is released only after a session has moved from there to this path",
        "another VLAN; or remove that session, path a2b and its network, apply, and add it again over this one",
    )


def test_vlan_of_a_path_that_stays_is_refused_with_its_name() -> None:
    text = declared(OTHER_PATH, session="", network="")
    (refused, *others) = planned(text, world(text), seen()).blocked
    assert (refused.name, refused.code, refused.cause.text, refused.fix, others) == (
        "a2c",
        "E0541",
        "path a2c: VLAN 1790 is that of path a2b of this site, which this plan does not release",
        "another VLAN, or apply again after the release of path a2b",
        [],
    )


def test_vlan_of_a_used_path_that_would_move_is_refused() -> None:
    text = declared(OTHER_PATH, path=ASKED.replace("1790", "1791"))
    found = planned(text, running(declared()), seen())
    assert {(item.name, item.code) for item in found.blocked if item.kind == "path"} == {("a2b", "E0543"), ("a2c", "E0541")}


# --- released while it is used ------------------------------------------------------------------------------


def test_path_is_not_released_for_a_vlan_that_would_not_be_granted() -> None:
    """It was released, and then there was none."""
    text = declared(session="")
    offered = dict.fromkeys(PORTS, frozenset({1785}))
    found = look(world(text), provider(seen(vlan=1780), free_vlans=offered))
    assert left(text, found)[1] == f"path a2b: anagram would not grant it: VLAN 1790 is not free at {PORTS[0]} and {PORTS[1]}"
    assert planned(text, found).steps == ()
    same = look(world(text), provider(seen(bandwidth=1), free_vlans=offered))
    assert planned(text, same).blocked == (), "it has this VLAN itself"


def test_path_is_not_replaced_while_an_endpoint_that_it_was_made_for_is_silent() -> None:
    """Its file names other ends by now, and a session may be on the former one."""
    text = declared(*ENDPOINTS, path=ASKED.replace("endpoint: b", "endpoint: c"), session="")
    there = seen(bandwidth=1)
    found = look(world(text), provider(there))
    assert {item.mark for item in planned(text, found).changes if item.kind == "path"} == {"replace"}
    silent = replace(found, endpoints={**found.endpoints, "b": replace(found.endpoints["b"], silence="gone", containers=())})
    assert planned(text, silent).steps == ()


def endpoint_file(name: str, more: str = "") -> str:
    return f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\ninterfaces: {{wan: eth1}}\n{more}"


ENDPOINTS = tuple(map(endpoint_file, "abc"))


def test_path_is_not_replaced_while_a_former_endpoint_is_frozen() -> None:
    frozen = endpoint_file("b", "freeze: [{from: 2026-01-01T00:00:00Z}]\n")
    text = declared(ENDPOINTS[0], frozen, ENDPOINTS[2], path=ASKED.replace("endpoint: b", "endpoint: c"), session="")
    assert left(text, world(text), seen(bandwidth=1))[0] == "E0442"


def test_session_on_an_endpoint_that_got_another_name_keeps_its_path() -> None:
    """What a path was made for stays as it was: the session was looked for under the former name, and its path replaced."""
    text = declared()
    found = running(text)
    assert left(text, found, seen(bandwidth=1, endpoints=("former", "name")))[:2] == (
        "E0543",
        "path a2b: bandwidth would change, and it cannot be released while session one on a is on it",
    )


def test_container_of_others_on_the_network_keeps_the_path() -> None:
    text = declared()
    stopped = declared(session=SESSION + "state: stopped\n")
    made = running(text)
    made.apply(planned(stopped, made, seen()))
    assert {item.mark for item in planned(stopped, made, seen(bandwidth=1)).changes if item.kind == "path"} == {"replace"}
    stranger = ForeignSeen("probe", "f1", addresses=(Attachment("wan"),))
    there = look(made, provider(seen(bandwidth=1)))
    with_it = replace(there, endpoints={**there.endpoints, "a": replace(there.endpoints["a"], foreign=(stranger,))})
    assert left(stopped, with_it) == (
        "E0543",
        "path a2b: bandwidth would change, and it cannot be released while container probe (not ours) on a is on it",
        "remove it from there, then apply",
    )
    elsewhere = replace(stranger, addresses=(Attachment("lan"),))
    beside = replace(there, endpoints={**there.endpoints, "a": replace(there.endpoints["a"], foreign=(elsewhere,))})
    assert users_of(stopped, beside, seen().spec) == ()
