"""`dtnctl bench storage` on engines in memory: what it makes, what it leaves, and when it does not run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.small_site import PROGRAM, environment, run
from tests.fakes.engine import World
from tests.fakes.execs import ExecRun
from tests.measuring.bench_world import BENCH, BenchWorld, bench_world

SAMPLE = (Path(__file__).parents[1] / "benchmarks" / "samples" / "fio-read.json").read_text()
SHORT = ("--rounds", "2", "--duration", "1", "--block", "1MiB", "--jobs", "1")


@dataclass
class Disks:
    """The site of BenchWorld with a volume `/data` on both endpoints; `scripts` are those that ran, by endpoint."""

    play: BenchWorld
    prepared: dict[str, int] = field(default_factory=dict)
    result: str = SAMPLE
    scripts: list[tuple[str, str]] = field(default_factory=list)
    during: Callable[[ExecRun], None] = lambda run: None

    def shell(self, found: ExecRun) -> int:
        endpoint, script = found.engine.name, found.argv[2]
        self.scripts.append((endpoint, script))
        if "stat -f" in script:
            found.stdout("direct\n" if endpoint == "a" else "")
            return self.prepared.get(endpoint, 0)
        if "fio --name" in script:
            self.during(found)
            found.stdout(self.result.replace('"write"', '"other"').replace('"read"', f'"{"write" if "--rw=write" in script else "read"}"'))
        return 0

    def bench(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(self.play.root, "bench", "storage", "s", *SHORT, *arguments)

    def document(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        ran = self.bench("-o", "json", *arguments)
        assert ran.returncode == code, ran.stderr
        found: dict[str, Any] = json.loads(ran.stdout)
        return found

    def removals(self) -> list[str]:
        return [endpoint for endpoint, script in self.scripts if script.startswith("[ -L")]


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[Disks]:
    with bench_world(tmp_path) as play:
        found = Disks(play)
        world: World = play.world
        world.exec_programs["sh"] = found.shell
        for name in ("a", "b"):
            play.write(
                f"endpoints/{name}",
                {"docker": f"unix://{world.sockets[name]}", "host": f"{name}.example.net", "allow": {"mounts": ["/data"]}},
            )
        play.write("sessions/s", {"endpoints": ["a", "b"], "image": "app:1", "settings": {"volumes": ["/data"]}})
        yield found


def test_each_volume_is_written_and_read_in_each_round_and_nothing_is_left(disks: Disks) -> None:
    document = disks.document()
    assert [(row["endpoint"], row["way"], row["direct"], len(row["samples"])) for row in document["rows"]] == [
        ("a", "write", True, 2),
        ("a", "read", True, 2),
        ("b", "write", False, 2),
        ("b", "read", False, 2),
    ]
    assert disks.removals() == ["a", "b"]
    assert disks.play.left() == set()


def test_a_volume_that_cannot_be_used_is_left_out_and_the_other_is_measured(disks: Disks) -> None:
    disks.prepared["a"] = 82
    document = disks.document()
    assert {row["endpoint"] for row in document["rows"]} == {"b"}
    assert document["left_out"][0]["reason"].startswith("less than 2 times the size of a test is free there")
    disks.prepared["b"] = 81
    assert disks.bench().returncode == 4


def test_a_failed_test_is_said_and_the_files_are_removed_all_the_same(disks: Disks) -> None:
    disks.result = ""
    document = disks.document("--endpoint", "a", code=3)
    assert document["rows"][0]["failures"] == ["fio ended with 0 and printed nothing"] * 2
    assert disks.removals() == ["a"]
    assert disks.play.left() == set()


def test_what_the_owner_does_not_allow_is_not_made(disks: Disks) -> None:
    socket = disks.play.world.sockets["b"]
    disks.play.write("endpoints/b", {"docker": f"unix://{socket}", "host": "b.example.net"})
    ran = disks.bench("--endpoint", "b")
    assert ran.returncode == 4
    assert "the owner of b does not allow the mount of /data" in ran.stderr
    assert disks.scripts == []


def test_after_a_signal_the_figures_so_far_are_shown_and_nothing_is_left(disks: Disks) -> None:
    bench = subprocess.Popen(
        [*PROGRAM, "bench", "storage", "s", *SHORT],
        cwd=disks.play.root,
        env=environment(),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    disks.during = lambda found: bench.terminate()
    out, errors = bench.communicate(timeout=600)
    assert bench.returncode == 143, errors
    assert "stopped before the last round" in out
    assert disks.removals() == ["a", "b"]
    assert disks.play.left() == set()


def test_its_container_has_the_sites_labels_and_no_network(disks: Disks) -> None:
    found: list[tuple[str, str]] = []
    disks.during = lambda run: found.append((run.container.name, run.container.config["Labels"]["dtnctl.self"]))
    disks.document("--endpoint", "a")
    assert set(found) == {(BENCH, f"a/{BENCH}")}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("x",), "no session named x; try `s`"),
        (("s", "--endpoint", "c"), "session s is not on c; it is on a, b"),
        (("s", "--volume", "/other"), "no volume to measure"),
        (("s", "--size", "much"), "--size much: "),
        (("s", "--block", "100"), "--block 100: a block is a multiple of 512 bytes"),
        (("s", "--size", "1MiB", "--block", "1MiB", "--jobs", "4"), "is less than one block of 1048576 bytes for each of 4 jobs"),
    ],
)
def test_what_cannot_be_measured_is_said_and_nothing_is_made(disks: Disks, arguments: tuple[str, ...], said: str) -> None:
    ran = run(disks.play.root, "bench", "storage", *arguments)
    assert ran.returncode == 64
    assert said in ran.stderr
    assert disks.scripts == []
