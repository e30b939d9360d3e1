"""Mutual TLS: it works whatever the environment says, and every way to get it wrong has its own sentence."""

from __future__ import annotations

import contextlib
import gc
import select
import socket
import ssl
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from dtnctl.model.actions import StartContainer
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.resources import ContainerSpec, Wanted
from dtnctl.model.site import Endpoint, Tls
from tests.docker_clients import connect
from tests.providers.backends import ENDPOINT, IMAGE, SESSION, SITE, SOON, FakeBackend, labels_of
from tests.providers.certificates import DAY, Pair, authority, issue

Serve = Callable[[socket.socket], None]


@contextmanager
def listening(serve: Serve) -> Iterator[int]:
    """A TCP port on which every connection is handed to `serve`, in a thread of its own."""
    threads: list[threading.Thread] = []
    accepted: list[socket.socket] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                accepted.append(connection)
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        main = threading.Thread(target=accept)
        main.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            main.join()
            for connection in accepted:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()
            for connection in accepted:
                connection.close()


def engine_behind(context: ssl.SSLContext, engine: Path) -> Serve:
    """Serve TLS as an engine does, passing everything on to its socket."""

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as tls, socket.socket(socket.AF_UNIX) as inner:
            inner.connect(str(engine))
            while True:
                ready = [tls] if tls.pending() else select.select([tls, inner], [], [])[0]
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    (inner if source is tls else tls).sendall(data)

    return serve


class Party:
    """A CA, a server's and a client's certificate, and the endpoint as people write it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = authority()
        self.server = issue(self.ca)
        self.client = issue(self.ca)
        self.tls: Tls | None = None
        self.write()

    def write(self, *, ca: Pair | None = None, password: bytes = b"") -> None:
        """The files of the client's side."""
        (ca or self.ca).write(self.folder, "ca")
        self.client.write(self.folder, "cert", password)
        self.tls = Tls(ca="ca.pem", cert="cert.pem", key="cert-key.pem")

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.server.write(self.folder, "server"))
        context.load_verify_locations(self.ca.write(self.folder, "server-ca")[0])
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def silence(self, port: int) -> str:
        """What an observation through this port says."""
        endpoint = Endpoint(docker=parse_engine(f"tcp://127.0.0.1:{port}"), tls=self.tls)
        observer = connect(ENDPOINT, endpoint, site=SITE, registries={}, read_only=True, root=self.folder, timeouts=SOON)
        try:
            return observer.observe(Wanted()).silence
        finally:
            observer.close()


@pytest.fixture
def party(tmp_path: Path) -> Party:
    return Party(tmp_path)


def test_an_engine_is_read_and_changed_over_mutual_tls(party: Party, fake: FakeBackend) -> None:
    with listening(engine_behind(party.context(), fake.socket)) as port:
        endpoint = Endpoint(docker=parse_engine(f"tcp://127.0.0.1:{port}"), tls=party.tls)
        engine = connect(ENDPOINT, endpoint, site=SITE, registries={}, read_only=False, root=party.folder, timeouts=SOON)
        try:
            engine.create_container(SESSION, ContainerSpec(image=IMAGE), labels_of(SESSION))
            engine.perform(StartContainer(SESSION))
            assert engine.run(SESSION, ("echo", "hello")).stdout == b"hello\n"
            assert [item.state for item in engine.observe(Wanted()).containers] == ["running"]
        finally:
            engine.close()


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_the_environment_changes_nothing(party: Party, fake: FakeBackend, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9" if "PROXY" in name.upper() else str(authority("other").write(party.folder, "other")[0]))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with listening(engine_behind(party.context(), fake.socket)) as port:
        assert party.silence(port) == ""


def test_a_ca_that_did_not_sign_the_engines_certificate(party: Party, fake: FakeBackend) -> None:
    party.write(ca=authority("another"))
    with listening(engine_behind(party.context(), fake.socket)) as port:
        assert "not signed by the CA in `tls: ca`" in party.silence(port)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"valid": (-2 * DAY, -DAY)}, "the engine's certificate has expired"),
        ({"valid": (DAY, 2 * DAY)}, "not valid yet; compare the clocks"),
        ({"address": "192.0.2.1"}, "the engine's certificate is not for 127.0.0.1"),
    ],
    ids=["expired", "not yet", "another host"],
)
def test_a_certificate_of_the_engine_that_is_not_good(
    party: Party, fake: FakeBackend, changes: dict[str, tuple[timedelta, timedelta] | str], sentence: str
) -> None:
    party.server = issue(party.ca, **changes)  # type: ignore[arg-type]  # each case has the type of its argument
    with listening(engine_behind(party.context(), fake.socket)) as port:
        assert sentence in party.silence(port)


@pytest.mark.parametrize("wrong", ["another CA's", "expired"])
def test_a_certificate_of_ours_that_the_engine_refuses(party: Party, fake: FakeBackend, wrong: str) -> None:
    party.client = issue(authority("ca")) if wrong == "another CA's" else issue(party.ca, valid=(-2 * DAY, -DAY))
    party.write()
    with listening(engine_behind(party.context(), fake.socket)) as port:
        silence = party.silence(port)
    assert "refuses our certificate; is `tls: cert` signed by the engine's CA, for client use, and not expired?" in silence


@pytest.mark.parametrize("name", ["ca", "cert", "key"])
def test_a_file_that_is_missing_is_named(party: Party, name: str) -> None:
    path = party.folder / {"ca": "ca.pem", "cert": "cert.pem", "key": "cert-key.pem"}[name]
    path.unlink()
    assert f"`tls: {name}`: cannot read {path}: No such file" in party.silence(9)


def test_a_ca_file_without_a_certificate(party: Party) -> None:
    (party.folder / "ca.pem").write_text("nothing of use")
    assert "ca.pem holds no certificate (PEM)" in party.silence(9)


def test_a_key_that_does_not_fit_the_certificate(party: Party) -> None:
    issue(party.ca).write(party.folder, "other")
    (party.folder / "cert-key.pem").write_bytes((party.folder / "other-key.pem").read_bytes())
    assert "are no PEM certificate and its key, without a password" in party.silence(9)


def test_a_key_with_a_password_is_refused_without_asking(party: Party) -> None:
    party.write(password=b"secret")
    assert "are no PEM certificate and its key, without a password" in party.silence(9)


def test_a_port_that_speaks_plain_http(party: Party) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with listening(serve) as port:
        assert "does not speak TLS; is it the engine's TLS port (2376)?" in party.silence(port)


def test_a_port_where_nobody_listens(party: Party) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "no process listens there" in party.silence(port)


def test_a_port_that_resets_every_connection(party: Party) -> None:
    def serve(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    # CPython 3.11 leaves a socket that is reset before its handshake to the garbage collector.
    with listening(serve) as port, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        silence = party.silence(port)
        gc.collect()
    assert "cut before the answer came" in silence


def test_a_port_that_accepts_and_says_nothing(party: Party) -> None:
    with listening(lambda connection: None) as port:
        assert "in time" in party.silence(port)


def test_a_host_that_answers_nothing_at_all(party: Party) -> None:
    # A full queue drops what comes in, as a firewall does.
    with socket.socket() as listener, contextlib.ExitStack() as queue:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(2):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        assert "no connection in time; is the host up" in party.silence(listener.getsockname()[1])


def test_a_host_name_that_does_not_exist(party: Party) -> None:
    endpoint = Endpoint(docker=parse_engine("tcp://no-such-host.invalid:2376"), tls=party.tls)
    observer = connect(ENDPOINT, endpoint, site=SITE, registries={}, read_only=True, root=party.folder, timeouts=SOON)
    assert "there is no host of the name no-such-host.invalid" in observer.observe(Wanted()).silence
    observer.close()
