"""Mounts of a compose service: bind mounts by their whole path, named volumes by the name that the engine has for them, tmpfs."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any, Protocol

from dtnctl.repository.converting.compose_units import size
from dtnctl.repository.converting.conversion import Conversion
from dtnctl.repository.converting.foreign import Foreign

OPTIONS = ("ro", "rw", "z", "Z", "cached", "delegated", "consistent")


class Service(Protocol):
    """What mounts need of a service."""

    conversion: Conversion
    fields: dict[str, Any]
    top: Foreign
    project: str
    folder: Path

    def at(self, key: str) -> Foreign: ...
    def text(self, item: Foreign) -> str | None: ...


def convert_volumes(service: Service) -> None:
    """`volumes` and `tmpfs`."""
    found = [mount for entry in service.at("volumes").entries() if (mount := _mount(service, entry)) is not None]
    for entry in service.at("tmpfs").entries():
        target, _, options = str(entry.value).partition(":")
        found.append(_tmpfs(service, entry, target, options.split(",") if options else []))
    if found:
        service.fields["volumes"] = found


def _tmpfs(service: Service, entry: Foreign, target: str, options: list[str]) -> dict[str, Any]:
    mount: dict[str, Any] = {"type": "tmpfs", "target": target}
    for option in options:
        if option.startswith("size="):
            mount["size"] = size(option.removeprefix("size="))
        else:
            service.conversion.dropped(entry, f"option `{option}` of a tmpfs")
    return mount


def _mount(service: Service, entry: Foreign) -> dict[str, Any] | None:
    if isinstance(entry.value, dict):
        kind, source, target = (str(entry.at(key).value or "") for key in ("type", "source", "target"))
        is_read_only = bool(entry.at("read_only").value)
        for key, item in entry.items():
            if key not in ("type", "source", "target", "read_only"):
                service.conversion.dropped(item, f"`{key}` of a mount")
    else:
        text = service.text(entry)
        if text is None:
            return None
        source, target, *options = [*text.split(":"), ""] if ":" in text else ["", text]
        kind = "bind" if source.startswith(("/", ".", "~")) else "volume"
        given = [option for part in options for option in part.split(",") if option]
        is_read_only = "ro" in given
        for option in given:
            if option not in OPTIONS[:2]:
                service.conversion.dropped(entry, f"option `{option}` of a mount")
    return _made(service, entry, kind, source, target, is_read_only=is_read_only)


def _made(service: Service, entry: Foreign, kind: str, source: str, target: str, *, is_read_only: bool) -> dict[str, Any] | None:
    if kind not in ("bind", "volume", "tmpfs") or not target.startswith("/") or source.startswith("~"):
        service.conversion.refused(
            entry, f"mount `{entry.value if isinstance(entry.value, str) else target}` is not converted: it is left out"
        )
        return None
    mount: dict[str, Any] = {"type": kind, "target": target}
    if kind == "bind":
        mount["source"] = posixpath.normpath(service.folder / source)
        if not source.startswith("/"):
            service.conversion.changed(entry, f"`{source}` is {mount['source']}: paths are those of the endpoint, and whole")
    elif kind == "tmpfs" and source:
        service.conversion.dropped(entry, f"source `{source}` of a tmpfs")
    elif kind == "volume" and not source:
        service.conversion.refused(entry, f"an anonymous volume at {target}: give it a name; it is left out")
        return None
    elif kind == "volume":
        _named(service, source, mount)
    if is_read_only:
        mount["mode"] = "ro"
    return mount


def _named(service: Service, name: str, mount: dict[str, Any]) -> None:
    declared = service.top.at("volumes", name)
    own = declared.at("name").value
    mount["source"] = str(own) if own else name if declared.at("external").value else f"{service.project}_{name}"
    if declared.at("external").value:
        service.conversion.changed(declared.at("external"), f"volume `{name}` was made outside of this file: it is made if it is missing")
    if declared.at("driver").value not in (None, "local"):
        mount["driver"] = str(declared.at("driver").value)
    if declared.at("driver_opts").value:
        mount["driver_opts"] = {key: str(item.value) for key, item in declared.at("driver_opts").items()}
