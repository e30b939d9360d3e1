"""Where an owner allows nothing, whatever passes is a plain container: judged by what is made, not by what was asked for."""

from __future__ import annotations

import json
import random

from dtnctl.model.networking import published_ranges
from dtnctl.model.permission import LOWEST_UNPRIVILEGED_PORT, OWN_LIMITS, refused_requests
from dtnctl.model.resources import ContainerSpec
from dtnctl.planning.choices.allocate import Allocation
from dtnctl.planning.containers.specs import container_spec
from dtnctl.planning.resolve import resolve_services
from tests.planning.building import NOW, site

SESSIONS = 300
OWNER = "docker: unix:///a\nhost: a\ninterfaces: {data: eth1}\nallow: {networks: ['*']}\n"
NETWORKS = (
    "# networks/data\ndriver: macvlan\nsubnet: 8.8.8.0/24\n# networks/mgmt\ndriver: bridge\nsubnet: 172.30.0.0/24\n"
    "# networks/world\ndriver: bridge\nsubnet: 9.9.9.0/24\n"
)
VOLUMES = (
    *("/etc", "/nvme:/n:ro", "cache:/c", {"target": "/t"}),
    *({"source": f"v{kind}", "target": "/v", "driver_opts": {"type": kind, "device": "none"}} for kind in ("tmpfs", "proc", "bpf", "ext4")),
    {"source": "bound", "target": "/b", "driver_opts": {"type": "none", "device": "/etc", "o": "bind"}},
    {"source": "inside", "target": "/i", "driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "bind"}},
    {"source": "far", "target": "/f", "driver_opts": {"type": "nfs", "device": ":/x", "o": "addr=10.0.0.1"}},
    {"source": "odd", "target": "/o", "driver": "rexray/s3fs"},
)
CHOICES: dict[str, tuple[object, ...]] = {
    "volumes": (*([volume] for volume in VOLUMES), [VOLUMES[2], VOLUMES[0]], [VOLUMES[2], VOLUMES[3]]),
    "devices": (["rdma_cm"], ["/dev/fuse"], ["/dev/sda:/dev/null:r"]),
    "capabilities": ({"add": ["NET_ADMIN"]}, {"add": ["all"]}, {"drop": ["ALL"]}),
    "privileged": (True, False),
    "limits": ({"rtprio": 9}, {"nice": 5}, {"memlock": -1}, {"nofile": 9}),
    "mgmt_net": ("host", "none", "bridge", "mgmt", "world"),
    "data_nets": (["data"], ["mgmt"]),
    "exposed_ports": ([80], ["53/udp"], [8080], ["1000-1100"]),
    "data_port_range": ([1, 5], [50000, 50010]),
    "ctrl_port_range": ([1, 1023], [1000, 1100], None),
    "sysctls": ({"net.ipv4.ip_forward": "1"},),
    "init": (True,),
    "entrypoint": (["/bin/sh"],),
}


def combination(chance: random.Random) -> dict[str, object]:
    """A few settings; what the file alone refuses is left out."""
    fields = chance.sample(sorted(CHOICES), chance.choice((1, 1, 2, 3)))
    settings = {name: chance.choice(CHOICES[name]) for name in fields}
    if "data_nets" in settings or settings.get("mgmt_net") == "host":
        for name in ("mgmt_net", "sysctls")[settings.get("mgmt_net") == "host" :]:
            settings.pop(name, None)
        if settings.get("mgmt_net") == "host":
            settings.pop("data_nets", None)
    for name in ("devices", "capabilities") if settings.get("privileged") else ():
        settings.pop(name, None)
    return settings


def powers(spec: ContainerSpec) -> list[str]:
    """What a plain container has not."""
    found = ["privileged"] * spec.privileged + ["the host's network"] * (spec.network == "host") + [*spec.cap_add]
    found += [device.host for device in spec.devices]
    found += [mount.source for mount in spec.mounts if mount.kind == "bind" or mount.driver]
    found += [mount.source for mount in spec.mounts if mount.driver_opts and dict(mount.driver_opts).get("type") != "tmpfs"]
    found += [mount.source for mount in spec.mounts if "bind" in dict(mount.driver_opts).get("o", "")]
    found += [limit.name for limit in spec.ulimits if limit.name not in OWN_LIMITS]
    found += [f"port {port.host}" for port in spec.ports if port.host < LOWEST_UNPRIVILEGED_PORT]
    found += [item.network for item in spec.attachments if item.network == "world"]
    return found


def test_what_an_owner_who_allows_nothing_lets_through_is_a_plain_container() -> None:
    chance = random.Random(8)
    wanted = [combination(chance) for _ in range(SESSIONS)]
    text = "".join(
        f"# endpoints/e{number}\n{OWNER}# sessions/s{number}\nendpoints: [e{number}]\nimage: dtn:1\nsettings: {json.dumps(settings)}\n"
        for number, settings in enumerate(wanted)
    )
    declared = site(NETWORKS + text)
    outcomes = {True: 0, False: 0}
    for service in resolve_services(declared, NOW):
        is_refused = any(refused_requests(service.endpoint.value.allow, service.profile, declared.networks))
        spec = container_spec(service, Allocation())
        found = powers(spec)
        assert is_refused or not found, (service.profile, found)
        outcomes[is_refused] += 1
        judged = [(low, high) for low, high, _, _ in published_ranges(declared.networks, service.profile)]
        assert all(any(low <= port.host <= high for low, high in judged) for port in spec.ports)
    assert min(outcomes.values()) > SESSIONS // 10
