"""A clone that follows one branch of a remote: fetched, verified and checked out, whatever an earlier process left when it died.

Whoever uses it holds the folder alone. Every call has a deadline. The remote's content is data: no hook, filter or submodule of it runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dtnctl.errors import DtnctlError, UsageError
from dtnctl.repository.git_program import git_command, git_environment

LOCAL_SECONDS = 60.0
REMOTE_SECONDS = 180.0
SLICE = 0.5  # seconds after which a call that still runs is looked at
REMOTE = "origin"
GOOD = "refs/dtnctl/pull/good"
PLANS = "refs/dtnctl/plans/"  # decision 35
SECRETS = ".secrets"
OF_ANOTHER = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY")  # variables that name another repository
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
PASSWORD = re.compile(r"(?:[a-z+]+://[^/@:]*:[^/]*@|https?://(?:[^/]*@|.*[?#]))", re.IGNORECASE)  # a user of http may be a token
LOGIN = re.compile(r"(?<=://)[^/\s@]+@")
# Git's own words where a server cannot send a part of the history (git 2.39, transport-helper.c, fetch-pack.c)
NO_SHALLOW = ("does not support shallow", "does not support --depth")


class FetchError(DtnctlError):
    """The branch could not be fetched; says why in one line."""


class CloneError(DtnctlError):
    """The clone on this machine cannot be used."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What is followed. `key` and `known_hosts` are files for ssh; empty: as ssh is set up. `depth`: commits of history; 0 is all of it.

    `label` is the part of the site that is applied, which has recorded plans of its own; empty for all of it.
    """

    url: str
    branch: str
    key: str = ""
    known_hosts: str = ""
    depth: int = 50
    label: str = ""

    def checked(self) -> Followed:
        """Itself; UsageError for a URL with a password or token, which lists of processes would show, and for what is no branch."""
        if PASSWORD.match(self.url):
            raise UsageError("the URL has a password or token in it, which others could read; use --deploy-key, or git's credential helper")
        if self.url.startswith("-") or self.branch.startswith("-") or not self.branch or " " in self.branch or ".." in self.branch:
            raise UsageError(f"{self.url} {self.branch} is not URL and branch of a Git repository")
        for file in (self.key, self.known_hosts):
            if file and not Path(file).is_file():
                raise UsageError(f"{file}: there is no such file")
        return self

    @property
    def ssh_command(self) -> str:
        """No question, no unknown host, and no connection that outlives the call."""
        words = ["ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ControlMaster=no", "-o", "ControlPath=none"]
        words += ["-o", "ConnectTimeout=20"]
        words += ["-i", str(Path(self.key).resolve()), "-o", "IdentitiesOnly=yes"] if self.key else []
        words += ["-o", f"UserKnownHostsFile={Path(self.known_hosts).resolve()}"] if self.known_hosts else []
        return shlex.join(words)


@dataclass(frozen=True, slots=True)
class FollowingClone:
    """The clone in `root`. `inherited`: open files that each git is given, such as the lock of the folder, which lasts as long as it.

    `is_cancelled` is asked while git runs: a fetch is ended when the answer is yes.
    """

    root: Path
    followed: Followed
    inherited: tuple[int, ...] = ()
    is_cancelled: Callable[[], bool] = lambda: False

    def open(self) -> None:
        """Make or repair the clone: locks that a dead git left are removed, its settings are those of `followed`."""
        self.root.mkdir(parents=True, exist_ok=True)
        for lock in (self.root / ".git").rglob("*.lock"):
            lock.unlink(missing_ok=True)
        self._run("init", "--quiet", f"--initial-branch={self.followed.branch}")
        settings = {
            f"remote.{REMOTE}.url": self.followed.url,
            "core.sshCommand": self.followed.ssh_command,
            "core.hooksPath": os.devnull,
            "gc.autoDetach": "false",  # what runs on would hold the folder's lock
            "advice.detachedHead": "false",
        }
        for name, value in settings.items():
            self._run("config", name, value)

    def remake(self) -> None:
        """Begin again with an empty clone, for one that is damaged."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.open()

    def fetch(self) -> str:
        """The branch's commit at the remote. FetchError if it cannot be had; a clone that is damaged is made once more."""
        try:
            return self._fetched()
        except FetchError:
            if not self._answers() or self._is_sound():
                raise
            self.remake()
            return self._fetched()

    def _fetched(self) -> str:
        depth = [f"--depth={self.followed.depth}"] if self.followed.depth else []
        target = f"refs/remotes/{REMOTE}/{self.followed.branch}"
        words = (REMOTE, f"+refs/heads/{self.followed.branch}:{target}")
        options = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        done = self._git(*options, *depth, *words, seconds=REMOTE_SECONDS)
        if done.returncode != 0 and depth and any(text in done.stderr for text in NO_SHALLOW):
            done = self._git(*options, *words, seconds=REMOTE_SECONDS)
        if done.returncode != 0:
            raise FetchError(_reason(done))
        found = self._git("rev-parse", "--verify", "--quiet", f"{target}^{{commit}}")
        if found.returncode != 0:
            raise FetchError("what was fetched is no commit")
        return found.stdout.strip()

    def _answers(self) -> bool:
        return self._git("ls-remote", "--exit-code", REMOTE, f"refs/heads/{self.followed.branch}", seconds=REMOTE_SECONDS).returncode == 0

    def _is_sound(self) -> bool:
        return self._git("fsck", "--connectivity-only", "--no-dangling", seconds=REMOTE_SECONDS).returncode == 0

    def has(self, commit: str) -> bool:
        """Whether the commit and its files are here."""
        return bool(COMMIT.fullmatch(commit)) and self._git("rev-list", "--objects", "--max-count=1", commit).returncode == 0

    def continues(self, newer: str, older: str) -> bool:
        """Whether the newer commit has the older one among its ancestors, as far as the history is here."""
        return self._git("merge-base", "--is-ancestor", older, newer).returncode == 0

    def signature_problem(self, commit: str, allowed_signers: str) -> str:
        """Why the commit is not signed by a key of the file, in the format of ssh-keygen(1); empty if it is. Only SSH signatures count."""
        words = ["-c", f"gpg.ssh.allowedSignersFile={allowed_signers}", "-c", "gpg.program=false", "-c", "gpg.x509.program=false"]
        done = self._git(*words, "verify-commit", commit)
        if done.returncode == 0:
            return ""
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        return f"{lines[-1] if lines else 'it is not signed by an SSH key'} ({allowed_signers})"

    def unsigned_since(self, good: str, commit: str, allowed_signers: str) -> str:
        """Why a commit is not signed that is new since `good`, whatever branch it was made on; empty if all are. FetchError as `fetch`.

        Without `good` only the newest one is asked. Where `good` is not here and not in the branch's history, all of that is new.
        """
        for item in dict.fromkeys([commit, *(self._new_since(good, commit) if good else ())]):
            if problem := self.signature_problem(item, allowed_signers):
                return problem if item == commit else f"{item[:12]}, which it continues: {problem}"
        return ""

    def _new_since(self, good: str, commit: str) -> list[str]:
        """Commits that `commit` has and `good` has not. What --depth cut off is fetched if one of them may be among that."""
        found = self._between(good, commit)
        boundary = self.root / ".git" / "shallow"
        if boundary.exists() and not set(found).isdisjoint(boundary.read_text(encoding="ascii").split()):
            target = f"refs/remotes/{REMOTE}/{self.followed.branch}"
            words = ("--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--unshallow", REMOTE)
            done = self._git("fetch", "--quiet", *words, f"+refs/heads/{self.followed.branch}:{target}", seconds=REMOTE_SECONDS)
            if done.returncode != 0:
                raise FetchError(f"the history since {good[:12]} cannot be fetched: {_reason(done)}")
            found = self._between(good, commit)
        return found

    def _between(self, good: str, commit: str) -> list[str]:
        return self._run("rev-list", commit, *([f"^{good}"] if self.has(good) else [])).split()

    def check_out(self, commit: str, secrets: str = "") -> None:
        """The files are exactly those of the commit, and `.secrets` is a link to the folder `secrets`, if there is one."""
        self._run("checkout", "--quiet", "--force", "--detach", commit)
        self._run("clean", "-ffdxq")
        if secrets:
            place = self.root / SECRETS
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            place.unlink(missing_ok=True)
            place.symlink_to(Path(secrets).resolve(), target_is_directory=True)

    def keep(self, commit: str) -> None:
        """The commit stays here, also when no branch has it any more."""
        self._run("update-ref", GOOD, commit)

    def kept(self) -> str:
        """The commit that was kept last, also by an earlier loop; empty if there is none."""
        return self._git("rev-parse", "--verify", "--quiet", f"{GOOD}^{{commit}}").stdout.strip()

    def reviewed_plan(self, commit: str) -> str | None:
        """The document of the plan that was reviewed for the commit's state (decision 35); None if there is none, as far as is known."""
        tree = self._git("rev-parse", "--verify", "--quiet", f"{commit}:state").stdout.strip()
        if not COMMIT.fullmatch(tree):
            return None
        ref = PLANS + tree + _part(self.followed.label)
        self._git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1", REMOTE, f"+{ref}:{ref}", seconds=REMOTE_SECONDS)
        shown = self._git("show", f"{ref}:plan.json")
        return shown.stdout if shown.returncode == 0 else None

    # --- git ---

    def _run(self, *words: str) -> str:
        done = self._git(*words)
        if done.returncode != 0:
            raise CloneError(f"git {words[0]}: {_reason(done)}")
        return done.stdout

    def _git(self, *words: str, seconds: float = LOCAL_SECONDS) -> subprocess.CompletedProcess[str]:
        """Its end, with code 124 where it took too long or was cancelled. In a session of its own: Ctrl-C is for us, a fetch may end."""
        ours = {name: value for name, value in git_environment().items() if name not in OF_ANOTHER}
        environment = {**ours, "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1"}
        command = git_command(self.root, *words)
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        try:
            process = subprocess.Popen(command, **pipes, env=environment, pass_fds=self.inherited, start_new_session=True)
        except FileNotFoundError as error:
            raise UsageError("git is not installed") from error
        end = time.monotonic() + seconds
        while True:
            try:
                out, err = process.communicate(timeout=SLICE)
            except subprocess.TimeoutExpired:
                if time.monotonic() < end and not self.is_cancelled():
                    continue
                _end_group(process)
                return subprocess.CompletedProcess(words, 124, "", f"fatal: git {words[0]} did not end within {seconds:.0f} s")
            return subprocess.CompletedProcess(words, process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Git and the ssh that it started, which would keep the pipes open."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """The first line of what git says that says something, without what it calls itself."""
    lines = [line.strip() for line in LOGIN.sub("", done.stderr).splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    return telling[0].removeprefix("fatal: ").removeprefix("error: ") if telling else f"git exits with {done.returncode}"


def _part(label: str) -> str:
    """What the ref of a part's plan ends with, as `dtnctl-ci record` writes it."""
    return f"-{hashlib.sha256(label.encode()).hexdigest()[:12]}" if label else ""
