"""dtnctl dies between any two calls of a transfer: the next run converges, with exactly one start and nothing left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import pytest

from dtnctl.errors import TransferError
from dtnctl.model.actions import EngineAction
from dtnctl.model.ledger import Entry
from dtnctl.model.resources import ContainerSeen, ContainerSpec, EndpointSeen, Pairs, Wanted
from dtnctl.providers.base import Engine, FileEntry, Ran
from dtnctl.providers.docker.engine import DockerEngine
from dtnctl.providers.docker.store import PlaceholderStore
from tests.runtime.transfers.transfer_world import HERE, THERE, TransferWorld, transfer_world

pytestmark = pytest.mark.slow
FOREIGN = "ssh-rsa FOREIGN someone else\n"


class Killed(BaseException):
    """The process is gone: nobody catches this."""


class Life:
    """Counts the calls of all engines together and ends them after `last`."""

    def __init__(self, last: int | None = None) -> None:
        self.last = last
        self.calls = 0

    def spend(self) -> None:
        self.calls += 1
        if self.last is not None and self.calls > self.last:
            raise Killed


class Mortal:
    """An engine whose caller dies at some call, and makes none after it."""

    def __init__(self, engine: Engine, life: Life) -> None:
        self.engine = engine
        self.endpoint = engine.endpoint
        self.repository = engine.repository
        self.agent = engine.agent
        self.life = life

    @property
    def store(self) -> PlaceholderStore:
        """That of Docker, each of whose calls is one of this engine's."""
        return PlaceholderStore(self)

    def _call(self, function: Callable[..., Any], *args: Any, **more: Any) -> Any:
        self.life.spend()
        return function(*args, **more)

    def observe(self, wanted: Wanted) -> EndpointSeen:
        seen: EndpointSeen = self._call(self.engine.observe, wanted)
        return seen

    def inspect(self, container: str) -> ContainerSeen:
        seen: ContainerSeen = self._call(self.engine.inspect, container)
        return seen

    def engine_id(self) -> str:
        found: str = self._call(self.engine.engine_id)
        return found

    def owns(self, labels: Mapping[str, str], object_name: str) -> bool:
        return self.engine.owns(labels, object_name)

    def read_entries(self, container: str, path: str) -> Mapping[str, Entry]:
        found: Mapping[str, Entry] = self._call(self.engine.read_entries, container, path)
        return found

    def read_files(self, container: str, path: str) -> Mapping[str, bytes]:
        found: Mapping[str, bytes] = self._call(self.engine.read_files, container, path)
        return found

    def file_size(self, container: str, path: str) -> int | None:
        found: int | None = self._call(self.engine.file_size, container, path)
        return found

    def logs(self, container: str, *, follow: bool = False, tail: int | None = None, timestamps: bool = False) -> Iterator[bytes]:
        try:
            self.life.spend()
        except Killed:
            return iter(())  # read in a thread of its own: the process dies with the next call of the main one
        return self.engine.logs(container, follow=follow, tail=tail, timestamps=timestamps)

    def close(self) -> None:
        self.engine.close()

    def perform(self, action: EngineAction) -> None:
        self._call(self.engine.perform, action)

    def create_container(self, name: str, spec: ContainerSpec, labels: Pairs, *, binds: Pairs = ()) -> str:
        return str(self._call(self.engine.create_container, name, spec, labels, binds=binds))

    def create_placeholder(self, name: str, labels: Pairs, *, binds: Pairs = ()) -> str:
        return str(self._call(cast("DockerEngine", self.engine).create_placeholder, name, labels, binds=binds))

    def check_health(self, container: str) -> None:
        self._call(self.engine.check_health, container)

    def start(self, container: str) -> None:
        self._call(self.engine.start, container)

    def stop(self, container: str, timeout: int) -> None:
        self._call(self.engine.stop, container, timeout)

    def remove(self, container: str, *, force: bool = False) -> None:
        self._call(self.engine.remove, container, force=force)

    def wait(self, container: str, timeout: float) -> int | None:
        code: int | None = self._call(self.engine.wait, container, timeout)
        return code

    def write_files(self, container: str, entries: tuple[FileEntry, ...]) -> None:
        self._call(self.engine.write_files, container, entries)

    def run(self, container: str, command: tuple[str, ...], *, user: str = "") -> Ran:
        ran: Ran = self._call(self.engine.run, container, command, user=user)
        return ran


def apply_once(scene: TransferWorld, life: Life, **options: Any) -> None:
    """What the steps of one apply do with one transfer."""
    engines = {name: Mortal(engine, life) for name, engine in scene.engines.items()}
    scene.start(engines=engines, **options)
    scene.finish(engines=engines, **options)


@pytest.fixture(scope="module")
def scene() -> Iterator[TransferWorld]:
    with transfer_world() as scene:
        scene.files(HERE).write("/data/in", b"x" * 1000)
        scene.world.snapshot()
        yield scene


def calls_of_a_whole_run(scene: TransferWorld, **options: str) -> int:
    scene.world.reset()
    life = Life()
    apply_once(scene, life, **options)
    return life.calls


def test_a_kill_after_any_call_leads_to_exactly_one_start_and_a_receipt(scene: TransferWorld) -> None:
    total = calls_of_a_whole_run(scene)
    assert total > 20
    for last in range(total):
        scene.world.reset()
        with pytest.raises(Killed):
            apply_once(scene, Life(last))
        apply_once(scene, Life())
        context = f"killed after call {last} of {total}"
        assert scene.job_starts() == 1, context
        assert [(record.attempt, record.verdict) for record in scene.records()] == [(1, "succeeded")], context
        assert scene.keys(HERE) == scene.keys(THERE) == FOREIGN, context
        assert scene.job_names() == [], context
        assert scene.files(THERE).read("/data/out") == b"x" * 1000, context


def test_a_kill_in_the_middle_of_retries_starts_each_try_once(scene: TransferWorld) -> None:
    scene.copy.exit_codes = [1]
    total = calls_of_a_whole_run(scene, retries="1")
    for last in range(total % 3, total, 3):  # every third: what is between was tried without retries
        scene.world.reset()
        scene.copy.exit_codes = [1]
        with pytest.raises(Killed):
            apply_once(scene, Life(last), retries="1")
        apply_once(scene, Life(), retries="1")
        context = f"killed after call {last} of {total}"
        assert scene.job_starts() == 2, context
        assert [(record.attempt, record.verdict) for record in scene.records()] == [(1, "failed"), (2, "succeeded")], context
        assert scene.keys(HERE) == scene.keys(THERE) == FOREIGN, context
        assert scene.job_names() == [], context


def test_a_job_that_is_pruned_after_a_kill_is_unknown_and_not_run_again(scene: TransferWorld) -> None:
    total = calls_of_a_whole_run(scene)
    unknown = 0
    for last in range(total):
        scene.world.reset()
        with pytest.raises(Killed):
            apply_once(scene, Life(last))
        for name in scene.job_names():
            scene.engines[HERE].wait(name, 10.0) if scene.job_starts() else None
            scene.engines[HERE].remove(name, force=True)
        try:
            apply_once(scene, Life())
        except TransferError as error:
            assert "unknown: its container and its result are gone" in str(error)  # noqa: PT017  only some points end so
            unknown += 1
            assert scene.keys(HERE) == scene.keys(THERE) == FOREIGN
        assert scene.job_starts() <= 1, f"killed after call {last} of {total}"
    assert unknown
