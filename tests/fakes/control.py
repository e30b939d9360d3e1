"""The endpoint /_fake/ for tests that drive engines in another process; every call is one method of World."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from tests.fakes.errors import EngineError
from tests.fakes.faults import Fault
from tests.fakes.images import add_from_files
from tests.fakes.machine import RegistryImage
from tests.fakes.messages import Request, Response, answer, refusal
from tests.fakes.programs import Behaviour
from tests.fakes.state import Json

if TYPE_CHECKING:
    from tests.fakes.world import World

Action: TypeAlias = Callable[["World", Json], Any]


def handle(world: World, request: Request) -> Response:
    """Answer `METHOD /_fake/NAME` with the JSON value of its action (null for most)."""
    name = request.path.removeprefix("/_fake/")
    action = ACTIONS.get(f"{request.method} {name}")
    if action is None:
        return answer({"message": f"no such control call: {request.method} {name}; there are {', '.join(ACTIONS)}"}, 404)
    try:
        return answer(action(world, request.json()))
    except EngineError as error:
        return refusal(error)
    except (KeyError, TypeError, ValueError) as error:
        return answer({"message": f"{name}: {type(error).__name__}: {error}"}, 400)


def _faults(world: World, body: Json) -> None:
    """{"faults": [{"at": 7, "do": "kill-client", "when": "before"}, …]} or one fault as the body."""
    given = body.get("faults", [body] if body else [])
    world.plan_faults(*(Fault(**fault) for fault in given))


def _snapshot(world: World, body: Json) -> None:
    world.snapshot(body.get("name", "start"))


def _restore(world: World, body: Json) -> None:
    """{"name": NAME} for a snapshot, {"dump": …} for a dump."""
    if "dump" in body:
        world.load(body["dump"])
    else:
        world.restore(body.get("name", "start"))


def _program(world: World, body: Json) -> None:
    """{"behaviour": {…}, "image"/"argv"/"name"/"endpoint": …}; Python programs come with --setup."""
    behaviour = Behaviour.from_json(body.pop("behaviour"))
    world.programs.register(behaviour, **body)


def _image(world: World, body: Json) -> None:
    """{"reference": …, "config": {…}, "files": {path: text}, "endpoints": […]}"""
    files = {path: text.encode() for path, text in body.get("files", {}).items()}
    with world.changed:
        for name in body.get("endpoints", list(world.engines)):
            add_from_files(world.engines[name], body["reference"], body.get("config", {}), files)


def _registry(world: World, body: Json) -> None:
    """{"reference": …, "endpoints": […], and the fields of RegistryImage}"""
    reference = body.pop("reference")
    endpoints = body.pop("endpoints", list(world.engines))
    body["files"] = {path: text.encode() for path, text in body.get("files", {}).items()}
    for name in endpoints:
        world.engines[name].machine.registry[reference] = RegistryImage(**body)


def _machine(world: World, body: Json) -> None:
    """{"endpoint": …, "cpus": 2, "interfaces": […], "devices": […], "address": …}"""
    machine = world.engines[body.pop("endpoint")].machine
    for name, value in body.items():
        current = getattr(machine, name)
        setattr(machine, name, set(value) if isinstance(current, set) else value)


def _beside(world: World, body: Json) -> None:
    """{"name": …, and what that one understands}"""
    world.beside[body.pop("name")].tell(body)


def _view_beside(world: World) -> Json:
    with world.changed:
        return {name: other.view() for name, other in world.beside.items()}


def _health(world: World, body: Json) -> None:
    with world.changed:
        world.container(body["endpoint"], body["container"]).health = body["status"]


def _release(world: World, body: Json) -> None:
    world.release(
        body["endpoint"],
        body["container"],
        body.get("exit_code", 0),
        out_of_memory=body.get("out_of_memory", False),
    )


ACTIONS: dict[str, Action] = {
    "GET beside": lambda world, body: _view_beside(world),
    "GET calls": lambda world, body: world.journal.report(),
    "GET dump": lambda world, body: world.dump(),
    "GET starts": lambda world, body: world.starts(),
    "GET view": lambda world, body: world.view(),
    "POST beside": _beside,
    "POST faults": _faults,
    "POST health": _health,
    "POST image": _image,
    "POST machine": _machine,
    "POST mode": lambda world, body: world.set_mode(body["endpoint"], body["mode"]),
    "POST program": _program,
    "POST registry": _registry,
    "POST release": _release,
    "POST reset": lambda world, body: world.reset(),
    "POST restart-due": lambda world, body: world.restart_due(),
    "POST restore": _restore,
    "POST shuffle": lambda world, body: world.shuffler.seed(body.get("seed")),
    "POST snapshot": _snapshot,
}
