"""The stand-in's listener: one thread for each connection, who may ask what, and Portainer's own API."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.fakes.portainer.clusters import KUBERNETES, pass_on_to_cluster
from tests.fakes.portainer.proxy import DOCKER, pass_on
from tests.fakes.portainer.state import ADMINISTRATOR, State, User

KEY = "ptr_canary-8c21"
COOKIE = "portainer_api_key"
BOTH = "api key and auth header are not allowed at the same time"
CONTROL = re.compile(r"/api/resource_controls/(\d+)")


class StandIn:
    """Listens on a port of loopback while it is open; with `tls` over TLS. `base` is the folder that it is served below."""

    def __init__(self, *, tls: SSLContext | None = None, base: str = "", address: str = "127.0.0.1") -> None:
        self.state = State(users={KEY: User()})
        self._server = _Server((address, 0), _handler(self.state, base))
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.cut()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.clients: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.clients.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.clients.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none of ours to report."""

    def cut(self) -> None:
        for one in list(self.clients):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def _handler(state: State, base: str) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        pass

    Handler.state, Handler.base = state, base
    return Handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: State
    base: str

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def _asked(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length") or 0))
        self.state.asked.append((self.command, self.path, headers))
        user = self._user(headers)
        if user is None:
            return
        path = urlsplit(self.path).path.removeprefix(self.base)
        proxied = DOCKER.fullmatch(path) or KUBERNETES.fullmatch(path)
        if proxied is not None:
            self._proxied(int(proxied[1]), self.path.removeprefix(self.base), body, user)
        else:
            self._api(path, body, user)

    def __getattr__(self, name: str) -> Any:
        """Every method is answered in one place."""
        if name.startswith("do_"):
            return self._asked
        raise AttributeError(name)

    def _user(self, headers: dict[str, str]) -> User | None:
        """Whose key it is; None after a refusal."""
        user = self.state.users.get(headers.get("x-api-key", ""))
        if "x-api-key" in headers and "authorization" in headers:
            self.refuse(HTTPStatus.FORBIDDEN, BOTH, BOTH.capitalize())
        elif COOKIE in headers.get("cookie", "") and self.command not in ("GET", "HEAD"):
            self.refuse(HTTPStatus.FORBIDDEN, "Forbidden - CSRF token not found in request", "")
        elif "x-api-key" not in headers:
            self.refuse(HTTPStatus.UNAUTHORIZED, "A valid authorization token is missing", "Unauthorized")
        elif user is None:
            self.refuse(HTTPStatus.UNAUTHORIZED, "Invalid JWT token", "Unauthorized")
        else:
            return user
        return None

    def _proxied(self, number: int, target: str, body: bytes, user: User) -> None:
        environment = self.state.environments.get(number)
        if environment is None:
            self.refuse(HTTPStatus.NOT_FOUND, "Unable to find an environment with the specified identifier inside the database", "")
        elif environment.type in (4, 7) and environment.refusals > 0:
            environment.refusals -= 1
            self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "Unable to get the active tunnel", "Unable to open the tunnel")
        elif environment.cluster is not None:
            pass_on_to_cluster(self, environment.cluster, target, body)
        else:
            pass_on(self, self.state, environment, target, body, user)

    def _api(self, path: str, body: bytes, user: User) -> None:
        state, control = self.state, CONTROL.fullmatch(path)
        if path in state.odd:
            self.answer(state.odd[path])
        elif control is not None and self.command == "PUT":
            self._update(int(control[1]), json.loads(body), user)
        elif path == "/api/endpoints":
            self._endpoints()
        elif path == "/api/users/me":
            self.answer({"Id": user.id, "Username": user.name, "Role": user.role})
        elif path == "/api/teams":
            self.answer([{"Id": number, "Name": name} for number, name in state.teams.items()])
        elif path == "/api/tags":
            self.answer([{"ID": number, "Name": name, "Endpoints": {}} for number, name in state.tags.items()])
        elif path == "/api/endpoint_groups":
            self.answer([{"Id": number, "Name": name, "TagIds": tags} for number, (name, tags) in state.groups.items()])
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _endpoints(self) -> None:
        query = parse_qs(urlsplit(self.path).query)  # of lists, `NAME[]` alone is read

        def chosen(key: str, found: int) -> bool:
            return key not in query or str(found) in query[key]

        found = [
            item
            for item in self.state.environments.values()
            if query.get("name", [item.name]) == [item.name] and chosen("endpointIds[]", item.id) and chosen("types[]", item.type)
        ]
        slim = query.get("excludeSnapshots") == ["true"]
        self.answer([item.shown(with_snapshot=not slim) for item in found])

    def _update(self, number: int, wanted: dict[str, Any], user: User) -> None:
        control = self.state.controls.get(number)
        if control is None:
            self.refuse(HTTPStatus.NOT_FOUND, "Unable to find a resource control with the specified identifier inside the database", "")
        elif user.role != ADMINISTRATOR and user.id not in [item["UserId"] for item in control["UserAccesses"]]:
            self.refuse(HTTPStatus.FORBIDDEN, "Permission denied to access the resource control", "Access denied to resource")
        else:
            control["UserAccesses"] = [{"UserId": item, "AccessLevel": 1} for item in wanted.get("Users") or ()]
            control["TeamAccesses"] = [{"TeamId": item, "AccessLevel": 1} for item in wanted.get("Teams") or ()]
            self.answer(control)

    # --- answers --------------------------------------------------------------------------------------------

    def refuse(self, status: int, message: str, details: str) -> None:
        self.answer({"message": message, "details": details}, status)

    def answer(self, content: object, status: int = HTTPStatus.OK) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Csrf-Token", "")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
