"""Containers and execs over HTTP: reads a request's parameters, calls the engine's part, forms the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from tests.fakes import archive_api, containers, execs, logs, views
from tests.fakes.core import Engine
from tests.fakes.execs import ExecFunction
from tests.fakes.messages import RAW_STREAM, Request, Response, answer
from tests.fakes.state import Container

Handler: TypeAlias = Callable[[Engine, Request], Response]

STOP_SECONDS = 10.0
STAT_HEADER = "X-Docker-Container-Path-Stat"


def table(exec_programs: dict[str, ExecFunction]) -> dict[str, Handler]:
    """Method and path -> handler."""

    def start_exec(engine: Engine, request: Request) -> Response:
        output = execs.start(engine, request.target, exec_programs)
        return Response(content_type=RAW_STREAM, stream=iter(output), upgrades=True)

    return {
        "GET /containers/json": lambda engine, request: answer(views.list_containers(engine, request.query)),
        "POST /containers/create": _create,
        "GET /containers/{id}/json": _inspect,
        "GET /containers/{id}/logs": _logs,
        "GET /containers/{id}/archive": _get_archive,
        "HEAD /containers/{id}/archive": _head_archive,
        "PUT /containers/{id}/archive": _put_archive,
        "POST /containers/{id}/start": _start,
        "POST /containers/{id}/stop": _stop,
        "POST /containers/{id}/wait": _wait,
        "POST /containers/{id}/rename": _rename,
        "POST /containers/{id}/update": _update,
        "DELETE /containers/{id}": _remove,
        "POST /containers/{id}/exec": _create_exec,
        "POST /exec/{id}/start": start_exec,
        "GET /exec/{id}/json": lambda engine, request: answer(execs.show(execs.find(engine, request.target))),
    }


def _create(engine: Engine, request: Request) -> Response:
    return answer(containers.create(engine, request.query.get("name", ""), request.json()), 201)


def _inspect(engine: Engine, request: Request) -> Response:
    container = engine.container(request.target)
    shown = views.inspect(engine, container)
    if container.checks_until_healthy > 0:
        container.checks_until_healthy -= 1
        shown["State"]["Health"]["Status"] = "starting"
    return answer(shown)


def _logs(engine: Engine, request: Request) -> Response:
    container = engine.container(request.target)
    return Response(stream=logs.read_logs(engine, container, request))


def _get_archive(engine: Engine, request: Request) -> Response:
    data, stat = archive_api.get(engine, request.target, request.query.get("path", ""))
    return Response(body=data, content_type="application/x-tar", headers={STAT_HEADER: stat})


def _head_archive(engine: Engine, request: Request) -> Response:
    return Response(headers={STAT_HEADER: archive_api.head(engine, request.target, request.query.get("path", ""))})


def _put_archive(engine: Engine, request: Request) -> Response:
    archive_api.put(engine, request.target, request.query.get("path", ""), request.body)
    return Response()


def _start(engine: Engine, request: Request) -> Response:
    engine.processes.start(engine.container(request.target))
    return Response(204)


def _seconds(request: Request, container: Container) -> float:
    own: float | None = container.config.get("StopTimeout")
    return float(request.query.get("t") or (STOP_SECONDS if own is None else own))


def _stop(engine: Engine, request: Request) -> Response:
    container = engine.container(request.target)
    engine.processes.stop(container, _seconds(request, container))
    return Response(204)


def _wait(engine: Engine, request: Request) -> Response:
    """Wait until the container does not run (at once if it does not), ends next, or is removed."""
    container = engine.container(request.target)
    condition = request.query.get("condition") or "not-running"
    finished = container.finished_at
    over: dict[str, Callable[[], bool]] = {
        "not-running": lambda: not container.running,
        "next-exit": lambda: container.finished_at != finished,
        "removed": lambda: container.dead,
    }
    is_over = over.get(condition, over["not-running"])
    epoch = engine.epoch
    engine.changed.wait_for(lambda: is_over() or engine.epoch != epoch)
    engine.require_epoch(epoch)
    result: dict[str, Any] = {"Error": None, "StatusCode": container.exit_code}
    return answer(result)


def _rename(engine: Engine, request: Request) -> Response:
    containers.rename(engine, request.target, request.query.get("name", ""))
    return Response(204)


def _update(engine: Engine, request: Request) -> Response:
    return answer(containers.update(engine, request.target, request.json()))


def _remove(engine: Engine, request: Request) -> Response:
    containers.remove(engine, request.target, force=request.flag("force"))
    return Response(204)


def _create_exec(engine: Engine, request: Request) -> Response:
    return answer(execs.create(engine, request.target, request.json()), 201)
