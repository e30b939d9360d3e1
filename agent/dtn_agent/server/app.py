"""The agent's HTTP interface: three routes, their OpenAPI document, and every error as a Refused that names what is wrong."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Any, Protocol, assert_never

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from dtn_agent import protocol as p
from dtn_agent.audit import Audit
from dtn_agent.errors import Code, RefusedError
from dtn_agent.log import Lines
from dtn_agent.server.access import Access
from dtn_agent.server.limits import ServerLimits
from dtn_agent.server.middleware import ADDRESS, CALLER, Middleware, failed
from dtn_agent.work import agent_version

READING = r"^[a-z_]+(/[A-Za-z0-9_.:@*?-]+){0,2}$"  # a tuning key, as in protocol.Tune, or a pattern of block devices
JSON = "application/json"
DESCRIPTION = "What a DTN's hardware is, and what is changed on it. Callers need a client certificate or the bearer token, for every route."


class Working(Protocol):
    """What stands behind the routes: dtn_agent.work.Work."""

    def host(self, readings: Collection[str], /, *, inside: bool = False) -> p.Host: ...
    def perform(self, request: p.Request, /) -> p.Done: ...


def make_app(work: Working, access: Access, lines: Lines, limits: ServerLimits) -> Middleware:
    """The whole application, guarded."""
    app = FastAPI(
        title="dtn-agent",
        description=DESCRIPTION,
        version=agent_version(),
        openapi_url="/v1/openapi.json",
        docs_url=None,  # a page with scripts of another site has no place on a DTN
        redoc_url=None,
        responses={"default": {"model": p.Refused, "description": "Refused: `code` is for programs, `error` for people."}},
    )
    _add_routes(app, work, lines)
    app.add_exception_handler(RequestValidationError, _tell_invalid)
    app.add_exception_handler(HTTPException, _tell_http)
    app.add_exception_handler(RefusedError, _tell_refused)
    app.add_exception_handler(Exception, _tell_nothing)  # the middleware then logs it
    return Middleware(app, access, limits, lines)


Readings = Annotated[list[Annotated[str, Query(pattern=READING, max_length=120)]], Query(max_length=256)]


def _add_routes(app: FastAPI, work: Working, lines: Lines) -> None:
    # Plain functions: they block on the kernel, so they run in threads.
    @app.get("/v1/host", response_model=p.Host)
    def host(readings: Readings = [], inside: bool = False) -> Response:  # noqa: B006  # parameters of the query
        """Facts, what is held, abilities, and the values of these tuning keys; with `inside` also what containers see of the network."""
        return Response(work.host(frozenset(readings), inside=inside).model_dump_json(), media_type=JSON)

    @app.post("/v1/perform", response_model=p.Done)
    def perform(asked: p.Request, request: Request) -> Response:
        """Carry out one request. Idempotent: what is so already is success, with `changed` false."""
        return Response(_audited(work, asked, request, lines).model_dump_json(), media_type=JSON)


def _audited(work: Working, asked: p.Request, request: Request, lines: Lines) -> p.Done:
    """Perform, and one line with the caller, the request and its result."""
    audit = Audit(lines, request.scope["state"][CALLER], request.scope["state"][ADDRESS])
    wanted = asked.for_log()
    try:
        done = work.perform(asked)
    except RefusedError as error:
        audit.refused(wanted, error)
        raise
    except BaseException:
        audit.failed(wanted)
        raise
    audit.done(wanted, done.detail, changed=done.changed)
    return done


# --- errors ---------------------------------------------------------------------------------------------------------


def _answer(status: int, code: Any, text: str) -> Response:
    return Response(p.Refused(code=code, error=text).model_dump_json(), status, media_type=JSON)


def _tell_refused(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, RefusedError)
    return _answer(status_of(error.code), error.code, str(error))


def _tell_nothing(request: Request, error: Exception) -> Response:
    del request, error
    return Response(failed().model_dump_json(), 500, media_type=JSON)


def status_of(code: Code) -> int:
    """HTTP's word for a refusal."""
    match code:
        case "bad-request":
            return 400
        case "not-found":
            return 404
        case "conflict":
            return 409
        case "unsupported":
            return 422
        case "failed":
            return 500
        case _:
            assert_never(code)


def _tell_http(request: Request, error: Exception) -> Response:
    """What the routing refuses: no such route, no such method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _answer(404, "not-found", "there is no such route; there are /v1/host, /v1/perform and /v1/openapi.json")
    if error.status_code == 405:
        return _answer(405, "bad-request", f"{request.method} is not for this route; GET /v1/host, POST /v1/perform")
    return _answer(error.status_code, "bad-request", str(error.detail))


def _tell_invalid(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, RequestValidationError)
    return _answer(400, "bad-request", "; ".join(_sentence(item) for item in error.errors()[:10]))


def _sentence(item: dict[str, Any]) -> str:
    """One finding of pydantic: the field, and what is wrong with it."""
    kind, context = item["type"], item.get("ctx", {})
    field = _field(item["loc"])
    match kind:
        case "json_invalid":
            return f"the body is not JSON: {context.get('error', 'it cannot be read')}"
        case "extra_forbidden":
            return f"{field}: there is no such field"
        case "missing":
            return f"{field}: it is missing"
        case "union_tag_not_found":
            return "do: it is missing; it names what to do"
        case "union_tag_invalid":
            return f"do: there is no request {str(context.get('tag'))[:40]!r}; there are {context.get('expected_tags')}"
        case _:
            return f"{field}: {item['msg']}"


def _field(location: Sequence[int | str]) -> str:
    """`configure-vf.vlan` of ("body", "configure-vf", "vlan"); `the body` of nothing."""
    return ".".join(str(part) for part in location[1:]) or f"the {location[0]}"
