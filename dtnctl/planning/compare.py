"""Compares a wanted spec with a live one, field by field, after filling in what the image and the engine add. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from dtnctl.model.resources import ContainerSeen, ContainerSpec, ImageSeen, NetworkSpec

# The field of the profile that a field of the container comes from, for causes; others have the same name.
DECLARED_AS = {
    "command": "arguments",
    "stop_signal": "systemd",
    "health": "health_check",
    "mounts": "volumes",
    "ulimits": "limits",
    "cap_add": "capabilities",
    "cap_drop": "capabilities",
    "network": "mgmt_net",
    "attachments": "data_nets",
    "ports": "exposed_ports",
}
IN_PLACE = frozenset({"memory", "cpus", "cpu_set", "memory_nodes", "restart", "attachments"})
# `docker update` takes 0 and "" as "leave alone": these limits can be set or changed in place, but not lifted.
NOT_LIFTED_IN_PLACE = frozenset({"memory", "cpus", "cpu_set", "memory_nodes"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: values as short text, and whether the engine must make a new container for it."""

    field: str
    before: str
    after: str
    forces_replace: bool


def fill_in(spec: ContainerSpec, image: ImageSeen | None) -> ContainerSpec:
    """The spec as it will look on the engine: the image's values where we say nothing.

    The engine drops the image's command when we give an entry point. Unknown image: the spec as it is.
    """
    if image is None:
        return replace(spec, command=spec.command or (), entrypoint=spec.entrypoint or ())
    inherited_command = image.command if spec.entrypoint is None else ()
    return replace(
        spec,
        command=inherited_command if spec.command is None else spec.command,
        entrypoint=image.entrypoint if spec.entrypoint is None else spec.entrypoint,
        env=tuple(sorted((dict(image.env) | dict(spec.env)).items())),
        health=spec.health or image.health,
        stop_signal=spec.stop_signal or image.stop_signal,
    )


def compare_container(wanted: ContainerSpec, seen: ContainerSeen, image: ImageSeen | None) -> tuple[Difference, ...]:
    """Every field that differs, in name order. `image` is what the wanted reference is on that endpoint now."""
    return tuple(sorted(_container_differences(wanted, seen, image), key=lambda difference: difference.field))


def _container_differences(wanted: ContainerSpec, seen: ContainerSeen, image: ImageSeen | None) -> Iterator[Difference]:
    live = seen.spec
    if image is None and wanted.image != live.image:
        yield Difference("image", live.image, f"{wanted.image} (not here yet)", forces_replace=True)
        return
    if image is not None and image.id != seen.image_id:
        yield Difference("image", _image_text(live.image, seen.image_id), _image_text(wanted.image, image.id), forces_replace=True)
    expected = fill_in(wanted, image) if image is not None else _assume_inherited(wanted, live)
    for item in fields(ContainerSpec):
        before, after = getattr(live, item.name), getattr(expected, item.name)
        if item.name != "image" and before != after:
            yield from _field_difference(item.name, before, after, primary=wanted.network)


def _assume_inherited(wanted: ContainerSpec, live: ContainerSpec) -> ContainerSpec:
    """The image is not on the endpoint any more but the container runs from it: what we do not say counts as inherited."""
    names = {name for name, _ in wanted.env}
    return replace(
        wanted,
        command=live.command if wanted.command is None else wanted.command,
        entrypoint=live.entrypoint if wanted.entrypoint is None else wanted.entrypoint,
        env=tuple(sorted([*wanted.env, *(pair for pair in live.env if pair[0] not in names)])),
        health=wanted.health or live.health,
        stop_signal=wanted.stop_signal or live.stop_signal,
    )


def _field_difference(name: str, before: Any, after: Any, primary: str) -> Iterator[Difference]:
    if name == "env":
        yield from _env_differences(dict(before), dict(after))
        return
    forces_replace = name not in IN_PLACE or (name in NOT_LIFTED_IN_PLACE and not after)
    if name == "attachments":
        forces_replace = _of(before, primary) != _of(after, primary)
    yield Difference(name, short_text(before), short_text(after), forces_replace)


def _env_differences(before: dict[str, str], after: dict[str, str]) -> Iterator[Difference]:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield Difference(f"env.{name}", before.get(name, "(not set)"), after.get(name, "(not set)"), forces_replace=True)


def _of(attachments: Any, network: str) -> list[Any]:
    return [attachment for attachment in attachments if attachment.network == network]


def _image_text(reference: str, image_id: str) -> str:
    return f"{reference} ({image_id.removeprefix('sha256:')[:12]})"


def compare_network(wanted: NetworkSpec, live: NetworkSpec) -> tuple[Difference, ...]:
    """Every field that differs; all of them need a new network. Subnets count only where they are declared."""
    differences = []
    for item in fields(NetworkSpec):
        before, after = getattr(live, item.name), getattr(wanted, item.name)
        if before != after and not (item.name == "subnets" and not after):
            differences.append(Difference(item.name, short_text(before), short_text(after), forces_replace=True))
    return tuple(differences)


def short_text(value: Any) -> str:
    """A value as a person writes it: `none` for nothing, items by comma, dataclasses by their telling fields."""
    if value in (None, "", (), 0, 0.0) and value is not False:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(_item_text(item) for item in value)
    return _item_text(value)


def _item_text(item: Any) -> str:
    if isinstance(item, bool):
        return "yes" if item else "no"
    if isinstance(item, tuple):
        return "=".join(str(part) for part in item)
    if is_dataclass(item):
        values = (getattr(item, part.name) for part in fields(item))
        return " ".join(_item_text(value) for value in values if value not in ("", (), 0, None, False)) or "none"
    return str(item)
