"""What a container is given that a plain one has not: what reaches the host first, then what decides what it does. Pure.

SPEC_FIELDS is total: a field of a container that is not classified fails a test, so that a plan cannot hide it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from dtnctl.model.bridges import is_within
from dtnctl.model.drivers import HOST_NETWORK
from dtnctl.model.permission import OWN_LIMITS
from dtnctl.model.plan import Power
from dtnctl.model.resources import NO_HEALTH, ContainerSpec, Device, Mount, NetworkSpec, Ulimit
from dtnctl.model.storage import storage_of, without_secrets
from dtnctl.planning.choices.allocate import Allocation
from dtnctl.planning.containers.compare import size_text
from dtnctl.planning.resolve import Service

if TYPE_CHECKING:
    from dtn_agent.protocol.vfs import ConfigureVf

# power: shown for every new container where it is not what a plain one has. choice: stands among the concrete choices in any case.
# plain: gives nothing.
SPEC_FIELDS: dict[str, Literal["power", "choice", "plain"]] = {
    "image": "choice",
    "hostname": "plain",
    "command": "power",
    "entrypoint": "power",
    "env": "power",
    "secrets": "plain",  # their names stand among the variables
    "tty": "plain",
    "init": "plain",
    "privileged": "power",
    "stop_signal": "plain",
    "stop_timeout": "plain",
    "health": "power",
    "restart": "plain",
    "memory": "power",
    "cpus": "choice",
    "cpu_set": "choice",
    "memory_nodes": "choice",
    "shm_size": "plain",
    "mounts": "power",
    "devices": "power",
    "ulimits": "power",
    "cap_add": "power",
    "cap_drop": "plain",
    "sysctls": "power",
    "dns": "power",
    "network": "power",
    "attachments": "choice",
    "ports": "power",
    "placement": "plain",
    "rollout": "plain",
}


def powers_of(service: Service, allocation: Allocation, spec: ContainerSpec) -> tuple[Power, ...]:
    """Everything that gives power or reaches the host, then what runs inside and who may log in."""
    over_host = (Power(label, value, is_over_host=True) for label, value in _over_host(service, allocation, spec))
    return (*over_host, *(Power(label, value, is_over_host=False) for label, value in _inside(service, spec)))


def network_powers(spec: NetworkSpec) -> tuple[Power, ...]:
    """What a network takes of the host: a whole interface, or subnets that are not private and that the host then looks for in it."""
    found = [("interface", f"{spec.parent}, the whole of it ({spec.mode or spec.driver})")] * spec.driver_row.gives_all(spec.mode)
    subnets = [item.subnet for item in spec.subnets if spec.driver_row.is_inside_host and not is_within(item.subnet, None)]
    found += [("subnet", f"{subnet}, not private: the host finds it in the bridge from then on") for subnet in subnets]
    return tuple(Power(label, value, is_over_host=True) for label, value in found)


def _over_host(service: Service, allocation: Allocation, spec: ContainerSpec) -> Iterator[tuple[str, str]]:
    if spec.privileged:
        yield "privileged", "root on the host: all of its capabilities and devices"
    if spec.network == HOST_NETWORK:
        yield "host network", "all ports of the host, and what listens on it"
    yield from ((kind, text) for mount in spec.mounts if _reaches_host(mount) for kind, text in [_mount(mount)])
    verbs = allocation.hardware.verbs
    yield from (("device", _device(device)) for device in spec.devices if device.host not in verbs)
    if verbs:
        yield "device", "uverbs: the verbs device of its own function or interface"
    if spec.cap_add:
        yield "capabilities", ", ".join(spec.cap_add)
    if limits := _limits(spec.ulimits, is_own=False):
        yield "limits", limits
    for choice in allocation.hardware.vfs:
        yield from ((f"{choice.network} vf", text) for text in _freedoms(choice.settings))
    ports = [_ports(low, high, protocol) for low, high, protocol, field in service.published if field == "exposed_ports"]
    if ports:
        yield "ports", ", ".join(ports)
    if not spec.memory:
        yield "memory", "no limit"


def _freedoms(function: ConfigureVf) -> Iterator[str]:
    if function.trust:
        yield "trusted: it may change its MAC and receive what is for others"
    if function.spoofchk is False:
        yield "its source addresses are not checked"


def _inside(service: Service, spec: ContainerSpec) -> Iterator[tuple[str, str]]:
    yield from ((kind, text) for mount in spec.mounts if not _reaches_host(mount) for kind, text in [_mount(mount)])
    if spec.entrypoint is not None:
        yield "entry point", shlex.join(spec.entrypoint) or "none"
    if spec.command is not None:
        yield "command", shlex.join(spec.command) or "none"
    if spec.health == NO_HEALTH:
        yield "health check", "none, also where the image has one"
    elif spec.health is not None:
        yield "health check", shlex.join(spec.health.test[1:])
    if limits := _limits(spec.ulimits, is_own=True):
        yield "limits", limits
    if spec.sysctls:
        yield "sysctls", ", ".join(f"{name}={value}" for name, value in spec.sysctls)
    profile = service.profile
    if profile.user or profile.ssh_keys:
        keys = len(profile.ssh_keys)
        words = [profile.user or "", f"{keys} public key{'s' * (keys > 1)}" if keys else ""]
        yield "login", ", ".join(word for word in words if word)
    if profile.env:
        yield "variables", ", ".join(sorted(profile.env))
    if spec.dns:
        yield "name servers", ", ".join(spec.dns)


def _reaches_host(mount: Mount) -> bool:
    if mount.kind != "volume":
        return mount.kind == "bind"
    return storage_of(mount.driver, dict(mount.driver_opts)).kind not in ("disk", "tmpfs")


def _mount(mount: Mount) -> tuple[str, str]:
    mode = ", read-only" * mount.read_only
    match mount.kind:
        case "bind":
            return "mount", f"{mount.source} → {mount.target}{mode}"
        case "tmpfs":
            return "tmpfs", f"{mount.target}{mode}" + (f", {size_text(mount.size)}" if mount.size else "")
        case _:
            options = [f"{name}={value}" for name, value in sorted(without_secrets(dict(mount.driver_opts)).items())]
            driver = [f"driver {mount.driver}"] if mount.driver else []
            return "volume", ", ".join([f"{mount.source} → {mount.target}{mode}", *driver, *options])


def _device(device: Device) -> str:
    inside = f" → {device.container}" * (device.container != device.host)
    return f"{device.host}{inside}" + f" ({device.permissions})" * (device.permissions != "rwm")


def _limits(limits: tuple[Ulimit, ...], *, is_own: bool) -> str:
    return ", ".join(
        f"{item.name} {_limit(item.soft)}" + f" to {_limit(item.hard)}" * (item.hard != item.soft)
        for item in limits
        if (item.name in OWN_LIMITS) is is_own
    )


def _limit(value: int) -> str:
    return "unlimited" if value == -1 else str(value)


def _ports(low: int, high: int, protocol: str) -> str:
    return f"{low}/{protocol}" if low == high else f"{low}-{high}/{protocol}"
