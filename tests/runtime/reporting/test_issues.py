"""`dtnctl report issue` against servers that play GitHub and GitLab: one open issue for each site, whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.http_api import serve
from tests.workflows.github_api import Discussion
from tests.workflows.gitlab_api import GitLab

DRIFT = "<!-- dtnctl:plan site=scinet hash=5d0e -->\n### dtnctl drift · 2 changes\n"
NEWER = DRIFT.replace("5d0e", "77aa").replace("2 changes", "3 changes")


class Report:
    """Runs the program as a job does."""

    def __init__(self, forge: str, folder: Path, **variables: str) -> None:
        self.forge, self.path = forge, folder / "drift.md"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI", "GITLAB_"))}
        self.environment |= variables

    def __call__(self, body: str, *words: str) -> str:
        """What it printed, and how it ended if not well."""
        self.path.write_text(body)
        command = [sys.executable, "-m", "dtnctl", "report", "issue", self.forge, str(self.path), *words]
        ran = subprocess.run(command, env=self.environment, text=True, capture_output=True, check=False)
        return ran.stdout if ran.returncode == 0 else f"{ran.returncode} {ran.stderr}"


@pytest.fixture
def github() -> Iterator[Discussion]:
    with serve(Discussion()) as served:
        yield served


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with serve(GitLab()) as served:
        yield served


@pytest.fixture
def to_github(github: Discussion, tmp_path: Path) -> Report:
    return Report("github", tmp_path, GITHUB_TOKEN=github.token, GITHUB_REPOSITORY="scinet/state", GITHUB_API_URL=github.url)


@pytest.fixture
def to_gitlab(gitlab: GitLab, tmp_path: Path) -> Report:
    return Report("gitlab", tmp_path, GITLAB_TOKEN=gitlab.token, CI_API_V4_URL=f"{gitlab.url}/api/v4", CI_PROJECT_ID="5")


def test_drift_opens_an_issue_that_later_runs_edit_and_its_end_closes(to_github: Report, github: Discussion) -> None:
    assert to_github(DRIFT) == "issue: created https://forge.example/i1\n"
    assert to_github(NEWER) == "issue: edited https://forge.example/i1\n"
    assert to_github(NEWER) == "issue: unchanged https://forge.example/i1\n"
    assert github.open_issues == [f"dtnctl: drift at scinet\n{NEWER.strip()}"]
    assert to_github(NEWER, "--close") == "issue: closed https://forge.example/i1\n"
    assert to_github(NEWER, "--close") == "issue: there is none\n"
    assert to_github(DRIFT) == "issue: created https://forge.example/i2\n"


def test_gitlab_does_the_same(to_gitlab: Report, gitlab: GitLab) -> None:
    assert to_gitlab(DRIFT) == "issue: created https://lab.example/i1\n"
    assert to_gitlab(NEWER) == "issue: edited https://lab.example/i1\n"
    assert to_gitlab(NEWER) == "issue: unchanged https://lab.example/i1\n"
    assert to_gitlab(NEWER, "--close") == "issue: closed https://lab.example/i1\n"
    assert [(issue["title"], issue["state"]) for issue in gitlab.issues] == [("dtnctl: drift at scinet", "closed")]


def test_issues_of_others_and_pull_requests_stay(to_github: Report, github: Discussion) -> None:
    github.add_issue({"title": "drift?", "body": DRIFT}, author="mallory")
    github.add_issue({"title": "a change", "body": DRIFT, "pull_request": {}})
    github.add_issue({"title": "without a text", "body": None})
    github.add_issue({"title": "another site", "body": DRIFT.replace("site=scinet ", "site=scinet-test ")})
    assert to_github(DRIFT, "--close") == "issue: there is none\n"
    assert [item["state"] for item in github.issues] == ["open"] * 4


def test_copies_are_closed_and_the_oldest_is_kept(to_github: Report, github: Discussion) -> None:
    for _ in range(3):
        github.add_issue({"title": "drift", "body": DRIFT})
    assert to_github(NEWER) == "issue: edited https://forge.example/i1\n"
    assert [item["state"] for item in github.issues] == ["open", "closed", "closed"]


def test_issue_is_found_behind_a_hundred_others(to_github: Report, github: Discussion) -> None:
    for number in range(150):
        github.add_issue({"title": f"issue {number}", "body": "another matter"}, author="alice")
    github.add_issue({"title": "drift", "body": DRIFT})
    assert to_github(NEWER) == "issue: edited https://forge.example/i151\n"


def test_what_is_missing_is_named(to_github: Report) -> None:
    assert "64 " in (text := to_github("### dtnctl drift\n"))
    assert "the first line is no marker" in text
    to_github.environment["GITHUB_TOKEN"] = ""
    assert "not set: GITHUB_TOKEN" in to_github(DRIFT)
