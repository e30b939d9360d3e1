"""Which refs count as open branches, what they are called, and what each would declare when merged; on real repositories."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dtnctl.errors import UsageError
from dtnctl.model.branches import OpenBranch
from dtnctl.repository.branches import Compared, compare, find_base, label_of
from dtnctl.repository.git_objects import GitObjects, GitReadError, run_git
from dtnctl.repository.source_cache import SourceCache
from tests.repository.branching import branch, commit, git, make_main, pinned

BEGIN = 1_780_000_000
DAY = 86_400
NOW = datetime.fromtimestamp(BEGIN + 10 * DAY, UTC)


def compared(root: Path, base: str = "refs/heads/main", *, max_age: float = 90 * DAY, **environment: str) -> Compared:
    return compare(root, "state", base, NOW, max_age, environment, None)


def names(found: Compared) -> list[str]:
    return sorted(item.branch.name for item in found.branches)


def only(found: Compared) -> OpenBranch:
    (item,) = found.branches
    return item


@pytest.mark.parametrize(
    ("ref", "label"),
    [
        ("refs/heads/run14", ("branch run14", 0, False)),
        ("refs/remotes/origin/team/run14", ("branch team/run14", 0, False)),
        ("refs/remotes/origin/HEAD", None),
        ("refs/pull/87/head", ("pull request #87", 87, False)),
        ("refs/pull/87/merge", None),
        ("refs/remotes/origin/pull/87", ("pull request #87", 87, False)),
        ("refs/remotes/origin/pr/87/head", ("pull request #87", 87, False)),
        ("refs/merge-requests/5/head", ("merge request !5", 5, False)),
        ("refs/merge-requests/5/train", ("merge train entry of merge request !5", 5, True)),
        (f"refs/heads/gh-readonly-queue/main/pr-87-{'a' * 40}", ("merge queue entry of pull request #87", 87, True)),
        ("refs/notes/commits", None),
    ],
)
def test_refs_are_called_as_people_call_them(ref: str, label: object) -> None:
    assert label_of(ref) == label


def test_each_open_branch_has_the_base_with_its_own_changes(tmp_path: Path) -> None:
    root = make_main(tmp_path)
    branch(root, "run14", {"sessions/run14.yaml": pinned("10.0.0.64"), "transfers/t.yaml": None}, at=BEGIN + 5)
    branch(root, "old", {"sessions/s.yaml": None}, at=BEGIN + 7)
    (root / "state/sessions/later.yaml").write_text(pinned("10.0.0.70"))
    commit(root, "main goes on")
    found = compared(root)
    declared = {item.branch.name: sorted(item.declared.sessions) for item in found.branches}
    assert declared == {"branch run14": ["later", "run14", "s"], "branch old": ["later"]}
    assert sorted(found.declared.sessions) == ["later", "s"]
    assert found.subject == ""
    assert {item.branch.name: item.branch.since for item in found.branches} == {"branch run14": BEGIN + 5, "branch old": BEGIN + 7}


def test_files_that_branches_share_are_the_same_objects(tmp_path: Path) -> None:
    root = make_main(tmp_path)
    branch(root, "run14", {"sessions/run14.yaml": pinned("10.0.0.64")}, at=BEGIN)
    found = compared(root)
    assert only(found).declared.networks["data"] is found.declared.networks["data"]


def test_the_checkout_is_the_branch_that_is_asked_about_and_what_it_contains_is_no_other(tmp_path: Path) -> None:
    root = make_main(tmp_path)
    branch(root, "lower", {"sessions/a1.yaml": pinned("10.0.0.64")}, at=BEGIN)
    branch(root, "upper", {"sessions/a2.yaml": pinned("10.0.0.65")}, at=BEGIN + 1, start="lower")
    branch(root, "x", {"sessions/x.yaml": pinned("10.0.0.66")}, at=BEGIN + 2)
    git(root, "checkout", "--quiet", "upper")
    found = compared(root)
    assert (found.subject, names(found)) == ("branch upper", ["branch upper", "branch x"])


def test_one_commit_is_one_branch_with_all_its_names(tmp_path: Path) -> None:
    root = make_main(tmp_path)
    tip = branch(root, "run14", {"sessions/run14.yaml": pinned("10.0.0.64")}, at=BEGIN)
    git(root, "update-ref", "refs/pull/87/head", tip)
    git(root, "update-ref", "refs/remotes/origin/run14", tip)
    assert names(compared(root)) == ["pull request #87 (branch run14)"]


def test_of_a_local_and_a_remote_branch_of_one_name_the_remote_one_counts(tmp_path: Path) -> None:
    root = make_main(tmp_path)
    branch(root, "run14", {"sessions/run14.yaml": pinned("10.0.0.64")}, at=BEGIN)
    pushed = branch(root, "there", {"sessions/run14.yaml": pinned("10.0.0.65")}, at=BEGIN)
    git(root, "update-ref", "refs/remotes/origin/run14", pushed)
    git(root, "branch", "--quiet", "-D", "there")
    assert only(compared(root)).branch.commit == pushed


def test_the_merge_that_ci_checks_out_is_the_pull_request(tmp_path: Path) -> None:
    root = make_main(tmp_path)
    tip = branch(root, "run14", {"sessions/run14.yaml": pinned("10.0.0.64")}, at=BEGIN)
    git(root, "update-ref", "refs/remotes/origin/pull/87/head", tip)
    (root / "state/sessions/later.yaml").write_text(pinned("10.0.0.70"))
    commit(root, "main goes on")
    git(root, "checkout", "--quiet", "--detach", "main")
    git(root, "merge", "--quiet", "--no-ff", "--no-edit", "run14")
    found = compared(root, GITHUB_REF="refs/pull/87/merge")
    assert (found.subject, names(found)) == ("pull request #87", ["pull request #87"])
    assert sorted(only(found).declared.sessions) == ["later", "run14", "s"]
    by_gitlab = compared(root, CI_MERGE_REQUEST_IID="5")
    assert by_gitlab.subject == "merge request !5"


def test_an_entry_of_the_merge_queue_has_the_requests_before_it(tmp_path: Path) -> None:
    root = make_main(tmp_path)
    first = branch(root, f"gh-readonly-queue/main/pr-86-{'a' * 40}", {"sessions/a1.yaml": pinned("10.0.0.64")}, at=BEGIN)
    queue = f"gh-readonly-queue/main/pr-87-{first}"
    branch(root, queue, {"sessions/a2.yaml": pinned("10.0.0.64", "b")}, at=BEGIN + 1, start=first)
    git(root, "checkout", "--quiet", queue)
    found = compared(root, GITHUB_REF=f"refs/heads/{queue}")
    assert found.subject == "merge queue entry of pull request #87"
    assert only(found).branch.is_queued
    assert sorted(only(found).declared.sessions) == ["a1", "a2", "s"]


def test_a_detached_commit_is_named_by_a_ref_that_has_it_or_by_its_id(tmp_path: Path) -> None:
    root = make_main(tmp_path)
    tip = branch(root, "run14", {"sessions/run14.yaml": pinned("10.0.0.64")}, at=BEGIN)
    git(root, "checkout", "--quiet", "--detach", "run14")
    assert compared(root).subject == "branch run14"
    git(root, "branch", "--quiet", "-D", "run14")
    assert compared(root).subject == f"HEAD {tip[:7]}"


def test_branches_without_a_commit_for_long_are_left_out_and_counted(tmp_path: Path) -> None:
    root = make_main(tmp_path)
    branch(root, "run14", {"sessions/run14.yaml": pinned("10.0.0.64")}, at=BEGIN)
    found = compared(root, max_age=DAY)
    assert found.branches == ()
    assert found.base.notes == ("1 left out: without a commit for longer than --max-age",)


def test_a_file_that_both_changed_and_one_that_cannot_be_read_are_noted(tmp_path: Path) -> None:
    root = make_main(tmp_path)
    changes = {"sessions/s.yaml": pinned("10.0.0.64"), "sessions/bad.yaml": "endpoints: [", "sessions/Not ok.yaml": "a: 1\n"}
    branch(root, "run14", {**changes, "sessions/README.md": "x", "sessions/list.yaml": "- a\n"}, at=BEGIN)
    (root / "state/sessions/s.yaml").write_text(pinned("10.0.0.70"))
    (root / "state/networks/worse.yaml").write_text("driver: nonsense\n")
    commit(root, "main goes on")
    found = compared(root)
    notes = only(found).branch.notes
    assert notes[0] == "state/sessions/s.yaml was changed in the base, too; this branch's version counts here"
    assert [note.split(": ")[1] for note in notes[1:]] == ["E0118", "E0113", "E0110"] or len(notes) == 4
    assert only(found).declared.broken["sessions"] == {"bad", "Not ok", "list"}
    assert len(found.base.notes) == 1
    assert found.base.notes[0].startswith("in the base, state/networks/worse.yaml:1:")


def test_a_clone_without_history_says_so_and_compares_whole_files(tmp_path: Path) -> None:
    root = make_main(tmp_path / "there")
    branch(root, "run14", {"sessions/run14.yaml": pinned("10.0.0.64")}, at=BEGIN)
    (root / "state/sessions/later.yaml").write_text(pinned("10.0.0.70"))
    commit(root, "main goes on")
    shallow = tmp_path / "shallow"
    command = ["git", "clone", "--quiet", "--depth", "1", "--no-single-branch", f"file://{root}", str(shallow)]
    subprocess.run(command, check=True, capture_output=True)
    found = compared(shallow, "refs/remotes/origin/main")
    assert only(found).branch.notes[-1] == "has no commit in common with the base here: fetch its history (a shallow clone has none)"
    assert "run14" in only(found).declared.sessions


def test_a_branch_that_took_the_base_in_counts_what_it_changed_alone(tmp_path: Path) -> None:
    root = make_main(tmp_path)
    branch(root, "run14", {"sessions/run14.yaml": pinned("10.0.0.64")}, at=BEGIN)
    (root / "state/sessions/later.yaml").write_text(pinned("10.0.0.70"))
    commit(root, "main goes on")
    git(root, "checkout", "--quiet", "run14")
    git(root, "merge", "--quiet", "--no-edit", "main")
    git(root, "checkout", "--quiet", "main")
    (root / "state/sessions/later.yaml").unlink()
    commit(root, "main takes it back")
    assert sorted(only(compared(root)).declared.sessions) == ["run14", "s"]


def test_the_state_may_be_below_the_top_of_the_git_repository(tmp_path: Path) -> None:
    root = tmp_path / "sites" / "lab"
    root.mkdir(parents=True)
    git(tmp_path, "init", "--quiet")
    make_main(root)
    shutil.rmtree(root / ".git")
    commit(tmp_path, "main")
    git(tmp_path, "checkout", "--quiet", "-b", "run14")
    (root / "state/sessions/run14.yaml").write_text(pinned("10.0.0.64"))
    commit(tmp_path, "run14")
    found = compared(root)
    assert sorted(only(found).declared.sessions) == ["run14", "s"]


def test_files_are_read_from_the_cache_of_earlier_runs(tmp_path: Path) -> None:
    root = make_main(tmp_path / "a")
    cache = SourceCache(tmp_path / "cache", "test")
    for _ in range(2):
        found = compare(root, "state", "refs/heads/main", NOW, DAY, {}, cache)
        assert sorted(found.declared.sessions) == ["s"]
    assert list((tmp_path / "cache").iterdir())


def test_the_base_is_what_is_named_what_ci_says_or_the_main_branch(tmp_path: Path) -> None:
    root = make_main(tmp_path)
    assert find_base(root, "", {}) == "refs/heads/main"
    git(root, "branch", "--quiet", "release")
    git(root, "update-ref", "refs/remotes/origin/release", "main")
    assert find_base(root, "release", {}) == "refs/heads/release"
    assert find_base(root, "", {"GITHUB_BASE_REF": "release"}) == "refs/remotes/origin/release"
    assert find_base(root, "", {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "release"}) == "refs/remotes/origin/release"
    commit_id = git(root, "rev-parse", "main")
    assert find_base(root, commit_id, {}) == commit_id
    with pytest.raises(UsageError, match="there is no nothing in this repository"):
        find_base(root, "nothing", {})
    git(root, "branch", "--quiet", "-m", "main", "trunk")
    with pytest.raises(UsageError, match="name it by --base"):
        find_base(root, "", {})


def test_what_git_cannot_read_is_an_error_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="in no Git repository"):
        run_git(tmp_path, "rev-parse", "HEAD")
    root = make_main(tmp_path)
    with pytest.raises(GitReadError, match="git rev-parse: "):
        run_git(root, "rev-parse", "--verify", "nothing")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="git is not installed"):
        run_git(root, "status")


def test_objects_that_are_not_there_are_none(tmp_path: Path) -> None:
    root = make_main(tmp_path)
    with GitObjects(root) as objects:
        assert objects.read("HEAD:nothing") is None
        assert objects.read("HEAD:no\nthing") is None
        assert objects.folder("HEAD:state/site.yaml") == ()
        assert objects.folder("HEAD:nothing") == ()
        found: Any = objects.read("HEAD:state/site.yaml")
        assert found[1:] == ("blob", b"name: lab\nid: a1b2c3d4e5f6\n")
        assert [entry.name for entry in objects.folder("HEAD:state") if entry.is_file] == ["site.yaml"]


def test_a_file_of_gigabytes_in_a_branch_is_not_kept_and_the_next_object_is_read(tmp_path: Path) -> None:
    make_main(tmp_path)
    for name, size in (("zeros", 5_000_000), ("small", 3), ("exact", 10)):
        (tmp_path / name).write_bytes(b"0" * size)
    commit(tmp_path, "large")
    oids = [git(tmp_path, "rev-parse", f"HEAD:{name}") for name in ("zeros", "small", "exact")]
    with GitObjects(tmp_path) as objects:
        assert [objects.read_small(oid, 10) for oid in oids] == [(5_000_000, b"0" * 10), (3, b"000"), (10, b"0" * 10)]
        assert objects.read_small("0" * 40, 10) is None
        assert objects.read(oids[1]) == (oids[1], "blob", b"000")


def test_a_file_that_is_too_large_says_how_large(tmp_path: Path) -> None:
    make_main(tmp_path)
    branch(tmp_path, "large", {"sessions/s9.yaml": "#" * 3_000_000}, at=BEGIN + DAY)
    (item,) = compared(tmp_path).branches
    assert [note for note in item.branch.notes if "3000000 bytes" in note]
