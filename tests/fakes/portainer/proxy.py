"""The stand-in's Docker proxy. Portainer has two: for engines on TCP and behind agents one that passes on what comes when it comes,
for a socket of its own host one that holds back what it has until 4 KiB are full or the answer ends, and that cannot be upgraded."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Callable, Iterator
from http import HTTPStatus
from itertools import chain
from typing import Any

from tests.fakes.portainer.state import Environment, State, User

DOCKER = re.compile(r"/api/endpoints/(\d+)/(?:agent/)?docker(/.*)")
VERSION = re.compile(r"/v[0-9]\.[0-9]*")
HELD_BACK = 4096
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection", "host", "content-length"}
)
BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
CONTAINER, NETWORK, VOLUME = 1, 4, 3
SYSTEM_NETWORKS = frozenset({"bridge", "host", "ingress", "nat", "none"})


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def pass_on(client: Any, state: State, environment: Environment, target: str, body: bytes, user: User) -> None:
    """Ask the engine, and answer as Portainer does."""
    match = DOCKER.fullmatch(target)
    assert match is not None
    path = match[2]
    if environment.nodes and VERSION.sub("", path) == "/nodes":
        client.answer([environment.node(name) for name in environment.nodes])
        return
    headers = {name: value for name, value in client.headers.items() if name.lower() not in HOP_BY_HOP}
    engine = _Connection(str(environment.socket))
    try:
        if body or client.command in ("POST", "PUT"):
            headers["Content-Length"] = str(len(body))
        engine.request(client.command, path, body, headers)
        response = engine.getresponse()
    except OSError as error:
        engine.close()
        _unreached(client, environment, error)
        return
    try:
        _forget(state, client.command, VERSION.sub("", path.partition("?")[0]), response.status)
        rewrite = _rewrite(client.command, VERSION.sub("", path.partition("?")[0]), response.status)
        if rewrite is not None:
            _rewritten(client, response, lambda content: _of_all_nodes(environment, rewrite(state, user, content)))
        else:
            _send(client, response, held_back=environment.is_local, ends=environment.is_local or _is_read_to_its_end(client, path))
    finally:
        engine.close()


def _unreached(client: Any, environment: Environment, error: OSError) -> None:
    if environment.is_local:
        details = f"Dial unix {environment.socket}: connect: {error.strerror}".lower().capitalize()
        client.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "Unable to proxy the request via the Docker socket", details)
        return
    client.send_response(HTTPStatus.BAD_GATEWAY)
    client.send_header("Content-Length", "0")
    client.end_headers()


# --- answers that are read and written again -----------------------------------------------------------------

Rewrite = Callable[[State, User, Any], Any]


def _rewrite(method: str, path: str, status: int) -> Rewrite | None:
    """What Portainer does to the JSON of this answer; None if nothing."""
    if method == "POST" and status == HTTPStatus.CREATED:
        return {
            "/containers/create": _created(CONTAINER, "Id"),
            "/networks/create": _created(NETWORK, "Id"),
            "/volumes/create": _created(VOLUME, "Name"),
        }.get(path)
    if method != "GET" or status != HTTPStatus.OK:
        return None
    if path == "/containers/json":
        return lambda state, _, content: [_decorated(state, item, "Id", CONTAINER) for item in content]
    if re.fullmatch(r"/containers/[^/]+/json", path):
        return lambda state, _, content: _decorated(state, content, "Id", CONTAINER)
    if path == "/info":
        return lambda _state, _, content: content
    if path == "/networks":
        return lambda state, _, content: [_decorated(state, item, "Id", NETWORK) for item in content]
    if re.fullmatch(r"/networks/[^/]+", path):
        return lambda state, _, content: _decorated(state, content, "Id", NETWORK)
    if re.fullmatch(r"/volumes/[^/]+", path):
        return lambda state, _, content: _decorated(state, content, "Name", VOLUME)
    return None


def _created(kind: int, key: str) -> Rewrite:
    def decorated(state: State, user: User, content: Any) -> Any:
        return {**content, "Portainer": {"ResourceControl": state.new_control(content[key], kind, user)}}

    return decorated


def _decorated(state: State, content: Any, key: str, kind: int) -> Any:
    if kind == NETWORK and content["Name"] in SYSTEM_NETWORKS:
        return {**content, "Portainer": {"ResourceControl": {"Public": True, "System": True}}}
    control = state.control_of(content[key], kind)
    return content if control is None else {**content, "Portainer": {"ResourceControl": control}}


def _of_all_nodes(environment: Environment, content: Any) -> Any:
    """Agents of a Swarm answer lists for all of them, whichever node is asked for, and let a manager answer /info."""
    if environment.nodes and "NCPU" in content:
        return {**content, "Name": environment.nodes[0], "ID": "the manager's"}
    if not environment.nodes or not isinstance(content, list):
        return content
    return [
        {**item, "Portainer": {**item.get("Portainer", {}), "Agent": {"NodeName": node}}} for node in environment.nodes for item in content
    ]


def _rewritten(client: Any, response: http.client.HTTPResponse, rewrite: Callable[[Any], Any]) -> None:
    """200 also for what was created; numbers have gone through a float."""
    content = json.loads(response.read(), parse_int=lambda text: int(float(text)))
    data = json.dumps(rewrite(content), sort_keys=True).encode()
    _head(client, response, HTTPStatus.OK, len(data))
    client.wfile.write(data)


def _forget(state: State, method: str, path: str, status: int) -> None:
    match = re.fullmatch(r"/(containers|networks|volumes)/([^/]+)", path)
    if method == "DELETE" and match is not None and status in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
        state.forget(match[2], {"containers": CONTAINER, "networks": NETWORK, "volumes": VOLUME}[match[1]])


# --- answers that are passed on ------------------------------------------------------------------------------


def _head(client: Any, response: http.client.HTTPResponse, status: int, length: int | None) -> None:
    client.send_response_only(status)
    for name, value in response.getheaders():
        if name.lower() not in HOP_BY_HOP:
            client.send_header(name, value)
    client.send_header("X-Csrf-Token", "")
    if length is not None:
        client.send_header("Content-Length", str(length))
    elif status not in BODILESS:
        client.send_header("Transfer-Encoding", "chunked")
    client.end_headers()


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while data := response.read1(65536):
        yield data


def _length(client: Any, response: http.client.HTTPResponse) -> int | None:
    """None: it is sent in chunks."""
    if client.command == "HEAD" or response.length is not None:
        return int(response.getheader("Content-Length") or response.length or 0)
    return None


def _is_read_to_its_end(client: Any, path: str) -> bool:
    """Portainer closes the body of a request when it answers, except of one that is the last on its connection; if it was still looking
    for the body's end, it drops what the engine has not sent yet. Here it always is."""
    return not re.search("/exec/[^/]+/start$", path) or client.headers.get("Connection", "").lower() == "close"


def _send(client: Any, response: http.client.HTTPResponse, *, held_back: bool, ends: bool) -> None:
    length = _length(client, response)
    pieces = iter(()) if client.command == "HEAD" else _pieces(response)
    if held_back:  # the head, too
        pieces = _grouped(pieces)
        pieces = chain((next(pieces, b""),), pieces)
    _head(client, response, response.status, length)
    for piece in filter(None, pieces) if ends else ():
        client.wfile.write(piece if length is not None else b"%x\r\n%s\r\n" % (len(piece), piece))
    if length is None and response.status not in BODILESS:
        client.close_connection = client.close_connection or not ends
        client.wfile.write(b"0\r\n\r\n" if ends else b"")


def _grouped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for piece in pieces:
        held += piece
        if len(held) >= HELD_BACK:
            yield held
            held = b""
    yield held
