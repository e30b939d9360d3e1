"""Writes this project's reusable workflows, its action and GitLab's include from the templates of `dtnctl init --ci`.

usage: .venv/bin/python hack/ci_files.py     tests/workflows/test_files.py fails while a file differs from what this writes
"""

from __future__ import annotations

import re
from pathlib import Path

from dtnctl.ci.files import WORKFLOWS, gitlab_text, indented, workflow_text

CLONE = Path(__file__).parent.parent
INPUTS = {
    "version": ("The dtnctl to install, such as 0.1.0.", True),
    "sha256": ("SHA-256 of its wheel; where empty, the version alone is pinned.", False),
    "wheels": ("Folder or page with its wheels (make dist); where empty, the index that the runner's pip has.", False),
    "program": ("Path of a dtnctl that the runner has; then nothing is installed.", False),
}
SECRET = re.compile(r"secrets\.(\w+)")
ENVIRONMENT = "env:\n" + "".join(f"  DTNCTL_{name.upper()}: ${{{{ inputs.{name} }}}}\n" for name in INPUTS)
GITLAB_VARIABLES = """  DTNCTL_VERSION: "" # what includes this file pins it
  DTNCTL_SHA256: ""
  DTNCTL_IMAGE: python:3.12
"""


def inputs(columns: int, *, typed: bool) -> str:
    """The inputs of a reusable workflow, or of an action, which have no types."""
    lines = []
    for name, (text, required) in INPUTS.items():
        lines += [f"{name}:", f"  description: {text}"] + ["  type: string"] * typed
        lines.append("  required: true" if required else '  default: ""')
    return "".join(f"{' ' * columns}{line}\n" for line in lines)


def reusable(name: str) -> str:
    """A workflow that others call with `uses: …/.github/workflows/NAME.yml@COMMIT` and `secrets: inherit`."""
    used = sorted(set(SECRET.findall(workflow_text(name, "", ""))))
    needed = "    secrets:\n" * bool(used) + "".join(f"      {secret}:\n        required: false\n" for secret in used)
    return workflow_text(name, f"on:\n  workflow_call:\n    inputs:\n{inputs(6, typed=True)}{needed}", ENVIRONMENT)


ACTION = """name: Set dtnctl up
description: Installs a pinned dtnctl from its wheel and puts dtnctl and dtnctl-ci into the PATH of later steps.

inputs:
@inputs@
runs:
  using: composite
  steps:
    - name: Install dtnctl
      shell: bash
      run: |
@install@      env:
@given@"""


def action() -> str:
    """The action that installs dtnctl and puts it into the PATH of later steps."""
    given = "".join(f"        DTNCTL_{name.upper()}: ${{{{ inputs.{name} }}}}\n" for name in INPUTS)
    text = ACTION.replace("@inputs@\n", inputs(2, typed=False) + "\n").replace("@install@", indented(8))
    return text.replace("@given@", given)


def files() -> dict[str, str]:
    """By name in the clone."""
    texts = {f".github/workflows/{name}.yml": reusable(name) for name in WORKFLOWS}
    return texts | {".github/actions/setup/action.yml": action(), ".gitlab/dtnctl.yml": gitlab_text(GITLAB_VARIABLES)}


if __name__ == "__main__":
    for file, text in files().items():
        (CLONE / file).parent.mkdir(parents=True, exist_ok=True)
        (CLONE / file).write_text(text)
