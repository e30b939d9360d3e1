"""Tests of a new clone are compiled once, whatever the number of workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compiled_first import FEW, compile_tests, uncompiled


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with more than a few files of tests."""
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    (tmp_path / "tests").mkdir()
    for number in range(FEW + 2):
        (tmp_path / "tests" / f"test_{number}.py").write_text(f"def test_number():\n    assert {number} >= 0\n")
    return tmp_path


def test_files_that_were_never_compiled_are_compiled_once(project: Path) -> None:
    assert len(uncompiled(project / "tests")) == FEW + 2
    assert compile_tests(project) == FEW + 2
    assert uncompiled(project / "tests") == []
    assert compile_tests(project) == 0


def test_a_file_that_cannot_be_read_keeps_no_other_from_being_compiled(project: Path) -> None:
    (project / "tests" / "test_broken.py").write_text("def test_broken(:\n")
    compile_tests(project)
    assert uncompiled(project / "tests") == [project / "tests" / "test_broken.py"]


def test_a_few_new_files_are_left_to_the_workers(project: Path) -> None:
    for number in range(2):
        (project / "tests" / f"test_{number}.py").unlink()
    assert compile_tests(project) == 0
    assert len(uncompiled(project / "tests")) == FEW
