"""`dtnctl web` as it is typed: what it refuses before it listens, and that it ends by a signal."""

from __future__ import annotations

import re
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.cli.small_site import PROGRAM, environment, run, two_engines, write

SILENT = {"a": "unix:///nowhere/a.sock", "b": "unix:///nowhere/b.sock"}


def test_it_serves_until_a_signal_and_says_where(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        command = [*PROGRAM, "web", "--port", "0", "--interval", "1s"]
        with subprocess.Popen(command, cwd=tmp_path, text=True, stderr=subprocess.PIPE, env=environment()) as process:
            assert process.stderr is not None
            line = process.stderr.readline()
            address = re.match(r"dtnctl: (http://127\.0\.0\.1:\d+/) shows this site, and changes nothing; Ctrl-C ends it\n", line)
            assert address is not None, line
            with urllib.request.urlopen(address[1]) as answer:
                assert "2 of 2 endpoints answered" in answer.read().decode()
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
    assert (process.returncode, rest) == (130, "dtnctl: interrupted (130)\n")


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.1", "::", "host.example.net"])
def test_another_address_than_loopback_needs_a_token(tmp_path: Path, address: str) -> None:
    write(tmp_path, SILENT)
    ran = run(tmp_path, "web", "--listen", address)
    assert ran.returncode == 64
    assert f"whoever reaches {address} could read the pages: --token-file FILE" in ran.stderr


@pytest.mark.parametrize(("content", "words"), [(b"short\n", "at least 16 characters"), (b"", "at least 16"), ("ü" * 20, "no ASCII text")])
def test_a_token_must_be_long_enough_to_be_no_guess(tmp_path: Path, content: bytes | str, words: str) -> None:
    write(tmp_path, SILENT)
    (tmp_path / "token").write_bytes(content if isinstance(content, bytes) else content.encode())
    ran = run(tmp_path, "web", "--token-file", "token")
    assert ran.returncode == 64
    assert words in ran.stderr
    assert run(tmp_path, "web", "--token-file", "none").stderr.startswith("cannot read none: No such file")


def test_files_that_are_wrong_are_said_before_anything_listens(tmp_path: Path) -> None:
    write(tmp_path, SILENT)
    (tmp_path / "state/sessions/s.yaml").write_text("endpoints: [none]\nimage: app:1\nprofile: p\n")
    ran = run(tmp_path, "web", "--port", "0")
    assert ran.returncode == 65
    assert "state/sessions/s.yaml:1" in ran.stderr
