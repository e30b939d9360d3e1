"""`python -m bench` as people run it, with the figures that need neither root nor a lab."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CLONE = Path(__file__).parents[2]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=CLONE, text=True, capture_output=True, check=False)


def test_a_figure_is_printed_and_written_with_the_machine_that_it_was_taken_on(tmp_path: Path) -> None:
    out = tmp_path / "not" / "there-yet"
    ran = bench("P5", "--quick", "--rounds", "2", "--out", str(out))
    assert ran.returncode == 0, ran.stderr
    results = json.loads((out / "results.json").read_text())
    assert [list(item) for item in results] == [["name", "ratio", "goal", "met", "spread"]] * 2
    assert all(item["spread"][0] <= item["ratio"] <= item["spread"][1] for item in results)
    facts = json.loads((out / "machine.json").read_text())
    assert facts["cores"] >= 1
    assert facts["quick"] is True
    lines = ran.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["P5", "P5"]
    assert f"{facts['cores']} cores" in lines[0]


def test_unknown_figure_is_refused_and_the_known_ones_are_named() -> None:
    ran = bench("P99")
    assert ran.returncode == 2
    assert "P7" in ran.stderr


def test_the_agents_facts_are_compared_with_the_files_that_they_came_from(tmp_path: Path) -> None:
    ran = bench("P8", "--rounds", "2", "--out", str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    (result,) = json.loads((tmp_path / "results.json").read_text())
    assert result["ratio"] > 0
    assert "files" in ran.stdout.splitlines()[1]
