"""A docker compose file as state files: a profile and a session for each service, on one endpoint.

Source: the Compose specification (compose-spec.io), as docker compose 2 reads it. Each key that does nothing here, or will be different,
is noted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dtnctl.errors import UsageError
from dtnctl.model.engine_fields import LIMIT_NAMES
from dtnctl.repository.converting.compose_networks import attach, convert_networks
from dtnctl.repository.converting.compose_ports import convert_ports
from dtnctl.repository.converting.compose_units import duration, number, size
from dtnctl.repository.converting.compose_volumes import convert_volumes
from dtnctl.repository.converting.conversion import SECRET, Conversion
from dtnctl.repository.converting.foreign import Foreign, read_foreign
from dtnctl.repository.converting.janus_networks import is_address
from dtnctl.repository.converting.owners import allow_of

VARIABLE = re.compile(r"\$(?:\$|\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)(?::?-(?P<default>[^}]*))?[^}]*\}|(?P<plain>[A-Za-z_][A-Za-z0-9_]*))")
TOP = ("services", "networks", "volumes", "name", "version")
# Keys with the same meaning and a value that needs no change.
SAME = {"privileged": "privileged", "init": "init", "cpuset": "cpu_set"}
PULLS = {"always": "always", "missing": "missing", "if_not_present": "missing", "never": "never"}
DROPPED = {
    "depends_on": "services start side by side; a health check says when each is ready",
    "container_name": "the container is called SITE.SESSION",
    "labels": "labels of containers are dtnctl's own",
    "logging": "the engine's own logging is used",
    "stdin_open": "nothing is typed into a service",
    "expose": "containers on one network reach all ports of each other",
    "profiles": "every session is started; `state: stopped` in a session's file stops it",
    "annotations": "containers have no annotations",
}
REFUSED = {
    "build": "images are not built here: push it to a registry and name it",
    "env_file": "its variables are not copied, they may be secrets: write those that are none into `env:` of the profile",
    "secrets": "secrets are mounted in no other way than as a volume",
    "configs": "write them to the host and mount them as a volume",
    "extends": "only this file is read: write out what the other one says",
    "user": "the container runs as its image's user; `user:` is the login name for ssh here",
    "hostname": "the container has the endpoint's name",
    "working_dir": "the container starts in its image's folder",
    "security_opt": "the engine's own security profile is used",
    "extra_hosts": "names of hosts are looked up by the name servers of `dns:`",
    "pid": "the container has processes of its own",
    "ipc": "the container has shared memory of its own; `shm_size:` says how much",
    "gpus": "graphics cards are not given out",
    "runtime": "the engine's default runtime is used",
    "group_add": "the container has its image's groups",
    "stop_signal": "containers stop by SIGTERM, with `systemd: true` by SIGRTMIN+3",
    "read_only": "the container's own files can be written",
    "mac_address": "the engine chooses MAC addresses",
}


@dataclass(slots=True)
class Service:
    """One service while it is converted."""

    name: str
    item: Foreign
    top: Foreign
    project: str
    folder: Path
    conversion: Conversion
    fields: dict[str, Any] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def at(self, key: str) -> Foreign:
        self.used.add(key)
        return self.item.at(key)

    def text(self, item: Foreign) -> str | None:
        """The value with its variables; None, and a note, where one has no default: what the shell said is not in the file."""
        text = str(item.value)
        unknown = [found["braced"] or found["plain"] for found in VARIABLE.finditer(text) if found[0] != "$$" and found["default"] is None]
        if unknown:
            self.conversion.refused(item, f"`{text}` depends on the variable {unknown[0]}, which is not in the file: it is left out")
            return None
        if any(found["default"] is not None for found in VARIABLE.finditer(text)):
            self.conversion.changed(item, f"`{text}`: the default counts; variables of the shell are not looked at")
        return VARIABLE.sub(lambda found: "$" if found[0] == "$$" else found["default"], text)


def convert_compose(path: Path, shown: str, endpoint: str, docker: str, folder: Path | None = None) -> Conversion:
    """The state files for a compose file. `folder`: where it is on the endpoint. UsageError if it cannot be read or has no services."""
    top = read_foreign(path, shown)
    if not top.at("services").value:
        raise UsageError(f"{shown} has no `services`; is it a compose file?")
    conversion = Conversion()
    folder = folder or path.resolve().parent
    project = str(top.at("name").value or re.sub(r"[^a-z0-9_-]", "", folder.name.lower()) or "project")
    for key, item in top.items():
        if key not in TOP and not key.startswith("x-"):
            conversion.refused(item, f"`{key}` is not converted")
    if top.at("name").value:
        conversion.changed(top.at("name"), "`name` is in the names of volumes alone; containers are called SITE.SESSION")
    convert_networks(top, conversion)
    for name, item in top.at("services").items():
        _convert(Service(name, item, top, project, folder, conversion), endpoint)
    _endpoint(top, endpoint, docker, conversion)
    conversion.note_unread(top)
    conversion.changed(
        top.at("services"), "`docker compose down` (without -v) comes before the first apply: both need the same ports and addresses"
    )
    return conversion


def _convert(service: Service, endpoint: str) -> None:
    conversion = service.conversion
    image = service.text(service.at("image")) if service.item.has("image") else None
    for step in STEPS:
        step(service)
    for key, item in service.item.items():
        if key in DROPPED:
            conversion.dropped(item, f"`{key}`: {DROPPED[key]}")
        elif key in REFUSED:
            conversion.refused(item, f"`{key}`: {REFUSED[key]}")
        elif key not in service.used and not key.startswith("x-"):
            conversion.refused(item, f"`{key}` is not converted")
    if image is None:
        conversion.refused(service.item, f"service `{service.name}` has no image: it is left out")
        return
    profile = conversion.name_of("profile", service.name, service.item)
    conversion.put("profiles", profile, service.fields, service.item.where())
    session = conversion.name_of("session", service.name, service.item)
    conversion.put("sessions", session, {"endpoints": [endpoint], "image": image, "profile": profile}, service.item.where())


# --- keys ---------------------------------------------------------------------------------------------------


def _same(service: Service) -> None:
    for key, ours in SAME.items():
        if service.at(key).value:
            value = service.at(key).value
            service.fields[ours] = str(value) if key == "cpuset" else value
    service.fields["tty"] = bool(service.at("tty").value)
    restart = str(service.at("restart").value or "no")
    service.fields["restart"] = "no" if restart in ("False", "no") else restart
    pull = service.at("pull_policy")
    if str(pull.value) in PULLS:
        service.fields["pull"] = PULLS[str(pull.value)]
    elif pull.value:
        service.conversion.refused(pull, f"`pull_policy: {pull.value}`; there are always, missing and never")
    if service.at("shm_size").value:
        service.fields["shm_size"] = size(service.at("shm_size").value)
    if service.at("stop_grace_period").value:
        service.fields["stop_timeout"] = duration(service.at("stop_grace_period").value)


def _limits(service: Service) -> None:
    deploy = service.at("deploy")
    memory = service.at("mem_limit") if service.item.has("mem_limit") else deploy.at("resources", "limits", "memory")
    service.fields["memory"] = size(memory.value) if memory.value else None
    cpus = service.at("cpus") if service.item.has("cpus") else deploy.at("resources", "limits", "cpus")
    if cpus.value:
        service.fields["cpus"] = number(cpus.value)
    if deploy.at("replicas").value not in (None, 1):
        service.conversion.refused(deploy.at("replicas"), "a session has one container on each of its endpoints")
    for key, item in deploy.items():
        if key not in ("resources", "replicas"):
            service.conversion.dropped(item, f"`deploy.{key}` is for swarms")
    found: dict[str, Any] = {}
    for name, item in service.at("ulimits").items():
        value = {key: limit.value for key, limit in item.items()} or item.value
        if name in LIMIT_NAMES:
            found[name] = value
        else:
            service.conversion.dropped(item, f"limit `{name}` is none that engines know")
    if found:
        service.fields["limits"] = found


def _environment(service: Service) -> None:
    found: dict[str, str] = {}
    for name, item in _pairs(service.at("environment")):
        if item is None or item.value is None:
            service.conversion.refused(item or service.at("environment"), f"{name} comes from the shell, and is left out")
        elif SECRET.search(name):
            service.conversion.refused(item, f"{name} looks like a secret, so it is not written into a state file")
        else:
            text = service.text(item)
            if text is not None:
                found[name] = text.partition("=")[2] if isinstance(service.at("environment").value, list) else text
    if found:
        service.fields["env"] = found


def _pairs(item: Foreign) -> Iterator[tuple[str, Foreign | None]]:
    """`{A: b}` and `[A=b]`; None as a value for a name alone."""
    if isinstance(item.value, list):
        for entry in item.entries():
            name, sign, _ = str(entry.value).partition("=")
            yield name, entry if sign else None
    else:
        yield from item.items()


def _command(service: Service) -> None:
    for key, ours in (("command", "arguments"), ("entrypoint", "entrypoint")):
        item = service.at(key)
        if isinstance(item.value, list):
            words = [text for entry in item.entries() if (text := service.text(entry)) is not None]
            service.fields[ours] = words
        elif item.value not in (None, "") and (text := service.text(item)) is not None:
            service.fields[ours] = text
    if service.at("dns").value:
        service.fields["dns"] = [str(entry.value) for entry in service.at("dns").entries() if _is_server(service, entry)]


def _is_server(service: Service, entry: Foreign) -> bool:
    if not is_address(entry.value):
        service.conversion.dropped(entry, f"`{entry.value}` is no address of a name server")
    return is_address(entry.value)


def _rights(service: Service) -> None:
    add = [str(item.value).upper().removeprefix("CAP_") for item in service.at("cap_add").entries()]
    drop = [str(item.value).upper().removeprefix("CAP_") for item in service.at("cap_drop").entries()]
    devices = [text for entry in service.at("devices").entries() if (text := _device(service, entry))]
    devices = [host if host == inside else f"{host}:{inside}" for host, _, inside in (text.partition(":") for text in devices)]
    devices = [text.removesuffix(":") for text in devices]
    if service.fields.get("privileged") and (add or devices):
        for key in ("cap_add", "devices"):
            if service.at(key).value:
                service.conversion.dropped(service.at(key), f"`{key}`: privileged gives all devices and capabilities")
        add, devices = [], []
    if add or drop:
        service.fields["capabilities"] = {key: value for key, value in (("add", add), ("drop", drop)) if value}
    if devices:
        service.fields["devices"] = devices
    sysctls: dict[str, Foreign] = {}
    for name, item in _pairs(service.at("sysctls")):
        if item is None:
            service.conversion.dropped(service.at("sysctls"), f"sysctl `{name}` has no value")
        else:
            sysctls[name] = item
    if sysctls:
        is_list = isinstance(service.at("sysctls").value, list)
        service.fields["sysctls"] = {
            name: str(item.value).partition("=")[2] if is_list else str(item.value) for name, item in sysctls.items()
        }


def _device(service: Service, entry: Foreign) -> str:
    if not isinstance(entry.value, str):
        service.conversion.refused(entry, "a device is a path here, or HOST:INSIDE: it is left out")
        return ""
    return entry.value.removesuffix(":rwm")


def _health(service: Service) -> None:
    item = service.at("healthcheck")
    if item.at("disable").value:
        service.fields["health_check"] = {"test": ["NONE"]}
        return
    if item.at("test").value is None:
        return
    found: dict[str, Any] = {"test": item.at("test").value}
    for key, default in (("interval", "30s"), ("timeout", "30s"), ("retries", 3), ("start_period", "0s")):
        value = item.at(key).value or default
        found[key] = value if key == "retries" else duration(value)
    service.fields["health_check"] = found
    for key, value in item.items():
        if key not in (*found, "disable"):
            service.conversion.dropped(value, f"`healthcheck.{key}`")


STEPS: tuple[Callable[[Service], None], ...] = (
    _same,
    _limits,
    _environment,
    _command,
    _rights,
    _health,
    attach,
    convert_ports,
    convert_volumes,
)


# --- the endpoint -------------------------------------------------------------------------------------------


def _endpoint(top: Foreign, name: str, docker: str, conversion: Conversion) -> None:
    fields: dict[str, Any] = {"docker": docker}
    if docker.startswith("unix:"):
        fields["host"] = "localhost"
        conversion.changed(
            top.at("services"), f"endpoint `{name}` is this machine: write the name under which other endpoints reach it to `host:`"
        )
    if conversion.interfaces:
        fields["interfaces"] = dict(sorted(conversion.interfaces.items()))
    profiles = [item for (kind, _), item in conversion.files.items() if kind == "profiles"]
    allow = allow_of(profiles, existing_volumes=True)
    if allow:
        fields["allow"] = allow
        conversion.changed(top.at("services"), f"`allow:` of endpoint `{name}` lists what these services have: its owner should read it")
    conversion.put("endpoints", name, fields, top.where())
