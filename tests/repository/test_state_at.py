"""The state of a commit is read from Git's objects: no checkout, and the work tree does not count."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtnctl.errors import ConfigError, UsageError
from dtnctl.repository.source_file import MAX_BYTES
from dtnctl.repository.state_at import descendants, files_at, read_commit, site_at
from dtnctl.repository.state_changes import state_changes
from tests.repository.branching import git, make_main


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_main(tmp_path / "site")


def commit(root: Path, message: str = "more") -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)
    return str(git(root, "rev-parse", "HEAD")).strip()


def test_a_commit_is_found_by_what_people_call_it(root: Path) -> None:
    first = read_commit(root, "HEAD")
    assert first == read_commit(root, first.id[:8]) == read_commit(root, "main")
    (root / "state/sessions/late.yaml").write_text("endpoints: [a]\nimage: dtn:1\n")
    second = commit(root, "a late one")
    found = read_commit(root, second)
    assert (found.id, found.parent, found.subject) == (second, first.id, "a late one")
    assert descendants(root, first.id) == {second}
    assert descendants(root, second) == frozenset()
    for wrong in ("nothing", "", "--all", "HEAD:state"):
        with pytest.raises(UsageError, match="there is no commit"):
            read_commit(root, wrong)


def test_the_state_is_that_of_the_commit_whatever_the_work_tree_has(root: Path) -> None:
    first = read_commit(root, "HEAD").id
    (root / "state/sessions/late.yaml").write_text("endpoints: [a]\nimage: dtn:1\n")
    site = site_at(root, "state", first)
    assert site is not None
    assert "late" not in site.sessions
    assert site_at(root, "elsewhere", first) is None
    second = commit(root)
    later = site_at(root, "state", second)
    assert later is not None
    assert later.sessions["late"].file == "state/sessions/late.yaml"
    assert files_at(root, "state", second)["sessions/late.yaml"] == b"endpoints: [a]\nimage: dtn:1\n"


def test_of_a_file_that_is_too_large_no_more_is_read_than_shows_it(root: Path) -> None:
    large = root / "state/sessions/large.yaml"
    large.write_bytes(b"#" * (3 * MAX_BYTES))
    found = commit(root)
    assert len(files_at(root, "state", found)["sessions/large.yaml"]) == MAX_BYTES + 1
    with pytest.raises(ConfigError, match="too large"):
        site_at(root, "state", found)
    large.write_text("endpoints: [a]\nimage: dtn:1\n")
    assert state_changes(root, "state", found).lines == ("state/sessions/large.yaml: changed",)


def test_mistakes_of_a_commit_are_named_with_it(root: Path) -> None:
    (root / "state/sessions/late.yaml").write_text("endpoints: [a]\nimage: dtn:1\nprofile: missing\n")
    broken = commit(root)
    with pytest.raises(ConfigError) as error:
        site_at(root, "state", broken)
    assert error.value.problems[0].file == f"{broken[:7]}:state/sessions/late.yaml"


def test_a_content_that_git_does_not_have_is_an_error(root: Path) -> None:
    head = read_commit(root, "HEAD").id
    name = str(git(root, "rev-parse", "HEAD:state/site.yaml")).strip()
    (root / ".git/objects" / name[:2] / name[2:]).unlink()
    with pytest.raises(UsageError, match=r"Git does not have state/site.yaml of"):
        files_at(root, "state", head)


def test_the_state_may_be_below_the_top_of_the_repository(root: Path) -> None:
    (root / "deep").mkdir()
    git(root, "mv", "state", "deep/state")
    moved = commit(root)
    assert "site.yaml" in files_at(root / "deep", "state", moved)
