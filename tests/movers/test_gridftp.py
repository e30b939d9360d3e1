"""GridFTP's command line and files; the job's script is tried with a real shell."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.model.actions import JobEnd
from dtnctl.model.tools import Side
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers import gridftp
from dtnctl.movers.base import Access, Entry, JobRequest, Listing, Login
from dtnctl.movers.gridftp import MOVER
from dtnctl.movers.refusals import refuse_source
from dtnctl.movers.scripts import client_command

HERE = JobEnd("a", "lab.s", "/data/in", "127.0.0.1", 22, "dtn")
THERE = JobEnd("b", "lab.s", "/data/out", "b.example.net", 30001, "dtn")
FILE = Listing("file", {"": Entry(5, "1")})


def test_the_command_has_the_settings() -> None:
    settings = TransferOptions(parallelism=8, block_size=4194304, tcp_buffer=16777216, stall_timeout=60)
    assert gridftp.copy_command(HERE, THERE, settings) == (
        "globus-url-copy", "-vb", "-fast", "-cd", "-p", "8", "-bs", "4194304", "-tcp-bs", "16777216", "-stall-timeout", "90",
        "sshftp://dtn@127.0.0.1:22/data/in", "sshftp://dtn@b.example.net:30001/data/out",
    )  # fmt: skip


def test_a_tree_is_copied_with_several_files_at_once() -> None:
    command = gridftp.copy_command(HERE, THERE, TransferOptions(recursive=True, concurrency=4))
    assert command[4:9] == ("-p", "4", "-r", "-cc", "4")


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        (TransferOptions(sync_level="exists"), ["-sync", "-sync-level", "0"]),
        (TransferOptions(sync_level="size"), ["-sync", "-sync-level", "1"]),
        (TransferOptions(sync_level="mtime", algorithm="sha256"), ["-sync", "-sync-level", "2"]),
        (TransferOptions(sync_level="checksum", algorithm="sha256"), ["-sync", "-sync-level", "3", "-checksum-alg", "SHA256"]),
        (TransferOptions(sync_level="checksum", algorithm="crc32c"), ["-sync", "-sync-level", "3"]),
        (TransferOptions(recursive=True, on_file_error="skip"), ["-r", "-cc", "1", "-c"]),
        (TransferOptions(recursive=True, pipelining=True), ["-r", "-cc", "1", "-pp", "-ppq", "16"]),
        (TransferOptions(restarts=5, backoff=2.5), ["-rst", "-rst-retries", "5", "-rst-interval", "3"]),
        (TransferOptions(restarts=1, backoff=0.0), ["-rst", "-rst-retries", "1", "-rst-interval", "1"]),
    ],
)
def test_what_is_there_already_and_what_fails_is_left_to_globus_url_copy(options: TransferOptions, arguments: list[str]) -> None:
    command = gridftp.copy_command(HERE, THERE, options)
    assert list(command[6 : command.index("-stall-timeout")]) == arguments


FOLDERS = replace(HERE, path="/data/in/"), replace(THERE, path="/data/out/")


@pytest.mark.parametrize("options", [TransferOptions(recursive=True, include=("a",)), TransferOptions(recursive=True, links="omit")])
def test_a_part_of_a_folder_is_given_as_a_list_of_files(options: TransferOptions) -> None:
    command = gridftp.copy_command(*FOLDERS, options)
    assert "-r" not in command
    assert command[-2:] == ("-f", "/root/.globus/files")
    files = {"sub/#1": Entry(1, "1"), "a b": Entry(1, "1"), "sub": Entry(0, "1", is_folder=True)}
    request = JobRequest(*FOLDERS, options, before=Listing("folder", files))
    access = Access({"source": Login(HERE, b"", "ssh-rsa A"), "destination": Login(THERE, b"", "ssh-rsa B")}, "")
    (listed,) = [file.content for file in MOVER.client_files(request, access) if file.path == command[-1]]
    assert listed == (
        b"sshftp://dtn@127.0.0.1:22/data/in/a%20b sshftp://dtn@b.example.net:30001/data/out/a%20b\n"
        b"sshftp://dtn@127.0.0.1:22/data/in/sub/%231 sshftp://dtn@b.example.net:30001/data/out/sub/%231\n"
    )
    whole = replace(request, options=TransferOptions(recursive=True))
    assert gridftp.FILE_LIST not in [file.path for file in MOVER.client_files(whole, access)]


def test_a_list_that_is_empty_or_that_globus_url_copy_would_cut_is_refused() -> None:
    """It reads each URL of a list into 512 bytes, and a line into 1024, without a look at their length."""
    folder = {"": Entry(0, "1", is_folder=True)}
    options = TransferOptions(recursive=True, links="omit")
    empty = MOVER.refusal(JobRequest(*FOLDERS, options), Listing("folder", folder))
    assert empty == "nothing of /data/in/ on a is left to copy after `include`, `exclude` and `links`"
    fits, long = ("x" * (510 - len(gridftp.url(FOLDERS[1])) + more) for more in (0, 1))
    assert MOVER.refusal(JobRequest(*FOLDERS, options), Listing("folder", {**folder, fits: Entry(1, "1")})) == ""
    refused = MOVER.refusal(JobRequest(*FOLDERS, options), Listing("folder", {**folder, long: Entry(1, "1"), f"{long}2": Entry(1, "1")}))
    assert refused == f"/data/in/ on a has {long!r} (and 1 more): its URL is too long for a list of files"
    assert MOVER.refusal(JobRequest(*FOLDERS, replace(options, links="follow")), Listing("folder", {**folder, long: Entry(1, "1")})) == ""


def test_files_that_are_asked_for_early_count_when_so_many_came_after_them() -> None:
    sizes = {f"f{number}": 10 for number in range(40)}
    announced = "".join(f"Pipelining:\n  {gridftp.url(FOLDERS[0])}{name}\n  {gridftp.url(FOLDERS[1])}{name}\n" for name in sizes)
    for options, most in ((TransferOptions(recursive=True, pipelining=True, concurrency=2), 40 - 2 * 17), (TransferOptions(), 39)):
        moved = MOVER.reader(JobRequest(*FOLDERS, options), sizes).feed(announced.encode())
        assert moved is not None
        assert moved.bytes == 10 * most


def test_a_deadline_is_kept_by_the_job_itself() -> None:
    command = client_command(("program", "x"), folder="/f", time_left=12.3, user=None)
    assert command[2:] == ("transfer", "/f", "timeout", "-s", "TERM", "-k", "10", "13", "program", "x")
    assert client_command(("program", "x"), folder="/f", time_left=None, user=None)[2:] == ("transfer", "/f", "program", "x")


@pytest.mark.parametrize(
    ("path", "quoted"),
    [
        ("/data/a b", "/data/a%20b"),
        ("/data/[x]*?", "/data/%5Bx%5D%2A%3F"),
        ("/data/50%", "/data/50%25"),
        ("/data/a#b;c", "/data/a%23b%3Bc"),
        ("/data/dir/", "/data/dir/"),
    ],
)
def test_letters_that_mean_something_in_a_url_or_a_wildcard_are_quoted(path: str, quoted: str) -> None:
    assert gridftp.url(replace(HERE, path=path)) == f"sshftp://dtn@127.0.0.1:22{quoted}"


def test_an_ipv6_address_is_put_in_brackets() -> None:
    assert gridftp.url(replace(HERE, host="fd00::1")) == "sshftp://dtn@[fd00::1]:22/data/in"


def _refusal(path: str = "/data/in", to: str = "/data/out", before: Listing = FILE, *, recursive: bool = False) -> str:
    request = JobRequest(replace(HERE, path=path), replace(THERE, path=to), TransferOptions(recursive=recursive))
    return refuse_source(request, before) or MOVER.refusal(request, before)


TREE = Listing("folder", {"": Entry(0, "1", is_folder=True), "f": Entry(1, "1"), "ü/x\ny": Entry(1, "1")})

QUOTED = Listing("folder", {"": Entry(0, "1", is_folder=True), 'z"': Entry(1, "1"), 'quo"te': Entry(1, "1")})


def test_what_globus_url_copy_can_copy_is_not_refused() -> None:
    assert _refusal('/data/quo"te') == ""
    assert _refusal() == ""
    assert _refusal(before=replace(TREE, entries={"": Entry(0, "1", is_folder=True), "tab\t~ok": Entry(1, "1")}), recursive=True) == ""


@pytest.mark.parametrize(
    ("refusal", "text"),
    [
        (_refusal("/data/../etc/shadow"), "/data/../etc/shadow leads out of its folder; write the path without .."),
        (_refusal(to="/data/.."), "/data/.. leads out of its folder; write the path without .."),
        (_refusal("/data/ü"), "'/data/ü': GridFTP servers drop every letter beyond printable ASCII from names; rename it"),
        (_refusal(to="/data/a\nb"), r"'/data/a\nb': GridFTP servers drop every letter beyond printable ASCII from names; rename it"),
        (
            _refusal(before=QUOTED, recursive=True),
            "/data/in on a has 'quo\"te' (and 1 more): globus-url-copy fails on a double quote in the names of a folder; rename it",
        ),
        (_refusal(before=Listing("unknown", problem="stat: denied")), "/data/in cannot be looked at on a: stat: denied"),
        (_refusal(before=Listing("missing")), "/data/in does not exist on a, or dtn may not look there"),
        (_refusal(before=Listing("other")), "/data/in on a is neither file nor folder"),
        (
            _refusal(before=TREE),
            "/data/in on a is a folder, and this transfer copies a file; to copy the folder, end both paths in / and add `recursive: true`",
        ),
        (
            _refusal(recursive=True),
            "/data/in on a is a file, and this transfer copies a folder; "
            "to copy the file, remove `recursive: true` and the / at the path's end",
        ),
        (
            _refusal(before=TREE, recursive=True),
            r"/data/in on a has 'ü/x\ny': "
            "GridFTP servers drop every letter beyond printable ASCII from names; rename it",
        ),
    ],
)
def test_what_it_cannot_copy_is_refused_with_a_reason(refusal: str, text: str) -> None:
    assert refusal == text


def test_the_job_trusts_each_end_only_by_its_own_host_key_and_logs_in_there_by_its_own_key() -> None:
    logins = Access({"source": Login(HERE, b"PRIVATE1", "ssh-ed25519 A"), "destination": Login(THERE, b"PRIVATE2", "ssh-rsa B")}, "SECRET")
    files = {file.path: file for file in MOVER.client_files(JobRequest(HERE, THERE, TransferOptions()), logins)}
    assert files["/root/dtnctl/known_hosts"].content == b"source ssh-ed25519 A\ndestination ssh-rsa B\n"
    assert (files["/root/dtnctl/id_source"].content, files["/root/dtnctl/id_source"].mode) == (b"PRIVATE1", 0o600)
    assert (files["/root/dtnctl/id_destination"].content, files["/root/dtnctl/id_destination"].mode) == (b"PRIVATE2", 0o600)
    config = files["/root/dtnctl/ssh_config"].content.decode()
    for line in ("StrictHostKeyChecking yes", "GlobalKnownHostsFile /dev/null", "IdentitiesOnly yes", "BatchMode yes"):
        assert line in config
    assert "PRIVATE" not in repr(files.values()) + repr(logins)
    assert "SECRET" not in repr(logins)


def wrapped(tmp_path: Path, ends: tuple[JobEnd, JobEnd], *arguments: str) -> tuple[int, list[str]]:
    """Exit code of the ssh wrapper in a real shell, and the arguments that it gave to ssh."""
    sides: tuple[Side, Side] = ("source", "destination")
    access = Access({side: Login(end, b"", "ssh-ed25519 A") for side, end in zip(sides, ends, strict=True)}, "")
    files = MOVER.client_files(JobRequest(*ends, TransferOptions()), access)
    script = next(file.content.decode() for file in files if file.path.endswith("gridftp-ssh")).replace("/root", str(tmp_path))
    (tmp_path / ".globus").mkdir(exist_ok=True)
    (tmp_path / "ssh").write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >{tmp_path}/arguments\n")
    (tmp_path / "ssh").chmod(0o755)
    ran = subprocess.run(["/bin/sh", "-c", script, "wrapper", *arguments], env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False)
    given = tmp_path / "arguments"
    return ran.returncode, given.read_text().splitlines() if given.exists() else []


@pytest.mark.parametrize(
    ("host", "asked"), [("b.example.net", "b.example.net"), ("10.0.0.2", "10.0.0.2"), ("fd00::2", "fd00::2"), ("fd00::2", "[fd00::2]")]
)
def test_ssh_is_asked_for_the_host_key_of_the_very_end(tmp_path: Path, host: str, asked: str) -> None:
    ends = HERE, replace(THERE, host=host)
    for arguments, end in ((("127.0.0.1", "22"), "source"), ((asked, "30001"), "destination")):
        code, given = wrapped(tmp_path, ends, "sshftp://…", *arguments, "dtn")
        assert code == 0
        assert given[2:10] == ["-o", f"HostKeyAlias={end}", "-i", f"{tmp_path}/dtnctl/id_{end}", "-p", arguments[1], "-l", "dtn"]
        assert given[10:12] == ["--", arguments[0].strip("[]")]  # ssh knows no brackets


def server_asked(tmp_path: Path, end: JobEnd, *, names: str = "") -> tuple[str, str]:
    """SSH_CONNECTION and GLOBUS_TCP_PORT_RANGE of the server program that the wrapper asks the end's shell for."""
    for program, text in (
        ("getent", f"[ -z '{names}' ] || printf '%s\\n' '{names}'"),
        ("bin/sshftp", 'echo "$SSH_CONNECTION"; echo "$GLOBUS_TCP_PORT_RANGE"'),
    ):
        (tmp_path / program).parent.mkdir(exist_ok=True)
        (tmp_path / program).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / program).chmod(0o755)
    code, given = wrapped(tmp_path, (HERE, end), "sshftp://…", end.host, str(end.port), "dtn")
    assert code == 0
    command = "\n".join(given[12:]).replace(".globus/sshftp", f"{tmp_path}/bin/sshftp")
    ran = subprocess.run(["/bin/sh", "-c", command], env={"SSH_CONNECTION": "as it is"}, capture_output=True, text=True, check=True)
    connection, ports = ran.stdout.splitlines()
    return connection, ports


@pytest.mark.parametrize(
    ("data_host", "names", "offered"),
    [
        ("10.0.0.2", "", "127.0.0.1 1 10.0.0.2 30001"),
        ("fd00::2", "", "127.0.0.1 1 fd00::2 30001"),
        ("b.example.net", "10.0.0.9 STREAM b.example.net", "127.0.0.1 1 10.0.0.9 30001"),
        ("b.example.net", "", "as it is"),
        ("", "", "as it is"),
    ],
)
def test_the_server_at_the_destination_offers_the_address_that_the_source_reaches(
    tmp_path: Path, data_host: str, names: str, offered: str
) -> None:
    """It offers what SSH_CONNECTION names; a name is looked up where the job runs, in the source's network."""
    assert server_asked(tmp_path, replace(THERE, data_host=data_host), names=names) == (offered, "")


def test_the_server_at_the_destination_listens_on_the_declared_data_ports(tmp_path: Path) -> None:
    assert server_asked(tmp_path, replace(THERE, data_host="10.0.0.2", data_ports=(50100, 50103)))[1] == "50100,50103"


@pytest.mark.parametrize(("stderr", "arguments"), [(subprocess.PIPE, "-Z /dev/stderr\n"), (subprocess.DEVNULL, "\n")])
def test_the_server_logs_into_ssh_where_that_is_a_pipe(tmp_path: Path, stderr: int, arguments: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sshftp").write_text('#!/bin/sh\necho "$*"\n')
    (tmp_path / "bin/sshftp").chmod(0o755)
    _, given = wrapped(tmp_path, (HERE, THERE), "sshftp://…", THERE.host, str(THERE.port), "dtn")
    command = "\n".join(given[12:]).replace(".globus/sshftp", f"{tmp_path}/bin/sshftp")
    assert subprocess.run(["/bin/sh", "-c", command], stdout=subprocess.PIPE, stderr=stderr, text=True, check=True).stdout == arguments


def test_the_source_offers_what_it_offers_by_itself(tmp_path: Path) -> None:
    assert "SSH_CONNECTION" not in " ".join(wrapped(tmp_path, (HERE, replace(THERE, data_host="10.0.0.2")), "…", "127.0.0.1", "22", "d")[1])


def test_data_goes_over_ipv6_only_to_an_ipv6_address() -> None:
    for data_host, expected in (("fd00::2", True), ("10.0.0.2", False), ("b.example.net", False), ("", False)):
        assert ("-ipv6" in gridftp.copy_command(HERE, replace(THERE, data_host=data_host), TransferOptions())) == expected


@pytest.mark.parametrize("arguments", [("127.0.0.1", "30001"), ("b.example.net", "22"), ("10.9.9.9", "30001"), ("127.0.0.1", "")])
def test_ssh_is_asked_for_no_other_place(tmp_path: Path, arguments: tuple[str, str]) -> None:
    code, given = wrapped(tmp_path, (HERE, THERE), "sshftp://…", *arguments, "dtn")
    assert (code, given) == (255, [])
    assert "is no end of this transfer" in (tmp_path / ".globus/ssh.log").read_text()


def test_two_ends_at_one_place_are_refused() -> None:
    request = JobRequest(HERE, replace(HERE, path="/data/out"), TransferOptions())
    assert MOVER.refusal(request, FILE) == "both ends are one place, 127.0.0.1:22"
