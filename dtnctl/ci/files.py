"""The CI files of a state repository, as texts: workflows that run the dtnctl which wrote them, `.gitignore` and a short README."""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal

from dtnctl import __version__

Platform = Literal["github", "gitlab"]
FOLDER = Path(__file__).parent / "templates"
WORKFLOWS = ("plan", "claims", "owners", "apply", "drift")
# `on:` of a workflow in a user's own repository
TRIGGERS = {
    "plan": 'on:\n  pull_request:\n    branches: [main]\n    paths: ["state/**"]\n',
    "claims": 'on:\n  pull_request:\n    branches: [main]\n    paths: ["state/**"]\n  merge_group:\n    branches: [main]\n',
    # of any file, since a rule may be about any; a required check that never starts blocks a pull request
    "owners": "on:\n  pull_request:\n    branches: [main]\n  merge_group:\n    branches: [main]\n",
    "apply": 'on:\n  push:\n    branches: [main]\n    paths: ["state/**"]\n  schedule:\n'
    '    - cron: "17 * * * *" # repairs drift, and does what a dropped run left\n  workflow_dispatch:\n',
    "drift": 'on:\n  schedule:\n    - cron: "7 * * * *" # before the run that repairs it\n  workflow_dispatch:\n',
}
ENVIRONMENT = """env:
  DTNCTL_VERSION: "@VERSION@"
  DTNCTL_SHA256: "@SHA256@" # of its wheel; empty: the version alone is pinned
  DTNCTL_WHEELS: ${{ vars.DTNCTL_WHEELS }}
  DTNCTL_PROGRAM: ${{ vars.DTNCTL_PROGRAM }}
"""
GITLAB_VARIABLES = """  DTNCTL_VERSION: "@VERSION@"
  DTNCTL_SHA256: "@SHA256@" # of its wheel; empty: the version alone is pinned
  DTNCTL_IMAGE: python:3.12
"""
# files that a new repository on a forge often has, and what to do where one is there
OPTIONAL = {".gitignore": "; it should have the lines /.secrets/ and /build/", "README.md": ""}
INSTALL_STEP = "      - name: Install dtnctl\n        run: |\n"


def ci_files(platform: Platform, name: str, digest: str = "") -> dict[str, str]:
    """File names and texts for the site of this name. `digest`: SHA-256 of dtnctl's wheel; empty: its version alone is pinned."""
    shared = {".gitignore": _template("site/gitignore"), "README.md": _readme(platform, name)}
    if platform == "gitlab":
        return {".gitlab-ci.yml": pinned(gitlab_text(GITLAB_VARIABLES), digest)} | shared
    texts = {f".github/workflows/{item}.yml": pinned(workflow_text(item, TRIGGERS[item], ENVIRONMENT), digest) for item in WORKFLOWS}
    return texts | shared


def workflow_text(name: str, triggers: str, environment: str) -> str:
    """A workflow with these blocks `on:` and `env:`, each of which ends with a newline."""
    text = _template(f"github/{name}.yml").replace("@on@\n", triggers).replace("@env@\n", environment)
    return text.replace("@install@\n", INSTALL_STEP + indented(10)).replace("@credentials@\n", _template("github/credentials.yml"))


def gitlab_text(variables: str) -> str:
    """The pipeline with these variables, each on a line of its own."""
    return _template("gitlab/dtnctl.yml").replace("@variables@\n", variables).replace("@install@\n", indented(6))


def indented(columns: int) -> str:
    """The script that installs dtnctl, as a block of YAML."""
    return re.sub(r"^(?=.)", " " * columns, _template("install.sh"), flags=re.MULTILINE)


def pinned(text: str, digest: str) -> str:
    """With the version that runs here."""
    return text.replace("@VERSION@", __version__).replace("@SHA256@", digest)


def wheel_digest() -> str:
    """SHA-256 of the wheel that dtnctl was installed from, which pip records for a wheel named by its path or address; else empty."""
    try:
        recorded = json.loads(distribution("dtnctl").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        return ""
    digest = recorded.get("archive_info", {}).get("hash", "").removeprefix("sha256=")
    return digest if re.fullmatch(r"[0-9a-f]{64}", digest) else ""


def _readme(platform: Platform, name: str) -> str:
    request = "pull request" if platform == "github" else "merge request"
    text = _template("site/README.md").replace("@NAME@", name).replace("@REQUEST@", request)
    return text.replace("@SETUP@\n", _template(f"site/{platform}.md"))


def _template(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
