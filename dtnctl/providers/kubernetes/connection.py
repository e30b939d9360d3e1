"""Calls to an API server: JSON in, JSON out, errors as ours. A connection that only reads sends nothing but GET."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from dtnctl.errors import ConflictError, EngineError, NotFoundError, UnreachableError
from dtnctl.providers.base import ReadOnlyError
from dtnctl.providers.kubernetes.errors import BUSY, GONE, is_no_answer, refusal, translated
from dtnctl.providers.kubernetes.identity import FIELD_MANAGER, NOTHING, Json
from dtnctl.providers.records import recorded

if TYPE_CHECKING:
    from httpx2 import Client, Response

    from dtnctl.providers.kubernetes.api_server import ApiServer
    from dtnctl.providers.kubernetes.login import Login

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
NO_FINALIZERS: Json = {"op": "add", "path": "/metadata/finalizers", "value": []}
FIRST_ERROR = 400
PAGE = 500  # objects in one answer to a list
LIST_TRIES = 3  # of a list that is so old at its last page that the server does not know it any more
USUAL_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before a server that is too busy is asked again


class Connection:
    """One endpoint's calls to its server. `address` is the endpoint's, as people read it; `neighbours`: endpoints of its namespace, it too.

    May be used from several threads.
    """

    def __init__(self, server: ApiServer, login: Login, address: str, *, neighbours: int = 1, reads_only: bool) -> None:
        self.address, self.timeouts, self.facts = address, server.timeouts, server.facts
        self._neighbours = neighbours
        self.clock_ahead: int | None = None
        self._server, self._login, self._reads_only = server, login, reads_only

    @property
    def server(self) -> str:
        return self._login.server

    @property
    def client(self) -> Client:
        """The HTTP client with the login."""
        with translated(self.address):
            return self._server.client(self._login)

    # --- calls ---

    def get(self, path: str, **params: Any) -> Any:
        """One object, or one page of a list."""
        return self.call("GET", path, params=params)

    def items(self, path: str, **params: Any) -> list[Json]:
        """A whole list, page by page, all of it of one moment."""
        for _ in range(LIST_TRIES - 1):
            with contextlib.suppress(_TooOldError):
                return self._pages(path, params)
        return self._pages(path, params)

    def gathered(self, path: str, **params: Any) -> list[Json]:
        """The same, asked once for all endpoints of the namespace that ask at the same moment. They share it: nothing of it is changed."""
        key = "?".join((path, *(f"{name}={value}" for name, value in sorted(params.items()))))
        return self._server.gathered.items(key, self._neighbours, lambda: self.items(path, **params))

    def _pages(self, path: str, params: Mapping[str, Any]) -> list[Json]:
        found: list[Json] = []
        more = ""
        while True:
            page = self.get(path, limit=PAGE, **params, **({"continue": more} if more else {}))
            found += page.get("items") or ()
            more = (page.get("metadata") or NOTHING).get("continue") or ""
            if not more:
                return found

    def apply(self, path: str, body: Json) -> Json:
        """Server-side apply of a whole intent. A field that another manager owns is a ConflictError with its name: nothing is forced."""
        applied: Json = self.call("PATCH", path, params={"fieldManager": FIELD_MANAGER}, body=body, content=APPLY)
        return applied

    def create(self, path: str, body: Json) -> Json:
        """ConflictError if the name is taken."""
        created: Json = self.call("POST", path, params={"fieldManager": FIELD_MANAGER}, body=body)
        return created

    def patch(self, path: str, operations: list[Json]) -> Json:
        """A JSON patch; a `test` in it that does not hold is a ConflictError."""
        patched: Json = self.call("PATCH", path, params={"fieldManager": FIELD_MANAGER}, body=operations, content=JSON_PATCH)
        return patched

    def delete(self, path: str, uid: str, *, version: str = "") -> None:
        """Remove this object, with `version` only if it is still as it was: ConflictError if it is not, or another one has the name."""
        unchanged = {"uid": uid} | ({"resourceVersion": version} if version else {})
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", "preconditions": unchanged}
        self.call("DELETE", path, body=options)

    def has(self, path: str, uid: str) -> bool:
        """Whether the object of this uid is there: another one may have the name."""
        try:
            live: Json = self.get(path)
        except NotFoundError:
            return False
        return bool(live["metadata"]["uid"] == uid)

    def remove(self, path: str, uid: str) -> None:
        """Remove only the object of this uid; one that is gone, or another one by now, is success."""
        self._on(path, uid, lambda: self.delete(path, uid))

    def release(self, path: str, uid: str) -> None:
        """Take the finalizers off the object of this uid; one that is gone, or another one by now, is success."""
        self._on(path, uid, lambda: self.patch(path, [{"op": "test", "path": "/metadata/uid", "value": uid}, NO_FINALIZERS]))

    def _on(self, path: str, uid: str, write: Callable[[], object]) -> None:
        """A refusal counts while the object is there: who goes on then leaves it behind in silence."""
        try:
            write()
        except NotFoundError:
            return
        except ConflictError:
            if self.has(path, uid):
                raise

    def call(self, method: str, path: str, *, params: Mapping[str, Any] = NOTHING, body: Any = None, content: str = JSON) -> Any:
        """One call; its decoded answer. A server that is too busy is asked again when it says so, within the time for one answer."""
        limits = self._server.limits() if method == "GET" else self._server.limits(self.timeouts.write)
        sent, headers = (None, {}) if body is None else (json.dumps(body).encode(), {"Content-Type": content})
        end = time.monotonic() + (limits.read or 0.0)
        while True:
            with self._sending(method, path):
                response = self.client.request(method, path, params=_texts(params), timeout=limits, content=sent, headers=headers)
                self._note_clock(response)
            if response.status_code != BUSY or time.monotonic() + (pause := _pause(response)) > end:
                break
            time.sleep(pause)
        if response.status_code >= FIRST_ERROR:
            if unanswered := self._login.unanswered(response.status_code, response.content):
                raise UnreachableError(f"{self.address}: {unanswered}")
            lost = content == JSON_PATCH and response.status_code == 422
            error = refusal(response.status_code, response.content, lost_precondition=lost)
            if response.status_code == GONE:
                raise _TooOldError(str(error), GONE)
            raise UnreachableError(f"{self.address}: {error}") if is_no_answer(error) else error
        return _decoded(response.content)

    @contextmanager
    def stream(self, path: str, read: float | None, **params: Any) -> Iterator[Iterator[bytes]]:
        """A body as it arrives."""
        with (
            self._sending("GET", path),
            self.client.stream("GET", path, params=_texts(params), timeout=self._server.limits(read)) as response,
        ):
            if response.status_code >= FIRST_ERROR:
                response.read()
                raise refusal(response.status_code, response.content)
            yield response.iter_bytes()

    @contextmanager
    def _sending(self, method: str, path: str) -> Iterator[None]:
        if self._reads_only and method != "GET":
            raise ReadOnlyError(f"{self.address}: {method} was asked of a client that only reads; nothing was sent")
        with recorded(self.address, method, path), translated(self.address):
            yield

    def _note_clock(self, response: Response) -> None:
        if self.clock_ahead is None:
            try:
                self.clock_ahead = round(parsedate_to_datetime(response.headers.get("Date", "")).timestamp() - time.time())
            except (ValueError, OverflowError):
                return


class _TooOldError(EngineError):
    """What is asked for was too long ago."""


def _pause(response: Response) -> float:
    """How long a server that is too busy asks to wait. A date in place of seconds is not what API servers write."""
    said = response.headers.get("Retry-After", "")
    return min(float(said), LONGEST_PAUSE) if said.isdecimal() else USUAL_PAUSE


def _texts(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters without those that are None; yes and no as a server reads them."""
    return {key: str(value).lower() if isinstance(value, bool) else value for key, value in params.items() if value is not None}


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content) if content else {}
    except ValueError:
        return {}
