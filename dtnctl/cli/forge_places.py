"""The repository at a forge that a CI job may write to, as its environment names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dtnctl.cli.forge_links import needed

if TYPE_CHECKING:
    from dtnctl.runtime.clock import Clock
    from dtnctl.runtime.reporting.calls import Calls

GITHUB_API = "https://api.github.com"
GITHUB_AUTHOR = "github-actions[bot]"


@dataclass(frozen=True, slots=True)
class ForgePlace:
    """`author` is the login that comments have; empty where the token itself says whose it is."""

    calls: Calls
    repository: str
    author: str = ""


def github_place(environment: Mapping[str, str], clock: Clock) -> ForgePlace:
    """The repository by its `owner/name`. UsageError names the variables that are missing."""
    from dtnctl.runtime.reporting.calls import Calls, checked_base
    from dtnctl.runtime.reporting.github import github_headers

    held = needed(environment, "GITHUB_TOKEN", "GITHUB_REPOSITORY")
    base = checked_base(environment.get("GITHUB_API_URL") or GITHUB_API, "GITHUB_API_URL")
    calls = Calls(base, github_headers(held["GITHUB_TOKEN"]), clock)
    return ForgePlace(calls, held["GITHUB_REPOSITORY"], environment.get("COMMENT_AUTHOR") or GITHUB_AUTHOR)


def gitlab_place(environment: Mapping[str, str], clock: Clock) -> ForgePlace:
    """The project by its number. UsageError names the variables that are missing."""
    from dtnctl.runtime.reporting.calls import Calls, checked_base
    from dtnctl.runtime.reporting.gitlab import gitlab_headers

    held = needed(environment, "GITLAB_TOKEN", "CI_API_V4_URL", "CI_PROJECT_ID")
    calls = Calls(checked_base(held["CI_API_V4_URL"], "CI_API_V4_URL"), gitlab_headers(held["GITLAB_TOKEN"]), clock)
    return ForgePlace(calls, held["CI_PROJECT_ID"])
