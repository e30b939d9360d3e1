"""What a pod's template holds in a coarser form than a plan does, noted exactly in an annotation. Pure.

A health check has whole seconds there, a restart policy fewer words, a device is a share of a resource. A note counts only while the
template that it would give is the live one: whoever changes the live object changes what is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from dtnctl.model.resources import NO_HEALTH, Attachment, ContainerSpec, Device, Health
from dtnctl.providers.kubernetes.identity import Object

NOTES = "dtnctl/noted"
FIELDS = ("attachments", "cpus", "devices", "health", "hostname", "network", "restart", "stop_signal")

Render = Callable[[ContainerSpec], Object]  # what a spec's template would be
Holds = Callable[[Device], bool]  # whether the live template asks for what stands for a device


def notes_text(spec: ContainerSpec, seen: ContainerSpec) -> str:
    """The annotation for a spec that would be read as `seen`; empty if nothing is lost."""
    spec = replace(spec, health=None) if spec.health == NO_HEALTH else spec  # a cluster knows nothing of the image's own check
    lost = {name: getattr(spec, name) for name in FIELDS if getattr(spec, name) != getattr(seen, name)}
    return json.dumps({name: _plain(value) for name, value in lost.items()}, sort_keys=True, separators=(",", ":")) if lost else ""


def with_notes(seen: ContainerSpec, text: str, render: Render, holds: Holds) -> ContainerSpec:
    """What was read, with what is noted and still holds. A note that nothing can be made of was written by somebody else."""
    try:
        return _with(seen, dict(_values(text)), render, holds)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return seen


def _with(seen: ContainerSpec, noted: dict[str, Any], render: Render, holds: Holds) -> ContainerSpec:
    seen = replace(seen, devices=tuple(sorted(item for item in noted.pop("devices", ()) if holds(item))))
    whole = replace(seen, **noted)
    live = render(seen)
    if not noted or render(whole) == live:
        return whole
    for name, value in noted.items():
        one = replace(seen, **{name: value})
        seen = one if render(one) == live else seen
    return seen


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [asdict(item) for item in value]
    return asdict(value) if isinstance(value, Health) else value


def _values(text: str) -> Iterator[tuple[str, Any]]:
    """Fields by name."""
    pairs: Mapping[str, Any] = json.loads(text) if text else {}
    yield from ((name, _value(name, value)) for name, value in sorted(pairs.items()) if name in FIELDS)


def _value(name: str, value: Any) -> Any:
    match name:
        case "attachments":
            return tuple(Attachment(**item) for item in value)
        case "devices":
            return tuple(Device(**item) for item in value)
        case "health":
            return None if value is None else Health(**value | {"test": tuple(value["test"])})
        case "cpus":
            return float(value)
        case _:
            return str(value)
