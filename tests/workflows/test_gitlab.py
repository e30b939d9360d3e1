"""GitLab: the jobs of the pipeline that `dtnctl init --ci gitlab` writes, one after the other, against engines in memory and an API that
plays GitLab. Which job a pipeline has (`rules:`) is GitLab's to decide and not played here.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dtnctl.ci.files import ci_files
from dtnctl.repository.runs import Runs
from tests.cli.small_site import CLONE, environment, two_engines
from tests.fakes.http_api import serve
from tests.workflows.gitlab_api import GitLab

AUTHOR = ("-c", "user.name=alice", "-c", "user.email=alice@localhost")


class Loader(yaml.SafeLoader):
    """GitLab's YAML: `!reference [job, key]` stands for what that job has there."""


def referenced(loader: Loader, node: yaml.SequenceNode) -> tuple[str, ...]:
    return ("reference", *loader.construct_sequence(node))


Loader.add_constructor("!reference", referenced)
PIPELINE: dict[str, Any] = yaml.load(ci_files("gitlab", "scinet")[".gitlab-ci.yml"], Loader)  # a SafeLoader
JOBS = {name: PIPELINE[".dtnctl"] | job for name, job in PIPELINE.items() if isinstance(job, dict) and "script" in job}


def lines(script: list[Any]) -> Iterator[str]:
    for item in script:
        if isinstance(item, tuple):
            yield from lines(PIPELINE[item[1]])
        else:
            yield str(item)


def environment_of(job: dict[str, Any]) -> str:
    """Whose secrets the job gets; empty for none."""
    found = job.get("environment", "")
    return found if isinstance(found, str) else str(found["name"])


class Project:
    """A clone, the bare repository that GitLab has, and its jobs. `log` is what the last job printed."""

    def __init__(self, folder: Path, gitlab: GitLab) -> None:
        self.folder, self.work, self.bare, self.log = folder, folder / "alice", folder / "scinet" / "state.git", ""
        self.given = {
            "CI": "true",
            "CI_API_V4_URL": f"{gitlab.url}/api/v4",
            "CI_DEFAULT_BRANCH": "main",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_PROJECT_ID": "5",
            "CI_PROJECT_PATH": "scinet/state",
            "CI_PROJECT_URL": "https://lab.example/scinet/state",
            "CI_SERVER_URL": f"file://{folder}",
            "DTNCTL_PROGRAM": str(folder / "bin" / "dtnctl"),
            "HOME": str(folder),
        }
        self.secrets = {"report": {"GITLAB_TOKEN": gitlab.token}}
        self._install()
        self.git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        self.git(self.work, "init", "--quiet", "--initial-branch=main")
        self.git(self.work, "remote", "add", "origin", str(self.bare))

    def _install(self) -> None:
        (self.folder / "bin").mkdir()
        for name, module in (("dtnctl", "dtnctl"), ("dtnctl-ci", "dtnctl.ci.program")):
            program = self.folder / "bin" / name
            program.write_text(f'#!/bin/sh\nPYTHONPATH={CLONE}:{CLONE}/agent exec {sys.executable} -m {module} "$@"\n')
            program.chmod(0o755)

    def git(self, folder: Path, *words: str) -> str:
        return subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True).stdout.strip()

    def push(self, branch: str) -> None:
        self.git(self.work, "add", "--all")
        self.git(self.work, *AUTHOR, "commit", "--quiet", f"--message={branch}")
        self.git(self.work, "push", "--quiet", "origin", f"HEAD:{branch}")

    def job(self, name: str, branch: str = "main", folder: str = "runner") -> int:
        """Its exit code. Jobs of one pipeline share the folder, as artifacts would; each has the secrets of its environment alone."""
        job, work = JOBS[name], self.folder / folder
        if not work.exists():
            self.git(self.folder, "clone", "--quiet", f"--branch={branch}", str(self.bare), str(work))
        head = {"CI_COMMIT_SHA": self.git(work, "rev-parse", "HEAD")}
        variables = environment(**self.given, **head, **PIPELINE["variables"], **self.secrets.get(environment_of(job), {}))
        self.log = ""
        codes = [self._run(work, part, variables) for part in ([*job["before_script"], *job["script"]], job.get("after_script", []))]
        return codes[0]

    def _run(self, work: Path, script: list[Any], variables: dict[str, str]) -> int:
        text = "\n".join(["set -eo pipefail", *lines(script)])
        ran = subprocess.run(
            ["bash", "-c", text], cwd=work, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        self.log += ran.stdout
        return ran.returncode


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with serve(GitLab()) as served:
        yield served


@pytest.fixture
def project(gitlab: GitLab, tmp_path: Path) -> Iterator[Project]:
    with two_engines(tmp_path / "alice"):
        (tmp_path / "alice" / ".gitignore").write_text("/.secrets/\n/build/\n")
        (tmp_path / "alice" / "README.md").write_text("ours\n")
        project = Project(tmp_path, gitlab)
        session = project.work / "state" / "sessions" / "s.yaml"
        text = session.read_text()
        session.unlink()
        project.push("main")
        session.parent.mkdir(exist_ok=True)
        session.write_text(text)
        yield project


def test_merge_request_gets_its_note_and_the_merge_runs_the_reviewed_plan(project: Project, gitlab: GitLab) -> None:
    project.push("change")
    assert project.job("plan", "change", "pipeline") == 0, project.log
    assert project.job("comment", "change", "pipeline") == 0, project.log
    (note,) = gitlab.notes
    assert note["body"].startswith("<!-- dtnctl:plan site=small hash=")
    assert "2 changes" in note["body"]
    assert gitlab.statuses == ["dtnctl/small/a: success", "dtnctl/small/b: success"]
    project.git(project.work, "push", "--quiet", "origin", "HEAD:main")
    assert project.job("apply") == 0, project.log
    assert "this is the plan that was reviewed (" in project.log
    assert project.job("record") == 0, project.log
    (record,) = Runs(project.bare, "small").read().records.values()
    assert (record.result, record.command) == ("ok", "apply")
    assert project.job("plan", "change", "pipeline") == 0
    assert project.job("comment", "change", "pipeline") == 0
    (note,) = gitlab.notes
    assert "No changes" in note["body"]


def test_a_branch_that_wants_what_an_earlier_one_claimed_fails(project: Project) -> None:
    for name, seconds_ago in (("one", 100), ("two", 50)):
        project.git(project.work, "checkout", "--quiet", "-B", name, "origin/main")
        session = project.work / "state" / "sessions" / f"{name}.yaml"
        session.write_text("endpoints: [a]\nimage: app:1\nsettings: {exposed_ports: [8080]}\n")
        project.git(project.work, "add", str(session))
        date = f"--date=@{int(time.time()) - seconds_ago} +0000"
        project.git(project.work, *AUTHOR, "commit", "--quiet", date, f"--message={name}")
        project.git(project.work, "push", "--quiet", "origin", name)
    assert project.job("claims", "one", "first") == 0, project.log
    assert project.job("claims", "two", "second") == 4, project.log
    assert "branch one claimed it first" in project.log


def test_a_branch_that_changes_files_of_others_fails(project: Project) -> None:
    site = project.work / "state" / "site.yaml"
    site.write_text(site.read_text() + "owners:\n  rules: [{paths: [/state/sessions/], people: [ann@example.net]}]\n")
    project.push("main")
    (project.work / "README.md").write_text("Our DTNs.\n")
    project.push("words")
    assert project.job("owners", "words", "first") == 0, project.log
    (project.work / "state" / "sessions" / "mine.yaml").write_text("endpoints: [a]\nimage: app:1\n")
    project.push("mine")
    assert project.job("owners", "mine", "second") == 4, project.log
    assert "state/sessions/mine.yaml" in project.log


def test_drift_opens_one_issue_and_its_end_closes_it(project: Project, gitlab: GitLab) -> None:
    project.push("main")
    for _ in range(2):
        assert project.job("drift") == 0, project.log
        assert project.job("issue") == 0, project.log
    (issue,) = gitlab.issues
    assert (issue["title"], issue["state"]) == ("dtnctl: drift at small", "opened")
    assert "create" in issue["description"].lower()
    assert project.job("apply") == 0, project.log
    assert project.job("drift") == 0
    assert project.job("issue") == 0
    assert issue["state"] == "closed"


def test_notes_of_others_stay_and_copies_are_removed(project: Project, gitlab: GitLab) -> None:
    project.push("change")
    project.job("plan", "change", "pipeline")
    body = (project.folder / "pipeline" / "build" / "ci" / "plan.md").read_text()
    gitlab.add("merge_requests/7/notes", {"body": body}, author="mallory")
    for _ in range(2):
        gitlab.add("merge_requests/7/notes", {"body": body.replace("hash=", "hash=0")})
    assert project.job("comment", "change", "pipeline") == 0, project.log
    assert [(note["author"]["id"], note["id"]) for note in gitlab.notes] == [(2, 1), (1, 2)]


def test_token_that_is_missing_or_wrong_is_an_error_that_does_not_show_it(project: Project, gitlab: GitLab) -> None:
    project.push("change")
    project.job("plan", "change", "pipeline")
    gitlab.token = "another"
    assert project.job("comment", "change", "pipeline") == 1
    assert "401 401 Unauthorized" in project.log
    assert "glpat-secret" not in project.log
    project.secrets = {}
    assert project.job("comment", "change", "pipeline") == 64
    assert "not set: GITLAB_TOKEN" in project.log


def test_no_job_has_both_the_endpoints_environment_and_the_token_that_writes() -> None:
    for name, job in JOBS.items():
        where = environment_of(job)
        uses_credentials = "dtnctl-ci credentials give" in list(lines(job["script"]))
        assert uses_credentials == (where in ("plan", "production")), name
        assert (job.get("variables", {}).get("GIT_STRATEGY") == "none") == (where == "report"), name


def test_apply_runs_one_after_the_other_and_is_not_interrupted() -> None:
    assert (JOBS["apply"]["resource_group"], JOBS["apply"]["interruptible"]) == ("dtnctl-apply", False)


def test_jobs_clean_up_their_credentials() -> None:
    for name, job in JOBS.items():
        if "dtnctl-ci credentials give" in list(lines(job["script"])):
            assert "$(cat build/ci/program) credentials remove" in job["after_script"], name
