"""The endpoint /_fake/ for tests that drive engines in another process; every call is one method of World."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from tests.fakes.errors import EngineError
from tests.fakes.faults import Fault
from tests.fakes.messages import Request, Response, answer, refusal
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
    world.restore(body.get("name", "start"))


def _beside(world: World, body: Json) -> None:
    """{"name": …, and what that one understands}"""
    world.beside[body.pop("name")].tell(body)


def _mode(world: World, body: Json) -> None:
    """{"name": "dtn1", "mode": "up"}"""
    world.set_mode(body["name"], body["mode"])


def _view_beside(world: World) -> Json:
    with world.changed:
        return {name: other.view() for name, other in world.beside.items()}


ACTIONS: dict[str, Action] = {
    "GET beside": lambda world, body: _view_beside(world),
    "GET calls": lambda world, body: world.journal.report(),
    "GET starts": lambda world, body: world.starts(),
    "GET view": lambda world, body: world.view(),
    "POST beside": _beside,
    "POST faults": _faults,
    "POST mode": _mode,
    "POST restore": _restore,
    "POST snapshot": _snapshot,
}
