"""What the forge does after a push: `python -m tests.workflows.on_push FORGE.json`, the post-receive hook of a bare repository.

A push to main is the event `push`. One to a branch of the merge queue, which GitHub makes itself, is the event `merge_group`. One to any
other branch is the event `pull_request`, for the merge of that branch into main.
Each finished job is a line of jobs.jsonl in the forge's folder.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.workflows.runner import Event, Forge, as_json, clean_environment, log, run_workflow

WORKFLOWS = ("plan.yml", "claims.yml", "owners.yml", "drift.yml", "apply.yml")  # in the order of the clock
NO_COMMIT = "0" * 40
QUEUE = "refs/heads/gh-readonly-queue/"


def git(folder: str | Path, *words: str) -> str:
    """What git printed."""
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, env=clean_environment()).stdout.strip()


def event_of(clone: str, repository: str, old: str, new: str, ref: str) -> Event:
    """What GitHub would make of this push."""
    if ref == "refs/heads/main":
        base = [old] if old != NO_COMMIT else []
        changed = git(clone, "diff", "--name-only", *base, new) if base else git(clone, "ls-tree", "-r", "--name-only", new)
        return Event("push", ref, new, tuple(changed.splitlines()))
    if ref.startswith(QUEUE):
        changed = git(clone, "diff", "--name-only", "main", new)
        group = {"head_sha": new, "head_ref": ref, "base_sha": git(clone, "rev-parse", "main"), "base_ref": "refs/heads/main"}
        return Event("merge_group", ref, new, tuple(changed.splitlines()), {"merge_group": group})
    merge = merge_into_main(clone, new)
    changed = git(clone, "diff", "--name-only", "main", merge)
    pull_request = {"number": 7, "base": {"ref": "main"}, "head": {"ref": ref, "sha": new, "repo": {"full_name": repository}}}
    return Event("pull_request", "refs/pull/7/merge", merge, tuple(changed.splitlines()), {"pull_request": pull_request})


def merge_into_main(clone: str, branch: str) -> str:
    """The merge commit that GitHub keeps for a pull request; it is in no branch."""
    with tempfile.TemporaryDirectory() as folder:
        git(folder, "clone", "--quiet", "--branch=main", clone, "merge")
        work = Path(folder) / "merge"
        git(work, "fetch", "--quiet", "origin", branch)
        git(work, "-c", "user.name=forge", "-c", "user.email=forge@localhost", "merge", "--quiet", "--no-ff", "-m", "merge", branch)
        git(work, "push", "--quiet", "origin", "HEAD:refs/pull/7/merge", "--force", "--no-verify")
        return git(work, "rev-parse", "HEAD")


def main(arguments: list[str]) -> int:
    """Run what each pushed branch starts, or with the word `schedule` what the clock does. A hook's exit code means nothing."""
    forge = Forge(**json.loads(Path(arguments[0]).read_text()))
    if arguments[1:] == ["schedule"]:
        react(forge, Event("schedule", "refs/heads/main", git(forge.clone, "rev-parse", "main")))
        return 0
    for line in sys.stdin.read().splitlines():
        old, new, ref = line.split()
        if ref.startswith("refs/heads/") and new != NO_COMMIT:
            react(forge, event_of(forge.clone, forge.repository, old, new, ref))
    return 0


def react(forge: Forge, event: Event) -> None:
    """Run the workflows as the event's commit has them."""
    with tempfile.TemporaryDirectory() as folder:
        for name in WORKFLOWS:
            path = Path(folder) / name
            path.write_text(git(forge.clone, "show", f"{event.sha}:.github/workflows/{name}"))
            for job in run_workflow(path, event, forge):
                log(f"{job.workflow} / {job.name}: {job.conclusion}")
                with (Path(forge.folder) / "jobs.jsonl").open("a") as jobs:
                    jobs.write(as_json(job) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
