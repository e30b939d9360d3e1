"""Generated sites, and what can happen to live endpoints between two runs."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import lru_cache

from hypothesis import assume, settings
from hypothesis import strategies as st

from dtnctl.errors import ConfigError
from dtnctl.model.resources import Attachment, ForeignSeen, NetworkSeen, NetworkSpec, ledger_name
from dtnctl.model.site import Site
from tests.planning.building import site
from tests.properties.agent import Agent
from tests.properties.host import ACTIVE, Host, functions_of
from tests.properties.world import World

ENDPOINTS = ("a", "b", "c")
SESSIONS = ("one", "two", "three", "four", "five")
IMAGES = ("dtn:1", "dtn:2")

NETWORKS = {
    "data": ("driver: macvlan\nsubnet: 10.0.0.0/24\naddresses: 10.0.0.2-10.0.0.6\n", "mtu: 9000\n"),
    "data9": ("driver: macvlan\nsubnet: 10.0.0.0/24\n", "mtu: 9000\n"),  # where `data` was
    "lan6": ("driver: ipvlan\nsubnet: 10.6.0.0/24\nsubnet6: fd00:6::/64\naddresses6: fd00:6::10-fd00:6::1f\n", "vlan: 6\n"),
    "mgmt": ("driver: bridge\nsubnet: 172.30.0.0/24\naddresses: 172.30.0.10-172.30.0.20\n", "mtu: 1400\n"),
    "plain": ("driver: bridge\n", "mtu: 1400\n"),
    "star": ("driver: sriov\nsubnet: 10.9.0.0/24\n", "vlan: 222\nmtu: 9000\n"),
}

FIELDS = (
    "memory: 1GiB\n",
    "memory: null\n",
    "cpus: 2\n",
    "cpus: 2\nnear: any\n",
    "cpus: 3\nnear: any\n",
    "cpu_set: 0-1\n",
    "env: {FOO: bar}\n",
    "env: {FOO: baz}\n",
    "init: true\n",
    "restart: always\n",
    "pull: always\n",
    "ctrl_port_range: [30000, 30003]\n",
    "ctrl_port_range: [30002, 30005]\n",
    "ctrl_port_range: null\n",
    "ctrl_port_range: [30001, 30001]\n",
    "serv_port_range: [30000, 30002]\n",
    "serv_port_range: [60000, 60001]\n",
    "data_port_range: [30001, 30003]\n",
    "data_port_range: [40000, 40001]\n",
    "exposed_ports: [30000, 8080/udp]\n",
    "internal_port: 22\n",
    "health_check: {test: [check]}\n",
)
NETS = (
    "mgmt_net: bridge\n",
    "mgmt_net: bridge\n",
    "mgmt_net: host\n",
    "mgmt_net: null\n",
    "mgmt_net: mgmt\n",
    "mgmt_net: plain\n",
    "mgmt_net: data\n",
    "data_nets: [data]\n",
    "data_nets: [data9]\n",
    "data_nets: [data9, lan6]\n",
    "data_nets: [lan6, data9]\n",
    "data_nets: [data, lan6]\nmgmt_net: plain\n",
    "data_nets: [lan6]\n",
    "data_nets: [lan6]\nmgmt_net: null\n",
    "data_nets: [{name: data, ipv4: [10.0.0.3, 10.0.0.4]}]\n",
    "data_nets: [{name: data, ipv4: 10.0.0.2}]\n",
    "data_nets: [lan6, {name: data, ipv4: 10.0.0.20}]\n",
    "data_nets: [star]\n",
    "data_nets: [star]\nmgmt_net: null\n",
    "data_nets: [star, data9]\nmgmt_net: null\n",
    "data_nets: [data9, star]\n",
)
ENDPOINT_FIELDS = ("vfs: {ens1f0: 2}\n", "vfs: {ens1f0: 3}\n", "reserved_cpus: 0-1\n", "reserved_cpus: irq\n")


@st.composite
def texts(draw: st.DrawFn) -> dict[str, str]:
    """The files of a site, valid or nearly so."""
    files = {}
    for name, (fixed, optional) in NETWORKS.items():
        files[f"networks/{name}"] = fixed + (optional if draw(st.integers(0, 3)) == 0 else "")
    for name in ENDPOINTS:
        files[f"endpoints/{name}"] = _endpoint(name) + _some(draw, ENDPOINT_FIELDS, 2)
    for name in ("p", "q"):
        files[f"profiles/{name}"] = draw(st.sampled_from(NETS)) + _some(draw, FIELDS, 3) + "user: dtn\nvolumes: [{target: /x}]\n"
    for name in draw(st.lists(st.sampled_from(SESSIONS), min_size=1, unique=True)):
        endpoints = draw(st.lists(st.sampled_from(ENDPOINTS), min_size=1, max_size=3, unique=True))
        settings = _some(draw, FIELDS, 1)
        text = f"endpoints: [{', '.join(endpoints)}]\nimage: {draw(st.sampled_from(IMAGES))}\nprofile: {draw(st.sampled_from('pq'))}\n"
        text += f"state: {draw(st.sampled_from(('started', 'started', 'started', 'stopped', 'initialized')))}\n"
        files[f"sessions/{name}"] = text + (f"settings:\n  {settings}" if settings else "")
        if len(endpoints) > 1 and draw(st.booleans()):
            ends = f"from: {endpoints[0]}:/x\nto: {endpoints[1]}:/x\n"
            generation = draw(st.integers(1, 2))
            files[f"transfers/t-{name}"] = f"{ends}tool: gridftp\nsession: {name}\ngeneration: {generation}\nretries: 1\n"
    return files


def _some(draw: st.DrawFn, choices: tuple[str, ...], most: int) -> str:
    """Lines for different fields."""
    found = draw(st.lists(st.sampled_from(choices), max_size=most))
    return "".join({line.partition(":")[0]: line for line in found}.values())


def load(files: dict[str, str]) -> Site:
    """The site; claims that no planner has to solve make the example void."""
    endpoints = {f"endpoints/{name}": _endpoint(name) for name in ENDPOINTS}
    text = "".join(
        f"# {name}\n{content}" for name, content in {"site": "name: lab\nlimits: {max_prune: 100}\n", **endpoints, **files}.items()
    )
    found = _valid_site(text)
    assume(found is not None)
    assert found is not None
    return found


@lru_cache(maxsize=500)
def _valid_site(text: str) -> Site | None:
    """None for files that are refused. Examples vary one another, so the same files come again and again."""
    try:
        return site(text)
    except ConfigError:
        return None


def _endpoint(name: str) -> str:
    allow = "{mounts: [/], devices: ['*'], capabilities: ['*'], privileged: true}"
    interfaces = "{data: eth1, data9: eth1, lan6: eth2, star: ens1f0}"
    urls = f"docker: unix:///run/{name}.sock\nhost: {name}.example.net\nagent: https://{name}.example.net:5050\nagent_token_env: T\n"
    return f"{urls}interfaces: {interfaces}\nallow: {allow}\n"


sites = st.builds(load, texts())

# An example plans and applies whole sites several times, so each run tries fewer of them; `make random` tries its number of these as well.
few_in_each_run = settings(max_examples=int(os.environ.get("DTNCTL_EXAMPLES", "30")))
# Each is a start of Python. 20 of plans are in R10 of `make faults`; 20 of plans and of the command in `make random ARGS=tests/properties`.
HASH_SEEDS = 20 if "DTNCTL_EXAMPLES" in os.environ else 6


# --- what happens on endpoints ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """Something that somebody does to an endpoint; `pick` chooses the object."""

    what: str
    endpoint: str
    pick: int


WHAT = (
    "exit",
    "pause",
    "remove",
    "die",
    "start",
    "memory",
    "sysctl",
    "disconnect",
    "move image",
    "remove image",
    "foreign port",
    "foreign address",
    "prune",
    "job ends",
    "reboot",
    "network changed",
    "agent silent",
    "ledger of the agent lost",
    "function changed",
    "function used",
    "sub-interface gone",
)
events = st.lists(st.builds(Event, st.sampled_from(WHAT), st.sampled_from(ENDPOINTS), st.integers(0, 9)), max_size=5)


def happen(event: Event, world: World) -> None:  # noqa: C901  one branch for each thing that can happen
    host = world.hosts[event.endpoint]
    services = [item for item in sorted(host.containers.values(), key=lambda item: item.name) if item.kind == "service"]
    jobs = [item for item in sorted(host.containers.values(), key=lambda item: item.name) if item.kind == "transfer"]
    seen = services[event.pick % len(services)] if services else None
    networks = sorted(host.networks.values(), key=lambda item: item.name)
    if event.what == "move image":
        world.registry["dtn:1"] = event.pick
    elif event.what == "remove image":
        host.images.pop("dtn:2", None)
    elif event.what == "foreign port":
        port = 30000 + event.pick % 6
        if not any((port, "tcp") in item.host_ports for item in host.foreign) and not _is_used(world, event.endpoint, port):
            host.foreign.append(ForeignSeen(f"web{event.pick}", f"f{event.pick}", ((port, "tcp"),)))
    elif event.what == "foreign address":
        address = f"10.0.0.{2 + event.pick % 5}"
        used = any(item.ipv4 == address for each in world.hosts.values() for other in each.containers.values() for item in other.addresses)
        if networks and networks[0].name == "data" and not used:
            host.foreign.append(ForeignSeen(f"dev{event.pick}", f"d{event.pick}", (), (Attachment("data", address),)))
    elif event.what == "prune":
        host.containers = {key: item for key, item in host.containers.items() if item.state in ACTIVE}
    elif event.what == "job ends" and jobs:
        job = jobs[event.pick % len(jobs)]
        if job.state in ACTIVE:
            host.containers[job.id] = replace(job, state="exited", exit_code=event.pick)
    elif event.what == "network changed" and networks:
        network = networks[event.pick % len(networks)]
        host.networks[network.id] = replace(network, spec=replace(network.spec, mtu=0, mode="", pf="", default_route=None, parent="other"))
    elif event.what == "reboot":
        for item in list(host.containers.values()):
            if item.state in ACTIVE and item.kind == "service":
                host.containers[item.id] = replace(item, state="exited", addresses=())
        if host.agent is not None:
            host.agent.only(functions_of(host))
            host.agent.boot(restores=event.pick % 2 == 0)
    elif host.agent is not None and event.what in WHAT[-5:]:
        _happen_to_machine(event, host, host.agent)
    elif seen is not None:
        _happen_to(event.what, world, event.endpoint, seen.id)


def _happen_to_machine(event: Event, host: Host, agent: Agent) -> None:
    agent.only(functions_of(host))
    sriov = agent.interface("ens1f0").sriov
    vf = sriov.vfs[event.pick % len(sriov.vfs)] if sriov is not None and sriov.vfs else None
    if event.what == "agent silent":
        agent.silence = "" if agent.silence else "no answer"
    elif event.what == "ledger of the agent lost":
        agent.lose_ledger()
    elif event.what == "function changed" and vf is not None:
        agent.change_vf("ens1f0", vf.index, **({"vlan": event.pick} if event.pick % 2 else {"mac": f"02:00:00:00:00:0{event.pick}"}))
    elif event.what == "function used" and vf is not None:
        is_free = vf.pci not in agent.inside and all(item.pci != vf.pci for item in agent.machine.held.vfs)
        if is_free:
            agent.change_vf("ens1f0", vf.index, driver="vfio-pci", netdev="")
    elif event.what == "sub-interface gone":
        agent.take_away("eth2.6")


def _happen_to(what: str, world: World, endpoint: str, container: str) -> None:
    host = world.hosts[endpoint]
    seen = host.containers[container]
    if what == "exit" and seen.state in ACTIVE:
        host.containers[container] = replace(seen, state="exited", exit_code=137, addresses=())
    elif what == "pause" and seen.state == "running":
        host.containers[container] = replace(seen, state="paused")
    elif what == "remove":
        del host.containers[container]
    elif what == "die" and seen.state == "exited":
        host.containers[container] = replace(seen, state="dead")
    elif what == "memory":
        host.containers[container] = replace(seen, spec=replace(seen.spec, memory=77 * 1024**2))
    elif what == "sysctl":
        host.containers[container] = replace(seen, spec=replace(seen.spec, sysctls=(("net.core.somaxconn", "1"),)))
    elif what == "disconnect" and seen.spec.attachments:
        left = seen.spec.attachments[:-1]
        kept = tuple(item for item in seen.addresses if item.network in {other.network for other in left})
        host.containers[container] = replace(seen, spec=replace(seen.spec, attachments=left), addresses=kept)


def _is_used(world: World, endpoint: str, port: int) -> bool:
    from tests.properties.host import ports_of

    return any((port, "tcp") in ports_of(item.spec) for item in world.hosts[endpoint].active)


def strangers_network() -> NetworkSeen:
    return NetworkSeen("strange", "n-strange", {}, NetworkSpec("bridge"))


def hand_is_gone(world: World, endpoint: str) -> bool:
    return world.hosts[endpoint].by_name(ledger_name(world.site)) is None
