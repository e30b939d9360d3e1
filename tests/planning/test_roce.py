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


def running() -> ContainerSeen:
    """A service that was given uverbs11, the verbs device of its own function."""
    made = after(dtn(STAR, session(settings="{data_nets: [star], devices: [rdma_cm, uverbs]}")), told=machine(CARD, rdma=verbs(CARD)))
    seen = live(made)
    assert Device("/dev/infiniband/uverbs11", "/dev/infiniband/uverbs11") in seen.spec.devices
    return seen


def device(*gids: str, uverbs: str = "uverbs11", kinds: tuple[str, ...] = KINDS) -> RdmaDevice:
    """A device with each of these GIDs in each kind, numbered as the kernel does."""
    told = [(gid, kind) for gid in gids for kind in kinds]
    table = tuple(Gid(index=index, gid=gid, type=kind, netdev="eth0") for index, (gid, kind) in enumerate(told))
    return RdmaDevice(name="mlx5_11", uverbs=uverbs, ports=(RdmaPort(port=1, state="ACTIVE", gids=table),))


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


def test_without_one_it_is_that_of_any_ipv4_address_then_the_first() -> None:
    seen = running()
    assert shown(seen, host(seen, device(LINK_LOCAL, FIRST))) == ("mlx5_11", 1, 3)
    assert shown(seen, host(seen, device(LINK_LOCAL))) == ("mlx5_11", 1, 1)


def test_what_was_seen_from_outside_counts_on_the_hosts_network_only() -> None:
    told = device(LINK_LOCAL, OWN)
    seen = running()
    assert shown(seen, host(seen, outside=(told,))) == ("", None, None)
    on_host = replace(seen, spec=replace(seen.spec, network="host"))
    assert shown(on_host, host(on_host, outside=(told,))) == ("mlx5_11", 1, 3)


def test_a_device_that_the_container_was_not_given_does_not_count() -> None:
    seen = running()
    assert shown(seen, host(seen, device(OWN, uverbs="uverbs12"))) == ("", None, None)


def test_nothing_is_told_without_a_routable_gid_or_without_the_agents_answer() -> None:
    seen = running()
    assert shown(seen, host(seen, device(OWN, kinds=("IB/RoCE v1",)))) == ("", None, None)
    assert shown(seen, None) == ("", None, None)
