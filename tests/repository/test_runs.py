"""The record of runs in Git: kept beside the work tree, bounded, merged with what others write, and never lost."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.model.ledger import Attempt
from dtnctl.model.receipts import REF as RECEIPTS
from dtnctl.model.runs import MOST_RECORDS, REF, RunRecord
from dtnctl.repository.receipts import Receipts
from dtnctl.repository.record_ref import Change, RecordRef
from dtnctl.repository.runs import Runs
from tests.render.histories import FAILED, GOOD, IDLE
from tests.repository.test_receipts import CLAIM, git, repository


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "state")


def clones(tmp_path: Path, *names: str) -> list[Path]:
    git(tmp_path, "clone", "--quiet", "--bare", str(repository(tmp_path / "first")), "bare.git")
    for name in names:
        git(tmp_path, "clone", "--quiet", str(tmp_path / "bare.git"), name)
    return [tmp_path / name for name in names]


def at(minute: int, record: RunRecord = GOOD) -> RunRecord:
    return replace(record, began=f"2026-11-29T{minute // 60:02}:{minute % 60:02}:00Z")


def test_runs_are_read_back_the_newest_first(root: Path) -> None:
    runs = Runs(root, "lab")
    assert runs.read().records == {}
    assert runs.write(GOOD) == runs.write(FAILED) == ""
    assert list(runs.read().records.values()) == [FAILED, GOOD]
    assert git(root, "log", "--format=%s", REF).splitlines() == ["apply of lab: partial", "apply of lab: ok"]
    assert git(root, "status", "--porcelain") == ""


def test_a_run_that_did_nothing_is_kept_once(root: Path) -> None:
    runs = Runs(root, "lab")
    for record in (at(1, IDLE), at(2, IDLE), at(3), at(4, IDLE), at(5, IDLE), at(6, replace(IDLE, commit="b0b"))):
        assert runs.write(record) == ""
    assert [record.began[11:16] for record in runs.read().records.values()] == ["00:06", "00:04", "00:03", "00:01"]


def test_the_tree_is_bounded_and_the_history_has_all(root: Path) -> None:
    runs = Runs(root, "lab")
    listed = "\n".join(f"M 100644 inline lab/20261128T{n // 60:02}{n % 60:02}00Z-00000000.json\ndata 0\n" for n in range(MOST_RECORDS))
    stream = f"commit {REF}\ncommitter a <a> now\ndata 0\n{listed}\n"
    subprocess.run(["git", "-C", str(root), "fast-import", "--quiet", "--date-format=now"], input=stream.encode(), check=True)
    assert runs.write(GOOD) == ""
    assert len(git(root, "ls-tree", "--name-only", REF, "lab/").splitlines()) == MOST_RECORDS
    assert runs.read().unreadable == MOST_RECORDS - 1
    assert list(runs.read().records.values()) == [GOOD]
    assert "lab/20261128T000000Z-00000000.json" in git(root, "show", "--stat=200", "--format=", REF)


def test_clones_that_ran_apart_are_merged_and_the_remote_only_moves_forward(tmp_path: Path) -> None:
    one, two = clones(tmp_path, "one", "two")
    git(tmp_path / "bare.git", "config", "receive.denyNonFastForwards", "true")
    assert Runs(one, "lab", "origin").write(at(1)) == ""
    assert Runs(two, "lab", "origin").write(at(2)) == ""
    assert Runs(two, "other", "origin").write(at(3)) == ""
    assert Runs(one, "lab", "origin").write(at(4)) == ""
    bare = tmp_path / "bare.git"
    assert [record.began[11:16] for record in Runs(bare, "lab").read().records.values()] == ["00:04", "00:02", "00:01"]
    assert len(Runs(bare, "other").read().records) == 1, "the records of another site of the repository stay in the tree"


def test_what_could_not_be_pushed_is_pushed_by_the_next_run(tmp_path: Path) -> None:
    (one,) = clones(tmp_path, "one")
    bare = tmp_path / "bare.git"
    bare.rename(tmp_path / "away.git")
    runs = Runs(one, "lab", "origin")
    assert "bare.git" in runs.write(at(1))
    assert "bare.git" in runs.fetch()
    (tmp_path / "away.git").rename(bare)
    assert runs.write(at(2, IDLE)) == ""
    assert len(Runs(bare, "lab").read().records) == 2
    assert runs.write(at(3, IDLE)) == runs.fetch() == ""
    assert len(Runs(bare, "lab").read().records) == 2


def test_a_fetched_record_counts_before_it_is_merged(tmp_path: Path) -> None:
    one, two = clones(tmp_path, "one", "two")
    Runs(one, "lab", "origin").write(at(1, IDLE))
    there = Runs(two, "lab", "origin")
    assert there.fetch() == ""
    assert len(there.read().records) == 1
    assert there.write(at(2, IDLE)) == "", "it says the same"
    assert len(there.read().records) == 1


def test_runs_and_receipts_do_not_meet(tmp_path: Path) -> None:
    (one,) = clones(tmp_path, "one")
    assert Runs(one, "lab", "origin").write(GOOD) == ""
    assert Receipts(one, "lab", "origin").write([Attempt("run14", 1, 1, "c0ffee", "2026-11-29T16:00:00Z")]) == ""
    assert Runs(one, "lab", "origin").fetch() == Receipts(one, "lab", "origin").fetch() == ""
    listed = git(tmp_path / "bare.git", "for-each-ref", "--format=%(refname)", "refs/dtnctl/").splitlines()
    assert listed == [RECEIPTS, REF]


def test_merged_receipts_of_another_site_stay_in_the_tree(tmp_path: Path) -> None:
    one, two = clones(tmp_path, "one", "two")
    attempt = Attempt("run14", 1, 1, "c0ffee", "2026-11-29T16:00:00Z")
    assert Receipts(one, "lab", "origin").write([attempt]) == Receipts(two, "other", "origin").write([attempt]) == ""
    assert git(tmp_path / "bare.git", "ls-tree", "-r", "--name-only", RECEIPTS).splitlines() == [
        "lab/run14.g1a1.json",
        "other/run14.g1a1.json",
    ]


def pushed_path(root: Path, ref: str, *folders: str, content: str = "{}") -> None:
    """The ref's commit of a tree with one file under these names, any bytes but a slash, as somebody else may push it."""
    made = subprocess.run(
        ["git", "-C", str(root), "hash-object", "-w", "--stdin"], input=content, text=True, capture_output=True, check=True
    )
    name, kind = made.stdout.strip(), "100644 blob"
    for folder in reversed(folders):
        entry = f"{kind} {name}\t{folder}\0"
        made = subprocess.run(["git", "-C", str(root), "mktree", "-z"], input=entry, text=True, capture_output=True, check=True)
        name, kind = made.stdout.strip(), "040000 tree"
    git(root, "update-ref", ref, git(root, "commit-tree", "-m", "x", name))


@pytest.mark.parametrize("path", ["zz\nreset refs/replace/{main}\nfrom {evil}\n#/a.json", "lab/x\nreset HEAD\nfrom {evil}\n#"])
def test_a_pushed_file_name_is_no_command_for_git(tmp_path: Path, path: str) -> None:
    (one,) = clones(tmp_path, "one")
    bare, main = tmp_path / "bare.git", git(one, "rev-parse", "main")
    evil = git(one, "commit-tree", "-m", "evil", "-p", "main", "main^{tree}")
    assert Runs(one, "lab", "origin").write(at(1)) == Receipts(one, "lab", "origin").write([CLAIM]) == ""
    for ref in (REF, RECEIPTS):
        pushed_path(bare, ref, *path.format(main=main, evil=evil).split("/"))
    assert Runs(one, "lab", "origin").write(at(2)) == Receipts(one, "lab", "origin").write([replace(CLAIM, attempt=2)]) == ""
    assert git(one, "for-each-ref", "--format=%(refname) %(objectname)", "refs/replace", "refs/heads") == f"refs/heads/main {main}"
    assert len(git(bare, "log", "--merges", "--format=%h", REF, RECEIPTS).splitlines()) == 2
    assert [record.began[11:16] for record in Runs(bare, "lab").read().records.values()] == ["00:02", "00:01"]
    assert [item.attempt for item in Receipts(bare, "lab").read({"run14": 1}).attempts] == [1, 2]


@pytest.mark.parametrize("path", ['lab/a"b\\c\nreset refs/heads/evil\n#\t\x01ü.json', "lab/plain.json"])
def test_any_path_is_written_as_it_is(root: Path, path: str) -> None:
    RecordRef(root, REF, "refs/x/", "lab").write(lambda *_: Change({path: b"{}"}, "x"), lambda *_: Change({}, "x"))
    assert git(root, "ls-tree", "-r", "-z", "--name-only", REF) == f"{path}\0"
    RecordRef(root, REF, "refs/x/", "lab").write(lambda *_: Change({path: None}, "x"), lambda *_: Change({}, "x"))
    assert git(root, "ls-tree", "-r", REF) == ""


def test_where_git_cannot_read_or_write_that_is_said(tmp_path: Path) -> None:
    runs = Runs(tmp_path, "lab")
    assert "not a git repository" in runs.read().trouble
    assert "not a git repository" in runs.write(GOOD)
