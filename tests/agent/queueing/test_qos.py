"""QoS of containers that are processes in real network namespaces: made, read back, put back, and made again at each start."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from dtn_agent.audit import Audit
from dtn_agent.errors import RefusedError
from dtn_agent.ledger import Ledger
from dtn_agent.log import Lines
from dtn_agent.protocol import ClearQos, HeldQos, Owner, QosSettings, SetQos
from dtn_agent.queueing.abilities import queueing_abilities
from dtn_agent.queueing.qos import ContainerQos
from dtn_agent.queueing.wire import ROOT, Queue, QueuedLink, Wire, open_wire

from tests.agent.engine_stand_in import ADDRESS, ADDRESS6, FAR_ADDRESS, EngineStandIn, StandIn
from tests.agent.namespace_host import needs_root
from tests.agent.server.serving import unasked

pytestmark = [pytest.mark.lab, needs_root]

REPOSITORY = Path(__file__).parents[3]
NAME = "scinet.climate"
EVERYTHING: dict[str, Any] = {
    "rate": 500_000,
    "pacing": 100_000,
    "delay": 10.0,
    "jitter": 1.5,
    "loss": 0.1,
    "corrupt": 0.01,
    "reorder": 25.0,
    "ports": (8000, 443),
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineStandIn]:
    with EngineStandIn(tmp_path / "engine.sock") as engine:
        yield engine


@pytest.fixture
def qos(engine: EngineStandIn, tmp_path: Path) -> ContainerQos:
    return ContainerQos(Ledger(tmp_path / "ledger.json"), engine.socket)


def request(site: str = "scinet", network: str = "data", address: str = ADDRESS, **settings: Any) -> SetQos:
    return SetQos(site=site, session="climate", network=network, container=NAME, address=address, **settings)


def clear(qos: ContainerQos, site: str = "scinet") -> bool:
    return qos.clear(ClearQos(site=site, container=NAME)).changed


def need(*names: str) -> None:
    """Skip, with the kernel's words, where it cannot do all of these."""
    lacks = {ability.name: ability.lacks for ability in queueing_abilities()}
    for name in names:
        if lacks[name]:
            pytest.skip(lacks[name])


def near(wire: Wire, name: str = "near") -> QueuedLink:
    link = wire.link(name)
    assert link is not None
    return link


def queues(container: StandIn, interface: str = "near") -> tuple[Queue, ...]:
    def work() -> tuple[Queue, ...]:
        with open_wire() as wire:
            return wire.queues(near(wire, interface))

    found: tuple[Queue, ...] = container.inside(work)
    return found


def kinds(container: StandIn, interface: str = "near") -> list[str]:
    return [queue.kind for queue in queues(container, interface)]


def change(container: StandIn, action: Callable[[Wire, QueuedLink], None]) -> None:
    """What somebody does to the container's interface by hand."""

    def work() -> None:
        with open_wire() as wire:
            action(wire, near(wire))

    container.inside(work)


def live(qos: ContainerQos) -> QosSettings | None:
    (entry,) = qos.held()
    return entry.now


# --- made, read back, put back -----------------------------------------------------------------------------------------------


def test_rate_is_made_in_the_containers_own_namespace_and_read_back(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    before = queues(container)
    assert qos.set(request(rate=500_000)).changed
    wanted = QosSettings(rate=500_000)
    owner = Owner(site="scinet", session="climate", network="data")
    assert qos.held() == (HeldQos(container=NAME, owner=owner, address=ADDRESS, wanted=wanted, now=wanted),)
    assert kinds(container) == ["tbf"]
    assert not qos.set(request(rate=500_000)).changed
    assert clear(qos)
    assert queues(container) == before
    assert qos.held() == ()
    assert not clear(qos)


@pytest.mark.parametrize(
    ("settings", "made"),
    [
        ({"pacing": 100_000}, ["fq"]),
        ({"delay": 10.0, "jitter": 0.5}, ["netem"]),
        ({"rate": 1000, "pacing": 500}, ["tbf", "fq"]),
        ({"loss": 1.0, "ports": (8000,)}, ["prio", "netem"]),
        ({"loss": 1.0, "pacing": 500, "ports": (8000,)}, ["prio", "fq", "netem", "fq"]),
        (EVERYTHING, ["tbf", "prio", "fq", "netem", "fq"]),
        ({"pacing": 500, "destinations": ("10.9.9.1",)}, ["prio", "fq"]),
        ({**EVERYTHING, "destinations": ("10.9.8.0/24", "fd00::7")}, ["tbf", "prio", "fq", "netem", "fq"]),
        ({"rate": 400_000_000}, ["tbf"]),
    ],
)
def test_every_mixture_is_read_back_from_the_kernel_as_it_was_asked_for(
    engine: EngineStandIn, qos: ContainerQos, settings: dict[str, Any], made: list[str]
) -> None:
    need(*sorted({{"prio": "ports"}.get(kind, kind) for kind in made}))
    container = engine.run(NAME)
    qos.set(request(**settings))
    wanted = QosSettings(**{**settings, "ports": tuple(sorted(settings.get("ports", ())))})
    assert live(qos) == wanted
    assert sorted(kinds(container)) == sorted(made)
    assert clear(qos)
    assert kinds(container) == ["noqueue"]


def test_address_of_version_6_names_the_interface_too(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    if not Path("/proc/sys/net/ipv6").exists():
        pytest.skip("this kernel has no IPv6")
    engine.run(NAME)
    qos.set(request(address=ADDRESS6, rate=1000))
    assert live(qos) == QosSettings(rate=1000)


def test_change_of_mind_replaces_what_was_made(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    assert qos.set(request(rate=2000)).changed
    assert live(qos) == QosSettings(rate=2000)
    clear(qos)
    assert kinds(container) == ["noqueue"]


def test_drift_is_seen_and_mended_by_the_same_request(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    change(container, lambda wire, link: wire.remove_root(link))
    assert live(qos) is None
    assert qos.set(request(rate=1000)).changed
    assert live(qos) == QosSettings(rate=1000)


def test_queueing_that_somebody_set_up_comes_back_with_all_its_options(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    change(container, lambda wire, link: wire.replace(link, Queue("pfifo", 0, ROOT, (77).to_bytes(4, "little"))))
    (before,) = queues(container)
    qos.set(request(rate=1000))
    qos.set(request(rate=2000))
    assert [entry.found for entry in qos.held()] == ["pfifo = 4d000000"]
    clear(qos)
    (after,) = queues(container)
    assert (after.kind, after.options) == (before.kind, before.options)


def test_queueing_that_somebody_set_up_since_is_left_alone_when_ours_is_cleared(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    change(container, lambda wire, link: wire.remove_root(link))
    change(container, lambda wire, link: wire.replace(link, Queue("pfifo")))
    assert clear(qos)
    assert kinds(container) == ["pfifo"]


def test_another_network_takes_the_place_of_the_one_before(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(network="before", address=FAR_ADDRESS, rate=1000))
    assert kinds(container, "far") == ["tbf"]
    assert qos.set(request(rate=1000)).changed
    assert (kinds(container), kinds(container, "far")) == (["tbf"], ["noqueue"])
    assert [entry.owner.network for entry in qos.held()] == ["data"]
    assert not qos.set(request(rate=1000)).changed


def test_network_that_is_called_otherwise_keeps_what_somebody_had_set_up(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    change(container, lambda wire, link: wire.replace(link, Queue("pfifo", 0, ROOT, (77).to_bytes(4, "little"))))
    qos.set(request(network="before", rate=1000))
    qos.set(request(rate=2000))
    assert live(qos) == QosSettings(rate=2000)
    clear(qos)
    assert kinds(container) == ["pfifo"]


def test_container_without_the_network_before_is_shaped_on_the_new_one_alone(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    engine.run(NAME).stop()
    qos.set(request(network="before", address="10.1.1.1", rate=1000))
    assert qos.set(request(rate=1000)).changed, "it does not run"
    assert [entry.owner.network for entry in qos.held()] == ["data"]
    qos.set(request(network="third", address="10.1.1.1", rate=1000))
    engine.start(NAME)
    qos.set(request(rate=1000))
    assert live(qos) == QosSettings(rate=1000)


def test_refused_change_of_the_network_leaves_the_one_before(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(network="before", address=FAR_ADDRESS, rate=1000))
    assert "has no interface with 10.9.9.9" in refusal(qos, request(rate=1000, address="10.9.9.9"))
    assert kinds(container, "far") == ["tbf"]
    assert [entry.owner.network for entry in qos.held()] == ["before"]


def test_what_another_site_asked_for_on_another_network_stays(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(site="other", network="before", address=FAR_ADDRESS, rate=1000))
    qos.set(request(rate=1000))
    assert (kinds(container), kinds(container, "far")) == (["tbf"], ["tbf"])


# --- starts, restarts ----------------------------------------------------------------------------------------------------------


def test_container_that_does_not_run_is_shaped_when_it_starts(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    engine.run(NAME).stop()
    assert qos.set(request(rate=1000)).changed
    assert not qos.set(request(rate=1000)).changed
    assert live(qos) is None
    engine.start(NAME)
    qos.shape_all()
    assert live(qos) == QosSettings(rate=1000)


class Watching:
    """The watch in a thread of its own, until the block ends."""

    def __init__(self, qos: ContainerQos, engine: EngineStandIn) -> None:
        self.qos, self.engine = qos, engine
        self.stop = threading.Event()
        self.thread = threading.Thread(target=qos.watch, args=(self.stop,))

    def __enter__(self) -> Self:
        self.thread.start()
        self.await_subscription()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()

    def await_subscription(self) -> None:
        assert self.engine.subscribed.acquire(timeout=10)

    def await_shape(self, container: StandIn, shape: list[str]) -> None:
        """The kernel tells of nothing here that could be awaited: asked again until it is so, for ten seconds at most."""
        pause = threading.Event()
        for _ in range(500):
            if kinds(container) == shape:
                return
            pause.wait(0.02)
        assert kinds(container) == shape


def test_restarted_container_is_shaped_again(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    with Watching(qos, engine) as watching:
        container.stop()
        engine.start(NAME)
        watching.await_shape(container, ["tbf"])


def test_what_is_shaped_again_unasked_has_its_line_and_a_refusal_that_repeats_itself_one(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    output = io.StringIO()
    qos.audit = Audit(Lines(output), "agent")
    qos.shape_all()
    assert unasked(output) == []
    container.stop()
    container.start()
    qos.shape_all()
    assert unasked(output) == [("set-qos", NAME, "done")]
    container.stop()
    container.network = "host"
    container.start()
    for _ in range(2):
        qos.shape_all()
    assert unasked(output)[1:] == [("set-qos", NAME, "unsupported")]


def test_container_that_gets_its_network_later_is_shaped_then(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    with Watching(qos, engine) as watching:
        change(container, lambda wire, link: wire.remove_root(link))
        about = {"ID": "id-of-the-network", "Attributes": {"container": f"id-{NAME}", "name": "data"}}
        engine.tell({"Type": "network", "Action": "connect", "Actor": about})
        watching.await_shape(container, ["tbf"])


def test_watch_comes_back_with_the_engine_and_makes_up_for_what_it_missed(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    with Watching(qos, engine) as watching:
        engine.switch_off()
        container.stop()
        container.start()
        engine.switch_on()
        watching.await_subscription()
        watching.await_shape(container, ["tbf"])


def test_watch_ends_while_the_engine_is_away(engine: EngineStandIn, qos: ContainerQos) -> None:
    with Watching(qos, engine):
        engine.switch_off()


# --- refused --------------------------------------------------------------------------------------------------------------------


def refusal(qos: ContainerQos, asked: SetQos) -> str:
    with pytest.raises(RefusedError) as caught:
        qos.set(asked)
    return f"{caught.value.code}: {caught.value}"


def test_container_on_the_hosts_network_is_refused(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME, network="host")
    assert refusal(qos, request(rate=1000)) == (
        f"unsupported: {NAME} is on the host's network: QoS would shape everything that the host sends"
    )
    container.network = "data"  # an engine that does not say so
    assert refusal(qos, request(rate=1000)) == (f"unsupported: {NAME} is in the host's network namespace: QoS would shape everything there")
    assert qos.held() == ()


def test_container_that_shares_anothers_network_is_refused(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    engine.run(NAME, network="container:0123")
    assert refusal(qos, request(rate=1000)) == (
        f"unsupported: {NAME} shares the network of another container: QoS would shape that one too"
    )


def test_container_without_the_address_is_refused_and_not_remembered(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    engine.run(NAME)
    assert refusal(qos, request(rate=1000, address="10.9.9.9")) == f"not-found: {NAME} has no interface with 10.9.9.9"
    assert qos.held() == ()


def test_container_that_is_not_there_is_refused(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    assert refusal(qos, request(rate=1000)) == f"not-found: there is no container {NAME}"


def test_engine_that_does_not_answer_is_told_and_changes_nothing(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    engine.switch_off()
    assert refusal(qos, request(rate=2000)).startswith(f"failed: the container engine does not answer at {engine.socket}: ")
    assert live(qos) is None
    with pytest.raises(RefusedError):
        clear(qos)
    assert [entry.wanted for entry in qos.held()] == [QosSettings(rate=1000)]
    assert kinds(container) == ["tbf"]


def test_another_sites_qos_is_left_alone(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    engine.run(NAME)
    qos.set(request(site="other", rate=1000))
    assert refusal(qos, request(rate=2000)) == f"conflict: the QoS of {NAME} belongs to site other"
    with pytest.raises(RefusedError, match="belongs to site other"):
        clear(qos)
    assert live(qos) == QosSettings(rate=1000)


def test_queueing_that_could_not_be_put_back_is_not_touched(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    version_3 = bytes.fromhex("180002000300000000000000000000000000000000000000")
    try:
        change(container, lambda wire, link: wire.replace(link, Queue("htb", 0x10_0000, ROOT, version_3)))
    except OSError as error:
        pytest.skip(f"htb: {error.strerror}")
    assert "could not be restored" in refusal(qos, request(rate=1000))
    assert qos.held() == ()
    assert kinds(container) == ["htb"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "nothing to do to packets: give a rate, a pace, a delay or a loss"),
        ({"loss": 0.0}, "nothing to do to packets: give a rate, a pace, a delay or a loss"),
        ({"jitter": 1.0}, "jitter and reordering need a delay"),
        ({"reorder": 1.0, "loss": 1.0}, "jitter and reordering need a delay"),
        ({"rate": 1, "destinations": ("10.2.0.7",)}, "destinations limit pacing, delay, loss and the like, and none is asked for"),
        ({"loss": 1.0, "destinations": ("::/0",)}, "::/0 matches every address; omit it, or name networks"),
        ({"loss": 1.0, "destinations": ("10.2.0.7/24",)}, "10.2.0.7/24 has host bits set"),
        ({"rate": 1, "ports": (80,)}, "ports limit delay, loss, corruption and reordering, and none is asked for"),
        ({"pacing": 34_359_739}, "fq paces a flow to at most 34359738 kbit/s"),
    ],
)
def test_request_that_makes_no_sense_is_refused(qos: ContainerQos, settings: dict[str, Any], sentence: str) -> None:
    assert refusal(qos, request(**settings)) == f"bad-request: {NAME}: {sentence}"


def test_what_this_kernel_lacks_is_named_before_anything_is_changed(engine: EngineStandIn, qos: ContainerQos) -> None:
    lacks = [ability.lacks for ability in queueing_abilities() if ability.lacks]
    if not lacks:
        pytest.skip("this kernel has everything")
    container = engine.run(NAME)
    words = refusal(qos, request(**EVERYTHING))
    assert words.startswith("unsupported: ")
    assert all(lack in words for lack in lacks)
    assert (qos.held(), kinds(container)) == ((), ["noqueue"])


# --- kill -9 ----------------------------------------------------------------------------------------------------------------------

PROGRAM = """
import os, signal, sys, threading
from pathlib import Path
from dtn_agent.ledger import Ledger
from dtn_agent.protocol import ClearQos, SetQos
from dtn_agent.queueing.qos import ContainerQos

folder, request, last = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
calls = 0

def killed_at_the_last(frame, event, argument):
    global calls
    if event == "call" and (frame.f_code.co_name, os.path.basename(frame.f_code.co_filename)) in (
        ("_ask", "wire.py"), ("write", "ledger.py"), ("_sync_folder", "ledger.py")
    ):
        calls += 1
        if calls > last:
            os.kill(os.getpid(), signal.SIGKILL)

qos = ContainerQos(Ledger(folder / "ledger.json"), folder / "engine.sock")
import dtn_agent.queueing.qos
asked = SetQos.model_validate_json(request) if "set-qos" in request else ClearQos.model_validate_json(request)
abilities = dtn_agent.queueing.qos.queueing_abilities()  # not of interest here
threading.setprofile(killed_at_the_last)
sys.setprofile(killed_at_the_last)
qos.set(asked) if isinstance(asked, SetQos) else qos.clear(asked)
"""


def run_until(folder: Path, asked: SetQos | ClearQos, last: int) -> bool:
    """Whether the request ended within so many calls to the kernel and to the ledger; else it was killed there."""
    environment = {"PYTHONPATH": f"{REPOSITORY / 'agent'}"}
    command = [sys.executable, "-c", PROGRAM, str(folder), asked.model_dump_json(), str(last)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode in (0, -signal.SIGKILL), ran.stderr
    return ran.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("asked", [request(rate=1000), ClearQos(site="scinet", container=NAME)], ids=["set", "clear"])
def test_agent_killed_anywhere_finds_its_way(engine: EngineStandIn, qos: ContainerQos, tmp_path: Path, asked: SetQos | ClearQos) -> None:
    """The next start makes what is in the ledger, and clearing brings back what somebody had set up before us."""
    need("tbf")
    container = engine.run(NAME)
    change(container, lambda wire, link: wire.replace(link, Queue("pfifo", 0, ROOT, (77).to_bytes(4, "little"))))
    ended, last = False, 0
    while not ended:
        if isinstance(asked, ClearQos):
            qos.set(request(rate=1000))
        ended = run_until(tmp_path, asked, last)
        qos.shape_all()
        assert kinds(container) == (["tbf"] if qos.held() else ["pfifo"])
        clear(qos)
        assert [(queue.kind, queue.options) for queue in queues(container)] == [("pfifo", (77).to_bytes(4, "little"))]
        last += 1
    assert last > 5
