"""Three scenes as the objects that a cluster gets, kept as files. `python -m tests.providers.kubernetes.scenes` writes them again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dtnctl.model.resources import (
    LABEL_DEADLINE,
    LABEL_KIND,
    LABEL_NAME,
    LABEL_SELF,
    LABEL_SITE,
    Attachment,
    ContainerSpec,
    Device,
    Health,
    Mount,
    NetworkSpec,
    Pairs,
    PortBinding,
    Subnet,
)
from dtnctl.model.secrets import SecretVariable
from dtnctl.providers.kubernetes.networks import network_object
from dtnctl.providers.kubernetes.place import Link, Place
from dtnctl.providers.kubernetes.workloads import deployment, job

FOLDER = Path(__file__).parent / "scenes"
MIB = 1024**2
PLACE = Place(
    "dtn-3",
    node="worker-3",
    namespace="dtn",
    resources={"ens1f0": "example.net/ens1f0", "/dev/infiniband/rdma_cm": "rdma/hca", "/dev/infiniband/uverbs0": "rdma/hca"},
    links={"star222": Link(24, 64), "roce": Link(24, 0, "example.net/ens1f0")},
)


def labels(name: str, kind: str = "service") -> Pairs:
    named = {LABEL_SITE: "scinet", LABEL_KIND: kind, LABEL_NAME: name.rpartition(".")[2], LABEL_SELF: f"dtn-3/{name}"}
    return tuple(sorted(named.items()))


PLAIN = ContainerSpec(
    image="example.net/dtn/iperf:3",
    hostname="dtn-3",
    command=("iperf3", "-s", "-p", "$PORT"),
    env=(("CTRL_PORT", "30000"), ("MOTD", "costs $(5)"), ("PUBLIC_KEY", "")),
    tty=True,
    stop_signal="SIGTERM",
    health=Health(("CMD-SHELL", "nc -z localhost 30000"), 0.5, 5.0, 3, 30.0),
    restart="unless-stopped",
    dns=("192.0.2.53",),
    attachments=(Attachment("bridge"),),
    ports=(PortBinding(30000, 22), PortBinding(50100, 50100, "udp")),
)
RDMA = ContainerSpec(
    image="example.net/dtn/ofed:latest",
    hostname="dtn-3",
    entrypoint=("/sbin/init",),
    env=(("USER_NAME", "dtnaas"),),
    secrets=(SecretVariable("TOKEN", "k1:" + "0" * 32, "env:TOKEN"),),
    init=True,
    stop_timeout=25,
    stop_signal="SIGRTMIN+3",
    restart="always",
    memory=8192 * MIB,
    cpus=4.0,
    shm_size=1024 * MIB,
    mounts=(
        Mount("/data", "bind", "/nvme/data"),
        Mount("/etc/site", "bind", "/etc/site", read_only=True),
        Mount("/scratch", "volume", "scratch"),
        Mount("/tmp", "tmpfs", size=256 * MIB),
    ),
    devices=(Device("/dev/infiniband/rdma_cm", "/dev/infiniband/rdma_cm"), Device("/dev/infiniband/uverbs0", "/dev/infiniband/uverbs0")),
    cap_add=("IPC_LOCK", "NET_ADMIN"),
    cap_drop=("MKNOD",),
    sysctls=(("net.ipv4.tcp_rmem", "4096 87380 16777216"),),
    network="star222",
    attachments=(Attachment("roce", "192.168.3.70"), Attachment("star222", "192.168.2.70", "2001:db8::70")),
)
MOVER = ContainerSpec(
    image="example.net/dtn/mover:1",
    entrypoint=("/bin/sh",),
    command=("-c", "exec rsync -a /data/1T example.net:/data/1T_2"),
    init=True,
    stop_signal="SIGTERM",
    mounts=(Mount("/data", "bind", "/nvme/data"),),
    network="container:5b1f6a52-7f0e-4c0e-9f53-0c8f2a4c8f10",
)
STAR = NetworkSpec(
    "macvlan",
    internal=True,
    ipv6=True,
    subnets=(Subnet("192.168.2.0/24", "192.168.2.1"), Subnet("2001:db8::/64")),
    mtu=9000,
    mode="bridge",
    parent="ens1f0.222",
)
ROCE = NetworkSpec("sriov", subnets=(Subnet("192.168.3.0/24", "192.168.3.1"),), default_route=True, pf="ens1f0")

SCENES: Mapping[str, tuple[dict[str, Any], ...]] = {
    "plain-service": (deployment("scinet.iperf", PLAIN, labels("scinet.iperf"), PLACE, replicas=1),),
    "rdma-service": (
        network_object("star222", STAR, labels("star222", "network"), PLACE),
        network_object("roce", ROCE, labels("roce", "network"), PLACE),
        deployment("scinet.ofed-test", RDMA, labels("scinet.ofed-test"), PLACE, replicas=0),
    ),
    "transfer": (job("scinet.sc20-1t.g1a1", MOVER, (*labels("scinet.sc20-1t.g1a1", "transfer"), (LABEL_DEADLINE, "3600")), PLACE),),
}


def text_of(scene: str) -> str:
    return yaml.safe_dump_all(SCENES[scene], sort_keys=True)


def file_of(scene: str) -> Path:
    return FOLDER / f"{scene}.yaml"


if __name__ == "__main__":
    for scene in SCENES:
        file_of(scene).write_text(text_of(scene))
