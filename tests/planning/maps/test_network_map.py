"""The map of networks: what is declared, what is seen of the interfaces, and what runs across."""

from __future__ import annotations

from dtnctl.model.network_map import Crossing, EndpointPlace, NetworkMap, NetworkPlace, PathPlace, SessionPlace
from dtnctl.model.site import Site
from dtnctl.planning.maps.networks import network_map
from tests.planning.building import NOW, applied, site
from tests.planning.dtns import after, agent, dtn, endpoint, session
from tests.planning.machines import machine, pf
from tests.properties.world import World

DATA = "# networks/data\ndriver: macvlan\nvlan: 222\nmtu: 9000\nsubnet: 10.0.0.0/24\nsubnet6: fd00::/64\n"


def _map(declared: Site, made: World) -> NetworkMap:
    return network_map(declared, made.observe(), NOW)


def test_sessions_cross_the_networks_that_their_data_goes_over() -> None:
    text = DATA + session("one", "{data_nets: [data]}", on="a, b") + session("two", "{}") + session("three", "{mgmt_net: none}")
    found = _map(site(text), applied(site(text)))
    assert found.site == "lab"
    assert found.endpoints == (EndpointPlace("a"), EndpointPlace("b"))
    assert found.networks == (
        NetworkPlace("data", "macvlan", 222, 9000, ("10.0.0.0/24", "fd00::/64")),
        NetworkPlace("bridge", "bridge"),
    )
    assert found.crossings == (Crossing("a", "bridge"), Crossing("a", "data", "eth1"), Crossing("b", "data", "eth1"))
    assert found.sessions == (
        SessionPlace("one", "STARTED", ("a", "b"), ("data",)),
        SessionPlace("three", "STARTED", ("a",)),
        SessionPlace("two", "STARTED", ("a",), ("bridge",)),
    )


def test_agents_report_the_speed_and_the_state_of_interfaces() -> None:
    cards = [pf("ens1f0", 1), pf("ens2f0", 0).model_copy(update={"carrier": False}), pf("ens3f0", 0).model_copy(update={"is_up": False})]
    networks = "".join(f"# networks/n{number}\ndriver: sriov\nsubnet: 10.{number}.0.0/24\n" for number in range(4))
    declared = dtn(networks, on=endpoint(interfaces="{n0: ens1f0, n1: ens2f0, n2: ens3f0, n3: ens4f0}"))
    assert _map(declared, after(declared, told=machine(*cards))).crossings == (
        Crossing("a", "n0", "ens1f0", 100_000, True),
        Crossing("a", "n1", "ens2f0", 100_000, False),
        Crossing("a", "n2", "ens3f0", 100_000, False),
        Crossing("a", "n3", "ens4f0", is_missing=True),
    )


def test_what_is_silent_is_shown_as_it_is_declared() -> None:
    text = DATA + session("one", "{data_nets: [data]}", on="a, b")
    made = applied(site(text))
    made.hosts["b"].silence = "no answer within 10 s"
    found = _map(site(text), made)
    assert found.endpoints == (EndpointPlace("a"), EndpointPlace("b", "no answer within 10 s"))
    assert Crossing("b", "data", "eth1") in found.crossings
    assert found.sessions == (SessionPlace("one", "MIXED", ("a", "b"), ("data",)),)


def test_an_agent_that_is_silent_leaves_its_interfaces_unknown_and_says_why() -> None:
    declared = dtn("# networks/n\ndriver: sriov\nsubnet: 10.0.0.0/24\n", on=endpoint(interfaces="{n: ens1f0}"))
    made = after(declared, told=machine(pf("ens1f0", 1)))
    agent(made).silence = "connection refused"
    found = _map(declared, made)
    assert found.endpoints == (EndpointPlace("a", agent_silence="connection refused"),)
    assert found.crossings == (Crossing("a", "n", "ens1f0"),)


def test_paths_join_endpoints_and_what_is_none_of_ours() -> None:
    text = """
# networks/wide
driver: macvlan
path: ab
subnet: 10.0.0.0/24
# paths/ab
ends: [{endpoint: a}, {endpoint: b}, {port: "urn:ogf:network:example.net:2013:port"}]
vlan: 1790
mtu: 9000
bandwidth: 10gbit
"""
    found = _map(site(text), applied(site(text)))
    assert found.paths == (
        PathPlace(
            "ab", "declared", "static", ("a", "b"), ("urn:ogf:network:example.net:2013:port",), vlan=1790, mtu=9000, bandwidth=10_000_000
        ),
    )
    assert found.networks == (NetworkPlace("wide", "macvlan", 1790, 9000, ("10.0.0.0/24",), "ab"),)
