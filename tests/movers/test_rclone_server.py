"""rclone with a server of its own at the destination: who may write to it, and what its failures mean."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest

from dtnctl.model.tools import Protocol, RcloneOptions
from dtnctl.movers.base import Entry, Evidence, JobRequest, Listing
from dtnctl.movers.rclone import MOVER
from dtnctl.movers.rclone_server import LARGEST_UPLOAD
from tests.movers.jobs import ACCESS, THERE, file, request

SERVED: list[Protocol] = ["webdav", "s3"]


def asked(protocol: Protocol, source: str = "/data/in", destination: str = "/data/out", **options: object) -> JobRequest:
    return request(source, destination, THERE, own=RcloneOptions(protocol), **options)


def config(start: JobRequest) -> str:
    (content,) = [item.content.decode() for item in MOVER.client_files(start, ACCESS)]
    return content


@pytest.mark.parametrize(("protocol", "target"), [("webdav", "there:it is"), ("s3", "there:tree/it is")])
def test_a_file_goes_into_the_folder_that_is_served_and_nothing_logs_in(protocol: Protocol, target: str) -> None:
    start = asked(protocol, destination="/data/new/it is")
    command = MOVER.client(start)
    assert (command[:2], command[-3:]) == (("rclone", "copyto"), ("--", "/data/in", target))
    assert MOVER.server(start)[-2:] == ("/data/new", "50199")
    assert f"rclone serve {protocol} " in MOVER.server(start)[2]


@pytest.mark.parametrize(("protocol", "target"), [("webdav", "there:"), ("s3", "there:tree/")])
def test_a_folder_goes_into_the_one_that_is_served(protocol: Protocol, target: str) -> None:
    start = asked(protocol, "/data/run/", "/data/x/", recursive=True)
    assert MOVER.client(start)[-1] == target
    assert MOVER.server(start)[-2] == "/data/x"


def test_the_webdav_server_lets_in_who_has_the_attempts_password_and_its_command_line_does_not_have_it() -> None:
    start = asked("webdav")
    (users,) = MOVER.server_files(start, ACCESS)
    digest = base64.b64encode(hashlib.sha1(b"s3cret").digest()).decode()
    assert (users.path, users.content.decode(), users.mode) == ("/dtnctl/htpasswd", f"dtnctl:{{SHA}}{digest}\n", 0o600)
    assert f"headers = Authorization,Basic {base64.b64encode(b'dtnctl:s3cret').decode()}\n" in config(start)
    assert "s3cret" not in " ".join([*MOVER.server(start), *MOVER.client(start)])


def test_the_s3_server_lets_in_who_has_the_attempts_key() -> None:
    start = asked("s3")
    (key,) = MOVER.server_files(start, ACCESS)
    assert (key.path, key.content, key.mode) == ("/dtnctl/key", b'"dtnctl,s3cret"', 0o600)
    assert {"access_key_id = dtnctl", "secret_access_key = s3cret", "endpoint = http://10.1.0.2:50199"} <= {*config(start).splitlines()}
    assert "s3cret" not in " ".join([*MOVER.server(start), *MOVER.client(start)])


def test_an_ipv6_address_is_put_in_brackets() -> None:
    start = asked("webdav")
    for host, url in (("fd00::2", "http://[fd00::2]:50199"), ("", "http://10.0.0.2:50199")):
        assert f"url = {url}\n" in config(replace(start, destination=replace(THERE, data_host=host)))


def test_whether_an_image_has_the_s3_server_is_asked_before_anything_starts() -> None:
    what, command = MOVER.server_needs(asked("s3"))
    assert what.startswith("rclone 1.65 or newer")
    assert "rclone serve s3 --help" in command[-1]
    assert MOVER.server_needs(asked("webdav")) == MOVER.server_needs(request()) == ("", ())


def test_a_file_that_an_s3_server_would_keep_in_memory_is_refused() -> None:
    large = Listing("folder", {"a": Entry(LARGEST_UPLOAD + 1, "1")})
    refusal = MOVER.refusal(asked("s3"), large)
    assert refusal.startswith("/data/in on a has a file of 5368709121 bytes: `protocol: s3` takes up to 5368709120")
    assert MOVER.refusal(asked("s3"), file(LARGEST_UPLOAD)) == MOVER.refusal(asked("webdav"), large) == ""


def test_an_empty_folder_is_refused_by_s3_alone() -> None:
    """Seen with 1.75.2: a marker of a folder becomes an empty file, and without one the folder is not made."""
    folders = {name: Entry(0, "1", is_folder=True) for name in ("", "sub", "sub/hollow")}
    tree = Listing("folder", {**folders, "sub/x": Entry(1, "1")})
    assert MOVER.refusal(asked("s3"), tree).startswith("/data/in on a has the empty folder 'sub/hollow': S3 has no folders")
    assert MOVER.refusal(asked("webdav"), tree) == MOVER.refusal(asked("s3"), Listing("folder", {"": folders[""]})) == ""


def test_by_sftp_there_is_no_server() -> None:
    start = request(own=RcloneOptions())
    assert (MOVER.server(start), MOVER.server_files(start, ACCESS)) == ((), ())
    assert MOVER.client(start) == MOVER.client(request())


@pytest.mark.parametrize("protocol", SERVED)
@pytest.mark.parametrize(
    ("log", "server_log", "cause", "retryable"),
    [
        ("500 Internal Server Error", "write /data/out: no space left on device", "the disk at the destination is full", False),
        ("500 Internal Server Error", "open /data/out: permission denied", "permission denied at the destination", False),
        ("dial tcp 10.1.0.2:50199: connect: connection refused", "", "the rclone server is not reached: its port is closed", True),
        ("dial tcp 10.1.0.2:50199: connect: no route to host", "", "the rclone server is not reached: connect: no route to host", True),
        ("unexpected EOF", "", "the connection ended: the service was killed", True),
    ],
)
def test_a_failure_is_named_by_what_both_sides_say(protocol: Protocol, log: str, server_log: str, cause: str, retryable: bool) -> None:
    evidence = Evidence(1, log, before=file(9), destination=Listing("missing"), server_log=server_log)
    judged = MOVER.judge(evidence, asked(protocol).options)
    assert judged.cause.startswith(cause)
    assert judged.retryable is retryable
