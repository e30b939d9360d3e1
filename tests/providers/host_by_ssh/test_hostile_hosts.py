"""A host that nobody has declared may send anything: each way ends in time, within bounds of memory, with one sentence."""

from __future__ import annotations

import base64
import json
import sys
import zlib
from pathlib import Path

import psutil
import pytest

from dtnctl.errors import DtnctlError, EngineError, UnreachableError
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.providers.host_by_ssh import connection
from dtnctl.providers.host_by_ssh.connection import open_login
from dtnctl.providers.timeouts import Timeouts

SHORT = Timeouts(connect=1.0, login=1.0, read=1.0, closing=0.5)
PATIENT = Timeouts(connect=20.0, login=60.0, closing=0.5)
HELLO = {"python": "3.11.2", "user": 0, "machine": "x86_64", "byte_order": "little"}
READER = """\
import sys
source = sys.stdin.buffer
source.read(int(source.readline()))
mark = source.readline().strip()
for answer in {answers}:
    sys.stdout.buffer.write(mark + b" " + answer + b"\\n")
    sys.stdout.buffer.flush()
    source.readline()
"""


def client(folder: Path, monkeypatch: pytest.MonkeyPatch, program: str, interpreter: str = "/bin/sh") -> None:
    """An ssh client whose host is this program."""
    script = folder / "ssh"
    script.write_text(f"#!{interpreter}\n{program}")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def packed(value: object) -> bytes:
    return base64.b64encode(zlib.compress(json.dumps(value).encode()))


def error_of(timeouts: Timeouts = PATIENT) -> DtnctlError:
    with pytest.raises(DtnctlError) as raised, open_login(parse_engine("ssh://box"), timeouts) as (login, _):
        login.ask([("content", "/proc/version")])
    return raised.value


FLOODS = {
    "one line": "yes | tr -d '\\n'",
    "lines": "exec yes",
    "complaints": "while :; do echo this is a complaint of many words that comes again and again >&2; done",
}


@pytest.mark.parametrize("program", FLOODS.values(), ids=FLOODS)
def test_what_never_ends_is_given_up_by_its_size(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST_SENT", 1 << 20)
    client(tmp_path, monkeypatch, f"{program}\n")
    error = error_of()
    assert isinstance(error, EngineError)
    assert "writes without an end" in str(error)


def test_what_talks_slowly_and_for_ever_is_given_up_by_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client(tmp_path, monkeypatch, "while echo still here; do sleep 0.05; done\n")
    error = error_of(SHORT)
    assert isinstance(error, UnreachableError)
    assert "no answer in time" in str(error)


def test_a_login_that_closes_its_output_and_stays_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client(tmp_path, monkeypatch, f"echo $$ >{tmp_path}/pid\nexec >&- <&-\nexec sleep 600\n")
    error = error_of()
    assert isinstance(error, EngineError)
    assert "went on; it was ended here" in str(error)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


NO_ANSWERS = {
    "not base64": [b"!"],
    "not packed": [base64.b64encode(b"x")],
    "cut": [packed(HELLO)[:-8]],
    "not JSON": [base64.b64encode(zlib.compress(b"{"))],
    "another value": [packed([])],
    "another kind of field": [packed({**HELLO, "user": "root"})],
    "too much of nothing": [base64.b64encode(zlib.compress(bytes(1 << 20)))],
    "nested too deep": [base64.b64encode(zlib.compress(b"[" * 200_000))],
    "too few answers": [packed(HELLO), packed({"answers": [], "denied": []})],
    "no list": [packed(HELLO), packed({"answers": 1, "denied": []})],
}


@pytest.mark.parametrize("answers", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer_of_ours_is_said(answers: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST_UNPACKED", 1 << 19)
    client(tmp_path, monkeypatch, READER.format(answers=answers), sys.executable)
    error = error_of()
    assert isinstance(error, EngineError)
    assert str(error) == "ssh://box: what came back is no answer of our reader"
