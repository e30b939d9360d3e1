"""P9: planning 25 sessions on 2 endpoints with a virtual function, 2 CPUs and a verbs device for each of their 50 services.

Beside it the same sessions on a macvlan network, with nothing of the hardware. Times are the processor's; reading what the two
agents answered is part of ours.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from time import process_time
from typing import Any

from dtn_agent.protocol import PROTOCOL_VERSION, Ability, Cpus, Facts, Host, Interface, Memory, NumaNode, RdmaDevice, Sriov, System, Vf

from bench.figures import Figure, Options, Pairs, at_most, figure_of, in_turn, seconds
from bench.planning import IMAGE, document
from dtnctl.model.profile import Profile
from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.model.site import Endpoint, Network, Session, Site
from dtnctl.model.site_settings import SiteSettings
from dtnctl.planning.planner import make_plan

ENDPOINTS = ("dtn1", "dtn2")
SESSIONS = 25
CPUS = 2  # of each service
NODE_CPUS = 64
NOW = datetime(2026, 6, 1, tzinfo=UTC)
LIMIT = 3.0  # as much again for each of the two further kinds of choices, and what the agents answered


def measure(options: Options) -> Iterator[Figure]:
    hardware, plain = _site("sriov"), _site("macvlan")
    answer = _host().model_dump_json().encode()
    empty = Snapshot({name: EndpointSeen(name, images={"dtn:1": IMAGE}) for name in ENDPOINTS})

    def with_hardware() -> float:
        return _time(lambda: make_plan(hardware, _answered(empty, answer), now=NOW))

    def without() -> float:
        return _time(lambda: make_plan(plain, empty, now=NOW))

    assert not make_plan(hardware, _answered(empty, answer), now=NOW).blocked
    pairs = Pairs(*in_turn(options.rounds_or(9), with_hardware, without))
    name = f"P9 plan of {len(ENDPOINTS) * SESSIONS} VFs on 2 endpoints / the same on macvlan"
    yield figure_of(name, pairs, at_most(LIMIT), seconds("with VFs, CPUs and RDMA", "macvlan", pairs))


def _answered(empty: Snapshot, answer: bytes) -> Snapshot:
    return Snapshot({name: replace(seen, host=Host.model_validate_json(answer)) for name, seen in empty.endpoints.items()})


def _time(run: Any) -> float:
    gc.collect()
    before = process_time()
    run()
    return process_time() - before


def _site(driver: str) -> Site:
    is_hardware = driver == "sriov"
    network = {"driver": driver, "mtu": 9000, "subnet": "10.20.0.0/16", **({"vlan": 222, "trust": True} if is_hardware else {})}
    profile: Mapping[str, Any] = {"data_nets": ["data"], "memory": "1GiB"}
    if is_hardware:
        profile = {**profile, "near": "data_net", "cpus": float(CPUS), "devices": ["rdma_cm", "uverbs"]}
    agent = {"agent": "https://dtn:5050", "agent_token_env": "T"} if is_hardware else {}
    endpoint = {"docker": "ssh://dtn@dtn.example.net", "interfaces": {"data": "ens1f0"}, "allow": {"devices": ["*"]}, **agent}
    return Site(
        settings=document("site", SiteSettings.model_validate({"name": "bench"})),
        endpoints={name: document(name, Endpoint.model_validate(endpoint)) for name in ENDPOINTS},
        networks={"data": document("data", Network.model_validate(network))},
        profiles={"dtn": document("dtn", Profile.model_validate(profile))},
        sessions={name: document(name, _session()) for name in (f"s{number:02}" for number in range(SESSIONS))},
        transfers={},
    )


def _session() -> Session:
    return Session.model_validate({"endpoints": list(ENDPOINTS), "image": "dtn:1", "profile": "dtn"})


def _host() -> Host:
    """A host with one card of 32 functions, each with a verbs device, on the second of two NUMA nodes."""
    places = [f"0000:b1:{index // 8:02x}.{index % 8}" for index in range(32)]
    vfs = tuple(Vf(index=index, pci=pci, netdev=f"v{index}", driver="mlx5_core") for index, pci in enumerate(places))
    nodes = tuple(NumaNode(node=node, cpus=f"{node * NODE_CPUS}-{(node + 1) * NODE_CPUS - 1}", memory=256 * 1024**3) for node in range(2))
    card = Interface(
        name="ens1f0",
        index=2,
        mtu=9000,
        is_up=True,
        speed=100_000,
        pci="0000:b0:00.0",
        numa_node=1,
        local_cpus=nodes[1].cpus,
        sriov=Sriov(total=32, current=32, offset=2, stride=1, vfs=vfs),
    )
    facts = Facts(
        system=System(hostname="dtn", kernel="6.12"),
        cpus=Cpus(logical=2 * NODE_CPUS, online=f"0-{2 * NODE_CPUS - 1}", numa=nodes),
        memory=Memory(total=512 * 1024**3, available=500 * 1024**3),
        interfaces=(card,),
        rdma=tuple(RdmaDevice(name=f"mlx5_{vf.index}", uverbs=f"uverbs{vf.index}", pci=vf.pci) for vf in vfs),
    )
    return Host(
        version=PROTOCOL_VERSION, agent="0.1.0", facts=facts, abilities=tuple(Ability(name=name) for name in ("vf", "driver", "vlan"))
    )
