"""VLANs of paths: the declared one, else the one that the path has, else the lowest free one of its range."""

from __future__ import annotations

from dataclasses import replace

from dtn_agent.protocol import Held, Interface
from dtn_agent.protocol.vlans import HeldVlan

from dtnctl.model.paths import PathProviderSeen
from dtnctl.model.resources import EndpointSeen, NetworkSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.paths.vlans import chosen_vlans, with_chosen_vlans
from tests.planning.building import site, world
from tests.planning.dtns import endpoint
from tests.planning.listing import steps
from tests.planning.machines import LAN, machine, pf
from tests.planning.paths.scene import PORTS, RANGE, SESSION, SITE, WAN, declared, left, look, planned, provider, running, seen
from tests.properties.world import World

OSCARS = "kind: oscars, url: 'https://oscars.example.net', token: {secret: 'env:T'}"


def on_one_interface(other: str) -> list[str]:
    """Endpoints on which that network and `wan` are on one interface."""
    head = "docker: unix:///run/{0}.sock\nhost: {0}.example.net\n".format
    return [f"# endpoints/{name}\n{head(name)}interfaces: {{wan: eth1, {other}: eth1}}\n" for name in "ab"]


def chosen(text: Site, found: World, **providers: PathProviderSeen) -> int | None:
    return chosen_vlans(text, look(found, providers)).get("a2b")


def test_declared_vlan_is_the_one() -> None:
    text = declared()
    assert chosen(text, world(text)) == 1790


def test_lowest_of_the_range_is_chosen_and_shown() -> None:
    text = declared(path=RANGE)
    found = planned(text, world(text))
    (shown,) = [item for item in found.changes if item.kind == "path"]
    assert ("vlan", "1780") in shown.allocations
    (network,) = [item for item in found.changes if item.kind == "network" and item.endpoint == "a"]
    assert ("parent", "eth1.1780") in network.allocations


def test_vlan_that_the_provider_would_not_grant_is_refused_with_free_ones() -> None:
    text, free = declared(), frozenset({1700, 1785, 1789, 1793})
    made = look(world(text), provider(free_vlans={PORTS[0]: free, PORTS[1]: free - {1789} | {1790}}))
    assert left(text, made) == (
        "E0541",
        f"path a2b: anagram would not grant it: VLAN 1790 is not free at {PORTS[0]}",
        "a VLAN that is free at all ends, such as 1700, 1785, 1793",
    )
    made = look(world(text), provider(free_vlans={PORTS[0]: free, PORTS[1]: frozenset({4000})}))
    assert left(text, made)[1:] == (
        f"path a2b: anagram would not grant it: VLAN 1790 is not free at {PORTS[0]} and {PORTS[1]}",
        "another port: no VLAN is free at all ends",
    )


def test_vlan_that_others_have_at_one_end_is_not_free_after_a_release() -> None:
    text, taken = declared(), {PORTS[0]: frozenset({1785}), PORTS[1]: frozenset({1785})}
    for other in (
        seen(name="old", ends=(PORTS[0], "another")),
        seen(name="old", vlan=1785),
        seen("released", name="old"),
    ):
        assert "old" not in " ".join(left(text, look(world(text), provider(other, free_vlans=taken))))


def test_vlan_that_the_path_has_itself_or_that_the_provider_says_nothing_of_is_granted() -> None:
    text, taken = declared(), {PORTS[0]: frozenset({1785})}
    made = running(text)
    assert planned(text, look(made, provider(seen(), free_vlans=taken))).is_empty
    assert planned(text, look(world(text), provider(free_vlans={"other": frozenset()}))).blocked == ()


def test_what_is_free_for_ever_says_nothing_of_a_window() -> None:
    """Static is the only kind of the lab's that takes a window, so an OSCARS is asked."""
    settings = SITE.replace("kind: nsi, url: 'https://nsi.example.net', options: {requester: r, aggregator: g}", OSCARS)
    window = f"{RANGE}window: {{from: '2027-01-01T00:00:00Z', until: '2027-02-01T00:00:00Z'}}\n"
    for vlan, expected in (("1780-1782", 1780), ("1790", 1790)):
        path = window.replace("1780-1782", vlan).replace(PORTS[0], "r1:1/1").replace(PORTS[1], "r2:1/1")
        text = declared(path=path, settings=settings)
        found = look(world(text), provider(free_vlans={"r1:1/1": frozenset({1782})}))
        assert chosen_vlans(text, found).get("a2b") == expected
        assert [item for item in planned(text, found).blocked if item.kind == "path"] == []


def test_vlan_that_the_path_has_at_its_provider_stays() -> None:
    text = declared(path=RANGE)
    assert chosen(text, world(text), **provider(seen("reserved", vlan=1782))) == 1782
    assert chosen(text, world(text), **provider(seen("reserved", vlan=1790))) == 1780


def test_vlan_with_which_the_provider_failed_is_not_tried_again() -> None:
    text = declared(path=RANGE)
    assert chosen(text, world(text), **provider(seen("failed", vlan=1780))) == 1781
    assert chosen(text, world(text), **provider(seen("failed", vlan=1781))) == 1782, "not the one that failed before it"
    assert chosen(text, world(text), **provider(seen("released", vlan=1780))) == 1780


def test_vlan_that_the_network_has_on_an_endpoint_stays_while_the_provider_is_silent() -> None:
    text = declared(path=RANGE)
    made = world(text)
    made.apply(planned(text, made, seen(vlan=1781)))
    assert chosen(text, made, **provider(silence="gone")) == 1781
    assert planned(text, look(made, provider(silence="gone"))).is_empty


def test_nothing_is_chosen_where_it_is_not_known_which_one_the_path_has() -> None:
    text = declared(path=RANGE)
    made = world(text)
    assert chosen(text, made, **provider(silence="gone")) is None
    assert chosen(text, made) is None
    silent = look(made, provider(), b=EndpointSeen("b", silence="gone"))
    assert "a2b" not in chosen_vlans(text, silent)
    alone = replace(silent, endpoints={"a": silent.endpoints["a"]})
    assert "a2b" not in chosen_vlans(text, alone)


def test_network_of_an_unknown_vlan_is_not_made_and_not_changed() -> None:
    text = declared(path=RANGE)
    assert {item.code for item in planned(text, look(world(text), provider(silence="gone"))).blocked} == {"E0540"}
    snapshot = look(running(declared()), provider(silence="gone"))
    untagged = {name: _without_vlan(item) for name, item in snapshot.endpoints.items()}
    found = planned(text, replace(snapshot, endpoints=untagged))
    assert ({item.code for item in found.blocked}, found.steps) == ({"E0540"}, ())


def _without_vlan(item: EndpointSeen) -> EndpointSeen:
    return replace(item, networks=tuple(_untagged(network) for network in item.networks))


def _untagged(network: NetworkSeen) -> NetworkSeen:
    return replace(network, spec=replace(network.spec, parent=network.spec.parent.partition(".")[0]))


def test_range_that_is_taken_is_said() -> None:
    second = "# networks/lan\ndriver: macvlan\nvlan: 1780\nsubnet: 10.8.0.0/24\n"
    hosts = on_one_interface("lan")
    text = declared(second, *hosts, path=RANGE.replace("1780-1782", "1780-1781"))
    assert chosen(text, world(text), **provider()) == 1781
    assert left(text, world(text), seen("failed", vlan=1781)) == (
        "E0541",
        "path a2b: no VLAN of 1780-1781 is free for it",
        "a wider range",
    )


def test_paths_that_share_an_interface_get_different_vlans() -> None:
    third = "# networks/wan2\ndriver: macvlan\npath: a2c\nsubnet: 10.7.0.0/24\n"
    other = RANGE.replace("paths/a2b", "paths/a2c").replace(PORTS[0], PORTS[0] + "x").replace(PORTS[1], PORTS[1] + "x")
    hosts = on_one_interface("wan2")
    text = declared(third, other, *hosts, path=RANGE)
    assert chosen_vlans(text, look(world(text), provider())) == {"a2b": 1780, "a2c": 1781}
    kept = replace(seen("reserved", vlan=1780), spec=replace(seen(vlan=1780).spec, name="a2c"))
    assert chosen_vlans(text, look(world(text), provider(kept))) == {"a2b": 1781, "a2c": 1780}


def test_path_without_a_network_has_a_vlan_too() -> None:
    text = declared(RANGE.replace("paths/a2b", "paths/far"), path=RANGE, session="")
    assert with_chosen_vlans(text, look(world(text), provider())).paths["far"].value.only_vlan == 1781, "its ports are those of a2b"


def test_vlans_that_the_provider_does_not_have_free_are_passed_over() -> None:
    text = declared(path=RANGE)
    offered = provider(free_vlans={PORTS[0]: frozenset({1781, 1782})})
    assert chosen(text, world(text), **offered) == 1781


def test_vlan_that_a_path_of_ours_has_until_its_release_is_the_last_choice() -> None:
    """It was the lowest one, and its provider refused it: nothing but a report of free VLANs kept it from being chosen."""
    text = declared(path=RANGE)
    former = seen(name="old", path_id="c0", vlan=1780)
    assert chosen(text, world(text), **provider(former)) == 1781
    assert chosen(text, world(text), **provider(replace(former, state="released"))) == 1780
    narrow = declared(path=RANGE.replace("1780-1782", "1780-1781"))
    both = (former, seen(name="older", path_id="c9", vlan=1781))
    taken = dict.fromkeys(PORTS, frozenset({4000}))
    assert chosen(narrow, world(narrow), **provider(*both, free_vlans=taken)) == 1780


def machines(*interfaces: Interface, held: Held = Held()) -> World:  # noqa: B008  a frozen value
    """Endpoints with an agent, on which `a` has these interfaces beside eth9."""
    return world(ON_AGENTS, machines={"a": machine(LAN, *interfaces, held=held), "b": machine(LAN)})


AGENTS = endpoint(interfaces="{wan: eth9}") + endpoint("b", interfaces="{wan: eth9}")
ON_AGENTS = declared(AGENTS, path=RANGE)
SUB = Interface(name="eth9.1780", index=70, kind="vlan", parent="eth9", vlan=1780, mtu=9000)


def test_sub_interfaces_of_others_are_taken_and_ours_are_not() -> None:
    assert chosen(ON_AGENTS, machines(SUB), **provider()) == 1781
    ours = Held(vlans=(HeldVlan(name="eth9.1780", parent="eth9", vlan=1780, mtu=9000, site="lab"),))
    assert chosen(ON_AGENTS, machines(SUB, held=ours), **provider()) == 1780


OTHER_SESSION = "# sessions/other\nendpoints: [a]\nimage: dtn:1\nsettings: {data_nets: [other], mgmt_net: null}\n"


def test_virtual_function_keeps_the_vlan_of_its_path() -> None:
    text = declared(
        endpoint(interfaces="{wan: ens1f0, other: ens1f0}") + endpoint("b", interfaces="{wan: ens1f0}"),
        path=RANGE,
        network=WAN.replace("macvlan", "sriov") + "# networks/other\ndriver: sriov\nvlan: 5\nsubnet: 10.3.0.0/24\n" + OTHER_SESSION,
    )
    made = world(text, machines=dict.fromkeys("ab", machine(pf("ens1f0", 1))))
    made.apply(planned(text, made, seen(vlan=1782)))
    assert chosen(text, made, **provider(silence="gone")) == 1782
    assert left(text, made, seen(vlan=1782, bandwidth=1))[0] == "E0543"
    gone = site(SITE + endpoint(interfaces="{}") + endpoint("b", interfaces="{}"))
    found = planned(gone, made, seen(vlan=1782), allow_empty=True)
    assert "anagram/deactivate-path/a2b <- a/remove-network/wan, b/remove-network/wan" in steps(found)


def test_site_without_paths_is_as_it_was() -> None:
    text = site(SESSION.replace("[wan], mgmt_net: null", "[], mgmt_net: bridge"))
    assert with_chosen_vlans(text, Snapshot({})).networks == text.networks
