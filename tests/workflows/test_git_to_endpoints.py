"""From a branch to the endpoints and back to "No changes": the steps of the workflows that `dtnctl init --ci github` wrote, run by a push,
on real engines, with the dtnctl that `make dist` built.

One endpoint is reached over mutual TLS, the other over ssh, both from the runner in the lab's management network and with
nothing but what the workflows are given as secrets.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dtnctl import __version__
from dtnctl.repository.runs import Runs
from lab import Lab, unavailable
from tests.fakes.http_api import serve
from tests.release import built_release
from tests.workflows.github_api import Discussion
from tests.workflows.project import Project, Release, make_release
from tests.workflows.runner import Job

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def management_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if reason := unavailable():
        pytest.skip(reason)
    with Lab(tmp_path_factory.mktemp("forge") / "lab", 2, image="tiny") as lab:
        yield lab


@pytest.fixture
def discussion() -> Iterator[Discussion]:
    with serve(Discussion()) as served:
        yield served


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the folder of wheels is for Python 3.11")
    return make_release(built_release(tmp_path_factory), tmp_path_factory.mktemp("release"))


@pytest.fixture
def project(management_network: Lab, discussion: Discussion, release: Release, tmp_path: Path) -> Iterator[Project]:
    project = Project(management_network, discussion, tmp_path, release)
    yield project
    project.clean()


def shown(jobs: list[Job]) -> str:
    """What a person would read of them, for a failed assertion."""
    return "\n".join(f"=== {job.workflow} / {job.name}: {job.conclusion}\n{job.log}" for job in jobs)


def conclusions(jobs: list[Job]) -> dict[str, str]:
    return {f"{job.workflow} / {job.name}": job.conclusion for job in jobs}


GOLDEN = Path(__file__).with_name("comment.md")


def in_general(comment: str) -> str:
    """The comment without what differs from run to run and from release to release."""
    comment = re.sub(r"HEAD [0-9a-f]{7}", "HEAD COMMIT", comment)
    return (
        re.sub(r"(hash=|hash `|--expect )[0-9a-f]{16}", r"\1HASH", comment).replace(f"dtnctl {__version__}", "dtnctl VERSION").strip()
        + "\n"
    )


CHECKED = {"claims / claims": "success", "owners / owners": "success"}
PLANNED = {"plan / none": "skipped", "plan / plan": "success", "plan / comment": "success"} | CHECKED
APPLIED = {"apply / apply": "success", "apply / record": "success"}
REFUSED = APPLIED | {"apply / apply": "failure"}


@dataclass(frozen=True, slots=True)
class Merged:
    """A branch with session climate was pushed and merged; then one with nothing but words was pushed. What was there after each."""

    project: Project
    planned: list[Job]
    comment: str
    statuses: list[str]
    before: list[dict[str, str]]
    applied: list[Job]
    after: list[dict[str, str]]
    artifacts: dict[str, Any]
    commit: str
    planned_again: list[Job]
    discussion: Discussion


@pytest.fixture(scope="module")
def merged(management_network: Lab, release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Merged]:
    """Once for all who look at it: a push takes seconds, since its jobs are programs that start."""
    with serve(Discussion()) as discussion:
        project = Project(management_network, discussion, tmp_path_factory.mktemp("merged"), release)
        try:
            yield _merge(project, discussion)
        finally:
            project.clean()


def _merge(project: Project, discussion: Discussion) -> Merged:
    project.branch("climate")
    project.session("climate")
    project.commit("run climate")
    planned = project.push("climate")
    (comment,) = discussion.bodies
    statuses, before = [*discussion.statuses], [project.containers(name) for name in ("dtn1", "dtn2")]
    applied = project.merge("climate")
    commit, after = project.head(), [project.containers(name) for name in ("dtn1", "dtn2")]
    kept = project.folder / "forge" / "artifacts"
    artifacts = {name: json.loads(next(kept.glob(f"*-{name}/{name}.json")).read_text()) for name in ("plan", "apply")}
    project.branch("words")
    project.write_text("sessions/climate", "# for the climate group\n" + (project.work / "state/sessions/climate.yaml").read_text())
    project.commit("say whom it is for")
    again = project.push("words")
    project.clean()  # the engines are those of the other tests, too
    return Merged(project, planned, comment, statuses, before, applied, after, artifacts, commit, again, discussion)


def test_branch_is_planned_merge_is_applied_and_then_nothing_is_left(merged: Merged) -> None:
    comment = merged.comment
    assert conclusions(merged.planned) == PLANNED, shown(merged.planned)
    assert comment.startswith("<!-- dtnctl:plan site=scinet hash=")
    assert "### dtnctl plan · scinet · 2 changes" in comment
    assert [line.split(" ", 1)[1] for line in merged.statuses] == ["dtnctl/scinet/dtn1: success", "dtnctl/scinet/dtn2: success"]
    if "DTN_WRITE_GOLDEN" in os.environ:
        GOLDEN.write_text(in_general(comment))
    assert in_general(comment) == GOLDEN.read_text()
    assert comment.splitlines()[1] in merged.planned[1].summary, "the summary says what the comment says"
    assert merged.before == [{}, {}], "a plan changes nothing"
    assert conclusions(merged.applied) == APPLIED, shown(merged.applied)
    assert [found["scinet.climate"] for found in merged.after] == ["running", "running"]
    assert "climate" in merged.applied[0].summary
    newest = next(iter(Runs(merged.project.bare, "scinet").read().records.values()))
    assert (newest.result, newest.commit, newest.asked.ci_actor) == ("ok", merged.commit, "alice")
    assert conclusions(merged.planned_again) == PLANNED, shown(merged.planned_again)
    (comment,) = merged.discussion.bodies
    assert "No changes" in comment


def test_each_push_edits_the_one_comment(project: Project, discussion: Discussion) -> None:
    project.branch("two")
    project.session("one")
    project.commit("one session")
    project.push("two")
    first = discussion.bodies[0]
    project.session("another", endpoints=["dtn1"])
    project.commit("and another")
    project.push("two")
    (comment,) = discussion.bodies
    assert "2 changes" in first
    assert "3 changes" in comment


def test_plan_and_outcomes_are_kept_as_artifacts(merged: Merged) -> None:
    plan, apply = merged.artifacts["plan"], merged.artifacts["apply"]
    assert plan["summary"]["create"] == 2
    assert apply["plan_hash"] == plan["plan_hash"], "what was reviewed is what ran"


def test_broken_state_fails_the_check_and_the_comment_says_where(project: Project, discussion: Discussion) -> None:
    project.branch("typo")
    project.session("climate", profile="plane")
    project.commit("a slip")
    jobs = project.push("typo")
    assert conclusions(jobs) == PLANNED | {"plan / plan": "failure"}, shown(jobs)
    (comment,) = discussion.bodies
    assert "state/sessions/climate.yaml:" in comment
    assert "plain" in comment, "the nearest name is suggested"
    project.session("climate")
    project.commit("fixed")
    project.push("typo")
    assert "2 changes" in discussion.bodies[0]


def test_push_that_touches_no_state_starts_nothing_but_the_check_of_owners(project: Project) -> None:
    project.branch("words")
    (project.work / "README.md").write_text("Our DTNs.\n")
    project.commit("a readme")
    jobs = project.push("words")
    assert conclusions(jobs) == {"owners / owners": "success"}, shown(jobs)
    assert project.merge("words") == []


def test_run_that_waited_applies_the_newest_main(project: Project) -> None:
    """GitHub may run a commit's workflow late, or again; an older state must not come back."""
    project.session("first")
    project.commit("first")
    first = project.head()
    project.push("main")
    (project.work / "state/sessions/first.yaml").unlink()
    project.session("second")
    project.commit("second instead of first")
    project.push("main")
    assert project.containers("dtn1") == {"scinet.second": "running"}
    jobs = project.run_again(first)
    assert conclusions(jobs) == APPLIED, shown(jobs)
    assert project.containers("dtn1") == {"scinet.second": "running"}


def test_no_secret_is_in_any_log_summary_artifact_or_folder(merged: Merged) -> None:
    project, discussion = merged.project, merged.discussion
    secrets = [line for text in project.secrets().values() for line in text.splitlines()[1:-1] if len(line) > 20]
    written = "".join(job.log + job.summary for job in merged.planned + merged.applied) + "".join(discussion.bodies) + merged.comment
    files = [path for path in (project.folder / "forge").rglob("*") if path.is_file()]
    written += "".join(path.read_text(errors="replace") for path in files)
    assert [line for line in [*secrets, discussion.token] if line in written] == []


def review(project: Project, name: str) -> None:
    """A branch with a session of this name is pushed, so its plan is there to be reviewed."""
    project.branch(name)
    project.session(name)
    project.commit(f"run {name}")
    assert conclusions(project.push(name)) == PLANNED


def test_merge_runs_the_plan_that_was_reviewed(merged: Merged) -> None:
    (apply, *_) = merged.applied
    assert "reviewed: refs/dtnctl/plans/" in apply.log
    assert "this is the plan that was reviewed (" in apply.log


def test_squashed_merge_finds_the_reviewed_plan_too(project: Project) -> None:
    review(project, "climate")
    jobs = project.merge("climate", "--squash")
    assert conclusions(jobs) == APPLIED, shown(jobs)
    assert "this is the plan that was reviewed (" in jobs[0].log


def test_what_is_no_more_dangerous_than_reviewed_is_done_and_shown(project: Project) -> None:
    project.session("climate")
    project.commit("run climate")
    project.push("main")
    review(project, "another")
    project.docker("dtn1", "update", "--memory=32m", "--memory-swap=32m", "scinet.climate")
    jobs = project.merge("another")
    assert conclusions(jobs) == APPLIED, shown(jobs)
    assert "the plan has changed since its review (" in jobs[0].log
    assert "planned now: update session/climate @ dtn1" in jobs[0].log
    assert project.containers("dtn1")["scinet.another"] == "running"


def test_what_became_more_dangerous_since_the_review_stops_the_apply_and_the_job_shows_it(project: Project) -> None:
    review(project, "climate")
    project.back_on_main()
    project.session("extra", endpoints=["dtn1"])
    project.commit("run another one")
    project.push("main")
    project.reset_main("HEAD~1")  # while CI is off
    jobs = project.merge("climate")
    assert conclusions(jobs) == REFUSED, shown(jobs)
    assert "more dangerous than reviewed: destroy session/extra @ dtn1" in jobs[0].log
    assert project.containers("dtn1") == {"scinet.extra": "running"}


def test_push_without_a_review_goes_on_or_stops_as_the_site_says(project: Project) -> None:
    project.session("climate")
    project.commit("straight to main")
    jobs = project.push("main")
    assert conclusions(jobs) == APPLIED, shown(jobs)
    assert "no plan was reviewed for this state; going on" in jobs[0].log
    project.write("site", {"name": "scinet", "id": "a1b2c3d4e5f6", "review": {"if_missing": "stop"}})
    project.session("another")
    project.commit("straight to main again")
    jobs = project.push("main")
    assert conclusions(jobs) == REFUSED
    assert "no plan was reviewed for this state (`review: {if_missing: stop}`" in jobs[0].log
    assert "scinet.another" not in project.containers("dtn1")


def test_drift_opens_one_issue_and_its_end_closes_it(project: Project, discussion: Discussion) -> None:
    project.session("climate")
    project.commit("run climate")
    project.push("main")
    project.docker("dtn1", "stop", "--time=1", "scinet.climate")
    jobs = [job for job in project.clock() if job.workflow == "drift"]
    assert conclusions(jobs) == {"drift / drift": "success", "drift / issue": "success"}, shown(jobs)
    (issue,) = discussion.open_issues
    assert issue.startswith("dtnctl: drift at scinet\n<!-- dtnctl:plan site=scinet ")
    assert "climate" in issue
    jobs = project.clock()
    assert discussion.open_issues == [], "the apply after the first look has repaired it: " + shown(jobs)
    assert project.containers("dtn1")["scinet.climate"] == "running"
