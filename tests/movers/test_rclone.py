"""rclone: what it is asked to do, and what its output means. The output is from real runs."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Evidence
from dtnctl.movers.rclone import MOVER
from tests.movers.jobs import ACCESS, THERE, failed, file, progress, request


def test_a_file_of_the_same_size_and_time_is_copied_all_the_same() -> None:
    command = MOVER.client(request("/data/a b", "/data/c"))
    assert command[4:6] == ("rclone", "copyto")
    assert command[-3:] == ("--", "/data/a b", "there:/data/c")
    assert {"--ignore-times", "--ignore-checksum", "--use-json-log"} <= {*command}


def test_what_failed_is_not_tried_again_by_rclone_itself() -> None:
    command = MOVER.client(request())
    assert command[command.index("--retries") + 1] == "1"


def test_of_a_folder_empty_ones_are_made_and_several_files_are_copied_at_once() -> None:
    command = MOVER.client(request("/data/run/", "/data/x/", recursive=True, concurrency=6, links="follow"))
    assert command[4:10] == ("rclone", "copy", "--create-empty-src-dirs", "--transfers", "6", "--copy-links")


def test_a_rate_is_that_of_all_files_together_in_bytes() -> None:
    command = MOVER.client(request(max_rate=8000))
    assert command[command.index("--bwlimit") + 1] == "1000000B"


def _config(host: str) -> str:
    files = {item.path: item.content.decode() for item in MOVER.client_files(request(there=replace(THERE, host=host)), ACCESS)}
    return files["/dtnctl/rclone.conf"]


def test_it_logs_in_with_the_key_of_this_attempt_alone() -> None:
    lines = _config("10.0.0.2").splitlines()
    assert {"host = 10.0.0.2", "port = 30001", "user = dtn", "key_file = /dtnctl/id_destination"} <= {*lines}
    assert {"known_hosts_file = /dtnctl/host_keys", "disable_hashcheck = true"} <= {*lines}


def test_an_ipv6_address_is_put_in_brackets() -> None:
    assert "host = [fd00::2]\n" in _config("fd00::2")


def test_rclone_gets_every_host_key_for_it_calls_a_kind_that_is_missing_a_mismatch(tmp_path: Path) -> None:
    """Seen with 1.60.1: it takes ecdsa before ed25519, whatever known_hosts has. An ssh that knows one key reads the others."""
    (tmp_path / "ssh").write_text("#!/bin/sh\necho ecdsa-sha2-nistp256 AAAA; echo ssh-ed25519 BBBB a comment\n")
    (tmp_path / "ssh").chmod(0o755)
    start = replace(request(), folder=str(tmp_path))
    command = [*MOVER.client(start)[:4], "sh", "-c", "exit 0"]
    subprocess.run(command, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True, timeout=20)
    keys = (tmp_path / "host_keys").read_text()
    assert keys == "[10.0.0.2]:30001 ecdsa-sha2-nistp256 AAAA\n[10.0.0.2]:30001 ssh-ed25519 BBBB\n"


@pytest.mark.parametrize("piece", [11, 100_000])
def test_progress_is_that_of_all_files_together(piece: int) -> None:
    found = progress(MOVER, "rclone-file.log", piece)
    assert found[-1].bytes == 30_000_000
    assert [moved.bytes for moved in found] == sorted(moved.bytes for moved in found)


def test_lines_without_figures_are_no_progress() -> None:
    reader = MOVER.reader(request(), {})
    assert reader.feed(b'not json\n{"level":"error"}\n{"stats":{"bytes":null,"speed":1}}\n[]\n') is None
    line = b'{"stats":{"bytes":5,"speed":0}}\n'
    first, second = reader.feed(line), reader.feed(line)
    assert first is not None
    assert second is not None
    assert (first.rate, first.is_moving, second.is_moving) == (None, True, False)


@pytest.mark.parametrize(
    ("log", "cause", "retryable"),
    [
        ("rclone-permission.log", "permission denied at the destination", False),
        ("rclone-folder.log", "permission denied at the destination", False),
        ("rclone-missing.log", "no such file or folder at the source", False),
        ("rclone-hostkey.log", "the host key on the control port is none of those of the service", False),
        ("rclone-killed.log", "the connection ended: the service was killed", True),
        ("dtn@10.0.0.2: Permission denied (publickey).\n", "the login of dtn@10.0.0.2 was refused", False),
        ("2026/11/29 Failed to copy with 2 errors: last error was: odd words\n", "rclone says: odd words", True),
        ('2026/11/29 Failed to create file system for destination "there:/x": NewFs: odd words\n', "rclone says: odd words", True),
        ("", "rclone failed and does not say why", True),
    ],
)
def test_a_failure_is_named(log: str, cause: str, retryable: bool) -> None:
    judged = failed(MOVER, log)
    assert judged.cause.startswith(cause)
    assert judged.retryable is retryable


def test_a_full_disk_is_known_by_its_free_space_although_rclone_has_removed_the_file() -> None:
    judged = failed(MOVER, "rclone-full.log")
    assert (judged.cause.split(" (")[0], judged.retryable) == ("the disk at the destination is full", False)


def test_a_copy_that_was_stopped_and_one_that_ended_well_are_judged_like_any() -> None:
    assert MOVER.judge(Evidence(143, "", before=file(1)), TransferOptions()).cause.startswith("somebody or something stopped")
    well = Evidence(0, "", before=file(1), source=file(1), destination=file(1))
    assert MOVER.judge(well, TransferOptions(verify="size")).verdict == "succeeded"
