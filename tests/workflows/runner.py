"""Runs the jobs of a workflow file on this machine, as far as our workflows use what GitHub's runner does.

`run:` steps are run by the shell that GitHub uses; actions are done by what stands for them here. What is not known is an error.
"""

from __future__ import annotations

import fnmatch
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.workflows.expressions import interpolate, is_met


class UnknownWorkflow(Exception):  # noqa: N818  # it says what it is
    """The workflow asks for something that is not played here."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened in the repository. `changed` are the files that differ."""

    name: str
    ref: str
    sha: str
    changed: tuple[str, ...] = ()
    payload: dict[str, Any] = field(default_factory=dict)

    @property
    def branch(self) -> str:
        """The branch that `on: … branches:` speaks of: the pushed one, or the one that a pull request or an entry of a queue goes to."""
        if self.name == "merge_group":
            return str(self.payload["merge_group"]["base_ref"]).removeprefix("refs/heads/")
        return str(self.payload["pull_request"]["base"]["ref"]) if self.name == "pull_request" else self.ref.removeprefix("refs/heads/")


@dataclass(frozen=True, slots=True)
class Forge:
    """What a repository on GitHub has been given, and where its runners are.

    `server`: what repositories' addresses begin with. `runners`: by label, the words before a command that bring it onto that machine.
    """

    repository: str
    clone: str
    folder: str
    server: str
    api: str
    token: str
    runners: dict[str, list[str]]
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """A job that came to its end: its conclusion, what its steps printed, and its summary."""

    workflow: str
    name: str
    conclusion: str
    log: str = ""
    summary: str = ""


def is_triggered(workflow: Mapping[Any, Any], event: Event) -> bool:
    """Whether the event starts the workflow. YAML 1.1 reads the key `on` as true."""
    triggers = workflow[True] or {}
    if event.name not in triggers:
        return False
    if event.name == "schedule":
        return True
    terms = triggers[event.name] or {}
    branches, paths = terms.get("branches", ["*"]), terms.get("paths", ["*"])
    on_branch = any(fnmatch.fnmatch(event.branch, pattern) for pattern in branches)
    return on_branch and any(fnmatch.fnmatch(path, pattern) for path in event.changed or ("",) for pattern in paths)


def run_workflow(path: Path, event: Event, forge: Forge) -> list[Job]:
    """All jobs of the workflow in the order that they need each other; none where the event does not start it."""
    workflow = yaml.safe_load(path.read_text())
    if not is_triggered(workflow, event):
        return []
    if workflow.get("permissions") != {}:
        raise UnknownWorkflow(f"{path.name}: permissions are given by each job")
    done: list[Job] = []
    for name, job in workflow["jobs"].items():
        needed = {need: next(item for item in done if item.name == need) for need in _words(job.get("needs", []))}
        given = {"env": workflow.get("env", {})} | job
        done.append(JobRun(path.stem, name, given, event, forge, needed).run())
    return done


class JobRun:
    """One job in a folder of its own."""

    def __init__(self, workflow: str, name: str, job: Mapping[str, Any], event: Event, forge: Forge, needed: Mapping[str, Job]) -> None:
        self._workflow, self._name, self._job, self._event, self._forge = workflow, name, job, event, forge
        self._folder = Path(forge.folder) / workflow / f"{name}-{event.sha[:7]}"
        self._has_failed = any(item.conclusion != "success" for item in needed.values())
        self._log: list[str] = []
        self._context = {
            "github": {
                "ref": event.ref,
                "sha": event.sha,
                "repository": forge.repository,
                "event_name": event.name,
                "event": event.payload,
                # a token is given to the jobs that ask for one
                **({"token": forge.token} if job.get("permissions") else {}),
            },
            "vars": forge.variables,
            "secrets": forge.secrets if "environment" in job else {},
            "needs": {need: {"result": item.conclusion} for need, item in needed.items()},
        }

    def run(self) -> Job:
        """The job's end. A failed step holds back those after it that do not ask to run all the same."""
        if not is_met(self._job.get("if"), self._context, has_failed=self._has_failed):
            return Job(self._workflow, self._name, "skipped")
        self._prepare()
        self._has_failed = False
        for step in self._job["steps"]:
            if is_met(step.get("if"), self._context, has_failed=self._has_failed) and not self._step(step):
                self._has_failed = True
        summary = (self._folder / "summary.md").read_text()
        return Job(self._workflow, self._name, "failure" if self._has_failed else "success", "".join(self._log), summary)

    @property
    def _work(self) -> Path:
        return self._folder / "work"

    def _prepare(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._work.mkdir(parents=True)
        (self._folder / "event.json").write_text(json.dumps(self._event.payload))
        for file in ("summary.md", "environment", "output", "path"):
            (self._folder / file).touch()

    def _step(self, step: Mapping[str, Any]) -> bool:
        self._log.append(f"# {step.get('name') or step.get('uses') or step['run']}\n")
        if "uses" in step:
            self._action(step["uses"].split("@")[0], step.get("with", {}))
            return True
        script = self._folder / "step.sh"
        script.write_text(step["run"])
        command = [*self._runner(), "bash", "-e", str(script)]
        ran = subprocess.run(
            command,
            cwd=self._work,
            env=self._environment(step),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        self._log.append(ran.stdout)
        return ran.returncode == 0

    def _runner(self) -> list[str]:
        label = interpolate(self._job["runs-on"], self._context)
        if label not in self._forge.runners:
            raise UnknownWorkflow(f"no runner {label}; there are {', '.join(self._forge.runners)}")
        return self._forge.runners[label]

    def _environment(self, step: Mapping[str, Any]) -> dict[str, str]:
        """What GitHub's runner gives to a step; nothing of ours gets through but what the forge names."""
        written = {**self._job["env"], **step.get("env", {})}
        given = {name: interpolate(str(value), self._context) for name, value in written.items()}
        earlier = dict(line.split("=", 1) for line in (self._folder / "environment").read_text().splitlines())
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": "alice",
            "GITHUB_API_URL": self._forge.api,
            "GITHUB_EVENT_PATH": str(self._folder / "event.json"),
            "GITHUB_ENV": str(self._folder / "environment"),
            "GITHUB_OUTPUT": str(self._folder / "output"),
            "GITHUB_PATH": str(self._folder / "path"),
            "GITHUB_REF": self._event.ref,
            "GITHUB_REPOSITORY": self._forge.repository,
            "GITHUB_RUN_ID": "41",
            "GITHUB_SERVER_URL": self._forge.server,
            "GITHUB_SHA": self._event.sha,
            "GITHUB_STEP_SUMMARY": str(self._folder / "summary.md"),
            **self._forge.environment,
            "PATH": ":".join([*(self._folder / "path").read_text().splitlines(), self._forge.environment["PATH"]]),
            **earlier,
            **given,
        }

    def _action(self, name: str, options: Mapping[str, Any]) -> None:
        match name:
            case "actions/checkout":
                self._check_out(options.get("ref", self._event.sha), whole=options.get("fetch-depth") == 0)
            case "actions/upload-artifact":
                self._upload(options)
            case "actions/download-artifact":
                shutil.copytree(self._artifact(options["name"]), self._work / options["path"], dirs_exist_ok=True)
            case _:
                raise UnknownWorkflow(f"{name} is not played here")

    def _check_out(self, ref: str, *, whole: bool) -> None:
        branches = [["fetch", "--quiet", self._forge.clone, "+refs/heads/*:refs/remotes/origin/*"]] if whole else []
        fetched = [["fetch", "--quiet", self._forge.clone, ref], ["checkout", "--quiet", "FETCH_HEAD"]]
        for words in (["init", "--quiet"], *branches, *fetched):
            subprocess.run(["git", *words], cwd=self._work, check=True, env=clean_environment())

    def _upload(self, options: Mapping[str, Any]) -> None:
        folder = self._artifact(options["name"])
        shutil.rmtree(folder, ignore_errors=True)  # of an earlier run for the same commit
        folder.mkdir(parents=True)
        for line in options["path"].split():
            if (self._work / line).exists():
                shutil.copy(self._work / line, folder)

    def _artifact(self, name: str) -> Path:
        return Path(self._forge.folder) / "artifacts" / f"{self._event.sha[:7]}-{self._workflow}-{name}"


def clean_environment() -> dict[str, str]:
    """Ours without what git sets for a hook: that would make every git command speak of the bare repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def _words(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def as_json(job: Job) -> str:
    """The job on one line."""
    return json.dumps(asdict(job))


def log(text: str) -> None:
    """A line that the person who pushes sees."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
