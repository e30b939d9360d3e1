"""What globus-url-copy writes, from real runs (samples/): progress is followed, causes are named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.movers.base import Moved
from dtnctl.movers.gridftp_log import MEBI, Reader, explain

SAMPLES = Path(__file__).parent / "samples"
GIB4 = 4 * 1024**3
TREE = {"a": 31457280, "b b": 31457280, "sub/c": 31457280, "sub/deep/d": 31457280}
TREE_ROOT = "sshftp://dtnaas@127.0.0.1:30001/data/tree/"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def last(reader: Reader, output: bytes) -> Moved | None:
    told = [moved for chunk in output.splitlines(keepends=True) if (moved := reader.feed(chunk)) is not None]
    return told[-1] if told else None


@pytest.mark.parametrize(
    ("name", "root", "size", "most", "rate"),
    [
        ("ok-large.log", "sshftp://dtnaas@127.0.0.1:30001/data/src4g", GIB4, GIB4, 71.96),
        ("guc-3pt-p4.txt", "sshftp://dtnaas@10.10.0.11:30001/data/src2g", 2147483648, 2147483648, 257.5),
        ("guc-3pt-p4-slow.stdout", "sshftp://dtnaas@10.10.0.11:30001/data/src2g", 2147483648, 2147483648, 236.96),
        ("guc-get-p4.txt", "sshftp://dtnaas@10.20.0.102:30001/data/src2g", 2147483648, 2090598400, 287.77),
        ("guc-put-p4.txt", "file:///data/src2g", 2147483648, 2147483648, 279.58),
        ("guc-put-p4-slow.stdout", "file:///data/src2g", 2147483648, 2147483648, 215.83),
        ("guc-3pt-p4-mem.txt", "sshftp://dtnaas@10.10.0.11:30001/dev/zero", 12884901888, 12884901888, 1488.08),
    ],
)
def test_one_file_is_followed_to_its_last_line_which_may_stop_short_of_its_size(
    name: str, root: str, size: int, most: int, rate: float
) -> None:
    moved = last(Reader(root, {"": size}, 1), sample(name))
    assert moved == Moved(most, rate * MEBI, is_moving=True)


def test_rates_called_mb_are_mebibytes() -> None:
    moved = Reader("x", {}, 1).feed(b"    1048576 bytes         1.00 MB/sec avg         1.00 MB/sec inst\r")
    assert moved is not None
    assert moved.rate == 1048576


def test_files_of_a_tree_one_after_the_other_add_up_although_small_ones_have_no_lines() -> None:
    reader = Reader(TREE_ROOT, TREE, 1)
    output = sample("ok-tree.log")
    steps = [(moved.bytes, moved.files) for line in output.splitlines(keepends=True) if (moved := reader.feed(line)) is not None]
    size = 31457280
    assert steps == [(0, 0), (size, 0), (size, 1), (2 * size, 1), (2 * size, 2), (3 * size, 3)]


def test_files_at_once_give_a_lower_bound_and_no_rate() -> None:
    moved = last(Reader(TREE_ROOT, TREE, 3), sample("ok-tree-concurrent.log"))
    assert moved == Moved(31457280, None, is_moving=True)  # four started, at most three of them still run


def test_interleaved_lines_of_unnamed_files_are_not_added_up() -> None:
    sizes = {f"f{number}": 100000000 for number in range(1, 6)}
    moved = last(Reader("sshftp://dtnaas@10.10.0.11:30001/data/out/", sizes, 4), sample("guc-3pt-dir-cc4.stdout"))
    assert moved == Moved(100000000, None, is_moving=True)


def test_pipelined_files_are_named_by_their_whole_urls() -> None:
    """19 are announced after the first; those that may not have ended do not count."""
    names = [f"f{number}" for number in range(1, 61)]
    reader = Reader("sshftp://dtnaas@127.0.0.1:30001/data/m/", dict.fromkeys(names, 10), 5)
    assert last(reader, sample("guc-3pt-pipelined.txt")) == Moved((1 + 19 - 5) * 10, None, is_moving=True)


def test_a_line_without_speed_says_that_nothing_moves() -> None:
    reader = Reader("x", {}, 1)
    moved = reader.feed(b"   500 bytes    10.00 MB/sec avg   0.00 MB/sec inst\n")
    assert moved is not None
    assert not moved.is_moving
    assert moved.rate is None


@given(st.lists(st.binary(max_size=60), max_size=20), st.integers(1, 4))
def test_any_output_is_read_without_a_failure_and_never_goes_back(chunks: list[bytes], concurrency: int) -> None:
    reader = Reader(TREE_ROOT, TREE, concurrency)
    told = [moved.bytes for chunk in chunks if (moved := reader.feed(chunk)) is not None]
    assert told == sorted(told)


@given(st.lists(st.integers(1, 200), max_size=30))
def test_where_the_output_is_cut_into_chunks_makes_no_difference(cuts: list[int]) -> None:
    output = sample("ok-tree.log")
    whole = last(Reader(TREE_ROOT, TREE, 1), output)
    reader, moved, start = Reader(TREE_ROOT, TREE, 1), None, 0
    for length in [*cuts, len(output)]:
        moved = reader.feed(output[start : start + length]) or moved
        start += length
    assert moved is not None
    assert whole is not None
    assert moved.bytes == whole.bytes


@given(st.integers(0, 10**15), st.floats(0, 1e6), st.floats(0, 1e6))
def test_every_performance_line_is_understood(size: int, average: float, instant: float) -> None:
    line = f"{size:12d} bytes  {average:10.2f} MB/sec avg  {instant:10.2f} MB/sec inst\r"
    reader = Reader("sshftp://h/u", {"": size}, 1)
    reader.feed(b"Source: sshftp://h/\nDest:   sshftp://i/\n  u\n")
    moved = reader.feed(line.encode())
    assert moved is not None
    assert moved.bytes == size
    assert moved.is_moving == (float(f"{instant:.2f}") > 0)


@pytest.mark.parametrize(
    ("name", "cause", "retryable"),
    [
        ("bad-login.log", "the login of sshd@10.10.0.12 was refused: its sshd must read ~/.ssh/authorized_keys2", False),
        ("bad-port.log", "nothing listens on control port 30009 of 10.10.0.12", True),
        ("bad-host.log", "control port 30001 of 10.10.0.99 is not reached: No route to host", True),
        ("bad-name.log", "the source's container cannot look up the name nowhere.example.net", True),
        ("bad-hostkey.log", "the host key on the control port is not the one in the service's container", False),
        ("bad-missing.log", "/data/nope: no such file or folder", False),
        ("bad-permission.log", "/etc/s2: Permission denied", False),
        ("bad-folder.log", "/data/tree: Is a directory", False),
        ("bad-full.log", "the disk at the destination is full", False),
        ("bad-killed-destination.log", "a connection broke off: Connection reset by peer", True),
        ("bad-killed-source.log", "a connection ended: the server was killed", True),
        ("bad-stalled.log", "stalled: no data moved", True),
        ("bad-noserver.log", "the image has no GridFTP server program", False),
        ("guc-err-auth.stderr", "a connection ended", True),
        ("guc-err-port.stderr", "a connection ended", True),
        ("guc-err-nofile.stderr", "/data/nope: no such file or folder", False),
        ("guc-err-perm.stderr", "/etc/nope: Permission denied", False),
    ],
)
def test_a_failed_run_is_explained(name: str, cause: str, retryable: bool) -> None:
    told = explain(sample(name).decode())
    assert told is not None
    assert told[0].startswith(cause)
    assert told[1] is retryable


@pytest.mark.parametrize(
    "name", ["ok-small.log", "ok-large.log", "ok-tree.log", "ok-tree-concurrent.log", "ok-empty.log", "bad-stopped.log"]
)
def test_a_run_that_says_nothing_wrong_is_not_explained(name: str) -> None:
    assert explain(sample(name).decode()) is None


def test_a_server_that_kills_nothing_but_answers_badly_is_quoted() -> None:
    log = "error: globus_ftp_client: the server responded with an error\n530 Login incorrect. : no such account\n"
    assert explain(log) == ("the server says: 530 Login incorrect. : no such account", True)


def test_a_data_connection_that_fails_names_the_address() -> None:
    log = "500-globus_xio: Unable to connect to 172.17.0.2:40817\n500-globus_xio: System error in connect: Connection refused\n"
    told = explain(log)
    assert told is not None
    assert told[0].startswith("no data connection to 172.17.0.2:40817: Connection refused")


@given(st.text())
def test_a_cause_is_one_short_printable_line(log: str) -> None:
    told = explain(f"error: {log}")
    if told is not None:
        assert told[0].isprintable()
        assert len(told[0]) <= 300
