"""The state folder of a site and the dtnctl program in it: what scenarios on endpoints that are not the lab's share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.playground import Ran

PROGRAM = [sys.executable, "-m", "dtnctl"]


class SiteFolder:
    """Write state, run dtnctl with this environment, each command for at most so many seconds."""

    def __init__(self, root: Path, environment: Mapping[str, str], seconds: float) -> None:
        self.root = root
        self.environment = dict(environment)
        self.seconds = seconds

    def write(self, path: str, value: Mapping[str, Any]) -> None:
        """Write one state file, such as sessions/a."""
        file = self.root / "state" / f"{path}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(dict(value), sort_keys=False))

    def remove(self, path: str) -> None:
        (self.root / "state" / f"{path}.yaml").unlink()

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start dtnctl in the site's folder."""
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=self.root,
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str, seconds: float = 0.0) -> Ran:
        """Run dtnctl to its end; 0 seconds: as long as every command may take."""
        allowed = seconds or self.seconds
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=allowed)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"dtnctl {arguments[0]} was not done after {allowed:.0f} s\n{out}\n{err}") from None
        return Ran(process.returncode, out, err)

    def apply(self, *arguments: str) -> Ran:
        return self.run("apply", "--yes", *arguments)

    def plan(self, *arguments: str) -> Ran:
        return self.run("plan", *arguments)

    def converge(self, *arguments: str) -> Ran:
        """Apply, and see that nothing is left to do."""
        ran = self.apply(*arguments).expect(0)
        self.assert_nothing_to_do()
        return ran

    def assert_nothing_to_do(self) -> None:
        ran = self.plan("--detailed-exitcode")
        assert ran.code == 0, f"the plan is not empty:\n{ran.out}\n{ran.err}"
        assert "No changes" in ran.out
