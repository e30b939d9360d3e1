"""Entries of GitHub's merge queue: the workflows that `dtnctl init --ci github` writes run for the queue's own branches, from a push on."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from dtnctl.ci.files import ci_files
from tests.repository.branching import branch, commit, git, make_main, pinned
from tests.workflows.on_push import event_of, react
from tests.workflows.runner import Forge, Job

REPOSITORY = "scinet/state"
RUNNER = "ubuntu-24.04"
PROGRAM = Path(sys.executable).with_name("dtnctl")


class Queue:
    """A repository with open pull requests, and the branches that the forge makes of them for its queue."""

    def __init__(self, folder: Path) -> None:
        self.work, self.bare = make_main(folder / "work"), folder / "remote.git"
        for name, text in ci_files("github", "scinet", "0" * 64).items():
            (self.work / name).parent.mkdir(parents=True, exist_ok=True)
            (self.work / name).write_text(text)
        commit(self.work, "workflows")
        git(folder, "clone", "--quiet", "--bare", str(self.work), str(self.bare))
        git(self.work, "remote", "add", "origin", str(self.bare))
        variables = {"DTNCTL_RUNNER": RUNNER, "DTNCTL_PROGRAM": str(PROGRAM)}
        given = {"PATH": f"{PROGRAM.parent}:/usr/bin:/bin", "HOME": str(folder)}
        api, forge = "https://api.example.net", str(folder / "forge")
        self.forge = Forge(REPOSITORY, str(self.bare), forge, f"file://{folder}", api, "", {RUNNER: []}, variables, {}, given)
        (folder / "forge").mkdir()

    def propose(self, name: str, files: dict[str, str | None], *, ago: int) -> None:
        """A pull request's branch, written so many seconds ago."""
        branch(self.work, name, files, at=int(time.time()) - ago)
        git(self.work, "push", "--quiet", "origin", name)

    def enter(self, name: str, number: int, after: str = "main", *, squash: bool = False) -> tuple[str, list[Job]]:
        """The entry of this pull request, which contains those before it, and the jobs that its push starts."""
        entry = f"gh-readonly-queue/main/pr-{number}-{git(self.work, 'rev-parse', after)}"
        git(self.work, "checkout", "--quiet", "-b", entry, after)
        git(self.work, "merge", "--quiet", *(["--squash"] if squash else ["--no-ff", "--no-edit"]), name, at=int(time.time()))
        if squash:
            commit(self.work, f"{name} (#{number})", int(time.time()))
        git(self.work, "push", "--quiet", "origin", entry)
        new, record = git(self.work, "rev-parse", "HEAD"), Path(self.forge.folder) / "jobs.jsonl"
        record.unlink(missing_ok=True)
        react(self.forge, event_of(str(self.bare), REPOSITORY, "0" * 40, new, f"refs/heads/{entry}"))
        return entry, [Job(**json.loads(line)) for line in record.read_text().splitlines()]


def conclusions(jobs: list[Job]) -> dict[str, str]:
    return {job.workflow: job.conclusion for job in jobs}


def test_each_entry_is_checked_with_those_before_it_and_only_the_one_that_collides_fails(tmp_path: Path) -> None:
    """A required check has to come to a conclusion for each entry, or it holds up the queue; an endpoint is asked by none of them."""
    queue = Queue(tmp_path)
    queue.propose("climate", {"sessions/climate.yaml": pinned("10.0.0.64")}, ago=3600)
    queue.propose("weather", {"sessions/weather.yaml": pinned("10.0.0.64", "b")}, ago=60)
    first, jobs = queue.enter("climate", 7)
    assert conclusions(jobs) == {"claims": "success", "owners": "skipped"}, jobs
    assert "subject=merge-queue-entry-of-pull-request-7" in jobs[0].summary
    assert "1 claim that later branches want" in jobs[0].summary
    _, jobs = queue.enter("weather", 8, after=first)
    assert conclusions(jobs) == {"claims": "failure", "owners": "skipped"}, jobs
    assert "session climate" in jobs[0].summary


def test_an_entry_that_was_squashed_does_not_collide_with_its_own_branch(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    queue.propose("climate", {"sessions/climate.yaml": pinned("10.0.0.64")}, ago=60)
    _, jobs = queue.enter("climate", 7, squash=True)
    assert conclusions(jobs) == {"claims": "success", "owners": "skipped"}, jobs
