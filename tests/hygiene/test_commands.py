"""The commands that people type, and the one that CI runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]


def test_make_alone_lists_every_target_and_says_what_it_does() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CLONE / "Makefile").read_text(), re.MULTILINE))
    shown = subprocess.run(["make", "-C", CLONE], text=True, capture_output=True, check=True).stdout
    assert set(re.findall(r"^  make ([a-z-]+) +\S", shown, re.MULTILINE)) == targets


@pytest.mark.parametrize(("failing", "asked"), [("", ["check", "test"]), ("check", ["check"]), ("test", ["check", "test"])])
def test_ci_fails_when_a_check_or_a_test_does(tmp_path: Path, failing: str, asked: list[str]) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(CLONE / ".ci" / "run", tmp_path / ".ci" / "run")
    make = tmp_path / "bin" / "make"
    make.parent.mkdir()
    make.write_text(f'#!/bin/sh\necho "$PWD $*" >> {tmp_path}/asked\ntest "$*" != "{failing}"\n')
    make.chmod(0o755)
    ran = subprocess.run([tmp_path / ".ci" / "run"], env={"PATH": f"{make.parent}:/usr/bin:/bin"}, cwd="/", check=False)
    assert (tmp_path / "asked").read_text().splitlines() == [f"{tmp_path} {target}" for target in asked]
    assert (ran.returncode == 0) == (failing == "")
