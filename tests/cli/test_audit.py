"""`dtnctl doctor ssh://HOST` as the shell sees it, against a real sshd: what is printed, written and exited with, and what is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.providers import sshd
from tests.runtime.program import Result, dtnctl

needs_sshd = pytest.mark.skipif(sshd.unavailable() is not None, reason=str(sshd.unavailable()))
PATIENT = ("--timeout", "60s")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to run in; `ssh://box` is this machine."""
    (tmp_path / "sshd").mkdir()
    with sshd.running_sshd(tmp_path / "sshd") as server:
        monkeypatch.setenv("PATH", f"{server.bin}:{os.environ['PATH']}")
        yield tmp_path


def doctor(folder: Path, *arguments: str) -> Result:
    return dtnctl(folder, "doctor", *arguments, *PATIENT)


@needs_sshd
def test_host_is_examined_where_there_is_no_repository(host: Path) -> None:
    ran = doctor(host, "ssh://box")
    assert ran.code in (0, 2), ran.err
    assert ran.out.startswith("box: ")
    assert "# state/endpoints/box.yaml\n" in ran.out
    assert "docker: ssh://box\n" in ran.out


@needs_sshd
def test_exit_code_is_2_where_something_is_wrong_and_0_where_nothing_is(host: Path) -> None:
    ran = doctor(host, "ssh://box", "-o", "json")
    (found,) = json.loads(ran.out)["hosts"]
    assert ran.code == (2 if found["summary"]["error"] + found["summary"]["warning"] else 0)
    assert found["summary"]["checked"] > 10


@needs_sshd
def test_every_form_is_printed(host: Path) -> None:
    assert doctor(host, "ssh://box", "-o", "html").out.startswith("<!doctype html>\n")
    assert doctor(host, "ssh://box", "-o", "markdown").out.startswith("# Audit of box\n")
    assert "all items of box" in doctor(host, "ssh://box", "--all-items").out


@needs_sshd
def test_files_are_written_once_and_never_over_those_that_are_there(host: Path) -> None:
    assert dtnctl(host, "init").code == 0
    ran = doctor(host, "ssh://box", "--write")
    assert ran.code in (0, 2), ran.err
    assert "wrote state/endpoints/box.yaml" in ran.err
    assert dtnctl(host, "validate").code == 0
    before = (host / "state/endpoints/box.yaml").read_text()
    again = doctor(host, "ssh://box", "--write")
    assert (again.code, (host / "state/endpoints/box.yaml").read_text()) == (64, before)
    assert "not written, since state/endpoints/box.yaml is there already" in again.err


@needs_sshd
def test_two_hosts_are_told_apart_and_compared(host: Path) -> None:
    document = json.loads(doctor(host, "ssh://box", "ssh://box", "-o", "json").out)
    assert [item["name"] for item in document["hosts"]] == ["box", "box-2"]


def test_name_of_an_endpoint_is_told_where_it_belongs(tmp_path: Path) -> None:
    ran = dtnctl(tmp_path, "doctor", "dtn1")
    assert (ran.code, ran.out) == (64, "")
    assert ran.err.startswith("write ssh://dtn1 for a host; an endpoint that is declared: `dtnctl endpoints doctor dtn1`\n")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ssh://", "there is no host in it"),
        ("ssh://h/run/x.sock", "no path behind it"),
        ("ssh://u:p@h", "a password is never written there"),
    ],
)
def test_address_that_is_none_is_refused_before_anything_is_asked(tmp_path: Path, address: str, said: str) -> None:
    ran = dtnctl(tmp_path, "doctor", address)
    assert (ran.code, ran.out) == (64, "")
    assert said in ran.err


@needs_sshd
def test_silent_host_is_one_error_also_as_json(host: Path) -> None:
    ran = dtnctl(host, "doctor", "ssh://127.0.0.1:1", "-o", "json")
    assert (ran.code, json.loads(ran.out)["kind"]) == (7, "error")
    assert "no process listens for ssh on 127.0.0.1" in ran.err
