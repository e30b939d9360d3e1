"""QoS on containers of a real engine: its inspect, its events, its restarts."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from dtn_agent.errors import RefusedError
from dtn_agent.ledger import Ledger
from dtn_agent.protocol.qos import ClearQos, QosSettings, SetQos
from dtn_agent.queueing.abilities import queueing_abilities
from dtn_agent.queueing.qos import ContainerQos

import lab
from tests.lab.docker_command import Docker

pytestmark = pytest.mark.lab
ENDPOINT, NAME = "dtn1", "scinet.climate"
WANTED = QosSettings(rate=500_000)
PROGRAM = ("tiny:1", "sleep", "1000000")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lab.Lab]:
    if reason := lab.unavailable():
        pytest.skip(reason)
    if reason := {ability.name: ability.lacks for ability in queueing_abilities()}["tbf"]:
        pytest.skip(reason)
    with lab.Lab(tmp_path_factory.mktemp("qos") / "lab", 1, image="tiny", disk="128m") as running:
        yield running


@pytest.fixture
def docker(running: lab.Lab) -> Iterator[Docker]:
    docker = Docker(running, ENDPOINT)
    yield docker
    docker.run("rm", "--force", NAME)


@pytest.fixture
def qos(running: lab.Lab, tmp_path: Path) -> ContainerQos:
    return hands_on(running, tmp_path)


def hands_on(running: lab.Lab, folder: Path) -> ContainerQos:
    """The endpoint has its own process numbers, and so its own /proc."""
    proc = running.files(ENDPOINT) / "proc"
    return ContainerQos(Ledger(folder / "ledger.json"), running.endpoint(ENDPOINT).socket, proc)


def address_of(docker: Docker) -> str:
    return docker("inspect", "--format={{.NetworkSettings.IPAddress}}", NAME)


def request(address: str) -> SetQos:
    return SetQos(site="scinet", session="climate", network="bridge", container=NAME, address=address, rate=WANTED.rate)


def live(qos: ContainerQos) -> QosSettings | None:
    (entry,) = qos.held()
    return entry.now


def await_shape(qos: ContainerQos) -> None:
    """Nobody tells when a queueing is made: asked again until it is, for a minute at most."""
    pause = threading.Event()
    for _ in range(1200):
        if live(qos) == WANTED:
            return
        pause.wait(0.05)
    assert live(qos) == WANTED


@pytest.fixture
def watched(qos: ContainerQos) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=qos.watch, args=(stop,))
    thread.start()
    yield
    stop.set()
    thread.join(60)
    assert not thread.is_alive()


def test_container_is_shaped_and_put_back(docker: Docker, qos: ContainerQos) -> None:
    docker.container(NAME, *PROGRAM)
    assert qos.set(request(address_of(docker))).changed
    assert live(qos) == WANTED
    assert not qos.set(request(address_of(docker))).changed
    assert qos.clear(ClearQos(site="scinet", container=NAME)).changed
    assert qos.held() == ()


def test_restarted_container_is_shaped_again(docker: Docker, qos: ContainerQos, watched: None) -> None:
    docker.container(NAME, *PROGRAM)
    qos.set(request(address_of(docker)))
    docker("restart", "--time=0", NAME)
    await_shape(qos)


def test_container_that_waits_for_its_start_is_shaped_then(docker: Docker, qos: ContainerQos, watched: None) -> None:
    docker.container(NAME, *PROGRAM)
    address = address_of(docker)
    docker("stop", "--time=0", NAME)
    assert qos.set(request(address)).changed
    assert live(qos) is None
    docker("start", NAME)
    await_shape(qos)


def test_container_that_is_gone_is_cleared_with_success(docker: Docker, qos: ContainerQos) -> None:
    docker.container(NAME, *PROGRAM)
    qos.set(request(address_of(docker)))
    docker("rm", "--force", NAME)
    assert live(qos) is None
    assert qos.clear(ClearQos(site="scinet", container=NAME)).changed
    assert qos.held() == ()


def test_container_on_the_hosts_network_is_refused(docker: Docker, qos: ContainerQos) -> None:
    docker.container(NAME, "--network=host", *PROGRAM)
    with pytest.raises(RefusedError, match="is on the host's network: QoS would shape everything that the host sends"):
        qos.set(request("10.10.0.11"))


@pytest.mark.slow
def test_rebooted_endpoint_shapes_its_containers_again(running: lab.Lab, docker: Docker, tmp_path: Path) -> None:
    """The engine starts the container by its restart policy; the agent, as after a boot, finds everything in its ledger."""
    docker.container(NAME, "--restart=always", *PROGRAM)
    hands_on(running, tmp_path).set(request(address_of(docker)))
    running.kill_engine(ENDPOINT)
    running.start_engine(ENDPOINT)
    after = hands_on(running, tmp_path)
    stop = threading.Event()
    thread = threading.Thread(target=after.watch, args=(stop,))
    thread.start()
    try:
        await_shape(after)
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def test_nothing_of_the_agent_stays_in_a_containers_namespace(docker: Docker, qos: ContainerQos) -> None:
    """Else the namespace, and a VF in it, would outlive the container."""
    docker.container(NAME, *PROGRAM)
    qos.set(request(address_of(docker)))
    own = {Path("/proc/self/ns/net").readlink()}
    pause = threading.Event()
    for _ in range(1000):  # the kernel takes a thread away a moment after it has ended
        if namespaces_of_threads() == own:
            break
        pause.wait(0.02)
    assert namespaces_of_threads() == own
    assert not any(str(target).startswith("net:") for target in open_files())


def namespaces_of_threads() -> set[Path]:
    return set(links(f"task/{task.name}/ns/net" for task in Path("/proc/self/task").iterdir()))


def open_files() -> set[Path]:
    return set(links(f"fd/{file.name}" for file in Path("/proc/self/fd").iterdir()))


def links(names: Iterable[str]) -> Iterator[Path]:
    """Where these links of our own process lead; one may be gone by now."""
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            yield (Path("/proc/self") / name).readlink()
