"""A state repository that `dtnctl init --ci github` made, on a forge of our own: a clone to work in, a bare repository with the hook,
runners, and one pull request. dtnctl is the built wheel in an environment of its own; the jobs install it from the same wheel.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from lab import Lab
from tests.workflows.github_api import Discussion
from tests.workflows.runner import Forge, Job

CLONE = Path(__file__).parents[2]
REPOSITORY = "scinet/state"
IDENTITY = "a1b2c3d4e5f6"
MANAGEMENT = "management"  # the label of the runner that reaches the endpoints
AUTHOR = ("-c", "user.name=alice", "-c", "user.email=alice@localhost")


@dataclass(frozen=True, slots=True)
class Release:
    """What `make dist` made, and an environment into which its wheel was installed. `tools`: where jobs keep what they install."""

    wheels: Path
    program: Path
    tools: Path


def make_release(dist: Path, folder: Path) -> Release:
    """Installed from what `make dist` made, as docs/install.md has it."""
    wheels, programs = dist / "wheels", folder / "venv" / "bin"
    run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"])
    pip = [sys.executable, "-m", "pip", f"--python={programs}/python", "--quiet", "--disable-pip-version-check"]
    run([*pip, "install", "--no-compile", "--no-index", f"--find-links={wheels}", next(wheels.glob("dtnctl-*.whl"))])
    return Release(wheels, programs / "dtnctl", folder / "tools")


def run(command: Sequence[str | Path], **options: Any) -> str:
    """What it printed; a failure shows all of it."""
    done = subprocess.run(command, text=True, capture_output=True, check=False, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return str(done.stdout)


def make_forge(lab: Lab, discussion: Discussion, folder: Path, release: Release, repository: str = REPOSITORY) -> Forge:
    """A forge in this folder for one repository that is set up as docs/ci.md has it."""
    marks = {name: value for name, value in lab.environment().items() if name not in os.environ or name.startswith("DTN_LAB")}
    given = {"PATH": os.environ["PATH"], "HOME": str(folder), "RUNNER_TOOL_CACHE": str(release.tools)}
    given["PIP_COMPILE"] = "0"  # of what a job installs, it imports a small part
    return Forge(
        repository=repository,
        clone=str(folder / repository),
        folder=str(folder / "forge"),
        server=f"file://{folder}",
        api=discussion.url,
        token=discussion.token,
        runners={MANAGEMENT: lab.command("ctl", []), "ubuntu-24.04": []},
        variables={
            "DTNCTL_RUNNER": MANAGEMENT,
            "DTNCTL_REPORT_RUNNER": "ubuntu-24.04",  # the API is in this machine's own network
            "DTNCTL_WHEELS": str(release.wheels),
            "DTNCTL_SSH_KNOWN_HOSTS": (lab.layout.home / ".ssh" / "known_hosts").read_text(),
        },
        secrets=secrets_of(lab),
        environment=marks | given,
    )


def secrets_of(lab: Lab) -> dict[str, str]:
    """What its endpoints ask for."""
    tls = lab.layout.tls
    files = {"TLS_CA": tls.ca, "TLS_CERT": tls.cert, "TLS_KEY": tls.key, "SSH_KEY": lab.layout.home / ".ssh" / "id_ed25519"}
    return {f"DTNCTL_{name}": path.read_text() for name, path in files.items()}


def write_forge(forge: Forge, folder: Path) -> None:
    """Where the hook of its repository reads it."""
    (folder / "forge").mkdir()
    (folder / "forge.json").write_text(json.dumps(asdict(forge)))


def hook_text(folder: Path, word: str = "") -> str:
    """The command that runs what a push, or the clock, starts."""
    return f"PYTHONPATH={CLONE} exec {sys.executable} -m tests.workflows.on_push {folder}/forge.json {word}"


class Project:
    """What a person with a clone sees and does. `main` has a site with two endpoints and no session."""

    def __init__(self, lab: Lab, discussion: Discussion, folder: Path, release: Release) -> None:
        self.lab = lab
        self.folder = folder
        self.release = release
        self.work = folder / "alice"
        self.bare = folder / REPOSITORY
        self._forge(discussion)
        self._git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        self._git(folder, "clone", "--quiet", str(self.bare), str(self.work))
        self._git(self.work, "switch", "--quiet", "--create", "main")
        self._start()

    def _forge(self, discussion: Discussion) -> None:
        write_forge(make_forge(self.lab, discussion, self.folder, self.release), self.folder)

    def secrets(self) -> dict[str, str]:
        """What the repository keeps from everybody but its jobs."""
        return secrets_of(self.lab)

    def _start(self) -> None:
        """The first commit: what `init --ci` wrote, with our endpoints and no session; the hook comes after it."""
        self.dtnctl("init", ".", "--ci", "github")
        for folder in ("endpoints", "networks", "profiles"):
            shutil.rmtree(self.work / "state" / folder)
        self.write("site", {"name": "scinet", "id": IDENTITY})
        self.write("profiles/plain", {"arguments": ["sleep", "100000"], "init": True, "memory": "64MiB", "stop_timeout": "2s"})
        self.endpoint("dtn1", "tcp")
        self.endpoint("dtn2", "ssh")
        self.dtnctl("validate")
        self.commit("a site with two endpoints")
        self.push("main")
        hook = self.bare / "hooks" / "post-receive"
        hook.write_text(f"#!/bin/sh\n{self._reaction()}\n")
        hook.chmod(0o755)

    def _reaction(self, word: str = "") -> str:
        return hook_text(self.folder, word)

    def dtnctl(self, *words: str) -> str:
        """The installed dtnctl, in the clone."""
        return run([self.release.program, *words], cwd=self.work)

    def endpoint(self, name: str, transport: str) -> None:
        """An endpoint of the lab. Its TLS files are where `dtnctl-ci credentials` puts them."""
        value = yaml.safe_load(self.lab.endpoint_yaml(name, transport))  # type: ignore[arg-type]  # one of its words
        del value["interfaces"]  # the sessions here need no data network
        if transport == "tcp":
            value["tls"] = {part: f".secrets/{part}.pem" for part in ("ca", "cert", "key")}
        self.write(f"endpoints/{name}", value)

    # --- what a person does ---

    def write(self, path: str, value: dict[str, Any]) -> None:
        """Write a state file, such as sessions/climate."""
        self.write_text(path, yaml.safe_dump(value, sort_keys=False))

    def write_text(self, path: str, text: str) -> None:
        file = self.work / "state" / f"{path}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def session(self, name: str, **fields: Any) -> None:
        """A session on both endpoints."""
        self.write(f"sessions/{name}", {"endpoints": ["dtn1", "dtn2"], "image": "tiny:1", "profile": "plain"} | fields)

    def commit(self, message: str) -> None:
        self._git(self.work, "add", "--all")
        self._git(self.work, *AUTHOR, "commit", "--quiet", "--message", message)

    def branch(self, name: str) -> None:
        """A new branch off main."""
        self._git(self.work, "switch", "--quiet", "--create", name, "main")

    def push(self, branch: str) -> list[Job]:
        """Push, wait for all that the push starts, and return the jobs."""
        before = len(self._jobs())
        self._git(self.work, "push", "--quiet", "origin", branch)
        return self._jobs()[before:]

    def run_again(self, commit: str) -> list[Job]:
        """Run what the push of this commit to main had started, as the button on GitHub does."""
        before = len(self._jobs())
        line = f"{'0' * 40} {commit} refs/heads/main\n"
        subprocess.run([self.bare / "hooks" / "post-receive"], input=line, text=True, capture_output=True, check=True)
        return self._jobs()[before:]

    def clock(self) -> list[Job]:
        """Run what the schedule starts."""
        before = len(self._jobs())
        run(["sh", "-c", self._reaction("schedule")])
        return self._jobs()[before:]

    def docker(self, name: str, *words: str) -> str:
        """The docker command on an endpoint: what somebody does behind dtnctl's back."""
        return run(["docker", f"--host={self.lab.endpoint(name).unix_url}", *words])

    def _jobs(self) -> list[Job]:
        record = self.folder / "forge" / "jobs.jsonl"
        return [Job(**json.loads(line)) for line in record.read_text().splitlines()] if record.exists() else []

    def head(self) -> str:
        """The commit that the clone is at."""
        return subprocess.run(["git", "-C", self.work, "rev-parse", "HEAD"], text=True, capture_output=True, check=True).stdout.strip()

    def merge(self, branch: str, way: str = "--no-ff") -> list[Job]:
        """Merge the branch into main, as a person does after a review."""
        self.back_on_main()
        self._git(self.work, *AUTHOR, "merge", "--quiet", way, *(["--message", f"Merge {branch}"] * (way == "--no-ff")), branch)
        if way == "--squash":
            self.commit(f"Merge {branch}")
        return self.push("main")

    def back_on_main(self) -> None:
        self._git(self.work, "switch", "--quiet", "main")

    def reset_main(self, commit: str) -> None:
        """Main is this commit again, and no workflow runs."""
        self._git(self.work, "reset", "--quiet", "--hard", commit)
        (self.bare / "hooks" / "post-receive").chmod(0o644)
        self._git(self.work, "push", "--quiet", "--force", "origin", "main")
        (self.bare / "hooks" / "post-receive").chmod(0o755)

    # --- what is on the endpoints ---

    def containers(self, name: str) -> dict[str, str]:
        """Name and state of every container of an endpoint."""
        command = ["docker", f"--host={self.lab.endpoint(name).unix_url}", "ps", "--all", "--format={{.Names}} {{.State}}"]
        lines = subprocess.run(command, check=True, text=True, capture_output=True).stdout.splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def clean(self) -> None:
        """Take everything off the engines, for the next scenario."""
        for endpoint in self.lab.endpoints:
            for name in self.containers(endpoint.name):
                subprocess.run(["docker", f"--host={endpoint.unix_url}", "rm", "--force", name], check=True, capture_output=True)

    @staticmethod
    def _git(folder: Path, *words: str) -> None:
        done = subprocess.run(["git", "-C", str(folder), *words], text=True, capture_output=True, check=False)
        assert done.returncode == 0, f"git {' '.join(words)}: {done.stdout}{done.stderr}"
