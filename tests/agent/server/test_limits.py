"""Too much, too slow, too many: refused with a reason, and the next caller is served."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import resource
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dtn_agent.log import Lines
from dtn_agent.server.limits import ServerLimits
from dtn_agent.server.listener import BoundedListener, Connection

from tests.agent.server.serving import TUNE, Agent, read_answer, running_agent, with_both

SHORT = ServerLimits(handshake=2.0, waiting=2.0, receiving=0.5, closing=0.5)  # long enough for a busy machine
MANY = 1000


def head(length: str, more: str = "") -> bytes:
    return f"POST /v1/perform HTTP/1.1\r\nHost: dtn1\r\nContent-Type: application/json\r\n{length}\r\n{more}\r\n".encode()


def assert_alive_and_unchanged(agent: Agent) -> None:
    """Whatever was tried: the next caller is served, and nothing was changed."""
    assert agent.ask(agent.known())[0] == 200
    assert agent.resource.asked == []


# --- too much ---------------------------------------------------------------------------------------------------------


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with running_agent(tmp_path) as agent:
        with agent.connect(agent.known()) as connection:
            connection.sendall(head("Content-Length: 65537"))
            status, refused = read_answer(connection)
        assert (status, refused["code"]) == (413, "too-large")
        assert "65536 bytes" in refused["error"]
        assert_alive_and_unchanged(agent)


@pytest.mark.parametrize("length", ["1e3", "-1", "12,13", "0x10"])
def test_a_length_that_is_none_is_refused(tmp_path: Path, length: str) -> None:
    with running_agent(tmp_path) as agent:
        with agent.connect(agent.known()) as connection:
            connection.sendall(head(f"Content-Length: {length}"))
            assert read_answer(connection)[0] == 400
        assert_alive_and_unchanged(agent)


@pytest.mark.parametrize("size", [65537, 800_000], ids=["a byte more", "much more"])
def test_a_body_in_chunks_is_counted_while_it_comes(tmp_path: Path, size: int) -> None:
    with running_agent(tmp_path) as agent:
        with agent.connect(agent.known()) as connection:
            connection.sendall(head("Transfer-Encoding: chunked"))
            for start in range(0, size, 8192):
                part = b" " * min(8192, size - start)
                connection.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            connection.sendall(b"0\r\n\r\n")
            status, refused = read_answer(connection)
        assert (status, refused["code"]) == (413, "too-large")
        assert_alive_and_unchanged(agent)


def test_the_largest_body_that_may_be_is_read(tmp_path: Path) -> None:
    body = json.dumps(TUNE).encode()
    with running_agent(tmp_path) as agent:
        assert agent.perform(body + b" " * (65536 - len(body)))[0] == 200


def test_headers_without_end_are_refused(tmp_path: Path) -> None:
    with running_agent(tmp_path) as agent:
        with agent.connect(agent.known()) as connection:
            connection.sendall(b"GET /v1/host HTTP/1.1\r\nHost: dtn1\r\nX-Much: " + b"x" * 40_000)
            assert read_answer(connection)[0] == 400
        assert_alive_and_unchanged(agent)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(b"GET /v1/host HTTP/1.1\r\nHost: dtn1\r\nX: " + b"x" * 15_000 + b"\r\nY: " + b"y" * 2_000, id="two headers"),
        pytest.param(b"GET /v1/host HTTP/1.1\r\nHost: dtn1\r\n" + b"A: b\r\n" * 3_000 + b"C: d", id="many short ones"),
        pytest.param(b"GET /v1/host?" + b"x" * 16_400 + b" HTTP/1.1\r\nHost: dtn1", id="a long query"),
        pytest.param(b"GET /" + b"x" * 16_400 + b" HTTP/1.1\r\nHost: dtn1", id="a long path"),
    ],
)
def test_headers_that_are_too_large_are_refused_also_when_they_come_whole(tmp_path: Path, asked: bytes) -> None:
    with running_agent(tmp_path) as agent:
        with agent.connect(agent.known()) as connection:
            connection.sendall(asked + b"\r\n\r\n")
            status, refused = read_answer(connection)
        assert (status, refused["code"]) in [(431, "too-large"), (400, "bad-request")]  # 400 where they were read in two parts
        assert_alive_and_unchanged(agent)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_request_with_two_lengths_is_refused_and_what_follows_it_is_never_read(tmp_path: Path, version: str) -> None:
    body = json.dumps(TUNE).encode()
    smuggled = head(f"Content-Length: {len(body)}").replace(b"1.1", version.encode()) + body
    lengths = f"POST /v1/perform HTTP/{version}\r\nHost: dtn1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    with running_agent(tmp_path) as agent:
        with agent.connect(agent.known()) as connection:
            connection.sendall(lengths.encode() + smuggled)
            status, refused = read_answer(connection)
            assert connection.recv(1) == b""
        assert (status, refused["code"]) == (400, "bad-request")
        assert "both Content-Length and Transfer-Encoding" in refused["error"]
        assert_alive_and_unchanged(agent)


@pytest.mark.parametrize("line", [b"HELO dtn1\r\n\r\n", b"GET /v1/host HTTP/1.1\r\nno colon\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n"])
def test_what_is_no_http_is_refused_in_the_same_form(tmp_path: Path, line: bytes) -> None:
    with running_agent(tmp_path) as agent:
        with agent.connect(agent.known()) as connection:
            connection.sendall(line)
            status, refused = read_answer(connection)
        assert (status, refused["code"]) == (400, "bad-request")
        assert_alive_and_unchanged(agent)


# --- too slow ---------------------------------------------------------------------------------------------------------


def test_a_body_that_does_not_come_is_given_up(tmp_path: Path) -> None:
    with running_agent(tmp_path, limits=SHORT) as agent:
        with agent.connect(agent.known()) as connection:
            connection.sendall(head("Content-Length: 100") + b"{")
            status, refused = read_answer(connection)
        assert (status, refused["code"]) == (408, "bad-request")
        assert "body was not there within 0.5 s" in refused["error"]
        assert_alive_and_unchanged(agent)


def test_headers_that_do_not_end_are_given_up(tmp_path: Path) -> None:
    with running_agent(tmp_path, limits=SHORT) as agent:
        with agent.connect(agent.known()) as connection:
            connection.sendall(b"GET /v1/host HTTP/1.1\r\nHost:")
            status, refused = read_answer(connection)
        assert (status, refused["code"]) == (408, "bad-request")
        assert_alive_and_unchanged(agent)


@pytest.mark.parametrize("speaks_tls", [False, True], ids=["before the handshake", "after it"])
def test_a_connection_on_which_nothing_comes_is_closed(tmp_path: Path, speaks_tls: bool) -> None:
    with running_agent(tmp_path, limits=SHORT) as agent:
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(
                agent.connect(agent.known()) if speaks_tls else socket.create_connection(("127.0.0.1", agent.port), timeout=30)
            )
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                assert connection.recv(1) == b""
        assert_alive_and_unchanged(agent)


def test_a_connection_may_be_used_again(tmp_path: Path) -> None:
    with running_agent(tmp_path) as agent, agent.connect(agent.known()) as connection:
        for _ in range(3):
            connection.sendall(b"GET /v1/host HTTP/1.1\r\nHost: dtn1\r\n\r\n")
            assert read_answer(connection)[0] == 200


# --- too many ---------------------------------------------------------------------------------------------------------


def test_a_request_that_gets_no_turn_in_time_is_asked_to_come_again(tmp_path: Path) -> None:
    with running_agent(tmp_path, limits=ServerLimits(requests=1, turn=0.2)) as agent, ThreadPoolExecutor() as pool:
        agent.resource.gate = threading.Event()
        caller = agent.known()
        working = pool.submit(agent.perform, TUNE, caller)
        assert agent.resource.entered.acquire(timeout=30)
        status, refused = agent.ask(caller)
        assert (status, refused["code"]) == (503, "busy")
        assert "nothing was done, ask again" in refused["error"]
        agent.resource.gate.set()
        assert working.result()[0] == 200
        assert agent.ask(caller)[0] == 200


def test_strangers_are_not_counted_among_the_requests(tmp_path: Path) -> None:
    with running_agent(tmp_path, with_both, ServerLimits(requests=1)) as agent, ThreadPoolExecutor() as pool:
        agent.resource.gate = threading.Event()
        working = pool.submit(agent.perform, TUNE)
        assert agent.resource.entered.acquire(timeout=30)
        assert agent.ask(agent.context())[0] == 401
        agent.resource.gate.set()
        assert working.result()[0] == 200


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Both ends of a thousand connections are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * MANY
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            pytest.skip(f"this user may open {hard} files, {wanted} are needed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_idle_connections_do_not_keep_a_caller_out(tmp_path: Path, many_descriptors: None) -> None:
    with running_agent(tmp_path) as agent, contextlib.ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(socket.create_connection(("127.0.0.1", agent.port), timeout=30))
        assert agent.ask(agent.known())[0] == 200
        assert_alive_and_unchanged(agent)


def test_a_thousand_parallel_clients_are_all_served(tmp_path: Path, many_descriptors: None) -> None:
    """Beyond the limits they wait: for a connection in the kernel's queue, then for their turn."""
    patient = ServerLimits(connections=32, requests=2, turn=60.0, patience=60.0, begun=60.0, handshake=60.0, waiting=60.0)
    with running_agent(tmp_path, limits=patient) as agent:
        caller = agent.known()
        with ThreadPoolExecutor(200) as pool:
            answers = Counter(status for status, _ in pool.map(lambda _: agent.ask(caller), range(MANY)))
        assert answers == {200: MANY}
        assert_alive_and_unchanged(agent)


def test_a_client_that_has_begun_outlasts_silent_connections(tmp_path: Path) -> None:
    with running_agent(tmp_path, limits=ServerLimits(connections=2, patience=0.05, begun=60.0)) as agent, contextlib.ExitStack() as stack:
        begun = stack.enter_context(agent.connect(agent.known()))
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", agent.port), timeout=30)) for _ in range(4)]
        for connection in silent[:3]:  # each makes room for the next one, although `begun` waits for longer than any of them
            assert connection.recv(1) == b""
        begun.sendall(b"GET /v1/host HTTP/1.1\r\nHost: dtn1\r\n\r\n")
        assert read_answer(begun)[0] == 200


def test_a_connection_whose_bytes_are_unread_is_not_closed_to_make_room() -> None:
    cut: list[str] = []

    async def make_room() -> None:
        with contextlib.closing(here), contextlib.closing(peer):
            connection = Connection("192.0.2.1:4711", here, lambda: cut.append("cut"), asyncio.Event(), since=0.0)
            listener = BoundedListener(ssl.create_default_context(), ServerLimits(), Lines(io.StringIO()), lambda _: asyncio.Protocol())
            peer.send(b"hello")
            listener._make_room(connection)
            assert (cut, connection.since != 0.0) == ([], True)
            here.recv(5)
            listener._make_room(connection)

    here, peer = socket.socketpair()
    asyncio.run(make_room())
    assert cut == ["cut"]


def test_a_thousand_connections_that_all_ask_at_once(tmp_path: Path, many_descriptors: None) -> None:
    """Each is open before the first one asks. Who is not served is answered 503, or was cut off to make room; nobody hangs."""
    with running_agent(tmp_path, limits=ServerLimits(patience=0.05)) as agent:
        statuses = Counter(ask_all_at_once(agent, agent.known()))
        assert sum(statuses.values()) == MANY
        assert set(statuses) <= {200, 503, None}
        assert statuses[200] > 0
        assert_alive_and_unchanged(agent)


def ask_all_at_once(agent: Agent, caller: ssl.SSLContext) -> Iterator[int | None]:
    request = b"GET /v1/host HTTP/1.1\r\nHost: dtn1\r\nConnection: close\r\n\r\n"

    def ask(raw: socket.socket) -> int | None:
        try:
            with caller.wrap_socket(raw, server_hostname="127.0.0.1") as connection:
                connection.sendall(request)
                return read_answer(connection)[0]
        except (OSError, ValueError):
            return None

    with contextlib.ExitStack() as stack, ThreadPoolExecutor(64) as pool:
        raws = [stack.enter_context(socket.create_connection(("127.0.0.1", agent.port), timeout=60)) for _ in range(MANY)]
        yield from pool.map(ask, raws)


def test_a_connection_at_work_is_never_cut_off_to_make_room(tmp_path: Path) -> None:
    limits = ServerLimits(connections=2, patience=0.1)
    with running_agent(tmp_path, limits=limits) as agent, ThreadPoolExecutor() as pool, contextlib.ExitStack() as stack:
        agent.resource.gate = threading.Event()
        working = pool.submit(agent.perform, TUNE)
        assert agent.resource.entered.acquire(timeout=30)
        for _ in range(5):
            stack.enter_context(socket.create_connection(("127.0.0.1", agent.port), timeout=30))
        assert agent.ask(agent.known())[0] == 200  # all five were cut off for this
        agent.resource.gate.set()
        assert working.result()[0] == 200
