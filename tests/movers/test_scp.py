"""scp: what it is asked to do, and what its output means. The output is from real runs."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Evidence
from dtnctl.movers.scp import MOVER
from tests.movers.jobs import ACCESS, THERE, failed, file, progress, request


def test_it_has_a_terminal_for_without_one_it_shows_no_progress() -> None:
    command = MOVER.client(request("/data/a b", "/data/new/c d"))
    assert command[4:9] == ("script", "-q", "-e", "-f", "-c")
    assert command[9:] == (
        "scp -F /dtnctl/ssh_config -o HostKeyAlias=destination -i /dtnctl/id_destination -P 30001"
        " -- '/data/a b' 'dtn@10.0.0.2:/data/new/c d'",
        "/dev/null",
    )


def test_of_a_folder_its_content_is_copied() -> None:
    copy = MOVER.client(request("/data/run/", "/data/here/", recursive=True))[9]
    assert copy.startswith("scp -r ")
    assert copy.endswith(" -- /data/run/. dtn@10.0.0.2:/data/here/")


def test_a_rate_is_in_kilobits_as_scp_has_it() -> None:
    assert MOVER.client(request(max_rate=8000))[9].startswith("scp -l 8000 ")


def test_links_cannot_be_omitted() -> None:
    assert MOVER.refusal(request(recursive=True, links="omit"), file(1)).startswith("scp copies what links lead to and cannot omit them")
    assert MOVER.refusal(request(recursive=True, links="follow"), file(1)) == ""


def test_an_ipv6_address_is_in_brackets_for_scp_and_not_for_ssh() -> None:
    command = MOVER.client(request(there=replace(THERE, host="fd00::2")))
    assert command[9].endswith("'dtn@[fd00::2]:/data/out'")
    assert "-- dtn@fd00::2" in command[2]


def test_no_key_or_host_key_of_the_image_is_used() -> None:
    assert {item.path for item in MOVER.client_files(request(), ACCESS)} == {
        "/dtnctl/id_destination", "/dtnctl/ssh_config", "/dtnctl/known_hosts",
    }  # fmt: skip


def _run(tmp_path: Path, copy: str) -> subprocess.CompletedProcess[str]:
    """The script with an ssh that runs its command here, and another program in place of scp."""
    (tmp_path / "ssh").write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift 2\nexec sh -c "$*"\n')
    (tmp_path / "ssh").chmod(0o755)
    command = MOVER.client(request("/x", f"{tmp_path}/new place/it's"))[:4]
    return subprocess.run(
        [*command, "sh", "-c", copy], text=True, capture_output=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=False, timeout=20
    )


def test_folders_above_are_made_first_for_scp_makes_none(tmp_path: Path) -> None:
    assert _run(tmp_path, "echo copied").stdout == "copied\n"
    assert (tmp_path / "new place").is_dir()


def test_after_a_failure_the_space_there_is_asked_for(tmp_path: Path) -> None:
    ran = _run(tmp_path, "exit 7")
    assert ran.returncode == 7
    assert "1024-blocks" in ran.stdout


def test_where_no_folder_can_be_made_nothing_is_copied(tmp_path: Path) -> None:
    (tmp_path / "new place").write_text("a file")
    ran = _run(tmp_path, "echo copied")
    assert ran.returncode != 0
    assert "copied" not in ran.stdout


@pytest.mark.parametrize("piece", [7, 4096])
def test_progress_of_a_file_is_in_powers_of_1024(piece: int) -> None:
    found = progress(MOVER, "scp-file.tty", piece)
    assert found[-1].bytes == 2048 * 1024**2
    assert [moved.bytes for moved in found] == sorted(moved.bytes for moved in found)
    assert any(moved.rate and moved.rate > 200 * 1024**2 for moved in found)


def test_files_of_a_folder_add_up() -> None:
    assert progress(MOVER, "scp-tree.tty", 64)[-1].bytes == 12


def test_a_file_that_stalls_does_not_move() -> None:
    reader = MOVER.reader(request(), {})
    line = b"long     42%   12MB   0.0KB/s - stalled -\r"
    first, second = reader.feed(line), reader.feed(line)
    assert first is not None
    assert second is not None
    assert (first.is_moving, second.is_moving) == (True, False)
    assert reader.feed(b"no progress\n") is None


@pytest.mark.parametrize(
    ("log", "cause", "retryable"),
    [
        ("scp-permission.log", "/etc/passwd: permission denied", False),
        ("scp-folder.log", "/nope: permission denied", False),
        ("scp-killed.log", "the connection ended: the service was killed", True),
        ("dtn@10.0.0.2: Permission denied (publickey).\r\n", "the login of dtn@10.0.0.2 was refused", False),
        ("subsystem request failed on channel 0\n", "the sshd at the destination has no subsystem sftp", False),
        ("scp: odd words\n", "scp says: odd words", True),
        ("", "scp failed and does not say why", True),
    ],
)
def test_a_failure_is_named(log: str, cause: str, retryable: bool) -> None:
    judged = failed(MOVER, log)
    assert judged.cause.startswith(cause)
    assert judged.retryable is retryable


def test_a_full_disk_is_known_by_its_free_space_for_sftp_has_no_reason() -> None:
    judged = failed(MOVER, "scp-full.log")
    assert (judged.cause.split(" (")[0], judged.retryable) == ("the disk at the destination is full", False)


def test_a_failure_with_space_for_all_is_not_called_a_full_disk() -> None:
    log = 'scp: write remote "/x": Failure\nFilesystem 1024-blocks Used Available Capacity Mounted on\nsmall 16384 0 16384 0% /small\n'
    judged = failed(MOVER, log, size=100)
    assert judged.cause.startswith("/x could not be written; SFTP has no reason")
    assert judged.retryable


def test_a_file_of_full_size_on_a_full_disk_is_a_failure() -> None:
    """Seen: requests overtake each other, and the holes between them take no space."""
    evidence = Evidence(1, 'scp: write remote "/x": Failure', before=file(100), source=file(100), destination=file(100))
    assert MOVER.judge(evidence, TransferOptions(verify="size")).verdict == "failed"


def test_a_copy_that_was_stopped_and_one_that_ended_well_are_judged_like_any() -> None:
    assert MOVER.judge(Evidence(143, "", before=file(1)), TransferOptions()).cause.startswith("somebody or something stopped")
    well = Evidence(0, "", before=file(1), source=file(1), destination=file(1))
    assert MOVER.judge(well, TransferOptions(verify="size")).verdict == "succeeded"
