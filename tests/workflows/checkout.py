"""A job's clone of a repository with a site, and the repository where its forge would have it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from dtnctl.ci import program

FOLDER = Path(program.__file__).parent
STEP = (sys.executable, "-m", "dtnctl.ci.program")


class Checkout:
    """A clone with the scripts and a site, as a job has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", folder], check=True)
        self.write("state/site.yaml", "name: scinet\n")

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        given = {"PATH": os.environ["PATH"], "HOME": str(self.home), "PYTHONPATH": str(FOLDER.parents[1])}
        files = {"GITHUB_ENV": str(self.folder / "environment"), "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md")}
        return given | files | dict(more)

    def step(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A step of a job."""
        return self.run(*STEP, *words, **environment)

    def commit(self) -> str:
        """All that is there; the id of state/."""
        git = ("git", "-c", "user.name=alice", "-c", "user.email=alice@localhost")
        for words in (["add", "state"], ["commit", "--quiet", "--message=a state"]):
            assert self.run(*git, *words).returncode == 0
        return self.run("git", "rev-parse", "HEAD:state").stdout.strip()

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        given = self.environment(environment)
        return subprocess.run(command, cwd=self.folder, env=given, text=True, capture_output=True, stdin=subprocess.DEVNULL, check=False)


def keep_plan(checkout: Checkout, forge: dict[str, str], text: str, tree: str) -> subprocess.CompletedProcess[str]:
    checkout.write("build/ci/plan.json", text)
    checkout.write("build/ci/plan.tree", f"{tree}\n")
    return checkout.step("record", "build/ci", **forge)
