"""xrootd: what its server and its client are asked to do, and what xrdcp's output means. The output is from real runs."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.model.scitags import Scitag
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Entry, Evidence, Listing
from dtnctl.movers.xrootd import MOVER
from tests.movers.jobs import ACCESS, THERE, failed, file, progress, request


def test_xrdcp_has_a_terminal_and_times_of_its_own_for_it_would_wait_for_minutes() -> None:
    command = MOVER.client(request("/data/a b", "/data/new/c d", stall_timeout=20.0))
    assert command[:8] == (
        "env", "XrdSecSSSKT=/dtnctl/sss.keytab", "XrdSecPROTOCOL=sss", "XRD_CONNECTIONWINDOW=10", "XRD_CONNECTIONRETRY=1",
        "XRD_STREAMERRORWINDOW=0", "XRD_REQUESTTIMEOUT=50", "XRD_STREAMTIMEOUT=50",
    )  # fmt: skip
    assert "script -q -e -f -c" in command[10]
    assert command[-3:] == (
        "/data", "10.1.0.2:50199",
        "xrdcp --force --posc --streams 4 '/dtnctl/tree/a b' 'root://10.1.0.2:50199//there/tree/c d'",
    )  # fmt: skip


def test_a_file_that_is_not_whole_is_removed_by_the_server() -> None:
    assert " --posc " in MOVER.client(request())[-1]
    assert b"ofs.persist auto hold 0\n" in _files()["/dtnctl/xrootd.cfg"]


def test_a_folder_has_files_at_once_and_an_ipv6_address_brackets() -> None:
    asked = request("/data/run/", "/data/x/", replace(THERE, data_host="fd00::2"), recursive=True, concurrency=3, parallelism=1)
    command = MOVER.client(asked)
    assert command[-3:] == (
        "/data/run", "[fd00::2]:50199",
        "xrdcp --force --posc --recursive --parallel 3 /dtnctl/tree/ 'root://[fd00::2]:50199//there/'",
    )  # fmt: skip


def _files() -> dict[str, bytes]:
    return {item.path: item.content for item in MOVER.server_files(request(), ACCESS)}


def test_only_who_has_the_key_of_this_attempt_may_write() -> None:
    """Seen with 5.5.3: with a line `sec.protbind * only sss` everyone is let in."""
    config = _files()["/dtnctl/xrootd.cfg"].decode()
    assert "sec.protocol sss -s /dtnctl/sss.keytab -l 600\n" in config
    assert "protbind" not in config
    (keytab,) = MOVER.client_files(request(), ACCESS)
    assert (keytab.content, keytab.mode) == (_files()["/dtnctl/sss.keytab"], 0o600)
    assert b"s3cret" not in keytab.content
    assert MOVER.client_files(request(), replace(ACCESS, secret="other"))[0].content != keytab.content


def test_flows_are_marked_by_a_list_of_experiments_of_the_attempts_own() -> None:
    assert "pmark" not in _files()["/dtnctl/xrootd.cfg"].decode()
    marked = request(scitag=Scitag(16, 3, "fd00::9"))
    files = {item.path: item.content for item in MOVER.server_files(marked, ACCESS)}
    lines = files["/dtnctl/xrootd.cfg"].decode().splitlines()
    assert "xrootd.pmark defsfile /dtnctl/scitags.json domain any ffdest [fd00::9]:10514" in lines
    assert "xrootd.pmark map2exp default transfer map2act transfer default transfer use firefly" in lines
    (experiment,) = json.loads(files["/dtnctl/scitags.json"])["experiments"]
    assert (experiment["expId"], experiment["activities"]) == (16, [{"activityName": "transfer", "activityId": 3}])


def test_only_the_folder_that_is_written_to_is_exported(tmp_path: Path) -> None:
    (tmp_path / "xrootd").write_text("#!/bin/sh\necho $*\n")
    (tmp_path / "xrootd").chmod(0o755)
    asked = replace(request(destination=f"{tmp_path}/new place/x"), folder=str(tmp_path))
    ran = subprocess.run(
        MOVER.server(asked), env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True, capture_output=True, text=True, timeout=20
    )
    assert ran.stdout == f"-p 50199 -c {tmp_path}/xrootd.cfg\n"
    assert (tmp_path / "root/there/tree").readlink() == tmp_path / "new place"
    assert [item.name for item in (tmp_path / "root/there").iterdir()] == ["tree"]


def _copy_tree(tmp_path: Path) -> str:
    """The real script around programs that only say how they were called."""
    for name in ("xrdfs", "script"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$2" "$4"\n')
        (tmp_path / name).chmod(0o755)
    asked = replace(request(f"{tmp_path}/run/", "/data/x/", recursive=True), folder=str(tmp_path))
    command = list(MOVER.client(asked))
    command.insert(1, f"PATH={tmp_path}:/usr/bin:/bin")
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout


def test_empty_folders_are_made_for_xrdcp_makes_none(tmp_path: Path) -> None:
    (tmp_path / "run/sub/hollow one").mkdir(parents=True)
    (tmp_path / "run/file").touch()
    assert _copy_tree(tmp_path) == "xrdfs mkdir -mrwxr-xr-x\nscript -e -c\n"


def test_without_any_file_xrdcp_which_would_fail_is_not_called(tmp_path: Path) -> None:
    (tmp_path / "run/hollow").mkdir(parents=True)
    assert _copy_tree(tmp_path) == "xrdfs mkdir -mrwxr-xr-x\n"


@pytest.mark.parametrize(
    ("source", "destination"),
    [("/data/what?", "/data/x"), ("/data/x", "/data/what?")],
)
def test_a_name_with_a_question_mark_is_refused_for_it_would_be_cut_off(source: str, destination: str) -> None:
    assert MOVER.refusal(request(source, destination), file(1)).startswith("'what?': xrdcp cuts a name off at a question mark")
    assert MOVER.refusal(request("/data/x", "/what?/x"), file(1)) == ""


def test_what_it_cannot_do_with_a_folder_is_refused() -> None:
    tree = Listing("folder", {"": Entry(0, "1", is_folder=True), "sub/why?": Entry(1, "1")})
    assert MOVER.refusal(request("/what?/", recursive=True), tree).startswith("'sub/why?'")
    assert MOVER.refusal(request(recursive=True, links="omit"), file(1)).startswith("xrdcp copies what links lead to")
    assert MOVER.refusal(request(parallelism=16), file(1)).startswith("xrdcp has at most 15 streams")


@pytest.mark.parametrize("piece", [13, 4096])
def test_progress_of_a_file_is_in_powers_of_1024(piece: int) -> None:
    found = progress(MOVER, "xrdcp-file.tty", piece)
    assert found[-1].bytes == 2 * 1024**3
    assert any(moved.rate == 107.8 * 1024**2 for moved in found)


@pytest.mark.parametrize("sample", ["xrdcp-tree.tty", "xrdcp-parallel.tty"])
def test_files_of_a_folder_add_up_one_by_one_or_several_at_once(sample: str) -> None:
    found = progress(MOVER, sample, 50, **{"one": 3_000_000, "sub/two of": 2_000_000, "sub/zero": 0})
    assert 4_990_000 < found[-1].bytes <= 5_000_000
    assert [moved.bytes for moved in found] == sorted(moved.bytes for moved in found)


@pytest.mark.parametrize(
    ("log", "cause", "retryable"),
    [
        ("xrdcp-full.tty", "the disk at the destination is full", False),
        ("xrdcp-permission.tty", "shut/x: permission denied at the destination", False),
        ("xrdcp-auth.tty", "the server did not take the attempt's key", False),
        ("xrdcp-refused.tty", "the xrootd server is not reached", True),
        ("xrdcp: no such file or directory processing /data/nope\n", "/data/nope: no such file or folder at the source", False),
        ("Run: [ERROR] Server responded with an error: [3012] odd words\n", "the xrootd server says: [3012] odd words", False),
        ("Run: [ERROR] odd words\n", "xrdcp says: odd words", True),
        ("", "xrdcp failed and does not say why", True),
    ],
)
def test_a_failure_is_named(log: str, cause: str, retryable: bool) -> None:
    judged = failed(MOVER, log, exit_code=54)
    assert judged.cause.startswith(cause)
    assert judged.retryable is retryable


def test_a_copy_that_ended_well_is_judged_like_any() -> None:
    well = Evidence(0, "", before=file(1), source=file(1), destination=file(1))
    assert MOVER.judge(well, TransferOptions(verify="size")).verdict == "succeeded"
