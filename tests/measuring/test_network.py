"""`dtnctl bench network` on engines in memory: what it makes, what it leaves, and when it does not run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from dtnctl.errors import LockError
from dtnctl.measuring.stage import await_leases
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.ownership import transfer_labels
from dtnctl.model.resources import ContainerSpec, transfer_name
from dtnctl.model.site import Endpoint
from dtnctl.providers.base import Engine
from dtnctl.runtime.lease import Leases, _Held
from tests.cli.small_site import run
from tests.docker_clients import connect
from tests.fakes.engine import Fault
from tests.fakes.execs import ExecRun
from tests.measuring.bench_world import BENCH, REFUSED, BenchWorld, bench_world
from tests.runtime.transfers.transfer_world import FakeClock


@pytest.fixture
def play(tmp_path: Path) -> Iterator[BenchWorld]:
    with bench_world(tmp_path) as found:
        yield found


def test_every_row_is_measured_in_each_round_and_nothing_is_left(play: BenchWorld) -> None:
    seen: list[set[str]] = []
    play.during = lambda found: seen.append(play.left())
    rows = play.rows("--mode", "bridge", "--mode", "data", "--mode", "host")
    assert [len(rows[name]["samples"]) for name in ("host", "bridge", "data")] == [2, 2, 2]
    assert rows["data"]["address"] == "10.20.0.3"
    assert rows["host"]["address"] == rows["bridge"]["address"] == "b.example.net"
    assert play.left() == set()
    assert all({BENCH, "small.control.lease"} <= names for names in seen)
    assert ["data" in names for names in seen].count(True) == 2


def test_rounds_take_turns_at_the_first_row(play: BenchWorld) -> None:
    play.rows("--mode", "host", "--mode", "data")
    order = [match[0] for script in play.clients if (match := re.search(r"b\.example\.net|10\.20\.0\.3", script))]
    assert order == ["b.example.net", "10.20.0.3", "10.20.0.3", "b.example.net"]


def test_what_it_makes_is_labelled_as_ours(play: BenchWorld) -> None:
    found: list[dict[str, str]] = []

    def look(exec_run: ExecRun) -> None:
        found.append(exec_run.container.config["Labels"])

    play.during = look
    play.rows("--mode", "data")
    expected = {"dtnctl.site": "small", "dtnctl.kind": "service", "dtnctl.name": "dtnctl-bench", "dtnctl.self": f"a/{BENCH}"}
    assert expected.items() <= found[0].items()


def test_native_is_left_out_without_ssh_and_the_table_says_so(play: BenchWorld) -> None:
    ran = play.bench()
    assert ran.returncode == 0, ran.stderr
    assert "native is left out: only `docker: ssh://…` reaches the hosts themselves, which is not how a and b are declared" in ran.stdout
    assert "OF HOST" in ran.stdout


def test_a_row_that_the_owner_does_not_allow_is_left_out_and_never_made(play: BenchWorld) -> None:
    play.write("endpoints/b", {"docker": f"unix://{play.world.sockets['b']}", "host": "b.example.net", "allow": {"networks": ["bridge"]}})
    rows = play.rows("--mode", "host", "--mode", "bridge")
    (left,) = rows["document"]["left_out"]
    assert left["mode"] == "host"
    assert "the owner of b does not allow network host" in left["reason"]
    assert len(rows["bridge"]["samples"]) == 2
    assert len(play.clients) == 2


def test_a_port_that_somebody_has_is_not_used(play: BenchWorld) -> None:
    play.write("sessions/t", {"endpoints": ["b"], "image": "app:1", "settings": {"exposed_ports": [5201], "pull": "never"}})
    assert run(play.root, "apply", "--yes", "--target", "session/t").returncode == 0
    play.rows("--mode", "bridge")
    assert all("-p 5202 " in script for script in play.clients)


def test_a_refused_test_counts_as_failed_and_the_row_is_removed(play: BenchWorld) -> None:
    play.result = REFUSED
    rows = play.rows("--mode", "data", code=3)
    assert rows["data"]["failures"] == ["iperf3: unable to connect to server: Connection refused"] * 2
    assert rows["data"]["rate"] is None
    assert play.left() == set()


def test_a_server_that_does_not_listen_is_a_failure_with_its_words(play: BenchWorld) -> None:
    play.listens = False
    rows = play.rows("--mode", "data", code=3)
    assert rows["data"]["failures"][0] == "no server listens on port 5201: {}"


def test_a_killed_run_is_seen_by_the_plan_and_removed_by_the_next_run(play: BenchWorld) -> None:
    play.world.plan_faults(Fault("kill-client", match="POST /exec/*/start", nth=3))
    play.bench("--mode", "data")
    assert BENCH in play.left()
    shown = run(play.root, "plan")
    assert "session/dtnctl-bench" in shown.stdout
    rows = play.rows("--mode", "host")
    assert len(rows["host"]["samples"]) == 2
    assert play.left() == set()


def test_a_killed_run_is_removed_by_the_next_apply(play: BenchWorld) -> None:
    play.world.plan_faults(Fault("kill-client", match="POST /exec/*/start", nth=3))
    play.bench("--mode", "data")
    ran = run(play.root, "apply", "--yes", "--exclude", "session/s")
    assert ran.returncode == 0, ran.stderr + ran.stdout
    assert play.left() == set()


def test_a_row_that_cannot_be_removed_at_once_is_removed_before_the_next_test_and_its_figures_count(play: BenchWorld) -> None:
    play.world.plan_faults(Fault("status", match="DELETE /containers/*", nth=1, status=500))
    rows = play.rows("--mode", "host", "--mode", "data", "--rounds", "1")
    assert [len(rows[name]["samples"]) for name in ("host", "data")] == [1, 1]
    assert [rows[name]["failures"] for name in ("host", "data")] == [[], []]
    assert play.left() == set()


def test_after_a_signal_the_figures_so_far_are_shown_and_nothing_is_left(play: BenchWorld) -> None:
    process = play.start("--mode", "host", "--rounds", "50", "--duration", "1")
    play.during = lambda found: process.terminate() if len(play.clients) == 2 else None
    out, errors = process.communicate(timeout=600)
    assert process.returncode == 143, errors
    assert "stopped before the last round" in out
    (good, of) = re.findall(r"\b(\d+) of (\d+)\b", out)[0]
    assert good == of
    assert 2 <= int(of) < 50, "a further round may have begun before the signal arrived"
    assert play.left() == set()


def test_while_a_transfer_runs_nothing_is_measured_unless_forced(play: BenchWorld) -> None:
    endpoint = Endpoint(docker=parse_engine(f"unix://{play.world.sockets['b']}"), host="b.example.net")
    engine = connect("b", endpoint, site="small", registries={}, read_only=False, root=play.root)
    name = transfer_name("small", "night", 1, 1)
    engine.start(engine.create_container(name, ContainerSpec("app:1"), transfer_labels("small", "b", "night", 1, 1)))
    ran = play.bench("--mode", "host")
    assert ran.returncode == 4
    assert "transfer night runs on a or b, and a benchmark would slow it down" in ran.stderr
    assert play.clients == []
    assert play.bench("--mode", "host", "--force").returncode == 0
    assert name in play.left()
    engine.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bench", "network", "a", "c"), "no endpoint named c; try one of a, b"),
        (("bench", "network", "a", "a"), "sender and receiver are one endpoint"),
        (("bench", "network", "a", "b", "--mode", "native"), "nothing to measure"),
        (("bench", "network", "a", "b", "--ports", "high"), "--ports high: "),
        (("bench", "network", "a", "b", "--cpus", "all"), "--cpus all: "),
        (("bench", "network", "a", "b", "--session", "x"), "no session x on a and b; there are s"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is_asked(play: BenchWorld, arguments: tuple[str, ...], said: str) -> None:
    ran = run(play.root, *arguments)
    assert ran.returncode == 64
    assert said in ran.stderr
    assert play.clients == []


def test_the_page_has_the_table_and_a_chart_beside_it(play: BenchWorld) -> None:
    ran = play.bench("--mode", "data", "--mode", "host", "--out", "figures.md")
    assert ran.returncode == 0, ran.stderr
    page = (play.root / "figures.md").read_text()
    assert "| macvlan data | 17.53 Gb/s |" in page
    assert "![chart of these figures](figures.png)" in page
    assert (play.root / "figures.png").read_bytes().startswith(b"\x89PNG")


def test_a_lease_that_beats_late_is_waited_for_and_a_lost_one_is_not(tmp_path: Path) -> None:
    clock = PatientClock()
    held = _Held(engine=cast(Engine, None), id="c", last_beat=-30.0)
    clock.on_sleep = lambda: setattr(held, "last_beat", clock.seconds) if clock.seconds > 5 else None
    leases = Leases(clock, held={"a": held})
    await_leases(leases, ("a",), clock)
    assert clock.seconds > 5
    leases.lost["a"] = "somebody removed it"
    with pytest.raises(LockError, match="the lease of a was lost"):
        await_leases(leases, ("a",), clock)
    never = PatientClock()
    with pytest.raises(LockError, match="could not be renewed"):
        await_leases(Leases(never, held={"a": _Held(cast(Engine, None), "c", -30.0)}), ("a",), never)
    assert 60 <= never.seconds < 70


class PatientClock(FakeClock):
    """Calls `on_sleep` each time that somebody waited."""

    def __init__(self) -> None:
        super().__init__()
        self.on_sleep: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.on_sleep()
