"""Fields of one copy on real engines and real GridFTP servers: what is left, chosen, skipped, and which times files get."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import lab
from dtnctl.errors import TransferError
from dtnctl.model.actions import FinishTransfer, StartTransfer
from dtnctl.model.ledger import Attempt
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.transfers.record import read_ledger
from dtnctl.runtime.transfers.transfer import StartResult, Waiting, await_transfer, start_transfer
from tests.runtime.transfers.test_lab import SITE, Scene

pytestmark = pytest.mark.lab


class Copies:
    """Transfers of folders `/data/NAME/` from dtn1 to dtn2."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.sh = scene, scene.sh
        self.started: StartResult | None = None

    def run(self, name: str, generation: int = 1, folder: str = "", **values: Any) -> Attempt:
        path = f"/data/{folder or name}/"
        options = TransferOptions(recursive=True, parallelism=1, **values)  # each stream has a port that is not free again at once
        here, there = self.scene.ends(path, path)
        start = StartTransfer(name, generation, 1, "gridftp", here, there, "dtn:1", options)
        self.started = start_transfer(start, self.scene.engines, SITE, SystemClock())
        assert self.started.started
        waiting = Waiting(self.scene.progress.append, threading.Event())
        finish = FinishTransfer(name, generation, 1, "gridftp", here, there, options, True)
        return await_transfer(finish, self.scene.engines, SITE, SystemClock(), waiting, self.scene.leases)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    if reason := lab.unavailable():
        pytest.skip(reason)
    with lab.Lab(tmp_path_factory.mktemp("fields"), 2, image="both") as running:
        scene = Scene(running)
        yield Copies(scene)
        for engine in scene.engines.values():
            engine.close()


CHANGE = """
cd /data/{0}; rm gone; echo 55555 > bigger; printf X | dd of=flipped bs=1 seek=2 conv=notrunc status=none
touch -d @1000000000 flipped older; touch -d @2000000000 same
"""


@pytest.mark.parametrize(
    ("level", "copied"),
    [
        ("exists", ["gone"]),
        ("size", ["bigger", "gone"]),
        ("mtime", ["bigger", "flipped", "gone", "older"]),
        ("checksum", ["bigger", "flipped", "gone"]),
    ],
)
def test_what_is_there_already_is_left_as_the_level_says(copies: Copies, level: str, copied: list[str]) -> None:
    copies.sh(
        "dtn1", f"mkdir -p /data/{level}/sub; cd /data/{level}; for n in gone bigger flipped older same sub/deep; do echo 123 > $n; done"
    )
    assert copies.run(level).files == 6
    copies.sh("dtn2", CHANGE.format(level))
    before = copies.sh("dtn2", f"cd /data/{level}; stat -c '%n %z' *")
    again = copies.run(level, 2, sync_level=level, algorithm="sha256")
    assert (
        again.verified
        == f"sha256 of {len(copied)} files equal at both ends; {6 - len(copied)} files left as they were (sync_level {level})".replace(
            "1 files", "1 file"
        )
    )
    assert (again.verdict, again.files, again.bytes) == ("succeeded", len(copied), 4 * len(copied))
    after = copies.sh("dtn2", f"cd /data/{level}; stat -c '%n %z' *")
    touched = {line.split()[0] for line in set(after.splitlines()) - set(before.splitlines())}
    assert touched - {"sub"} == set(copied)


def test_times_are_those_of_the_source_and_a_second_run_leaves_all(copies: Copies) -> None:
    copies.sh(
        "dtn1",
        "mkdir -p '/data/times/a b'; cd /data/times; echo 1 > '-x'; echo 2 > 'a b/y'; touch -d @1234567890.123456789 -- '-x' 'a b/y'",
    )
    assert copies.run("times", preserve_times=True).verdict == "succeeded"
    listed = "cd /data/times; find . -type f -printf '%P %T@\\n' | sort"
    assert copies.sh("dtn2", listed) == copies.sh("dtn1", listed)
    again = copies.run("times", 2, sync_level="mtime", preserve_times=True)
    assert (again.files, again.verified) == (0, "md5 of 0 files equal at both ends; 2 files left as they were (sync_level mtime)")


def test_times_that_may_not_be_set_are_a_failure_with_the_data_there(copies: Copies) -> None:
    copies.sh("dtn1", "mkdir -p /data/owned; echo new > /data/owned/f; touch -d @1234567890 /data/owned/f")
    copies.sh("dtn2", "mkdir -p /data/owned; echo old > /data/owned/f; chmod 666 /data/owned/f; chmod 777 /data/owned", user="root")
    with pytest.raises(TransferError, match=r"what was copied arrived, but its times could not be set: touch: setting times of '\./f'"):
        copies.run("owned", preserve_times=True)
    assert copies.sh("dtn2", "cat /data/owned/f") == "new\n"


def test_a_part_of_a_folder_without_its_links_arrives_alone(copies: Copies) -> None:
    copies.sh(
        "dtn1",
        "mkdir -p /data/part/2026/raw /data/part/calib /data/part/empty; cd /data/part; echo 1 > top.nc; echo 2 > '2026/a b.nc'; "
        "echo 3 > 2026/x.txt; echo 4 > '2026/raw/[1]*.nc'; echo 5 > calib/c; echo 6 > calib/tmp; ln -s c calib/link; ln -s calib loop",
    )
    receipt = copies.run("part", include=("2026/**/*.nc", "calib"), exclude=("**/tmp",), links="omit", concurrency=2)
    assert copies.started is not None
    assert copies.started.text == "started: 6 bytes in 3 files; leaves out what is no file: 'calib/link' (link)"
    assert (receipt.files, receipt.verified) == (3, "md5 of 3 files equal at both ends; left out 2 that are neither file nor folder")
    assert copies.sh("dtn2", "cd /data/part; find . -type f -printf '%P\\n' | sort") == "2026/a b.nc\n2026/raw/[1]*.nc\ncalib/c\n"
    with pytest.raises(TransferError, match=r"nothing of /data/part/ on dtn1 is left to copy after `include`, `exclude` and `links`"):
        copies.run("nothing", folder="part", include=("*.h5",))
    again = copies.run("part", 2, include=("2026/**/*.nc", "calib"), exclude=("**/tmp",), links="omit", sync_level="checksum")
    assert again.verified.endswith("3 files left as they were (sync_level checksum)")


def test_a_file_that_fails_is_named_and_the_others_are_copied(copies: Copies) -> None:
    copies.sh("dtn1", "mkdir -p /data/skip/sub; cd /data/skip; for n in a b sub/c sub/d; do echo $n > $n; done; chmod 000 b sub/c")
    with pytest.raises(TransferError, match="has what its user may not read: 'b', 'sub/c'"):
        copies.run("skip")
    with pytest.raises(TransferError, match=r"skip \(generation 1, try 1\) partial: 2 names did not arrive: 'b', 'sub/c'"):
        copies.run("skip", on_file_error="skip")
    (record,) = [item for item in read_ledger(copies.scene.engines["dtn1"], SITE).attempts if item.transfer == "skip"]
    assert (record.verdict, record.files, record.verified, record.exit_code) == ("partial", 2, "md5 of 2 files equal at both ends", 1)
    copies.sh("dtn1", "chmod 644 /data/skip/b /data/skip/sub/c")
    again = copies.run("skip", 2, on_file_error="skip", sync_level="size")
    assert (again.verdict, again.files) == ("succeeded", 2)
    assert copies.sh("dtn2", "cd /data/skip; cat a b sub/c sub/d") == "a\nb\nsub/c\nsub/d\n"


@pytest.fixture
def slow(copies: Copies) -> Iterator[None]:
    """The source sends four megabytes a second."""
    bucket = ["root", "tbf", "rate", "32mbit", "burst", "256kb", "latency", "100ms"]
    copies.scene.lab.exec("dtn1", ["tc", "qdisc", "add", "dev", "eth0", *bucket])
    yield
    copies.scene.lab.exec("dtn1", ["tc", "qdisc", "del", "dev", "eth0", "root"])


def test_a_copy_whose_server_is_killed_goes_on_where_it_broke(copies: Copies, slow: None) -> None:
    """The servers report every five seconds which bytes are on the disk; those are not sent again."""
    copies.sh("dtn1", "mkdir -p /data/broken; head -c 60M /dev/urandom > /data/broken/f")
    before = int(copies.scene.lab.exec("dtn1", ["cat", "/sys/class/net/eth0/statistics/tx_bytes"]).stdout)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(copies.run, "broken", restarts=2, backoff=1.0)
        wait = "until [ $(stat -c %s /data/broken/f 2>/dev/null || echo 0) -gt 36000000 ]; do sleep 0.1; done"
        copies.sh("dtn2", f"{wait}; pkill -KILL -f '[g]lobus-gridftp-server'", user="root")
        receipt = running.result(180)
    sent = int(copies.scene.lab.exec("dtn1", ["cat", "/sys/class/net/eth0/statistics/tx_bytes"]).stdout) - before
    assert (receipt.attempt, receipt.verified) == (1, "md5 of 1 file equal at both ends")
    assert 60 * 1024**2 < sent < 60 * 1024**2 + 36_000_000, "fewer bytes than a copy from zero would have sent again"


def test_many_small_files_arrive_pipelined(copies: Copies) -> None:
    copies.sh("dtn1", "mkdir -p /data/many/sub; cd /data/many; for n in $(seq 200); do echo $n > f$n; echo $n > sub/g$n; done")
    receipt = copies.run("many", pipelining=True, concurrency=2)
    assert (receipt.files, receipt.verified) == (400, "md5 of 400 files equal at both ends")
