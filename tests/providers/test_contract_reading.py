"""The contract of a provider that only reads, and of one that several threads share."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dtnctl.errors import EngineError
from dtnctl.model.actions import (
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    DisconnectNetwork,
    PullImage,
    RemoveContainer,
    RestoreContainer,
    RetireContainer,
    StartContainer,
    UpdateContainer,
)
from dtnctl.model.resources import (
    Attachment,
    service_name,
)
from dtnctl.providers.base import FileEntry
from dtnctl.providers.docker.engine import DockerEngine
from tests.engine_choice import every_engine
from tests.providers.backends import ENDPOINT, IMAGE, SESSION, SITE, Backend
from tests.providers.contract import ALL, NETWORK, SPEC, create, running
from tests.providers.relay import Relay

pytestmark = every_engine


# --- what a provider will not do ----------------------------------------------------------------------------


WRITES: tuple[Callable[[DockerEngine], object], ...] = (
    lambda engine: engine.perform(CreateContainer("new", SPEC, ())),
    lambda engine: engine.perform(CreateNetwork("new", NETWORK, ())),
    lambda engine: engine.perform(PullImage(IMAGE)),
    lambda engine: engine.perform(StartContainer(SESSION)),
    lambda engine: engine.perform(UpdateContainer(SESSION, restart="always")),
    lambda engine: engine.perform(RetireContainer(SESSION, engine.inspect(SESSION).id)),
    lambda engine: engine.perform(RestoreContainer("other", engine.inspect(SESSION).id, start=True)),
    lambda engine: engine.perform(RemoveContainer(SESSION, engine.inspect(SESSION).id)),
    lambda engine: engine.perform(ConnectNetwork(SESSION, Attachment("none"))),
    lambda engine: engine.perform(DisconnectNetwork(SESSION, "bridge")),
    lambda engine: engine.create_container("new", SPEC, ()),
    lambda engine: engine.create_placeholder("new", ()),
    lambda engine: engine.start(SESSION),
    lambda engine: engine.stop(SESSION, 1),
    lambda engine: engine.remove(SESSION, force=True),
    lambda engine: engine.write_files(SESSION, (FileEntry("/x", b""),)),
    lambda engine: engine.run(SESSION, ("true",)),
)


@pytest.mark.parametrize("write", WRITES, ids=range(len(WRITES)))
def test_a_client_that_only_reads_sends_no_write_whoever_asks(
    backend: Backend, engine: DockerEngine, tmp_path: Path, write: Callable[[DockerEngine], object]
) -> None:
    create(engine)
    before = engine.observe(ALL)
    with Relay(tmp_path / "relay.sock", backend.socket) as relay:
        observer = backend.observer(relay.path)
        # An engine's methods over an observer's connection: what a bug in our own code would amount to.
        disguised = DockerEngine(observer._access)
        disguised.reads_only = True
        with pytest.raises(EngineError, match="only reads"):
            write(disguised)
        disguised.close()
    assert {request.partition(" ")[0] for request in relay.requests} <= {"GET", "HEAD"}
    assert engine.observe(ALL) == before


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "post"])
def test_no_method_but_get_and_head_passes_the_reading_client(backend: Backend, tmp_path: Path, method: str) -> None:
    with Relay(tmp_path / "relay.sock", backend.socket) as relay:
        client = backend.observer(relay.path)._connected().client.sdk()
        with pytest.raises(EngineError, match="only reads"):
            client.request(method, f"{client.base_url}/v1.41/containers/prune")
    asked = {re.sub(r"/v[0-9.]+", "", request) for request in relay.requests}
    assert asked == ({"GET /_ping", "GET /info"} if backend.kind == "Podman" else {"GET /_ping"})


def test_every_call_of_the_sdk_that_writes_is_refused_by_the_reading_client(backend: Backend) -> None:
    client = backend.observer()._connected().client.sdk()
    for write in (
        lambda: client.remove_container("x"),
        lambda: client.create_container_from_config({}, "x"),
        lambda: client.put_archive("x", "/", b""),
        client.prune_containers,
        lambda: client.pull("x"),
        lambda: client.exec_create("x", "true"),
    ):
        with pytest.raises(EngineError, match="only reads"):
            write()


def test_several_threads_share_one_provider(backend: Backend, engine: DockerEngine) -> None:
    sessions = [service_name(SITE, f"s{number}") for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: running(engine, name), sessions))
        seen = list(pool.map(lambda _: engine.observe(ALL), range(4)))
    assert all([item.name for item in one.containers] == sorted(sessions) for one in seen)
    assert seen[0].name == ENDPOINT
