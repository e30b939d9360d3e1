"""Compares a wanted spec with a live one, field by field, after filling in what the image and the engine add. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from ipaddress import ip_network
from operator import attrgetter
from typing import Any, TypeAlias

from dtnctl.model.backends import Backend
from dtnctl.model.plan import Cause
from dtnctl.model.resources import NO_HEALTH, ContainerSeen, ContainerSpec, Health, ImageSeen, Mount, NetworkSpec, Subnet
from dtnctl.model.secrets import HIDDEN, SecretVariable
from dtnctl.model.storage import without_secrets

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
NETWORK_OPTIONS = {"mtu": "mtu", "default_route": "default_route", "pf": "interface", "mode": "mode", "parent": "parent"}  # field: its word
INHERITED = frozenset({"command", "entrypoint", "health", "stop_signal"})  # from the image, where the spec says nothing
SIZES = frozenset({"memory", "shm_size"})
UNITS = (
    *((f"{prefix}iB", 1024**power) for power, prefix in ((4, "T"), (3, "G"), (2, "M"), (1, "K"))),
    *((f"{prefix}B", 1000**power) for power, prefix in ((4, "T"), (3, "G"), (2, "M"), (1, "K"), (0, ""))),
)
NOT_SET = "(not set)"
NOT_SHOWN = "(not shown)"
NOTHING: tuple[object, ...] = (None, "", (), 0, 0.0, False)
APART = ("image", "env", "secrets")  # compared in ways of their own
COMPARED = tuple(item.name for item in fields(ContainerSpec) if item.name not in APART)
VALUES = attrgetter(*COMPARED)

Images: TypeAlias = Mapping[str, ImageSeen | None]  # by reference and by id, as observed on one endpoint


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: values as short text, and whether the engine must make a new container for it.

    `cause` is why, where no field of the session or its profile says it.
    """

    field: str
    before: str
    after: str
    forces_replace: bool
    cause: Cause | None = None


def fill_in(spec: ContainerSpec, image: ImageSeen) -> ContainerSpec:
    """The spec as it looks on the engine: the image's values where we say nothing, or what the engine takes for nothing.

    The engine drops the image's command when we give an entry point. An empty list is no command to it, but an entry point:
    none. Numbers of a health check that are 0 are the image's.
    """
    inherited_command = () if spec.entrypoint else image.command
    secret = {item.name for item in spec.secrets}
    inherited = {name: value for name, value in image.env if name not in secret}
    return replace(
        spec,
        command=spec.command or inherited_command,
        entrypoint=image.entrypoint if spec.entrypoint is None else spec.entrypoint,
        env=tuple(sorted((inherited | dict(spec.env)).items())),
        health=_inherited_health(spec.health, image.health),
        stop_signal=spec.stop_signal or image.stop_signal,
    )


def _inherited_health(own: Health | None, image: Health | None) -> Health | None:
    if own == NO_HEALTH:
        return None
    if own is None or image is None:
        return own or image
    return replace(
        own,
        interval=own.interval or image.interval,
        timeout=own.timeout or image.timeout,
        retries=own.retries or image.retries,
        start_period=own.start_period or image.start_period,
    )


def compare_container(wanted: ContainerSpec, seen: ContainerSeen, images: Images, backend: Backend) -> tuple[Difference, ...]:
    """Every field that differs, in name order. Fields are judged by the image that the container runs from."""
    live, image = seen.spec, images.get(wanted.image)
    differences = []
    if image is None and wanted.image != live.image:
        differences.append(Difference("image", live.image, f"{wanted.image} (not here yet)", forces_replace=True))
    elif image is not None and image.id != seen.image_id:
        before, after = _image_text(live.image, seen.image_id), _image_text(wanted.image, image.id)
        differences.append(Difference("image", before, after, forces_replace=True))
    running_from = images.get(seen.image_id)
    expected = fill_in(wanted, running_from) if running_from is not None else _assume_inherited(wanted, live)
    for name, was, will in zip(COMPARED, VALUES(live), VALUES(expected), strict=True):
        if was != will:
            differences += _field_differences(name, was, will, backend, primary=wanted.network)
    if live.env != expected.env or live.secrets != expected.secrets:
        differences += _env_differences(variables(live), variables(expected))
    return tuple(sorted(differences, key=lambda difference: difference.field))


def spec_as_it_is(wanted: ContainerSpec, seen: ContainerSeen, images: Images) -> ContainerSpec:
    """The spec that the live container would have been made from, if it was made as it is: what does not differ is as wanted.

    What the image says is taken as not declared. `wanted` itself where nothing differs.
    """
    live, image, running_from = seen.spec, images.get(wanted.image), images.get(seen.image_id)
    expected = fill_in(wanted, running_from) if running_from is not None else _assume_inherited(wanted, live)
    compared = (*COMPARED, "env", "secrets")
    found: dict[str, Any] = {name: getattr(live, name) for name in compared if getattr(live, name) != getattr(expected, name)}
    if image is None or image.id != seen.image_id:
        found["image"] = live.image
    if running_from is not None:
        unsaid = fill_in(ContainerSpec(wanted.image), running_from)
        nothing = ContainerSpec(wanted.image)
        inherited = {name for name in INHERITED & found.keys() if found[name] == getattr(unsaid, name)}
        found |= {name: getattr(nothing, name) for name in inherited}
        if "env" in found:
            found["env"] = tuple(pair for pair in found["env"] if pair not in running_from.env)
    return replace(wanted, **found)


def _assume_inherited(wanted: ContainerSpec, live: ContainerSpec) -> ContainerSpec:
    """The image is gone from the endpoint but the container runs from it: what we do not say counts as inherited."""
    names = {name for name, _ in wanted.env} | {item.name for item in wanted.secrets}
    return replace(
        wanted,
        command=wanted.command or (() if wanted.entrypoint else live.command),
        entrypoint=live.entrypoint if wanted.entrypoint is None else wanted.entrypoint,
        env=tuple(sorted([*wanted.env, *(pair for pair in live.env if pair[0] not in names)])),
        health=_inherited_health(wanted.health, live.health),
        stop_signal=wanted.stop_signal or live.stop_signal,
    )


def _field_differences(name: str, before: Any, after: Any, backend: Backend, primary: str) -> Iterator[Difference]:
    forces_replace = name not in backend.updates or (name in backend.never_lifts and not after)
    if name == "attachments":
        forces_replace = not backend.connects or _of(before, primary) != _of(after, primary)
    text = size_text if name in SIZES else short_text
    yield Difference(name, text(before), text(after), forces_replace)


def variables(spec: ContainerSpec) -> dict[str, str | SecretVariable]:
    """The whole environment by name."""
    return {**dict(spec.env), **{item.name: item for item in spec.secrets}}


def _env_differences(before: Mapping[str, str | SecretVariable], after: Mapping[str, str | SecretVariable]) -> Iterator[Difference]:
    for name in sorted(before.keys() | after.keys()):
        was, will = before.get(name, NOT_SET), after.get(name, NOT_SET)
        if was != will:
            yield Difference(f"env.{name}", *_variable_texts(was, will), forces_replace=True)


def _variable_texts(was: str | SecretVariable, will: str | SecretVariable) -> tuple[str, str]:
    """Both values as they may be shown: what becomes a secret may have been the same secret, written in the open."""
    if not isinstance(will, SecretVariable):
        return HIDDEN if isinstance(was, SecretVariable) else was, will
    if not will.fingerprint:
        return NOT_SET if was == NOT_SET else NOT_SHOWN, "(secret, not looked at)"
    if isinstance(was, SecretVariable):
        return HIDDEN, "(secret, changed)"
    return NOT_SET if was == NOT_SET else NOT_SHOWN, "(secret, new)"


def _of(attachments: Any, network: str) -> list[Any]:
    return [attachment for attachment in attachments if attachment.network == network]


def _image_text(reference: str, image_id: str) -> str:
    """Where a backend does not show what is in an image, its name is all that is known of it."""
    return reference if image_id == reference else f"{reference} ({image_id.removeprefix('sha256:')[:12]})"


def compare_network(wanted: NetworkSpec, live: NetworkSpec) -> tuple[Difference, ...]:
    """Every field and option that differs; all of them need a new network."""
    live = replace(live, subnets=tuple(_as_declared(subnet, wanted.subnets) for subnet in live.subnets))
    pairs = _network_pairs(wanted, live)
    return tuple(Difference(name, short_text(was), short_text(will), forces_replace=True) for name, was, will in pairs if was != will)


def _network_pairs(wanted: NetworkSpec, live: NetworkSpec) -> Iterator[tuple[str, Any, Any]]:
    """Every field with its word, live and wanted value; each option without a field by its own name."""
    for item in fields(NetworkSpec):
        if item.name == "others":
            asked = dict(wanted.others)
            yield from ((name, value, asked.get(name)) for name, value in live.others)
        else:
            yield NETWORK_OPTIONS.get(item.name, item.name), getattr(live, item.name), getattr(wanted, item.name)


def network_options(spec: NetworkSpec) -> Iterator[tuple[str, str]]:
    """Word and value of everything that is asked of the network's driver."""
    for name, word in NETWORK_OPTIONS.items():
        value = getattr(spec, name)
        if value is False or value not in NOTHING:
            yield word, short_text(value)


def _as_declared(live: Subnet, wanted: tuple[Subnet, ...]) -> Subnet:
    """Without the gateway that the engine made up: from its own restart on it shows the subnet's first address as one (seen on 20.10)."""
    is_declared_without = Subnet(live.subnet) in wanted
    is_first = bool(live.gateway) and live.gateway == str(ip_network(live.subnet, strict=False).network_address + 1)
    return Subnet(live.subnet) if is_declared_without and is_first else live


def size_text(count: int) -> str:
    """Bytes, exactly, in the binary or decimal unit that people would write: the one with the smallest whole number."""
    whole = [(count // size, unit) for unit, size in UNITS if count % size == 0]
    number, unit = min(whole, key=lambda pair: pair[0])
    return f"{number} {unit}" if count else "none"


def short_text(value: Any) -> str:
    """A value as a person writes it: `none` for nothing, items by comma, dataclasses by their telling fields."""
    if value in NOTHING and value is not False:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(_item_text(item) for item in value)
    return _item_text(value)


def _item_text(item: Any) -> str:
    if isinstance(item, bool):
        return "yes" if item else "no"
    if isinstance(item, float):
        return f"{item:g}"
    if isinstance(item, tuple):
        return "=".join(str(part) for part in item)
    if isinstance(item, Mount):
        item = replace(item, driver_opts=tuple(sorted(without_secrets(dict(item.driver_opts)).items())))
    if is_dataclass(item):
        values = ((part.name, getattr(item, part.name)) for part in fields(item))
        texts = [size_text(value) if name == "size" else _item_text(value) for name, value in values if value not in NOTHING]
        return " ".join(texts) or "none"
    return str(item)
