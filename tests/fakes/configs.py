"""The run configuration of images and containers: its full shape, an image's defaults, and Dockerfile-style changes."""

from __future__ import annotations

import json
import posixpath
import shlex
from typing import Any

from tests.fakes.errors import bad_request
from tests.fakes.state import Json

ALWAYS: Json = {
    "Hostname": "",
    "Domainname": "",
    "User": "",
    "AttachStdin": False,
    "AttachStdout": False,
    "AttachStderr": False,
    "Tty": False,
    "OpenStdin": False,
    "StdinOnce": False,
    "Env": None,
    "Cmd": None,
    "Image": "",
    "Volumes": None,
    "WorkingDir": "",
    "Entrypoint": None,
    "OnBuild": None,
    "Labels": None,
}
"""Fields that the engine always shows, with their empty values."""

WHEN_SET = (
    "ExposedPorts",
    "Healthcheck",
    "ArgsEscaped",
    "NetworkDisabled",
    "MacAddress",
    "StopSignal",
    "StopTimeout",
    "Shell",
)
"""Fields that the engine shows only when they hold something."""


def complete(given: Json) -> Json:
    """A Config object with every field that the engine shows and none that it does not know."""
    full = {name: _or_default(given.get(name), empty) for name, empty in ALWAYS.items()}
    full.update({name: given[name] for name in WHEN_SET if given.get(name) or (name == "StopTimeout" and given.get(name) == 0)})
    for name in ("Cmd", "Entrypoint"):
        if isinstance(full[name], str):
            full[name] = [full[name]]
    if full["WorkingDir"].startswith("/"):
        full["WorkingDir"] = posixpath.normpath(full["WorkingDir"])
    return full


def _or_default(value: Any, empty: Any) -> Any:
    return empty if value is None else value


def merge_image(config: Json, image: Json) -> None:
    """Fill what the client left open in a container's `config` from its image, exactly where the engine does."""
    for name in ("User", "WorkingDir", "StopSignal", "Shell"):
        if not config.get(name) and image.get(name):
            config[name] = image[name]
    for name in ("ExposedPorts", "Volumes"):
        if image.get(name):
            config[name] = {**image[name], **(config.get(name) or {})}
    config["Labels"] = {**(image.get("Labels") or {}), **(config.get("Labels") or {})}
    _merge_environment(config, image)
    _merge_command(config, image)
    _merge_health(config, image)


def _merge_environment(config: Json, image: Json) -> None:
    if not config.get("Env"):
        config["Env"] = image.get("Env")
        return
    given = {entry.partition("=")[0] for entry in config["Env"]}
    config["Env"] = config["Env"] + [entry for entry in image.get("Env") or [] if entry.partition("=")[0] not in given]


def _merge_command(config: Json, image: Json) -> None:
    # An entrypoint of its own takes the image's command away; without one, both come from the image.
    if config.get("Entrypoint"):
        return
    if not config.get("Cmd"):
        config["Cmd"] = image.get("Cmd")
    if config.get("Entrypoint") is None:
        config["Entrypoint"] = image.get("Entrypoint")


def _merge_health(config: Json, image: Json) -> None:
    inherited = image.get("Healthcheck")
    if not inherited:
        return
    own = config.get("Healthcheck")
    if own is None:
        config["Healthcheck"] = dict(inherited)
        return
    for name in ("Test", "Interval", "Timeout", "StartPeriod", "Retries"):
        if not own.get(name) and inherited.get(name):
            own[name] = inherited[name]


def apply_changes(config: Json, changes: list[str]) -> None:
    """Apply `--change` lines of import and commit: CMD, ENTRYPOINT, ENV, LABEL, USER, WORKDIR, EXPOSE, VOLUME."""
    for change in changes:
        word, _, rest = change.strip().partition(" ")
        _apply_change(config, word.upper(), rest.strip())


def _apply_change(config: Json, word: str, rest: str) -> None:
    match word:
        case "CMD" | "ENTRYPOINT":
            config["Cmd" if word == "CMD" else "Entrypoint"] = _command(rest)
        case "ENV":
            config["Env"] = (config.get("Env") or []) + shlex.split(rest)
        case "LABEL":
            labels = dict(pair.partition("=")[::2] for pair in shlex.split(rest))
            config["Labels"] = {**(config.get("Labels") or {}), **labels}
        case "USER":
            config["User"] = rest
        case "WORKDIR":
            config["WorkingDir"] = rest
        case "EXPOSE":
            ports: Json = {port if "/" in port else f"{port}/tcp": {} for port in rest.split()}
            config["ExposedPorts"] = {**(config.get("ExposedPorts") or {}), **ports}
        case "VOLUME":
            config["Volumes"] = {**(config.get("Volumes") or {}), **{path: {} for path in _words(rest)}}
        case _:
            raise bad_request(f"{word.lower()} is not a valid change command")


def _command(text: str) -> list[str]:
    return _words(text) if text.startswith("[") else ["/bin/sh", "-c", text]


def _words(text: str) -> list[str]:
    if not text.startswith("["):
        return text.split()
    try:
        return [str(word) for word in json.loads(text)]
    except ValueError as error:
        raise bad_request(f"invalid change: {text}") from error


def command_of(config: Json) -> list[str]:
    """The argument list that the main process gets."""
    return list(config.get("Entrypoint") or []) + list(config.get("Cmd") or [])
