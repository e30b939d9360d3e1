"""Stands before the pages: refuses what `Access` refuses, and gives every answer the headers that forbid a browser the rest."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dtnctl.web.access import HEADERS, Access


class Guard:
    """The application, for whom `access` lets in."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; no other kind of connection is taken."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._access.refusal(scope["method"], headers)
        if refusal is not None:
            await _send(send, refusal.status, refusal.text, {**HEADERS, **refusal.headers})
            return
        more = {"Cache-Control": "no-store", **HEADERS, **self._access.given(headers)}
        await self._app(scope, receive, _with(send, more))


def _with(send: Send, more: Mapping[str, str]) -> Send:
    """The same, with these headers before those of the answer itself; one that the answer has stays the answer's."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name.lower() for name, _ in message["headers"]}
            added = [(name.encode(), value.encode()) for name, value in more.items() if name.lower().encode() not in own]
            message = {**message, "headers": [*message["headers"], *added]}
        await send(message)

    return sending


async def _send(send: Send, status: HTTPStatus, text: str, headers: Mapping[str, str]) -> None:
    body = f"{text}\n".encode()
    fields = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body)), **headers}
    pairs = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": int(status), "headers": pairs})
    await send({"type": "http.response.body", "body": body})
