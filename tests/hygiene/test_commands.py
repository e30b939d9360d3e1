"""The commands that people type, and the one that CI runs."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

CLONE = Path(__file__).parents[2]
MAKEFILE = (CLONE / "Makefile").read_text()


def test_make_alone_lists_every_target() -> None:
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    shown = subprocess.run(["make", "-C", CLONE], text=True, capture_output=True, check=True).stdout
    assert set(re.findall(r"^  make ([a-z]+) ", shown, re.MULTILINE)) == targets
    assert targets == {"help", "setup", "demo", "test", "check", "bench", "faults", "clean"}


def test_ci_runs_make_test_and_nothing_else() -> None:
    lines = [line for line in (CLONE / ".ci" / "run").read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ["set -eu", 'cd "$(dirname "$0")/.."', "make test"]


def test_everything_that_needs_no_run_to_judge_is_in_order() -> None:
    """Format, lint, types, import contracts, shell scripts, workflows: the same as `make check`."""
    environment = {**os.environ, "PATH": f"{CLONE / '.venv' / 'bin'}:{os.environ['PATH']}"}
    ran = subprocess.run([CLONE / "hack" / "check"], env=environment, text=True, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
