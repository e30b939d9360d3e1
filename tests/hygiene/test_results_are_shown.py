"""A run that is cut off shows what it found, also when its fixtures fail as they end."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

CLONE = Path(__file__).parents[2]
CUT_OFF = """
import pytest

@pytest.fixture(scope="module")
def place():
    yield
    raise RuntimeError("the place could not be left")

def test_first(place):
    assert place, "the first one fails"

def test_second(place):
    pass
"""


def test_a_fixture_that_fails_when_a_run_is_cut_off_hides_no_result(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    shutil.copy(CLONE / "tests" / "conftest.py", tmp_path / "tests")
    shutil.copy(CLONE / "pyproject.toml", tmp_path)
    (tmp_path / "tests" / "test_cut_off.py").write_text(CUT_OFF)
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider"]
    ran = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=False)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "AssertionError: the first one fails" in ran.stdout
    assert "RuntimeError: the place could not be left" in ran.stdout
    assert "1 failed" in ran.stdout.rstrip().splitlines()[-1]
