"""The listeners, over real connections."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from dtnctl.errors import UsageError
from dtnctl.pulling import listening
from dtnctl.pulling.decisions import Fetched, after_fetch
from dtnctl.pulling.journal import Journal
from dtnctl.pulling.listening import Answers, Server, listen, parse_address
from dtnctl.pulling.tally import Tally

SECRET = b"s3cret"
BODY = b'{"ref": "refs/heads/main"}'


@dataclass
class Place:
    """A listener on the loopback address, and what it triggered."""

    seconds: float = 0.0
    triggers: list[None] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)

    def answers(self) -> Answers:
        return Answers(self.tally, lambda: self.triggers.append(None), lambda: (self.seconds, 10.0), SECRET, has_metrics=True)


@contextlib.contextmanager
def served(answers: Answers, deadline: float = listening.DEADLINE) -> Iterator[Server]:
    server = listen("127.0.0.1:0", answers, deadline)
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def server(place: Place) -> Iterator[Server]:
    with served(place.answers()) as server:
        yield server


def ask(server: Server, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.read().decode()


def signed(body: bytes = BODY) -> str:
    return f"sha256={hmac.new(SECRET, body, hashlib.sha256).hexdigest()}"


def test_signed_request_triggers_one_fetch(place: Place, server: Server) -> None:
    assert ask(server, "POST", "/webhook", BODY, X_Hub_Signature_256=signed()) == (202, "accepted\n")
    assert ask(server, "POST", "/webhook", b"", X_Gitlab_Token="s3cret") == (202, "accepted\n")
    assert len(place.triggers) == 2
    assert 'webhooks_total{result="accepted"} 2' in place.tally.text()


def test_large_body_that_is_signed_is_accepted(place: Place, server: Server) -> None:
    body = b"x" * 3_000_000
    assert ask(server, "POST", "/webhook", body, X_Hub_Signature_256=signed(body))[0] == 202
    assert len(place.triggers) == 1


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 401),
        ({"X_Hub_Signature_256": "sha256=00"}, 401),
        ({"X_Gitlab_Token": "guess"}, 401),
        ({"Content_Length": str((25 << 20) + 1)}, 413),
        ({"Content_Length": "-1"}, 411),
        ({"Content_Length": "²"}, 411),
    ],
)
def test_other_requests_trigger_nothing(place: Place, server: Server, headers: dict[str, str], code: int) -> None:
    encoded = {name: value.encode("utf-8").decode("latin-1") for name, value in headers.items()}
    assert ask(server, "POST", "/webhook", BODY, **encoded)[0] == code
    assert place.triggers == []


def test_body_that_ends_too_early_triggers_nothing(place: Place, server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(b"POST /webhook HTTP/1.1\r\nContent-Length: 9\r\nX-Gitlab-Token: s3cret\r\n\r\nxx")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1000).split(b"\r\n")[0].endswith(b" 408 Request Timeout")
    assert place.triggers == []


def test_only_the_paths_that_are_served_answer(server: Server) -> None:
    assert [ask(server, "GET", path)[0] for path in ("/healthz", "/metrics", "/journal", "/webhook", "/", "/../etc/passwd")] == [
        *(200, 200, 200, 405, 404, 404)
    ]
    assert [ask(server, "POST", path, BODY)[0] for path in ("/metrics", "/")] == [404, 404]


def test_listener_for_the_webhook_alone_shows_no_metrics_and_one_for_metrics_takes_no_webhook(place: Place) -> None:
    with served(replace(place.answers(), has_metrics=False)) as webhook, served(replace(place.answers(), secret=b"")) as metrics:
        assert [ask(webhook, "GET", path)[0] for path in ("/metrics", "/journal", "/healthz")] == [404, 404, 200]
        assert [ask(metrics, "GET", path)[0] for path in ("/metrics", "/webhook", "/healthz")] == [200, 404, 200]
        assert ask(metrics, "POST", "/webhook", b"", X_Gitlab_Token="")[0] == 404
    assert place.triggers == []


def test_health_is_good_while_the_loop_comes_round_whatever_it_finds(place: Place, server: Server) -> None:
    assert json.loads(ask(server, "GET", "/healthz")[1])["status"] == "ok"
    place.tally.remember(after_fetch(Journal(branch="main"), Fetched(trouble="gone"), None, "2026-06-01T00:00:00Z").journal)
    code, body = ask(server, "GET", "/healthz")
    assert (code, json.loads(body)["status"]) == (200, "degraded")
    assert json.loads(body)["conditions"] == [{"name": "remote", "since": "2026-06-01T00:00:00Z"}]
    place.seconds = 11.0
    code, body = ask(server, "GET", "/healthz")
    assert (code, json.loads(body)["status"]) == (503, "stuck")


def test_connections_beyond_the_limit_are_closed_and_the_others_still_answered(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        held = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30)) for _ in range(listening.MOST_CONNECTIONS)
        ]
        for connection in held:
            connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        further = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
        with contextlib.suppress(ConnectionResetError):
            assert further.recv(10) == b""
        held[0].sendall(b"\r\n")
        assert held[0].recv(100).startswith(b"HTTP/1.0 200")
    assert ask(server, "GET", "/healthz")[0] == 200


def test_connection_that_takes_too_long_is_closed(place: Place) -> None:
    with served(place.answers(), deadline=0.1) as server, socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(b"GET /healthz HT")
        assert connection.recv(10) == b""


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8080", ("127.0.0.1", 8080)), (":80", ("0.0.0.0", 80)), ("[::1]:9", ("::1", 9)), ("localhost:1", ("localhost", 1))],
)
def test_addresses_are_read_as_people_write_them(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "::1:80", "a:²"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not an address such as"):
        parse_address(text)


def test_address_that_is_taken_is_refused_with_the_reason(place: Place, server: Server) -> None:
    with pytest.raises(UsageError, match=r"cannot listen on 127\.0\.0\.1:.*in use"):
        listen(f"127.0.0.1:{server.port}", place.answers())
