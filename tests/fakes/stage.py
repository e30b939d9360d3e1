"""What scenes share: an engine without our things, a container on it, and the fields that tell how it is connected."""

from __future__ import annotations

from typing import Any

from tests.fakes.raw_client import Engine

NETWORKING = ("NetworkSettings.Networks", "NetworkSettings.Ports", "State.Status", "State.Error", "State.ExitCode")
IMAGES = ("made:1", "made:2", "made:3", "kept:1", "kept:2", "other/name:1")


def clean(engine: Engine) -> None:
    """Take away what scenes leave."""
    for container in engine.ask("GET", "/containers/json", all=1):
        engine.ask("DELETE", f"/containers/{container['Id']}", force=1, v=1)
    engine.ask("POST", "/networks/prune")
    engine.ask("POST", "/volumes/prune")
    for volume in engine.ask("GET", "/volumes")["Volumes"]:  # those with options stay
        engine.ask("DELETE", f"/volumes/{volume['Name']}")
    for name in IMAGES:
        engine.ask("DELETE", f"/images/{name}", force=1)
    engine.ask("POST", "/images/prune")


def create(engine: Engine, name: str, host: dict[str, Any] | None = None, **config: Any) -> None:
    engine.say("POST", "/containers/create", {"Image": "tiny:1", "HostConfig": host or {}, **config}, name=name)


def settle(engine: Engine, name: str) -> None:
    """Give a real program the time to be ready for signals: that of running a command beside it."""
    exec_id = engine.ask("POST", f"/containers/{name}/exec", {"Cmd": ["true"], "AttachStdout": True})["Id"]
    engine.ask("POST", f"/exec/{exec_id}/start", {"Detach": False, "Tty": False})
