"""What programs of RDMA have to be told of a service: device, port and GID index, as they are inside of its container."""

from __future__ import annotations

from dataclasses import replace

from dtn_agent.protocol import ContainerNet, Gid, Host, RdmaDevice, RdmaPort

from dtnctl.model.report import ServiceRow
from dtnctl.model.resources import ContainerSeen, Device
from dtnctl.planning.roce import with_gid
from tests.planning.dtns import STAR, after, dtn, live, session
from tests.planning.machines import machine, pf, verbs

CARD = pf("ens1f0", 1, vfs=3)
KINDS = ("IB/RoCE v1", "RoCE v2")
LINK_LOCAL, FIRST, OWN = "fe80:0:0:0:a0:98ff:fe00:1", "0:0:0:0:0:ffff:0a09:0001", "0:0:0:0:0:ffff:0a02:0007"
ROW = ServiceRow("one", "a", "running", data_ipv4="10.2.0.7")
WITHOUT = replace(ROW, data_ipv4="")


def running() -> ContainerSeen:
    """A service that was given uverbs11, the verbs device of its own function."""
    made = after(dtn(STAR, session(settings="{data_nets: [star], devices: [rdma_cm, uverbs]}")), told=machine(CARD, rdma=verbs(CARD)))
    seen = live(made)
    assert Device("/dev/infiniband/uverbs11", "/dev/infiniband/uverbs11") in seen.spec.devices
    return seen


def on_the_hosts_network(*uverbs: str) -> ContainerSeen:
    seen = running()
    devices = tuple(Device(f"/dev/infiniband/{name}", f"/dev/infiniband/{name}") for name in uverbs)
    return replace(seen, spec=replace(seen.spec, network="host", devices=devices))


def device(*gids: str, uverbs: str = "uverbs11", kinds: tuple[str, ...] = KINDS, state: str = "ACTIVE") -> RdmaDevice:
    """A device with each of these GIDs in each kind, numbered as the kernel does."""
    told = [(gid, kind) for gid in gids for kind in kinds]
    table = tuple(Gid(index=index, gid=gid, type=kind, netdev="eth0") for index, (gid, kind) in enumerate(told))
    return RdmaDevice(name=uverbs.replace("uverbs", "mlx5_"), uverbs=uverbs, ports=(RdmaPort(port=1, state=state, gids=table),))


def host(seen: ContainerSeen, *inside: RdmaDevice, outside: tuple[RdmaDevice, ...] = ()) -> Host:
    told = machine(CARD, rdma=outside)
    net = ContainerNet(id=seen.id, rdma=inside)
    return told.model_copy(update={"facts": told.facts.model_copy(update={"containers": (net,)})})


def shown(seen: ContainerSeen, told: Host | None) -> tuple[str, int | None, int | None]:
    row = with_gid(ROW, seen, told)
    return row.rdma_device, row.rdma_port, row.rdma_gid_index


def test_it_is_the_routable_gid_of_the_services_data_address() -> None:
    seen = running()
    assert shown(seen, host(seen, device(LINK_LOCAL, FIRST, OWN))) == ("mlx5_11", 1, 5)


def test_an_ipv6_address_counts_as_well() -> None:
    seen = running()
    row = replace(ROW, data_ipv4="", data_ipv6="fd00::7")
    assert with_gid(row, seen, host(seen, device(LINK_LOCAL, "fd00:0:0:0:0:0:0:0007"))).rdma_gid_index == 3


def test_the_gid_of_another_address_is_not_told() -> None:
    seen = running()
    assert shown(seen, host(seen, device(LINK_LOCAL, FIRST))) == ("", None, None)


def test_on_the_hosts_network_it_is_the_first_of_an_ipv4_address_if_one_active_port_alone_has_such() -> None:
    seen = on_the_hosts_network("uverbs11", "uverbs12")
    down, active = device(FIRST, uverbs="uverbs11", state="DOWN"), device(LINK_LOCAL, FIRST, OWN, uverbs="uverbs12")
    assert with_gid(WITHOUT, seen, host(seen, outside=(down, active))) == replace(
        WITHOUT, rdma_device="mlx5_12", rdma_port=1, rdma_gid_index=3
    )
    both = (device(FIRST, uverbs="uverbs11"), active)
    assert with_gid(WITHOUT, seen, host(seen, outside=both)) == WITHOUT
    assert with_gid(WITHOUT, seen, host(seen, active)) == WITHOUT, "it has no namespace of its own to be asked in"


def test_what_is_seen_from_outside_does_not_count_for_a_namespace_of_its_own() -> None:
    seen = running()
    assert shown(seen, host(seen, outside=(device(LINK_LOCAL, OWN),))) == ("", None, None)


def test_a_device_that_the_container_was_not_given_does_not_count() -> None:
    seen = running()
    assert shown(seen, host(seen, device(OWN, uverbs="uverbs12"))) == ("", None, None)


def test_nothing_is_told_without_a_routable_gid_or_without_the_agents_answer() -> None:
    seen = running()
    assert shown(seen, host(seen, device(OWN, kinds=("IB/RoCE v1",)))) == ("", None, None)
    assert shown(seen, None) == ("", None, None)
