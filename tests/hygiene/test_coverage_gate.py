"""The coverage gate on a small project of its own, run as CI runs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]
DECISION = """
def sign(number):
    if number < 0:
        return "-"
    return "+"
"""
BOTH_WAYS = "from dtnctl.model.sign import sign\n\ndef test_both():\n    assert sign(-1) == '-'\n    assert sign(1) == '+'\n"
ONE_WAY = "from dtnctl.model.sign import sign\n\ndef test_one():\n    assert sign(1) == '+'\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one decision, and the gate."""
    for room in ("dtnctl", "dtnctl/model", "dtnctl/planning"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    (tmp_path / "dtnctl" / "model" / "sign.py").write_text(DECISION)
    (tmp_path / "tests" / "model").mkdir(parents=True)
    shutil.copy(CLONE / "tests" / "coverage_gate.py", tmp_path / "tests")
    shutil.copy(CLONE / "pyproject.toml", tmp_path)
    return tmp_path


def run_gate(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "tests.coverage_gate", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=project, text=True, capture_output=True, check=False)


@pytest.mark.parametrize("processes", [(), ("-n", "2", "--dist", "loadfile")], ids=["one process", "two workers"])
def test_run_passes_when_every_branch_ran(project: Path, processes: tuple[str, ...]) -> None:
    first, second = BOTH_WAYS.split("    assert sign(1)")
    (project / "tests" / "model" / "test_sign.py").write_text(first)
    (project / "tests" / "model" / "test_other.py").write_text(ONE_WAY)
    assert second
    ran = run_gate(project, "--coverage-gate", *processes)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "coverage of dtnctl/model, dtnctl/planning: 100.00 %, passed" in ran.stdout


def test_run_fails_and_names_the_line_when_a_branch_did_not_run(project: Path) -> None:
    (project / "tests" / "model" / "test_sign.py").write_text(ONE_WAY)
    ran = run_gate(project, "--coverage-gate")
    assert ran.returncode == 1
    assert "FAILED: every line and branch is asked for" in ran.stdout
    (line,) = [line for line in ran.stdout.splitlines() if line.startswith("dtnctl")]
    assert line.split()[-1] == "4"


def test_run_fails_when_a_file_was_never_imported(project: Path) -> None:
    (project / "tests" / "model" / "test_sign.py").write_text(BOTH_WAYS)
    (project / "dtnctl" / "planning" / "forgotten.py").write_text("CHOICE = 1\n")
    ran = run_gate(project, "--coverage-gate")
    assert ran.returncode == 1
    assert "forgotten.py" in ran.stdout


def test_what_runs_in_tests_of_other_tiers_does_not_count(project: Path) -> None:
    for tier, text in (("model", ONE_WAY), ("other", BOTH_WAYS)):
        (project / "tests" / tier).mkdir(exist_ok=True)
        (project / "tests" / tier / f"test_{tier}.py").write_text(text)
    ran = run_gate(project, "--coverage-gate")
    assert ran.returncode == 1
    assert "2 passed" in ran.stdout
    assert "FAILED: every line and branch is asked for" in ran.stdout


def test_a_module_is_measured_whoever_imports_it_first_and_calls_of_test_modules_that_are_imported_are_not(project: Path) -> None:
    (project / "tests" / "earlier").mkdir()
    (project / "tests" / "earlier" / "test_earlier.py").write_text(f"{BOTH_WAYS}\ntest_both()\n")
    (project / "tests" / "model" / "test_sign.py").write_text(f"{ONE_WAY}\nassert sign(-1)\n")
    ran = run_gate(project, "--coverage-gate")
    (line,) = [line for line in ran.stdout.splitlines() if line.startswith("dtnctl")]
    assert (ran.returncode, line.split()[-1]) == (1, "4")


def test_a_function_that_keeps_its_results_is_measured_also_when_another_tier_has_called_it(project: Path) -> None:
    module = project / "dtnctl" / "model" / "sign.py"
    module.write_text(f"from functools import cache\n\n@cache{DECISION}")
    for tier in ("earlier", "model"):
        (project / "tests" / tier).mkdir(exist_ok=True)
        (project / "tests" / tier / f"test_{tier}.py").write_text(BOTH_WAYS)
    ran = run_gate(project, "--coverage-gate")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_pytests_closing_line_stays_the_last(project: Path) -> None:
    (project / "tests" / "model" / "test_sign.py").write_text(ONE_WAY)
    ran = run_gate(project, "--coverage-gate")
    assert "1 passed" in ran.stdout.rstrip().splitlines()[-1]


def test_without_its_switch_the_gate_is_silent(project: Path) -> None:
    (project / "tests" / "model" / "test_sign.py").write_text(ONE_WAY)
    ran = run_gate(project)
    assert ran.returncode == 0
    assert "coverage of" not in ran.stdout


def test_run_that_imports_nothing_fails(project: Path) -> None:
    (project / "tests" / "model" / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    for module in project.glob("dtnctl/**/*.py"):
        module.unlink()
    ran = run_gate(project, "--coverage-gate")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "0.00 %, FAILED" in ran.stdout
