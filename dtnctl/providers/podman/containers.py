"""Translates containers: bodies of Docker's to what Podman's API of that kind understands, libpod's answers to Docker's. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from dtnctl.providers.podman.health import in_utc, verdict_is_old
from dtnctl.providers.podman.networks import BRIDGE, dockers_name, podmans_name
from dtnctl.providers.podman.notes import Json, annotated, fixed_addresses, noted, with_aliases

ADDED = frozenset({"container", "HOME", "HOSTNAME", "TERM"})  # variables that Podman adds to each container
ANONYMOUS = re.compile(r"[0-9a-f]{64}")
CPU_PERIOD = 100_000
NANO = 10**9
# states of libpod that Docker has no word for
STATES = {"configured": "created", "initialized": "created", "stopping": "running", "stopped": "exited"}
USUAL_CHECK = {"Interval": 30 * NANO, "Timeout": 30 * NANO, "Retries": 3, "StartPeriod": 0}
SHORT_NAMES = ("localhost/", "docker.io/library/", "docker.io/")


# --- to Podman ----------------------------------------------------------------------------------------------


def container_body(body: Json, image: Json) -> dict[str, Any]:
    """The body that creates a container, from Docker's. `image` is the image's own configuration, which Podman mixes with it."""
    host = body["HostConfig"]
    config: dict[str, Any] = {
        **body,
        **_without_entry_point(body, image),
        "HostConfig": {**host, **_mounts_body(host["Mounts"]), "NetworkMode": podmans_name(host["NetworkMode"])},
    }
    config["HostConfig"]["Annotations"] = annotated(_note(body, image))
    if "Healthcheck" in body:
        check = _check(body, image)
        config["Healthcheck"] = {**check, "Test": _test_body(check["Test"])}
    attachments = (body.get("NetworkingConfig") or {}).get("EndpointsConfig")
    if attachments:
        named = {podmans_name(name): with_aliases(item) for name, item in attachments.items()}
        config["NetworkingConfig"] = {"EndpointsConfig": named}
    return config


def _check(body: Json, image: Json) -> Any:
    """The health check with what it leaves to the image's, as Docker fills it in; None without one."""
    own, inherited = body.get("Healthcheck"), image.get("Healthcheck")
    if not own or not inherited:
        return own or inherited
    return {**own, **{name: own.get(name) or inherited.get(name) or 0 for name in USUAL_CHECK}}


def _without_entry_point(body: Json, image: Json) -> dict[str, Any]:
    """An entry point of nothing is the image's to Podman. One empty word is none; the image's command, which Docker takes, goes along."""
    if body.get("Entrypoint") != []:
        return {}
    return {"Entrypoint": [""], "Cmd": body.get("Cmd") or image.get("Cmd")}


def _note(body: Json, image: Json) -> dict[str, Any]:
    """What Podman shows in another form, or not at all."""
    host = body["HostConfig"]
    env = {text.partition("=")[0] for text in (*(image.get("Env") or ()), *(body.get("Env") or ()))}
    volumes = {mount["Target"]: mount["VolumeOptions"] for mount in host["Mounts"] if "VolumeOptions" in mount}
    return {
        "image": body["Image"],
        "network": host["NetworkMode"],
        "env": sorted(env & ADDED),
        "stop_signal": body.get("StopSignal", ""),
        "health": _check(body, image),
        "init": bool(host.get("Init")),
        "cap_add": host["CapAdd"],
        "cap_drop": host["CapDrop"],
        "sysctls": host["Sysctls"],
        "devices": list(host["Devices"]),  # it shows what is in a folder, where links lead to, and none of a privileged container
        "volumes": volumes,
    }


def _mounts_body(mounts: Iterable[Json]) -> dict[str, Any]:
    """A tmpfs goes by its options: as a mount it would get mode 0, or a size of nothing."""
    temporary = {mount["Target"]: _tmpfs_options(mount) for mount in mounts if mount["Type"] == "tmpfs"}
    return {"Mounts": [mount for mount in mounts if mount["Type"] != "tmpfs"], "Tmpfs": temporary}


def _tmpfs_options(mount: Json) -> str:
    size = (mount.get("TmpfsOptions") or {}).get("SizeBytes")
    return f"{'ro' if mount['ReadOnly'] else 'rw'},mode=1777" + (f",size={size}" if size else "")


def _test_body(test: list[str]) -> list[str]:
    """Podman splits the words of a command at their blanks: those with blanks go through a shell."""
    if test[0] == "CMD" and any(word.split() != [word] for word in test[1:]):
        return ["CMD-SHELL", shlex.join(test[1:])]
    return test


def update_body(body: Json) -> dict[str, Any]:
    """The body that changes a live container: Podman passes over NanoCpus."""
    config = dict(body)
    nano = config.pop("NanoCpus", 0)
    return config | ({"CpuPeriod": CPU_PERIOD, "CpuQuota": round(nano * CPU_PERIOD / NANO)} if nano else {})


def connection_body(body: Json) -> dict[str, Any]:
    return {**body, "EndpointConfig": with_aliases(body.get("EndpointConfig"))}


# --- from Podman --------------------------------------------------------------------------------------------


def containers_listed(raws: Iterable[Json]) -> list[Json]:
    """The list of its Docker API, which lacks the host's settings."""
    return [_listed(raw) for raw in raws]


def _listed(raw: Json) -> dict[str, Any]:
    networks = _attachments((raw.get("NetworkSettings") or {}).get("Networks") or {})
    mode = "host" if "host" in networks else next(iter(networks), BRIDGE)
    return {**raw, "NetworkSettings": {"Networks": networks}, "HostConfig": {"NetworkMode": mode}}


def container_seen(raw: Json, now: datetime) -> dict[str, Any]:
    """libpod's inspection, as Docker's. `now` is the time there."""
    config, host, state = raw["Config"], raw["HostConfig"], raw["State"]
    note, networks = noted(config.get("Annotations")), _attachments(raw["NetworkSettings"].get("Networks") or {})
    return {
        **raw,
        "Image": f"sha256:{raw['Image']}",
        "Config": _config(config, raw, note),
        "HostConfig": _host_config(host, networks, note),
        "NetworkSettings": {**raw["NetworkSettings"], "Networks": networks},
        "State": {**_state(state), "Health": _health(raw, now)},
    }


def _state(state: Json) -> dict[str, Any]:
    """A start of what runs already leaves an error there, though it runs."""
    status = STATES.get(state["Status"], state["Status"])
    return {**state, "Status": status, "Error": "" if status == "running" else state.get("Error", ""), **_times(state)}


def _times(state: Json) -> dict[str, str]:
    return {name: in_utc(state.get(name) or "") for name in ("StartedAt", "FinishedAt")}


def _health(raw: Json, now: datetime) -> dict[str, Any]:
    """Without a verdict that no check confirms any more; that it is unhealthy stays, since nothing has shown otherwise."""
    health = raw["State"].get("Health") or {}
    is_known = health.get("Status") == "unhealthy" or not verdict_is_old(raw, now)
    return {**health, "Status": health.get("Status", "") if is_known else ""}


def _config(config: Json, raw: Json, note: Json) -> dict[str, Any]:
    return {
        **config,
        "Image": note.get("image") or _short_image(raw.get("ImageName") or config["Image"]),
        "Env": list(_env(config, note)),
        "StopSignal": note.get("stop_signal", config.get("StopSignal")),
        "Entrypoint": [] if config.get("Entrypoint") == [""] else config.get("Entrypoint"),
        "Healthcheck": _check_asked_for(config.get("Healthcheck"), note.get("health")),
    }


def _check_asked_for(live: Json | None, noted: Json | None) -> Json | None:
    """The noted one where Podman has made the live one of it: it fills in what is left to it, and changes words."""
    return noted if live and noted and _filled(live) == _filled({**noted, "Test": _test_body(noted["Test"])}) else live


def _filled(check: Json) -> tuple[object, ...]:
    times = ((name, check.get(name) or usual) for name, usual in USUAL_CHECK.items())
    return (tuple(check.get("Test") or ()), *times)


def image_seen(raw: Json) -> dict[str, Any]:
    """libpod's inspection of an image, as Docker's."""
    return {**raw, "Id": f"sha256:{raw['Id']}", "Config": {**(raw.get("Config") or {}), "Healthcheck": raw.get("Healthcheck")}}


def _env(config: Json, note: Json) -> Iterator[str]:
    """Without the variables that Podman added. Where nothing was noted: without those that have the value that it gives."""
    own = {"container=podman", f"HOSTNAME={config['Hostname']}", "TERM=xterm"}
    for text in config.get("Env") or ():
        name = text.partition("=")[0]
        if name not in ADDED or (name in note["env"] if "env" in note else text not in own and name != "HOME"):
            yield text


def _short_image(name: str) -> str:
    return next((name.removeprefix(prefix) for prefix in SHORT_NAMES if name.startswith(prefix)), name)


def _host_config(host: Json, networks: Json, note: Json) -> dict[str, Any]:
    mode = host["NetworkMode"]
    return {
        **host,
        "NetworkMode": note.get("network") or next(iter(networks), mode) if mode == BRIDGE else mode,
        "Binds": [],
        "Mounts": list(_mounts(host.get("Binds") or (), note.get("volumes", {}))),
        "Devices": note.get("devices", host.get("Devices")),
        "Ulimits": [{**item, "Name": item["Name"].removeprefix("RLIMIT_").lower()} for item in host.get("Ulimits") or ()],
        "Init": note.get("init", bool(host.get("Init"))),
        "CapAdd": note.get("cap_add", host.get("CapAdd")),
        "CapDrop": note.get("cap_drop", host.get("CapDrop")),
        "Sysctls": note.get("sysctls", {}),
    }


def _mounts(binds: Iterable[str], options: Mapping[str, Json]) -> Iterator[dict[str, Any]]:
    """Bind mounts and named volumes; a volume whose name is a digest has no name that anybody gave it."""
    for text in binds:
        source, target, words = (*text.split(":", 2), "")[:3]
        if not ANONYMOUS.fullmatch(source):
            mount = {"Type": "bind" if source.startswith("/") else "volume", "Source": source, "Target": target}
            more = {"VolumeOptions": options[target]} if target in options else {}
            more |= {"BindOptions": {"Propagation": "rslave"}} if "rslave" in words.split(",") else {}
            yield {**mount, "ReadOnly": "ro" in words.split(","), **more}


def volume_seen(raw: Json) -> dict[str, Any]:
    """Without the options in capitals, which Podman makes of what is in `o`."""
    return {**raw, "Options": {name: text for name, text in (raw.get("Options") or {}).items() if not name.isupper()}}


def _attachments(networks: Json) -> dict[str, Any]:
    return {dockers_name(name): {**item, "IPAMConfig": fixed_addresses(item)} for name, item in networks.items()}
