"""The mirror of records in Git: written beside the work tree, read back, merged with what others write, and never lost."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.model.ledger import Attempt, encode_attempt
from dtnctl.model.receipts import REF
from dtnctl.repository.receipts import Receipts

CLAIM = Attempt("run14", 1, 1, "c0ffee", "2026-11-29T16:00:00Z", who="ops@host", commit="4f2c1e9", endpoint="dtn1")
RECEIPT = replace(CLAIM, verdict="succeeded", bytes=1024, files=1, seconds=2.0)
WANTED = {"run14": 1}


def git(root: Path, *words: str) -> str:
    author = ("-c", "user.name=a", "-c", "user.email=a@example.net")
    return subprocess.run(["git", "-C", str(root), *author, *words], check=True, capture_output=True, text=True).stdout.strip()


def repository(root: Path) -> Path:
    root.mkdir(parents=True)
    git(root, "init", "--quiet", "--initial-branch", "main")
    (root / "site.yaml").write_text("name: lab\n")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "first")
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "state")


@pytest.fixture
def clones(tmp_path: Path) -> tuple[Receipts, Receipts]:
    """Two clones of one bare repository, whose sites say that receipts are pushed to it."""
    git(tmp_path, "clone", "--quiet", "--bare", str(repository(tmp_path / "first")), "bare.git")
    for name in ("one", "two"):
        git(tmp_path, "clone", "--quiet", str(tmp_path / "bare.git"), name)
    return Receipts(tmp_path / "one", "lab", "origin", "ops@one"), Receipts(tmp_path / "two", "lab", "origin", "ops@two")


def refs(root: Path) -> str:
    return git(root, "for-each-ref", "--format=%(refname)", "refs/dtnctl/")


def names(root: Path) -> list[str]:
    return git(root, "ls-tree", "-r", "--name-only", REF).splitlines()


def test_a_claim_and_its_receipt_are_read_back_as_they_were_written(root: Path) -> None:
    receipts = Receipts(root, "lab")
    for attempt in (CLAIM, RECEIPT):
        assert receipts.write([attempt]) == ""
        assert receipts.read(WANTED).attempts == (attempt,)
    assert names(root) == ["lab/run14.g1a1.json"]


def test_a_file_of_the_mirror_is_the_record_as_the_ledger_has_it(root: Path) -> None:
    Receipts(root, "lab").write([RECEIPT])
    assert git(root, "show", f"{REF}:lab/run14.g1a1.json").encode() + b"\n" == encode_attempt(RECEIPT)


def test_work_tree_index_branch_and_head_are_not_touched(root: Path) -> None:
    (root / "site.yaml").write_text("name: changed\n")
    (root / "new").write_text("staged\n")
    git(root, "add", "new")
    before = git(root, "status", "--porcelain=v2", "--branch"), git(root, "ls-files", "--stage"), git(root, "rev-parse", "main")
    Receipts(root, "lab").write([RECEIPT])
    assert before == (git(root, "status", "--porcelain=v2", "--branch"), git(root, "ls-files", "--stage"), git(root, "rev-parse", "main"))


def test_a_commit_says_who_made_it_and_what_became_of_each_attempt(root: Path) -> None:
    Receipts(root, "lab", who="ops@host").write([RECEIPT, replace(CLAIM, attempt=2), replace(CLAIM, attempt=3, released=True)])
    said = git(root, "log", "-1", "--format=%an <%ae>%n%B", REF)
    assert said.splitlines() == [
        "ops@host <ops@host>",
        "Receipts of lab",
        "",
        "run14 g1a1: succeeded",
        "run14 g1a2: claimed",
        "run14 g1a3: released",
    ]


def test_what_is_mirrored_already_makes_no_commit(root: Path) -> None:
    receipts = Receipts(root, "lab")
    receipts.write([RECEIPT])
    before = git(root, "rev-parse", REF)
    assert receipts.write([RECEIPT]) == ""
    assert git(root, "rev-parse", REF) == before


def test_nothing_to_mirror_makes_no_ref(root: Path) -> None:
    assert Receipts(root, "lab").write([]) == ""
    assert refs(root) == ""


def test_a_receipt_is_never_replaced_by_the_claim_before_it(root: Path) -> None:
    receipts = Receipts(root, "lab")
    receipts.write([RECEIPT])
    receipts.write([CLAIM])
    assert receipts.read(WANTED).attempts == (RECEIPT,)


def test_a_file_that_a_newer_dtnctl_wrote_stays_and_is_unknown(root: Path) -> None:
    receipts = Receipts(root, "lab")
    receipts.write([RECEIPT])
    newer = json.dumps({**json.loads(encode_attempt(RECEIPT)), "version": 99}).encode()
    stream = f"commit {REF}\ncommitter a <a> now\ndata 0\nfrom {REF}^0\nM 100644 inline lab/run14.g1a1.json\ndata {len(newer)}\n".encode()
    subprocess.run(["git", "-C", str(root), "fast-import", "--quiet", "--date-format=now"], input=stream + newer + b"\n", check=True)
    assert [item.verdict for item in receipts.read(WANTED).attempts] == ["unknown"]
    unreadable = replace(CLAIM, verdict="unknown", cause="its record cannot be read")
    assert receipts.write([CLAIM]) == receipts.write([unreadable]) == ""
    assert git(root, "show", f"{REF}:lab/run14.g1a1.json").encode() == newer


def test_only_records_of_this_site_and_of_the_generations_that_are_asked_for_are_read(root: Path) -> None:
    Receipts(root, "other").write([RECEIPT])
    receipts = Receipts(root, "lab")
    receipts.write([replace(RECEIPT, generation=2), replace(RECEIPT, transfer="other"), RECEIPT])
    assert receipts.read({"run14": 2}).attempts == (replace(RECEIPT, generation=2),)
    assert len(receipts.read({}).files) == 3


def test_a_password_in_a_tools_message_is_not_mirrored(root: Path) -> None:
    Receipts(root, "lab").write([replace(RECEIPT, verdict="failed", cause="GET https://ops:hunter2@dtn1/data: 403")])
    Receipts(root, "lab").write([replace(RECEIPT, attempt=2, verdict="failed", cause="GET https://ghp_x@dtn1/a, ssh://ops@dtn1/a")])
    assert "GET https://***@dtn1/a, ssh://ops@dtn1/a" in git(root, "show", f"{REF}:lab/run14.g1a2.json")
    assert "hunter2" not in git(root, "show", f"{REF}:lab/run14.g1a1.json")
    assert "https://***@dtn1/data: 403" in git(root, "show", f"{REF}:lab/run14.g1a1.json")


def test_writers_at_once_lose_nothing(root: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = pool.map(lambda number: Receipts(root, "lab").write([replace(RECEIPT, generation=number)]), range(1, 9))
        assert set(done) == {""}
    assert names(root) == [f"lab/run14.g{number}a1.json" for number in range(1, 9)]
    git(root, "fsck", "--strict")


def test_a_detached_shallow_clone_mirrors_reads_and_pushes(tmp_path: Path, root: Path) -> None:
    (root / "site.yaml").write_text("name: more\n")
    git(root, "commit", "--quiet", "--all", "--message", "second")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{root}", "shallow")
    clone = tmp_path / "shallow"
    git(clone, "checkout", "--quiet", "--detach")
    receipts = Receipts(clone, "lab", "origin")
    assert receipts.fetch() == receipts.write([RECEIPT]) == ""
    assert receipts.read(WANTED).attempts == Receipts(root, "lab").read(WANTED).attempts == (RECEIPT,)


def test_a_fresh_clone_reads_what_another_one_pushed(clones: tuple[Receipts, Receipts]) -> None:
    one, two = clones
    assert one.write([RECEIPT]) == ""
    assert two.read(WANTED).attempts == ()
    assert two.fetch() == ""
    assert two.read(WANTED).attempts == (RECEIPT,)
    assert REF not in refs(two.root).splitlines()  # a plan that only fetches leaves the clone's own ref alone
    assert two.write([]) == ""
    assert REF in refs(two.root).splitlines()


def test_clones_that_wrote_apart_are_merged_and_the_remote_only_moves_forward(clones: tuple[Receipts, Receipts], tmp_path: Path) -> None:
    one, two = clones
    bare = tmp_path / "bare.git"
    git(bare, "config", "receive.denyNonFastForwards", "true")
    assert one.write([CLAIM]) == ""
    assert two.write([replace(RECEIPT, transfer="run15")]) == ""  # it has not fetched: its push is refused, merged and tried again
    assert one.write([RECEIPT]) == ""
    assert names(bare) == ["lab/run14.g1a1.json", "lab/run15.g1a1.json"]
    assert Receipts(bare, "lab").read(WANTED).attempts == (RECEIPT,)
    assert len(git(bare, "log", "--merges", "--format=%h", REF).splitlines()) == 2


def test_of_two_records_of_one_attempt_a_merge_keeps_the_one_that_says_more(clones: tuple[Receipts, Receipts], tmp_path: Path) -> None:
    one, two = clones
    assert one.write([RECEIPT]) == two.write([CLAIM]) == ""
    assert Receipts(tmp_path / "bare.git", "lab").read(WANTED).attempts == (RECEIPT,)


def test_a_clone_behind_the_remote_goes_on_from_its_newest(clones: tuple[Receipts, Receipts]) -> None:
    one, two = clones
    one.write([CLAIM])
    two.fetch()
    two.write([])
    one.write([RECEIPT])
    two.fetch()
    assert two.write([replace(RECEIPT, generation=2)]) == ""
    assert git(two.root, "log", "--merges", "--format=%h", REF) == ""
    assert len(git(two.root, "log", "--format=%h", REF).splitlines()) == 3


def test_a_remote_that_is_missing_or_refuses_is_said_and_the_record_is_mirrored_here(root: Path, clones: tuple[Receipts, Receipts]) -> None:
    nowhere = Receipts(root, "lab", "origin")
    assert "origin" in nowhere.fetch()
    assert "origin" in nowhere.write([RECEIPT])
    assert nowhere.read(WANTED).attempts == (RECEIPT,)
    hook = Path(git(clones[0].root, "config", "remote.origin.url")) / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho read-only >&2\nexit 1\n")
    hook.chmod(0o755)
    assert clones[0].write([RECEIPT]).startswith(f"origin does not take {REF}: ")
    assert clones[0].read(WANTED).attempts == (RECEIPT,)
    hook.unlink()
    assert clones[0].write([]) == ""  # the next apply pushes what is missing
    assert clones[1].fetch() == ""
    assert clones[1].read(WANTED).attempts == (RECEIPT,)


def test_a_repository_that_cannot_be_written_is_said(root: Path) -> None:
    (root / ".git/objects/pack").rmdir()
    (root / ".git/objects/pack").write_text("")
    assert "pack" in Receipts(root, "lab").write([RECEIPT])
    assert Receipts(root, "lab").read(WANTED).attempts == ()


def test_a_folder_in_no_repository_and_a_machine_without_git_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receipts = Receipts(tmp_path, "lab")
    assert "not a git repository" in receipts.read(WANTED).trouble
    assert "not a git repository" in receipts.write([RECEIPT])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert receipts.read(WANTED).trouble == "git is not installed"


def test_an_object_that_is_missing_is_said_and_not_taken_for_no_record(root: Path) -> None:
    receipts = Receipts(root, "lab")
    receipts.write([RECEIPT])
    name = git(root, "rev-parse", f"{REF}:lab/run14.g1a1.json")
    (root / ".git/objects" / name[:2] / name[2:]).unlink()
    assert receipts.read(WANTED).trouble == f"Git does not have what its ref {REF} holds: {name} missing"


def test_a_repository_of_sha256_is_written_once(tmp_path: Path) -> None:
    root = tmp_path / "state"
    root.mkdir()
    git(root, "init", "--quiet", "--object-format=sha256")
    receipts = Receipts(root, "lab")
    assert receipts.write([RECEIPT]) == receipts.write([RECEIPT]) == ""
    assert receipts.read(WANTED).attempts == (RECEIPT,)
    assert len(git(root, "log", "--format=%h", REF).splitlines()) == 1
