"""Libraries that are slow to import are imported by the commands that need them, and by no other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.engine import World

CLONE = Path(__file__).parents[2]
SLOW = ("asyncio", "cryptography", "deepdiff", "docker", "git", "httpx2", "lightkube", "prompt_toolkit", "requests", "rich", "ruamel.yaml")
OTHERS = ("dtnctl.model.path_checks", "dtnctl.model.report", "dtnctl.providers.docker.reach.portainer")  # what a plan does not show or ask
PROGRAM = """
import sys
from dtnctl.cli.main import run
try:
    run()
finally:
    print("IMPORTED", *sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize("command", ["--help", "--version", "help", "validate"])
def test_command_that_asks_no_endpoint_imports_no_slow_library(command: str) -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM, command], cwd=CLONE, text=True, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    imported = ran.stderr.rpartition("IMPORTED")[2].split()
    assert [name for name in SLOW if name in imported] == []


def test_help_does_not_read_the_models() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM, "--help"], cwd=CLONE, text=True, capture_output=True, check=False)
    imported = ran.stderr.rpartition("IMPORTED")[2].split()
    assert [name for name in ("pydantic", "yaml", "dtnctl.model.site") if name in imported] == []


def test_no_plugin_of_pydantic_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "plugged.py").write_text("")
    metadata = tmp_path / "plugged-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[pydantic]\nplugged = plugged\n")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, "validate"],
        cwd=CLONE,
        text=True,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert ran.returncode == 0, ran.stderr
    assert "plugged" not in ran.stderr.rpartition("IMPORTED")[2].split()


def test_second_plan_of_the_same_files_imports_neither_sdk_nor_yaml_nor_what_others_show(tmp_path: Path) -> None:
    with World(["dtn1"]) as world:
        state = tmp_path / "state"
        (state / "endpoints").mkdir(parents=True)
        (state / "site.yaml").write_text("name: fast\n")
        (state / "endpoints" / "dtn1.yaml").write_text(f"docker: unix://{world.sockets['dtn1']}\nhost: 192.0.2.1\n")
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
        first, second = (
            subprocess.run(
                [sys.executable, "-c", PROGRAM, "plan"], cwd=tmp_path, env=environment, text=True, capture_output=True, check=False
            )
            for _ in range(2)
        )
    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert "1 of 1 endpoint answered" in first.stdout
    assert first.stdout == second.stdout
    imported = second.stderr.rpartition("IMPORTED")[2].split()
    assert [name for name in (*SLOW, "urllib3", "yaml", "dtn_agent.protocol", *OTHERS) if name in imported] == []


BUILT = """
import contextlib, sys
from dtnctl.cli.main import run
with contextlib.suppress(SystemExit):
    run()
from dtnctl.model.site_settings import SiteSettings
from dtnctl.model.transfer import Transfer
print("BUILT", SiteSettings.__pydantic_complete__, Transfer.__pydantic_complete__, file=sys.stderr)
"""


def test_the_validator_of_a_kind_of_file_is_built_when_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "site.yaml").write_text("name: fast\n")
    ran = subprocess.run([sys.executable, "-c", BUILT, "validate"], cwd=tmp_path, text=True, capture_output=True, check=False)
    assert "BUILT True False" in ran.stderr, ran.stderr
