"""What CI jobs keep in their repository by refs: plans until they are old, the record of runs, receipts of transfers."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from dtnctl.model.ledger import Attempt, Verdict
from dtnctl.model.runs import MOST_RECORDS
from dtnctl.repository.receipts import Receipts
from dtnctl.repository.runs import Runs
from tests.render.histories import GOOD
from tests.workflows.checkout import FOLDER, Checkout, keep_plan


def bare(checkout: Checkout, *words: str) -> str:
    return checkout.run("git", "-C", str(checkout.folder / "forge" / "scinet" / "state"), *words).stdout.strip()


def age_plans(checkout: Checkout, days: int) -> None:
    """Every plan that is kept becomes so old."""
    date = f"{int(time.time()) - days * 86400} +0000"
    for line in bare(checkout, "for-each-ref", "--format=%(refname) %(tree)", "refs/dtnctl/plans").splitlines():
        ref, tree = line.split()
        forge = str(checkout.folder / "forge" / "scinet" / "state")
        author = ("-c", "user.name=a", "-c", "user.email=a@localhost")
        made = checkout.run("git", "-C", forge, *author, "commit-tree", "-m", "a plan", tree, GIT_COMMITTER_DATE=date, GIT_AUTHOR_DATE=date)
        bare(checkout, "update-ref", ref, made.stdout.strip())


def test_old_plans_go_but_not_that_of_the_default_branch(checkout: Checkout, forge: dict[str, str]) -> None:
    bare(checkout, "symbolic-ref", "HEAD", "refs/heads/main")
    current = checkout.commit()
    checkout.run("git", "push", "--quiet", str(checkout.folder / "forge" / "scinet" / "state"), "HEAD:refs/heads/main")
    checkout.write("state/site.yaml", "name: scinet\n# another\n")
    other = checkout.commit()
    checkout.write("state/site.yaml", "name: scinet\n# a third\n")
    third = checkout.commit()
    for tree in (current, other):
        keep_plan(checkout, forge, "a plan", tree)
    age_plans(checkout, 91)
    ran = keep_plan(checkout, forge, "a plan", third)
    assert ran.stdout.splitlines() == [f"record: refs/dtnctl/plans/{third}", "record: 1 plans older than 90 days removed"], ran.stderr
    assert set(bare(checkout, "for-each-ref", "--format=%(refname:lstrip=3)", "refs/dtnctl/plans").split()) == {current, third}
    age_plans(checkout, 29)
    assert "removed" not in keep_plan(checkout, forge, "a plan", third).stdout


def record_run(folder: Path, minute: int) -> None:
    assert Runs(folder, "scinet").write(replace(GOOD, began=f"2026-11-29T16:{minute:02}:00Z")) == ""


def recorded(checkout: Checkout) -> list[str]:
    records = Runs(checkout.folder / "forge" / "scinet" / "state", "scinet").read().records.values()
    return [record.began[11:16] for record in records]


def test_runs_of_ci_reach_the_repository_and_the_next_job_has_them(checkout: Checkout, forge: dict[str, str], tmp_path: Path) -> None:
    checkout.commit()
    assert "no record of runs yet" in checkout.step("runs", "fetch", **forge).stdout
    assert checkout.step("runs", "keep", "build/ci").stdout == "runs: there is no record to keep\n"
    assert checkout.step("runs", "push", "build/ci", **forge).stdout.splitlines() == [
        "runs: there is nothing to record in refs/dtnctl/receipts",
        "runs: there is nothing to record in refs/dtnctl/runs",
    ]
    record_run(checkout.folder, 1)
    assert checkout.step("runs", "keep", "build/ci").returncode == 0
    pushed = checkout.step("runs", "push", "build/ci", **forge)
    assert pushed.stdout.splitlines()[-1] == "runs: recorded in refs/dtnctl/runs", pushed.stderr
    assert checkout.step("runs", "push", "build/ci", **forge).stdout.splitlines()[-1] == "runs: the repository has all of refs/dtnctl/runs"
    desk = tmp_path / "desk"
    subprocess.run(["git", "init", "--quiet", desk], check=True)
    subprocess.run(["git", "-C", desk, "remote", "add", "origin", str(checkout.folder / "forge" / "scinet" / "state")], check=True)
    assert Runs(desk, "scinet", "origin").write(replace(GOOD, began="2026-11-29T16:02:00Z")) == ""
    record_run(checkout.folder, 3)
    checkout.step("runs", "keep", "build/ci")
    assert checkout.step("runs", "push", "build/ci", **forge).returncode == 0
    assert recorded(checkout) == ["16:03", "16:02", "16:01"]
    assert checkout.step("runs", "fetch", **forge).stdout == "runs: 3 records fetched\n"
    record_run(checkout.folder, 4)
    assert checkout.step("runs", "fetch", **forge).stdout == "runs: this clone has records that the repository lacks\n"


CLAIM = Attempt("run14", 1, 1, "c1", "2026-11-29T16:00:00Z", endpoint="dtn1")
RECEIPT = "refs/dtnctl/receipts:scinet/run14.g1a1.json"


def mirrored(folder: Path, attempt: Attempt) -> None:
    assert Receipts(folder, "scinet").write([attempt]) == ""


def verdict_of(checkout: Checkout) -> str | None:
    found: str | None = json.loads(bare(checkout, "show", RECEIPT))["verdict"]
    return found


def test_receipts_of_ci_reach_the_repository_although_its_apply_has_no_token_that_writes(
    checkout: Checkout, forge: dict[str, str], tmp_path: Path
) -> None:
    """By the artifact of the apply, and the job that pushes the record of runs."""
    checkout.commit()
    for attempt, kept in ((CLAIM, None), (replace(CLAIM, verdict="succeeded", cause='a "verdict": "failed" in words'), "succeeded")):
        mirrored(checkout.folder, attempt)
        checkout.step("runs", "keep", "build/ci")
        pushed = checkout.step("runs", "push", "build/ci", **forge)
        assert "runs: recorded in refs/dtnctl/receipts" in pushed.stdout, pushed.stderr
        assert verdict_of(checkout) == kept
    assert "has all of refs/dtnctl/receipts" in checkout.step("runs", "push", "build/ci", **forge).stdout
    later = Checkout(tmp_path / "later")
    later.commit()
    later.step("runs", "fetch", **forge)
    assert Receipts(later.folder, "scinet").read({"run14": 1}).attempts[0].verdict == "succeeded"


def test_a_claim_of_an_older_job_replaces_no_receipt(checkout: Checkout, forge: dict[str, str], tmp_path: Path) -> None:
    checkout.commit()
    mirrored(checkout.folder, replace(CLAIM, verdict="succeeded"))
    checkout.step("runs", "keep", "build/ci")
    checkout.step("runs", "push", "build/ci", **forge)
    verdicts: tuple[Verdict | None, ...] = (None, "unknown")
    for number, verdict in enumerate(verdicts):
        older = Checkout(tmp_path / f"older{number}")
        older.commit()
        mirrored(older.folder, replace(CLAIM, verdict=verdict))
        older.step("runs", "keep", "build/ci")
        assert older.step("runs", "push", "build/ci", **forge).returncode == 0
        assert verdict_of(checkout) == "succeeded"


def test_no_other_file_gets_into_the_record(checkout: Checkout, forge: dict[str, str]) -> None:
    checkout.write("evil/scinet/20261129T160100Z-00000000.json", "{}")
    checkout.write("evil/.git/hooks/x.json", "{}")
    (checkout.folder / "build/ci").mkdir(parents=True)
    checkout.run("tar", "-C", "evil", "-cf", "build/ci/runs.tar", "scinet", ".git")
    assert checkout.step("runs", "push", "build/ci", **forge).returncode == 0
    assert bare(checkout, "ls-tree", "-r", "--name-only", "refs/dtnctl/runs") == "scinet/20261129T160100Z-00000000.json"


def test_the_record_in_the_repository_is_bounded_as_the_one_here(checkout: Checkout) -> None:
    assert f"MOST={MOST_RECORDS} " in (FOLDER / "steps" / "runs").read_text()
