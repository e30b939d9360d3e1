"""Leases: one holder at a time, gone with its holder, never taken from a live one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dtnctl.errors import BlockedError, LockError
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.resources import Pairs, lease_name
from dtnctl.model.site import Endpoint
from dtnctl.providers.base import Engine
from dtnctl.runtime import lease
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.lease import Holder, Leases, hold_leases, remove_lease, this_process
from tests.docker_clients import connect
from tests.fakes.engine import World

ELSEWHERE = Holder("ops@elsewhere", "another machine", 4711, 1.0)


class SteppingClock:
    """Time that moves on only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[dict[str, Engine]]:
    """Two in-memory engines behind the real provider."""
    with World(["a", "b"]) as world:
        clients: dict[str, Engine] = {}
        for name in ("a", "b"):
            endpoint = Endpoint(docker=parse_engine(f"unix://{world.sockets[name]}"), host=name)
            clients[name] = connect(name, endpoint, site="site", registries={}, read_only=False, root=tmp_path)
        yield clients
        for client in clients.values():
            client.close()


def hold(engines: dict[str, Engine], holder: Holder, clock: SteppingClock, timeout: float = 5.0, told: list[str] | None = None):  # type: ignore[no-untyped-def]  # a context manager of contextlib's own type
    said = told if told is not None else []
    return hold_leases(engines, site="site", holder=holder, clock=clock, timeout=timeout, report=said.append)


def labels(endpoint: str, holder: Holder) -> Pairs:
    """Those of a lease, as its holder wrote them."""
    own = {"dtnctl.site": "site", "dtnctl.kind": "lease", "dtnctl.self": f"{endpoint}/{lease_name('site')}", "dtnctl.holder": holder.text()}
    return tuple(sorted(own.items()))


def test_a_foreign_container_with_the_leases_name_is_never_removed(engines: dict[str, Engine]) -> None:
    clock = SteppingClock()
    stranger = engines["a"].store.claim(lease_name("site"), ())
    with pytest.raises(LockError, match="not ours"), hold(engines, this_process(), clock, timeout=100.0):
        pass
    assert engines["a"].inspect(lease_name("site")).id == stranger


def test_unlocking_removes_our_lease_by_its_holders_name_and_no_other_container(engines: dict[str, Engine]) -> None:
    assert remove_lease(engines["a"], "site") == ""
    engines["a"].store.claim(lease_name("site"), labels("a", ELSEWHERE))
    assert remove_lease(engines["a"], "site") == "ops@elsewhere (pid 4711)"
    stranger = engines["a"].store.claim(lease_name("site"), ())
    with pytest.raises(BlockedError, match=r"^a has an object named site\.control\.lease that is not ours; it was not removed$"):
        remove_lease(engines["a"], "site")
    assert engines["a"].inspect(lease_name("site")).id == stranger


def test_waiting_ends_when_somebody_asks_to_stop(engines: dict[str, Engine]) -> None:
    clock, stop = SteppingClock(), threading.Event()
    engines["a"].store.claim(lease_name("site"), labels("a", ELSEWHERE))
    stop.set()
    waiting = hold_leases(engines, site="site", holder=this_process(), clock=clock, timeout=100.0, report=lambda text: None, stop=stop)
    with pytest.raises(LockError, match="stopped while waiting"), waiting:
        pass
    assert clock.time == 0.0


def test_while_one_holds_a_lease_another_is_refused_with_the_holders_name(engines: dict[str, Engine]) -> None:
    clock = SteppingClock()
    with (
        hold(engines, ELSEWHERE, clock),
        pytest.raises(LockError, match=r"ops@elsewhere \(pid 4711\)"),
        hold(engines, this_process(), clock),
    ):
        pass


def test_leases_are_given_back_at_the_end_also_after_an_error(engines: dict[str, Engine]) -> None:
    clock = SteppingClock()
    with pytest.raises(ZeroDivisionError), hold(engines, ELSEWHERE, clock):
        raise ZeroDivisionError
    with hold(engines, this_process(), clock):
        pass


def test_a_lease_whose_beat_stands_still_is_taken_over(engines: dict[str, Engine]) -> None:
    clock = SteppingClock()
    told: list[str] = []
    engines["a"].store.claim(lease_name("site"), labels("a", ELSEWHERE))
    with hold(engines, this_process(), clock, timeout=60.0, told=told):
        assert clock.time > lease.STALE_SECONDS
    assert any("taking over" in text for text in told)


def test_the_lease_of_a_dead_process_of_this_machine_is_taken_over_at_once(engines: dict[str, Engine]) -> None:
    clock = SteppingClock()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = Holder("somebody", this_process().machine, ended.pid, 1.0)
    engines["a"].store.claim(lease_name("site"), labels("a", dead))
    with hold(engines, this_process(), clock, timeout=0.0):
        assert clock.time == 0.0


def test_a_live_process_of_this_machine_is_not_dead_and_nonsense_is_not_either() -> None:
    assert not lease.is_dead(this_process().text())
    for text in ("", "nonsense", "[]", json.dumps({"machine": this_process().machine})):
        assert not lease.is_dead(text)
    reused = Holder("x", this_process().machine, os.getpid(), 1.0)
    assert lease.is_dead(reused.text()), "the same pid, but another process"


def test_a_holder_that_could_not_renew_stops_writing_before_anybody_may_take_over() -> None:
    clock = SteppingClock()
    leases = Leases(clock)
    leases.held["a"] = lease._Held(None, "id", 0.0)  # type: ignore[arg-type]  # no call is made
    leases.check("a")
    clock.time = lease.SAFE_SECONDS + 1
    assert clock.time < lease.STALE_SECONDS
    with pytest.raises(LockError, match="could not be renewed"):
        leases.check("a")


def test_two_that_want_the_same_two_endpoints_both_get_them_in_turn(engines: dict[str, Engine]) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        with hold_leases(engines, site="site", holder=this_process(), clock=SystemClock(), timeout=60.0, report=lambda text: None):
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == [1, 1, 1, 1]
