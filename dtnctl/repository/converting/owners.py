"""The `allow:` of an endpoint that lets converted services run as they do, and nothing else that is not allowed anyway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dtnctl.model.drivers import HOST_NETWORK
from dtnctl.model.permission import HIGHEST_PORT, LOWEST_UNPRIVILEGED_PORT, OWN_LIMITS
from dtnctl.model.storage import storage_of

Fields = Mapping[str, Any]


def allow_of(profiles: Sequence[Fields], *, existing_volumes: bool = False) -> dict[str, Any]:
    """What the owner has to allow. `existing_volumes`: named volumes are there already, made by another program."""
    volumes = [item for profile in profiles for item in profile.get("volumes", [])]
    found: dict[str, Any] = {
        "mounts": sorted({folder for item in volumes if (folder := _folder(item))}),
        "volumes": sorted({kind for item in volumes if (kind := _storage(item))}),
        "foreign_volumes": sorted({item["source"] for item in volumes if item["type"] == "volume"}) if existing_volumes else [],
        "devices": sorted({device.partition(":")[0] for profile in profiles for device in profile.get("devices", [])}),
        "capabilities": sorted({name for profile in profiles for name in profile.get("capabilities", {}).get("add", [])}),
        "privileged": any(profile.get("privileged") for profile in profiles),
        "limits": _limits(profiles),
        **_ports(profiles),
    }
    return {key: value for key, value in found.items() if value}


def _folder(volume: Fields) -> str:
    """The folder of the host that a mount shows: also a named volume may be one."""
    if volume["type"] == "bind":
        return str(volume["source"])
    found = storage_of(str(volume.get("driver", "")), volume.get("driver_opts", {})) if volume["type"] == "volume" else None
    return found.name if found is not None and found.kind == "folder" else ""


def _storage(volume: Fields) -> str:
    """What a named volume is beside the engine's own disk: a driver's name, or the kind of file system that `local` mounts."""
    if volume["type"] != "volume":
        return ""
    found = storage_of(str(volume.get("driver", "")), volume.get("driver_opts", {}))
    return found.name if found.kind in ("network", "plugin") else ""


def _limits(profiles: Sequence[Fields]) -> list[str]:
    """Only where one of them takes from the whole host; then the others have to be named, too."""
    names = {name for profile in profiles for name in profile.get("limits", {})}
    return sorted(names) if names - OWN_LIMITS else []


def _ports(profiles: Sequence[Fields]) -> dict[str, Any]:
    """Ports below 1024 have to be allowed one by one, beside all others; then the host's network has to be named, too."""
    low = sorted({port for profile in profiles for port in _fixed(profile) if port < LOWEST_UNPRIVILEGED_PORT})
    if not low:
        return {}
    hosts = any(profile.get("mgmt_net") == HOST_NETWORK for profile in profiles)
    found: dict[str, Any] = {"ports": [*([port, port] for port in low), [LOWEST_UNPRIVILEGED_PORT, HIGHEST_PORT]]}
    return found | ({"networks": ["*", HOST_NETWORK]} if hosts else {})


def _fixed(profile: Fields) -> Iterator[int]:
    for text in profile.get("exposed_ports", []):
        low, _, high = str(text).partition("/")[0].partition("-")
        yield from range(int(low), int(high or low) + 1)
    for key in ("ctrl_port_range", "serv_port_range", "data_port_range"):
        bounds = profile.get(key)
        if bounds:
            yield from range(bounds[0], min(bounds[1], LOWEST_UNPRIVILEGED_PORT) + 1)
    if profile.get("internal_port") and profile.get("mgmt_net") == HOST_NETWORK:
        yield profile["internal_port"]
