"""fio's commands and output. samples/: written by fio 3.33 on a volume of a container, and on one that was too small."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from dtnctl.benchmarks.fio import (
    Shape,
    fio_script,
    prepare_script,
    read_disk_sample,
    remove_script,
    why_unprepared,
)
from dtnctl.benchmarks.iperf3 import FailedTestError

SAMPLES = Path(__file__).parent / "samples"
READ, FULL = ((SAMPLES / f"fio-{name}.json").read_text() for name in ("read", "full"))
SHAPE = Shape("read", 4096, 4, 2**30, 10)


def sh(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", script], text=True, capture_output=True, check=False)


def test_rate_and_requests_are_the_groups_and_cpu_is_by_gigabyte() -> None:
    sample = read_disk_sample("read", READ, 0)
    assert sample.rate == 1025046977
    assert sample.requests == pytest.approx(977.560976)
    assert sample.cpu == pytest.approx((0.074166 + 7.466007) / 100 * 4.045 / 1.050673152)


def test_a_warning_before_the_document_changes_nothing() -> None:
    assert read_disk_sample("read", f"fio: {{a warning}}\n{READ}", 0) == read_disk_sample("read", READ, 0)


def test_a_full_disk_is_a_failure_with_fios_words() -> None:
    errors = "fio: io_u error on file /small/fio.0.0: No space left on device: write offset=20971520, buflen=1048576\n"
    with pytest.raises(FailedTestError, match=r"^fio ended with 1: fio: io_u error on file /small/fio\.0\.0: No space left on device"):
        read_disk_sample("write", FULL, 1, errors)
    with pytest.raises(FailedTestError, match=r"^fio ended with 0: error 28$"):
        read_disk_sample("write", FULL, 0)


@pytest.mark.parametrize(
    ("text", "exit_code", "errors", "why"),
    [
        ("", 127, "sh: fio: not found", "there is no fio there: sh: fio: not found"),
        ("", 1, "fio: engine libaio not loadable\n", "fio ended with 1 and printed fio: engine libaio not loadable"),
        ("oops", 1, "", "fio ended with 1 and printed oops"),
        ("", 124, "", "fio ended with 124 and printed nothing"),
        ('{"jobs": []}', 0, "", "fio ended with 0 and printed"),
        ('{"jobs": [1]}', 0, "", "fio printed no entry of its jobs"),
        ('{"jobs": [{"read": {}}]}', 0, "", "fio's result has no io_bytes"),
        ('{"jobs": [{}]}', 0, "", "fio's result has no io_bytes"),
        ('{"jobs": [{"read": {"io_bytes": 0, "bw_bytes": 0, "iops": 0}}]}', 0, "", "fio did not read anything"),
    ],
)
def test_what_is_no_result_says_why(text: str, exit_code: int, errors: str, why: str) -> None:
    with pytest.raises(FailedTestError, match=f"^{re.escape(why)}"):
        read_disk_sample("read", text, exit_code, errors)


def test_jobs_share_the_size_and_direct_io_has_a_queue() -> None:
    direct, buffered = (fio_script(SHAPE, "/data/x", is_direct=is_direct) for is_direct in (True, False))
    assert '--directory="/data/x" --rw=read --bs=4096 --numjobs=4 --size=268435456 --direct=1 --ioengine=libaio --iodepth=16' in direct
    assert "--direct=0 --ioengine=psync --time_based --runtime=10" in buffered


def test_a_folder_is_made_and_removed_with_its_own_files_alone(tmp_path: Path) -> None:
    folder = tmp_path / "bench"
    made = sh(prepare_script(str(folder), 4096))
    assert (made.returncode, list(folder.iterdir())) == (0, [])
    (folder / "fio.0.0").write_text("x")
    assert sh(remove_script(str(folder))).returncode == 0
    assert not folder.exists()


def test_what_a_killed_run_left_is_removed_first(tmp_path: Path) -> None:
    folder = tmp_path / "bench"
    folder.mkdir()
    (folder / "fio.0.0").write_text("x")
    assert sh(prepare_script(str(folder), 4096)).returncode == 0
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_others_made_under_the_name_stays(tmp_path: Path, kind: str) -> None:
    folder, other = tmp_path / "bench", tmp_path / "other"
    other.mkdir()
    (other / "fio.0.0").write_text("precious")
    if kind == "file":
        folder.write_text("precious")
    elif kind == "folder":
        folder.mkdir()
        (folder / "mine").write_text("precious")
    else:
        folder.symlink_to(other)
    ran = sh(prepare_script(str(folder), 4096))
    assert why_unprepared(ran.returncode, ran.stderr, "/data/x").startswith("/data/x is there already and holds what no benchmark")
    assert sh(f"cat {folder} {folder}/mine {other}/fio.0.0 2>/dev/null").stdout.count("precious") == (1 if kind == "link" else 2)
    assert folder.is_symlink() == (kind == "link")


def test_too_little_room_and_no_right_to_write_are_named(tmp_path: Path) -> None:
    full = sh(prepare_script(str(tmp_path / "bench"), 2**60))
    assert why_unprepared(full.returncode, full.stderr, "/d").startswith("less than 2 times the size")
    assert list(tmp_path.iterdir()) == []
    missing = sh(prepare_script(str(tmp_path / "no" / "bench"), 4096))
    assert why_unprepared(missing.returncode, missing.stderr, "/d").startswith("nothing can be written there: stat:")
    assert why_unprepared(1, "", "/d") == "nothing can be written there: exit code 1"
