"""What `paths check` says of a path before anything is sent: its provider, its interfaces, its VLAN, the services on it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dtn_agent.protocol import Host as Machine
from dtn_agent.protocol import Interface, Owner
from dtn_agent.protocol.vfs import HeldVf, VfSettings

from dtnctl.model.resources import ContainerSeen, EndpointSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.paths.checking import findings_at_rest, path_probes
from dtnctl.planning.paths.vlans import with_chosen_vlans
from dtnctl.planning.paths.wanted import declared_paths
from tests.planning.building import applied, world
from tests.planning.dtns import endpoint
from tests.planning.machines import LAN, machine
from tests.planning.paths.scene import ASKED, RANGE, SESSION, STATIC, WAN, declared, look, provider, seen

AGENTS = endpoint(interfaces="{wan: eth9}") + endpoint("b", interfaces="{wan: eth9}")
SUB = Interface(name="eth9.1790", index=70, kind="vlan", parent="eth9", vlan=1790, mtu=9000, is_up=True)


def found(text: Site, snapshot: Snapshot) -> list[tuple[str, str, str, str]]:
    """Aspect, place, verdict and text of each finding."""
    path = declared_paths(with_chosen_vlans(text, snapshot))["a2b"]
    return [(item.aspect, item.where, item.verdict, item.text) for item in findings_at_rest(path, snapshot)]


def of_host(*interfaces: Interface, text: Site | None = None, host: Machine | None = None) -> list[tuple[str, str, str]]:
    """Findings at endpoint a, which has an agent that reports these interfaces; without a session."""
    text = text or declared(AGENTS, path=STATIC, session="")
    made = world(text, machines=dict.fromkeys("ab", host or machine(*interfaces)))
    return [(aspect, verdict, words) for aspect, where, verdict, words in found(text, made.observe()) if where in ("a", "a eth9")]


# --- its provider -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (provider(seen(words="ACTIVATED")), ("ok", "active (ACTIVATED)")),
        (provider(seen("failed")), ("wrong", "failed")),
        (provider(), ("wrong", "it has no such path")),
        (provider(silence="gone"), ("unknown", "it does not answer: gone")),
        ({}, ("unknown", "it does not answer: it was not asked")),
    ],
)
def test_state_is_what_its_provider_says(paths: dict[str, object], expected: tuple[str, str]) -> None:
    text = declared()
    assert found(text, look(world(text), paths))[0] == ("state", "anagram", *expected)  # type: ignore[arg-type]


def test_path_of_others_has_no_state() -> None:
    text = declared(path=STATIC)
    assert "state" not in [item[0] for item in found(text, world(text).observe())]


# --- its ends -----------------------------------------------------------------------------------------------


def test_silent_endpoint_is_unknown() -> None:
    text = declared(path=STATIC)
    snapshot = Snapshot({"a": EndpointSeen("a", silence="no route")})
    assert found(text, snapshot) == [
        ("interface", "a", "unknown", "a does not answer: no route"),
        ("interface", "b", "unknown", "b does not answer: it was not asked"),
    ]


def test_path_without_a_network_or_without_an_interface_says_which_line_is_missing() -> None:
    text = declared(path=STATIC, network="", session="")
    assert found(text, world(text).observe())[0] == ("interface", "a", "unknown", "no network goes over the path")
    text = declared(endpoint(interfaces="{}") + endpoint("b", interfaces="{wan: eth1}"), path=STATIC, session="")
    snapshot = world(text).observe()
    assert found(text, snapshot)[0] == ("interface", "a", "unknown", "no interface carries network wan here")
    (first, *_) = findings_at_rest(declared_paths(text)["a2b"], snapshot)
    assert first.fix == "`interfaces: {wan: INTERFACE}` in state/endpoints/a.yaml"


def test_without_an_agent_the_network_of_the_engine_says_which_vlan_it_is_on() -> None:
    text = declared(path=STATIC)
    assert ("vlan", "a eth1", "unknown", "no agent reports the interfaces of this host") in found(text, world(text).observe())
    made = applied(text)
    assert found(text, made.observe()) == [
        ("vlan", "a eth1", "ok", "network wan is on eth1.1790"),
        ("vlan", "b eth1", "ok", "network wan is on eth1.1790"),
    ]
    other = declared(path=STATIC.replace("1790", "1791"))
    assert ("vlan", "a eth1", "wrong", "network wan is on eth1.1790") in found(other, made.observe())


@pytest.mark.parametrize(
    ("interface", "expected"),
    [
        (LAN.model_copy(update={"is_up": False}), ("wrong", "it is down")),
        (LAN.model_copy(update={"carrier": False}), ("wrong", "it is up, but has no link")),
        (LAN.model_copy(update={"mtu": 1500}), ("wrong", "its MTU is 1500, the path's 9000")),
        (LAN, ("ok", "up, MTU 9000")),
    ],
)
def test_interface_that_carries_it(interface: Interface, expected: tuple[str, str]) -> None:
    assert of_host(interface)[0] == ("interface", *expected)


def test_interface_that_the_host_does_not_have() -> None:
    text = declared(AGENTS.replace("eth9", "eth8"), path=STATIC, session="")
    made = world(text, machines=dict.fromkeys("ab", machine(LAN)))
    assert ("interface", "a eth8", "wrong", "the host has no such interface") in found(text, made.observe())


@pytest.mark.parametrize(
    ("interface", "expected"),
    [
        (None, ("wrong", "VLAN 1790 is not there: no interface eth9.1790")),
        (SUB.model_copy(update={"vlan": 7}), ("wrong", "eth9.1790 has VLAN 7")),
        (SUB.model_copy(update={"is_up": False}), ("wrong", "eth9.1790 is down")),
        (SUB.model_copy(update={"mtu": 1500}), ("wrong", "the MTU of eth9.1790 is 1500, the path's 9000")),
        (SUB, ("ok", "eth9.1790 is up, MTU 9000")),
    ],
)
def test_vlan_on_the_interface(interface: Interface | None, expected: tuple[str, str]) -> None:
    assert of_host(LAN, *([interface] if interface else []))[1] == ("vlan", *expected)


def test_vlan_that_is_not_chosen_yet_is_unknown() -> None:
    text = declared(AGENTS, path=RANGE, session="")
    assert ("vlan", "unknown", "no VLAN is chosen for the path yet") in of_host(LAN, text=text)


def test_vlan_of_a_virtual_function_is_the_one_of_the_card() -> None:
    text = declared(AGENTS, path=STATIC, session="", network=WAN.replace("macvlan", "sriov") + "addresses: 10.9.0.10-10.9.0.20\n")
    plain = machine(LAN)
    owner = Owner(site="lab", session="one", network="wan")

    def with_function(vlan: int) -> Machine:
        wanted = VfSettings(vlan=vlan)
        held = HeldVf(pf="eth9", pf_pci="0000:b1:00.0", index=0, pci="0000:b1:00.2", owner=owner, found=VfSettings(), wanted=wanted)
        return plain.model_copy(update={"held": plain.held.model_copy(update={"vfs": (held,)})})

    assert of_host(text=text, host=plain)[1] == ("vlan", "unknown", "no virtual function of network wan is in use")
    assert of_host(text=text, host=with_function(1790))[1] == ("vlan", "ok", "the card adds VLAN 1790")
    expected = ("vlan", "wrong", "virtual function 0000:b1:00.2 has another VLAN than 1790")
    assert of_host(text=text, host=with_function(0))[1] == expected


def test_vlan_of_an_interface_that_the_container_has_is_unknown() -> None:
    text = declared(AGENTS, path=STATIC, session="", network=WAN.replace("macvlan", "host-device"))
    assert of_host(LAN, text=text)[1] == ("vlan", "unknown", "the container has the interface, and tags by itself")


# --- what is sent -------------------------------------------------------------------------------------------


def test_end_without_a_session_says_what_to_start() -> None:
    text = declared(path=STATIC, session="")
    snapshot = world(text).observe()
    expected = "no running session is on network wan: nothing can be sent from here"
    assert ("session", "a", "unknown", expected) in found(text, snapshot)
    assert path_probes(declared_paths(text)["a2b"], snapshot) == ()


def test_every_direction_between_services_of_one_session_is_probed() -> None:
    text = declared(path=STATIC)
    there, back = path_probes(declared_paths(text)["a2b"], applied(text).observe())
    assert (there.where, there.container, there.session, there.size, there.vlan) == ("a → b", "lab.one", "one", 9000, 1790)
    assert (there.address, there.far_address) == (back.far_address, back.address)
    assert back.where == "b → a"
    assert there.maker == "whoever made it"


def test_session_at_most_ends_sends_unless_another_one_is_named() -> None:
    alone = SESSION.replace("sessions/one", "sessions/alone").replace("[a, b]", "[a]")
    text = declared(alone, path=STATIC)
    snapshot, path = applied(text).observe(), declared_paths(text)["a2b"]
    assert {probe.session for probe in path_probes(path, snapshot)} == {"one"}
    assert path_probes(path, snapshot, "alone") == ()


def test_what_is_stopped_or_has_no_address_there_does_not_send() -> None:
    text = declared(path=STATIC)
    snapshot, path = applied(text).observe(), declared_paths(text)["a2b"]

    def altered(container: ContainerSeen) -> ContainerSeen:
        return replace(container, addresses=()) if container.kind == "service" else container

    b = snapshot.endpoints["b"]
    without = replace(snapshot, endpoints={**snapshot.endpoints, "b": replace(b, containers=tuple(map(altered, b.containers)))})
    assert path_probes(path, without) == ()
    only_a = replace(snapshot, endpoints={"a": snapshot.endpoints["a"]})
    assert path_probes(path, only_a) == ()


def test_path_of_a_provider_without_an_mtu_must_carry_what_ethernet_carries() -> None:
    text = declared(path=ASKED)
    made = world(text)
    applied_paths = look(made, provider(seen()))
    assert path_probes(declared_paths(text)["a2b"], applied_paths) == ()
    static = applied(declared(path=STATIC.replace("mtu: 9000\n", "")))
    snapshot = replace(static.observe(), paths=provider(seen()))
    (probe, _) = path_probes(declared_paths(text)["a2b"], snapshot)
    assert (probe.size, probe.maker) == (1500, "provider anagram")
