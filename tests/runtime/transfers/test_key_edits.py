"""The script that changes an account's keys, by a real shell in a folder of this machine."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from dtnctl.runtime.transfers.keys import EDIT

OTHERS = b"# a comment\n\nssh-rsa AAAA dtnctl:other/run.g1 a1\nssh-rsa \xff\xfe\x00 end\n"


def edit(home: Path, prefix: str, *lines: str) -> int:
    return subprocess.run(["sh", "-c", EDIT, "keys", str(home), prefix, *lines], check=False, capture_output=True).returncode


def test_lines_of_others_stay_whatever_they_are(tmp_path: Path) -> None:
    keys = tmp_path / ".ssh/authorized_keys2"
    keys.parent.mkdir()
    keys.write_bytes(OTHERS.removesuffix(b"\n"))
    assert edit(tmp_path, "dtnctl:lab/run.g", "K1 dtnctl:lab/run.g1 a1") == 0
    assert edit(tmp_path, "dtnctl:lab/run.g", "K2 dtnctl:lab/run.g1 a2", "K3 dtnctl:lab/run.g1 a2") == 0
    assert edit(tmp_path, "dtnctl:lab/run2.g", "K4 dtnctl:lab/run2.g1 a1") == 0
    assert keys.read_bytes() == OTHERS + b"K2 dtnctl:lab/run.g1 a2\nK3 dtnctl:lab/run.g1 a2\nK4 dtnctl:lab/run2.g1 a1\n"
    assert edit(tmp_path, "dtnctl:lab/run.g") == edit(tmp_path, "dtnctl:lab/run2.g") == 0
    assert keys.read_bytes() == OTHERS
    assert [item.name for item in keys.parent.iterdir()] == ["authorized_keys2"]


def test_the_last_line_leaves_an_empty_file(tmp_path: Path) -> None:
    assert edit(tmp_path, "dtnctl:lab/run.g", "K dtnctl:lab/run.g1 a1") == 0
    keys = tmp_path / ".ssh/authorized_keys2"
    assert stat.S_IMODE(keys.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert edit(tmp_path, "dtnctl:lab/run.g") == 0
    assert keys.read_bytes() == b""


@pytest.mark.parametrize("existing", [None, ".ssh/", ".ssh/authorized_keys2"])
def test_taking_away_what_is_not_there_writes_nothing(tmp_path: Path, existing: str | None) -> None:
    if existing is not None:
        (tmp_path / ".ssh").mkdir()
    keys = tmp_path / ".ssh/authorized_keys2"
    if existing == ".ssh/authorized_keys2":
        keys.write_bytes(OTHERS)
    before = keys.stat() if keys.exists() else None
    assert edit(tmp_path, "dtnctl:lab/run.g") == 0
    assert (keys.stat() if keys.exists() else None) == before
    assert (tmp_path / ".ssh").exists() == (existing is not None)


@pytest.mark.parametrize("lines", [(), ("K dtnctl:lab/run.g1 a1",)])
def test_it_fails_where_it_cannot_see_whether_there_are_keys(tmp_path: Path, lines: tuple[str, ...]) -> None:
    assert edit(tmp_path / "no-home", "dtnctl:lab/run.g", *lines) == 3
    (tmp_path / ".ssh").write_text("a file")
    assert edit(tmp_path, "dtnctl:lab/run.g", *lines) == 3
    (tmp_path / ".ssh").unlink()
    (tmp_path / ".ssh/authorized_keys2").mkdir(parents=True)
    assert edit(tmp_path, "dtnctl:lab/run.g", *lines) == 3
