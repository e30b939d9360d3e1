"""The run configuration of images and containers: its full shape and an image's defaults."""

from __future__ import annotations

from typing import Any

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
    return full


def _or_default(value: Any, empty: Any) -> Any:
    return empty if value is None else value


def merge_image(config: Json, image: Json) -> None:
    """Fill what the client left open in a container's `config` from its image, exactly where the engine does."""
    for name in ("User", "WorkingDir", "StopSignal", "Shell"):
        if not config.get(name) and image.get(name):
            config[name] = image[name]
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
    if image.get("Healthcheck") and config.get("Healthcheck") is None:
        config["Healthcheck"] = dict(image["Healthcheck"])


def command_of(config: Json) -> list[str]:
    """The argument list that the main process gets."""
    return list(config.get("Entrypoint") or []) + list(config.get("Cmd") or [])
