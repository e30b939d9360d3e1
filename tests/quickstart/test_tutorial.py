"""The tutorial, typed to the letter on a machine that has nothing but a clone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from dtnctl.repository.starter import starter_files
from lab import unavailable
from lab.layout import CLONE
from tests.quickstart.bare_machine import BareMachine

PAGE = (CLONE / "docs/tutorial.md").read_text()
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^```yaml\n# (?P<path>state/\S+).*?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_files_on_the_page_are_those_that_init_writes() -> None:
    shown = {found["path"]: yaml.safe_load(found["text"]) for found in FILE.finditer(PAGE)}
    written = {path: yaml.safe_load(text) for path, text in starter_files("my-site", "a1b2c3d4e5f6").items() if path.endswith(".yaml")}
    del written["state/site.yaml"]
    assert shown == written


@pytest.mark.lab
@pytest.mark.slow
def test_every_command_of_the_tutorial_works_on_a_bare_machine(tmp_path: Path) -> None:
    if reason := unavailable():
        pytest.skip(reason)
    machine = BareMachine(tmp_path)
    commands = re.sub(r"(exec ctl -- bash.*\n)", r"\1set -e\n", "".join(SHELL.findall(PAGE)))  # of that shell, too
    try:
        output = machine.expect(f"cd {machine.clone} && bash", typed=f"set -e\n{commands}echo everything was typed\n")
    finally:
        machine.run(f"cd {machine.clone} && .venv/bin/python -m lab down")
    assert output.endswith("everything was typed\n")
    assert "No changes" in output
    assert "equal at both ends" in output
    assert output.count("succeeded  64.00 MiB") >= 2, "both transfers"
    assert "6 GiB" in output
    assert output.count("VERDICT  No drift.") == 1, "the first drift finds what was changed by hand"
    assert "more memory for the copies" in output
