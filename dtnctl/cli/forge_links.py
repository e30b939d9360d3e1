"""Addresses that a comment links to: the state files at the plan's commit, and the run that keeps the plan's JSON.

Both come from what GitHub Actions and GitLab CI set in every job; DTNCTL_SOURCE_URL and DTNCTL_DETAILS_URL name them anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from dtnctl.errors import UsageError

ADDRESS = re.compile(r"https?://[\w.:\[\]-]+(/[\w./#?=&%{}+~-]*)?")
COMMIT = "{commit}"


def source_address(environment: Mapping[str, str], commit: str, root: Path) -> str:
    """Under which address a forge shows the repository's files at this commit, with a slash at its end; empty if it is not known.

    UsageError if the variable that names it holds no address.
    """
    return source_template(environment, root).replace(COMMIT, commit) if commit else ""


def source_template(environment: Mapping[str, str], root: Path) -> str:
    """The same with `{commit}` in it where that is not known yet."""
    template = _asked(environment, "DTNCTL_SOURCE_URL") or _of_forge(environment)
    return f"{template.rstrip('/')}/{folder_below_top(root)}" if template else ""


def _of_forge(environment: Mapping[str, str]) -> str:
    if project := environment.get("CI_PROJECT_URL", ""):
        return _sound(f"{project}/-/blob/{COMMIT}")
    server, repository = environment.get("GITHUB_SERVER_URL", ""), environment.get("GITHUB_REPOSITORY", "")
    return _sound(f"{server}/{repository}/blob/{COMMIT}") if server and repository else ""


def details_address(environment: Mapping[str, str]) -> str:
    """Where the files that this CI job keeps are found; empty if it is not known."""
    if asked := _asked(environment, "DTNCTL_DETAILS_URL"):
        return asked
    if job := environment.get("CI_JOB_URL", ""):
        return _sound(f"{job}/artifacts/browse")
    parts = [environment.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    return _sound("{}/{}/actions/runs/{}#artifacts".format(*parts)) if all(parts) else ""


def _asked(environment: Mapping[str, str], name: str) -> str:
    found = environment.get(name, "")
    if found and not _sound(found):
        raise UsageError(f"{name} is no address such as https://forge.example/dtn/state/blob/{COMMIT}")
    return found


def _sound(address: str) -> str:
    """The address, or nothing if it could be anything but one."""
    return address if ADDRESS.fullmatch(address) else ""


def folder_below_top(root: Path) -> str:
    """The folders between the top of the Git repository and ours, with a slash at their end: names in a plan start at ours."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    return "".join(f"{name}/" for name in root.relative_to(top).parts)


def needed(environment: Mapping[str, str], *names: str) -> Mapping[str, str]:
    """The values of these variables, or an error that names every one that is missing."""
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise UsageError(f"not set: {', '.join(missing)}")
    return {name: environment[name] for name in names}
