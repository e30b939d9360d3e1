"""RDMA: exactly the verbs devices of the service's own functions or interfaces, and what comes along with them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from dtn_agent.protocol import RdmaDevice

from dtnctl.model.resources import Ulimit
from tests.planning.building import ANYTHING, plan
from tests.planning.dtns import STAR, after, agent, before, carry_out, dtn, endpoint, live, session
from tests.planning.listing import changes, details, says
from tests.planning.machines import machine, pf, verbs
from tests.properties.world import World

CARD = pf("ens1f0", 1, vfs=3)
RDMA = "{data_nets: [star], devices: [rdma_cm, uverbs]}"


def devices(made: World, container: str = "lab.one") -> list[str]:
    return [item.host for item in live(made, container).spec.devices]


def with_verbs(declared_text: str, *, on: str = "", rdma: Iterable[RdmaDevice] = verbs(CARD)) -> World:
    return after(dtn(STAR, declared_text, on=on), told=machine(CARD, pf("ens2f0", 0), rdma=rdma))


def test_a_service_gets_the_device_of_its_own_function_and_no_other() -> None:
    made = with_verbs(session("one", RDMA) + session("two", RDMA))
    assert devices(made) == ["/dev/infiniband/rdma_cm", "/dev/infiniband/uverbs11"]
    assert devices(made, "lab.two") == ["/dev/infiniband/rdma_cm", "/dev/infiniband/uverbs12"]


def test_a_service_on_two_networks_gets_the_devices_of_both_functions() -> None:
    moon = STAR.replace("star", "moon").replace("10.2", "10.3")
    text = moon + session(settings="{data_nets: [star, moon], devices: [uverbs]}")
    made = with_verbs(text, on=endpoint(interfaces="{star: ens1f0, moon: ens1f0}"))
    assert devices(made) == ["/dev/infiniband/uverbs11", "/dev/infiniband/uverbs12"]


def test_the_plan_shows_the_device() -> None:
    declared = dtn(STAR, session(settings=RDMA))
    created = plan(declared, before(declared, told=machine(CARD, rdma=verbs(CARD)))).changes[1]
    assert dict(created.allocations)["verbs"] == "/dev/infiniband/uverbs11"


def test_on_macvlan_it_is_the_device_of_the_interface() -> None:
    lan = "# networks/lan\ndriver: macvlan\nvlan: 7\nsubnet: 10.7.0.0/24\n"
    made = with_verbs(
        lan + session(settings="{data_nets: [lan], devices: [uverbs]}"), on=endpoint(interfaces="{star: ens1f0, lan: ens1f0}")
    )
    assert devices(made) == ["/dev/infiniband/uverbs10"]


def test_on_the_hosts_network_it_is_those_of_all_interfaces_that_the_endpoint_names() -> None:
    other = pf("ens2f0", 0)
    made = with_verbs(
        session(settings="{mgmt_net: host, devices: [uverbs]}"),
        on=endpoint(interfaces="{star: ens1f0}"),
        rdma=(*verbs(CARD), *verbs(other)),
    )
    assert devices(made) == ["/dev/infiniband/uverbs10"]


def test_a_software_device_is_told_by_its_interface() -> None:
    """rxe has no PCI function."""
    rxe = RdmaDevice(name="rxe0", uverbs="uverbs7", netdev="ens1f0")
    made = with_verbs(session(settings="{mgmt_net: host, devices: [uverbs]}"), rdma=(rxe,))
    assert devices(made) == ["/dev/infiniband/uverbs7"]


def test_locked_memory_comes_along() -> None:
    spec = live(with_verbs(session(settings=RDMA))).spec
    assert spec.cap_add == ("IPC_LOCK",)
    assert spec.ulimits == (Ulimit("memlock", -1, -1),)


def test_a_limit_that_is_written_counts_and_the_capability_is_not_given_twice() -> None:
    text = RDMA.replace("}", ", limits: {memlock: 65536}, capabilities: {add: [CAP_IPC_LOCK, NET_RAW]}}")
    spec = live(with_verbs(session(settings=text))).spec
    assert spec.cap_add == ("IPC_LOCK", "NET_RAW")
    assert spec.ulimits == (Ulimit("memlock", 65536, 65536),)


def test_without_verbs_nothing_of_it_comes() -> None:
    spec = live(with_verbs(session(settings="{data_nets: [star], devices: [rdma_cm]}"))).spec
    assert (spec.cap_add, spec.ulimits) == ((), ())


def test_another_number_after_a_reboot_makes_the_container_anew() -> None:
    declared = dtn(STAR, session(settings=RDMA))
    made = with_verbs(session(settings=RDMA))
    renumbered = tuple(item.model_copy(update={"uverbs": item.uverbs.replace("uverbs1", "uverbs4")}) for item in verbs(CARD))
    one = agent(made)
    one.machine = one.machine.model_copy(update={"facts": one.machine.facts.model_copy(update={"rdma": renumbered})})
    moving = plan(declared, made)
    assert changes(moving) == ["replace session/one @ a: replaces container lab.one"]
    assert dict(moving.changes[0].allocations)["verbs"] == "/dev/infiniband/uverbs41"
    carry_out(declared, made)


def test_an_owner_who_does_not_allow_it_is_asked_first() -> None:
    declared = dtn(STAR, session(settings=RDMA), on=endpoint().replace(ANYTHING, "{devices: [rdma_cm]}"))
    made = before(declared, told=machine(CARD, rdma=verbs(CARD)))
    (blocked,) = plan(declared, made).blocked
    assert (blocked.code, "uverbs" in blocked.cause.text) == ("E0504", True)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        (RDMA, "virtual function 0000:b1:00.2 on a has no verbs device"),
        ("{mgmt_net: host, devices: [uverbs]}", "interface ens1f0 of a has no verbs device"),
        (
            "{devices: [uverbs]}",
            "the service on a, which is on no interface of the endpoint's `interfaces:`, has no verbs device",
        ),
    ],
)
def test_where_there_is_none_it_is_refused(settings: str, what: str) -> None:
    declared = dtn(STAR, session(settings=settings))
    (blocked,) = plan(declared, before(declared)).blocked
    assert (blocked.code, blocked.cause.text, blocked.fix) == ("E0474", what, "an interface with RDMA, or `devices` without uverbs")


def test_a_device_without_a_file_is_none() -> None:
    nameless = tuple(item.model_copy(update={"uverbs": ""}) for item in verbs(CARD))
    declared = dtn(STAR, session(settings=RDMA))
    assert plan(declared, before(declared, told=machine(CARD, rdma=nameless))).blocked[0].code == "E0474"


def test_an_interface_of_the_file_that_is_not_on_the_host_has_none() -> None:
    declared = dtn(STAR, session(settings="{mgmt_net: host, devices: [uverbs]}"))
    says(
        details(plan(declared, before(declared, told=machine(pf("ens2f0", 0))))),
        """
        blocked session/one @ a: E0474
          because interface ens1f0 of a has no verbs device (state/sessions/one.yaml:4)
          fix: an interface with RDMA, or `devices` without uverbs
        """,
    )
