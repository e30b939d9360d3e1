"""fio for `dtnctl bench storage`: its commands, the folder for its files, and what its output says. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dtnctl.benchmarks.iperf3 import GIGABYTE, FailedTestError, missing_program

Way = Literal["write", "read"]
WAYS: tuple[Way, ...] = ("write", "read")  # in this order: what is read was written before
PATIENCE = 300  # seconds beyond the test's own time, in which a slow disk may lay out files and flush
DEPTH = 16  # requests of each job under way, where I/O is direct
ROOM = 2  # times the size of a test must be free
# Exit codes of the script that makes the folder; others are those of mkdir.
IN_THE_WAY, NO_ROOM = 81, 82
# Files are removed by their names and the folder only if it is empty then: nothing that is not ours can go.
REMOVE = '[ -L "{folder}" ] || {{ rm -f "{folder}"/fio.* && rmdir "{folder}"; }} 2>/dev/null'


@dataclass(frozen=True, slots=True)
class Shape:
    """What a test does: `jobs` programs at once, each with requests of `block` bytes, on `size` bytes altogether for `seconds`."""

    way: Way
    block: int
    jobs: int
    size: int
    seconds: int


@dataclass(frozen=True, slots=True)
class DiskSample:
    """One test that worked: bytes and requests a second, and fio's own CPU seconds per gigabyte (10^9 bytes)."""

    rate: float
    requests: float
    cpu: float


def prepare_script(folder: str, size: int) -> str:
    """A shell script that makes the folder, empty, and prints `direct` if its file system can do I/O past the page cache.

    What an earlier run left there is removed. Exit code IN_THE_WAY: something else has the name; NO_ROOM: too little is free.
    """
    volume = folder.rpartition("/")[0] or "/"
    probe = f"{folder}/fio.probe"
    return (
        f'[ ! -e "{folder}" ] || {{ {remove_script(folder)}; }}; [ ! -e "{folder}" ] && [ ! -L "{folder}" ] || exit {IN_THE_WAY};'
        f' free=$(stat -f -c "%a %S" "{volume}") || exit 1; set -- $free; [ $(($1 * $2)) -gt {ROOM * size} ] || exit {NO_ROOM};'
        f' mkdir "{folder}" || exit 1;'
        f' if dd if=/dev/zero of="{probe}" bs=4096 count=1 oflag=direct 2>/dev/null; then echo direct; fi; rm -f "{probe}"'
    )


def remove_script(folder: str) -> str:
    """A shell script that removes the files of ours in the folder, and the folder if it is empty then."""
    return REMOVE.format(folder=folder)


def why_unprepared(exit_code: int, errors: str, folder: str) -> str:
    """Why the folder could not be made."""
    match exit_code:
        case 81:
            return f"{folder} is there already and holds what no benchmark of this site made; move it away"
        case 82:
            return f"less than {ROOM} times the size of a test is free there; a smaller --size may do"
        case _:
            said = " ".join(errors.split())
            return f"nothing can be written there: {said or f'exit code {exit_code}'}"


def fio_script(shape: Shape, folder: str, *, is_direct: bool) -> str:
    """A shell script that runs one test on files of its own in the folder."""
    engine = f"--direct=1 --ioengine=libaio --iodepth={DEPTH}" if is_direct else "--direct=0 --ioengine=psync"
    return (
        f'timeout {shape.seconds + PATIENCE} fio --name=fio --directory="{folder}" --rw={shape.way} --bs={shape.block}'
        f" --numjobs={shape.jobs} --size={shape.size // shape.jobs} {engine} --time_based --runtime={shape.seconds}"
        " --end_fsync=1 --group_reporting --output-format=json"
    )


def read_disk_sample(way: Way, stdout: str, exit_code: int, errors: str = "") -> DiskSample:
    """The figures of a test. FailedTestError says what went wrong, such as a full disk."""
    if missing := missing_program(exit_code, errors, "fio"):
        raise FailedTestError(missing)
    job = _job(stdout, exit_code, errors)
    if job.get("error") or exit_code:
        raise FailedTestError(f"fio ended with {exit_code}: {_said(errors) or 'error ' + str(job.get('error'))}")
    done = job.get(way, {})
    count, rate, requests = (_number(done, name) for name in ("io_bytes", "bw_bytes", "iops"))
    if count <= 0:
        raise FailedTestError(f"fio did not {way} anything")
    busy = (_number(job, "usr_cpu") + _number(job, "sys_cpu")) / 100 * _number(job, "job_runtime") / 1000
    return DiskSample(rate, requests, busy / (count / GIGABYTE))


def _job(stdout: str, exit_code: int, errors: str) -> Mapping[str, Any]:
    """The group's entry. fio may write a line of warning before its JSON."""
    try:
        (job,) = json.loads(stdout[max(0, stdout.find("{\n")) :])["jobs"]
    except (ValueError, KeyError, TypeError):
        raise FailedTestError(f"fio ended with {exit_code} and printed {_said(errors) or _said(stdout) or 'nothing'}") from None
    if not isinstance(job, dict):
        raise FailedTestError("fio printed no entry of its jobs")
    return job


def _said(text: str) -> str:
    return " ".join(text.split())[:200]


def _number(values: Mapping[str, Any], name: str) -> float:
    value = values.get(name)
    if not isinstance(value, int | float):
        raise FailedTestError(f"fio's result has no {name}")
    return float(value)
