"""Where a comment's links lead, from what a CI system sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtnctl.cli.forge_links import details_address, source_address
from dtnctl.errors import UsageError

COMMIT = "4f2c1e9" + "0" * 33
GITHUB = {"GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "dtn/state", "GITHUB_RUN_ID": "77"}
GITLAB = {"CI_PROJECT_URL": "https://gitlab.example/dtn/state", "CI_JOB_URL": "https://gitlab.example/dtn/state/-/jobs/9"}


def test_github_shows_files_of_a_commit_below_blob(tmp_path: Path) -> None:
    assert source_address(GITHUB, COMMIT, tmp_path) == f"https://github.example/dtn/state/blob/{COMMIT}/"
    assert details_address(GITHUB) == "https://github.example/dtn/state/actions/runs/77#artifacts"


def test_gitlab_has_a_dash_before_it(tmp_path: Path) -> None:
    assert source_address(GITLAB, COMMIT, tmp_path) == f"https://gitlab.example/dtn/state/-/blob/{COMMIT}/"
    assert details_address(GITLAB) == "https://gitlab.example/dtn/state/-/jobs/9/artifacts/browse"


def test_state_below_the_top_of_its_repository_has_the_folders_between(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    root = tmp_path / "sites" / "lab"
    root.mkdir(parents=True)
    assert source_address(GITHUB, COMMIT, root).endswith(f"/blob/{COMMIT}/sites/lab/")


def test_any_forge_can_be_named(tmp_path: Path) -> None:
    environment = {"DTNCTL_SOURCE_URL": "https://git.example/dtn/src/commit/{commit}", "DTNCTL_DETAILS_URL": "https://ci.example/7"}
    assert source_address(environment | GITHUB, COMMIT, tmp_path) == f"https://git.example/dtn/src/commit/{COMMIT}/"
    assert details_address(environment | GITHUB) == "https://ci.example/7"


def test_without_a_commit_or_a_forge_there_is_no_link(tmp_path: Path) -> None:
    assert source_address(GITHUB, "", tmp_path) == source_address({}, COMMIT, tmp_path) == details_address({}) == ""


@pytest.mark.parametrize("text", ["javascript:alert(1)", "https://a.example/x>y", "https://a.example/ b", "git@forge:dtn"])
def test_what_is_no_address_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="DTNCTL_SOURCE_URL is no address"):
        source_address({"DTNCTL_SOURCE_URL": text}, COMMIT, tmp_path)
    with pytest.raises(UsageError, match="DTNCTL_DETAILS_URL is no address"):
        details_address({"DTNCTL_DETAILS_URL": text})


def test_a_forge_with_a_strange_name_gets_no_link(tmp_path: Path) -> None:
    assert source_address({"CI_PROJECT_URL": "https://gitlab.example/a b"}, COMMIT, tmp_path) == ""
