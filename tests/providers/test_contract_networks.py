"""The contract of a provider for networks and images."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.errors import ConflictError, EngineError
from dtnctl.model.actions import ConnectNetwork, CreateNetwork, DisconnectNetwork, PullImage, RemoveNetwork
from dtnctl.model.resources import (
    Attachment,
    Wanted,
)
from dtnctl.providers.docker import performing
from dtnctl.providers.docker.engine import DockerEngine
from tests.engine_choice import every_engine, podman_too, real_engines_and_podman
from tests.fakes.engine import Fault
from tests.providers.backends import LOGIN, SESSION, Backend, FakeBackend, labels_of
from tests.providers.contract import ALL, NETWORK, SPEC, create, running

pytestmark = every_engine


# --- networks -----------------------------------------------------------------------------------------------


@podman_too
def test_creating_a_network_twice_is_creating_it_once(engine: DockerEngine) -> None:
    for _ in range(2):
        engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    (seen,) = engine.observe(ALL).networks
    assert seen.spec == NETWORK


def test_a_network_of_somebody_else_is_not_taken_over(backend: Backend, engine: DockerEngine) -> None:
    backend.post("/networks/create", json={"Name": "net1"})
    with pytest.raises(ConflictError, match="net1"):
        engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    assert engine.observe(ALL).networks == ()


@podman_too
def test_a_network_of_another_spec_is_a_conflict(engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    with pytest.raises(ConflictError):
        engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network", spec="digest-2")))


@podman_too
def test_addresses_of_another_network_are_refused_with_its_name(backend: Backend, engine: DockerEngine) -> None:
    backend.post("/networks/create", json={"Name": "theirs", "IPAM": {"Config": [{"Subnet": "10.77.0.128/25"}]}})
    with pytest.raises(EngineError, match=r"(Pool overlaps|is already used).*: theirs has addresses of net1"):
        engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))


def test_addresses_that_the_engine_holds_for_what_it_does_not_show_are_waited_for(
    fake: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(performing, "UNSEEN_POLL", 0.01)
    held = "Pool overlaps with other one on this address space"
    fake.world.plan_faults(*(Fault("status", match="POST /networks/create", nth=nth, status=403, message=held) for nth in (1, 2)))
    engine = fake.engine()
    action = CreateNetwork("net1", NETWORK, labels_of("net1", kind="network"))
    engine.perform(action)
    assert [network.name for network in engine.observe(ALL).networks] == ["net1"]
    fake.world.plan_faults(Fault("status", match="POST /networks/create", nth=0, status=403, message=held))
    monkeypatch.setattr(performing, "UNSEEN_SECONDS", 0.05)
    with pytest.raises(EngineError, match=f"{held}: no network that it shows has addresses of net1"):
        engine.perform(action)


def test_removing_a_network_twice_is_removing_it_once(engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    (seen,) = engine.observe(ALL).networks
    for _ in range(2):
        engine.perform(RemoveNetwork("net1", seen.id))
    assert engine.observe(ALL).networks == ()


@podman_too
def test_a_network_in_use_is_not_removed(engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    running(engine, spec=replace(SPEC, network="net1", attachments=(Attachment("net1"),)))
    (seen,) = engine.observe(ALL).networks
    with pytest.raises(ConflictError, match=r"active endpoints|being used"):
        engine.perform(RemoveNetwork("net1", seen.id))


@podman_too
@pytest.mark.parametrize("is_running", [False, True])
def test_connecting_twice_is_connecting_once(engine: DockerEngine, is_running: bool) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    (running if is_running else create)(engine, spec=replace(SPEC, attachments=(Attachment("bridge"),)))
    for _ in range(2):
        engine.perform(ConnectNetwork(SESSION, Attachment("net1", "10.77.0.9")))
    assert engine.inspect(SESSION).spec.attachments == (Attachment("bridge"), Attachment("net1", "10.77.0.9"))


def test_connecting_at_another_address_while_it_runs_is_a_conflict(engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    running(engine)
    engine.perform(ConnectNetwork(SESSION, Attachment("net1", "10.77.0.9")))
    with pytest.raises(ConflictError):
        engine.perform(ConnectNetwork(SESSION, Attachment("net1", "10.77.0.10")))


@podman_too
def test_an_address_that_is_taken_is_a_conflict(backend: Backend, engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    networking = {"EndpointsConfig": {"net1": {"IPAMConfig": {"IPv4Address": "10.77.0.9"}}}}
    backend.run_other("web", host={"NetworkMode": "net1"}, NetworkingConfig=networking)
    running(engine)
    with pytest.raises(ConflictError, match=r"(?i)address already in use|is already allocated"):
        engine.perform(ConnectNetwork(SESSION, Attachment("net1", "10.77.0.9")))


@real_engines_and_podman
def test_disconnecting_twice_is_disconnecting_once(engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    running(engine)
    engine.perform(ConnectNetwork(SESSION, Attachment("net1")))
    for _ in range(2):
        engine.perform(DisconnectNetwork(SESSION, "net1"))
    assert engine.inspect(SESSION).spec.attachments == (Attachment("bridge"),)


def test_disconnecting_what_is_gone_is_success(engine: DockerEngine) -> None:
    engine.perform(DisconnectNetwork(SESSION, "net1"))
    create(engine)
    engine.perform(DisconnectNetwork(SESSION, "net1"))
    assert engine.inspect(SESSION).spec.attachments == (Attachment("bridge"),)


def test_a_namesake_of_somebody_else_is_not_connected(backend: Backend, engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    backend.create_other(SESSION)
    for action in (ConnectNetwork(SESSION, Attachment("net1")), DisconnectNetwork(SESSION, "bridge")):
        with pytest.raises(ConflictError, match="not ours"):
            engine.perform(action)
    assert engine.inspect(SESSION).spec.attachments == (Attachment("bridge"),)


# --- images -------------------------------------------------------------------------------------------------


def test_an_image_is_pulled_with_the_login_of_its_registry(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    image = backend.pullable(monkeypatch)
    engine = backend.engine(registries=image.registries)
    for _ in range(2):
        engine.perform(PullImage(image.reference))
    pinned = f"{image.reference}@{image.digest}"
    engine.perform(PullImage(pinned))
    seen = engine.observe(Wanted(images=frozenset({image.reference, pinned}), remote_images=frozenset({image.reference})))
    by_tag = seen.images[image.reference]
    assert by_tag is not None
    assert any(digest.endswith(image.digest) for digest in by_tag.digests)
    assert by_tag == seen.images[pinned]
    backend.needs("registry digests")
    assert seen.remote_digests == {image.reference: image.digest}


def test_without_the_login_neither_the_image_nor_its_digest_is_told(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    image = backend.pullable(monkeypatch)
    engine = backend.engine()
    with pytest.raises(EngineError, match="cannot pull"):
        engine.perform(PullImage(image.reference))
    seen = engine.observe(Wanted(remote_images=frozenset({image.reference})))
    assert (seen.silence, seen.remote_digests) == ("", {image.reference: ""})


def test_an_image_that_the_registry_does_not_have_is_an_error(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    image = backend.pullable(monkeypatch)
    missing = image.reference.replace("tool", "missing")
    with pytest.raises(EngineError, match=f"cannot pull {missing}") as caught:
        backend.engine(registries=image.registries).perform(PullImage(missing))
    assert LOGIN.password not in repr(caught.value)
