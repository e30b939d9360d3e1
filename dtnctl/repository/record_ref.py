"""A ref of the state repository that holds records as files: read, written on top of the newest, fetched and pushed.

Commits are made by git-fast-import(1): neither the work tree nor the index is touched, and a ref moves only forward, whoever else
writes. Nothing is ever pushed by force. What cannot be done raises MirrorError and loses nothing: the next write does it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from dtnctl.repository.git_program import git_command, git_environment

TRIES = 10  # against other writers; each try begins on top of what the other one wrote
LOCAL_SECONDS = 20.0
REMOTE_SECONDS = 60.0
RECORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*\.json")  # SITE/FILE; others can push any other path, too
LOGIN = re.compile(r"(?<=://)[^/\s@]+@")  # CI clones by addresses with a token in them


class MirrorError(Exception):
    """Git cannot do it now; says why."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit changes, by path: the content, the id of an object that Git has, or None where the file is removed."""

    files: Mapping[str, bytes | str | None]
    message: str


Changing: TypeAlias = Callable[[str | None, str | None], Change]  # of the commit to write on and the one to merge; None where there is none


@dataclass(frozen=True, slots=True)
class RecordRef:
    """One such ref. `fetched`: the prefix of the ref, by remote, that keeps what was fetched last. `folder` is that of the site.

    `remote` is the Git remote that has it, too; empty without one. `who` makes the commits.
    """

    root: Path
    name: str
    fetched: str
    folder: str
    remote: str = ""
    who: str = "dtnctl"

    # --- reading ---

    def tips(self) -> dict[str, str]:
        """By ref, the commit of our ref, and of what was fetched."""
        lines = self._read("for-each-ref", "--format=%(refname) %(objectname)", self.name, f"{self.fetched}{self.remote or '-'}")
        return dict(line.split(" ", 1) for line in lines.decode().splitlines())

    def files(self, commit: str) -> dict[str, str]:
        """The Git object of each record of this site."""
        return self._listed("ls-tree", "-z", commit, f"{self.folder}/")

    def _listed(self, *words: str) -> dict[str, str]:
        parts = (line.decode("utf-8", "replace").partition("\t") for line in self._read(*words).split(b"\0"))
        return {path: described.split(" ")[2] for described, _, path in parts if " blob " in described and RECORD.fullmatch(path)}

    def contents(self, names: list[str]) -> dict[str, bytes]:
        """Objects by name, as git-cat-file(1) writes them in a batch: a line `NAME blob SIZE`, the content, a newline."""
        output = self._read("cat-file", "--batch", given="\n".join(names).encode() + b"\n") if names else b""
        contents: dict[str, bytes] = {}
        while output:
            head, _, rest = output.partition(b"\n")
            words = head.decode().split(" ")
            if len(words) != 3:
                raise MirrorError(f"Git does not have what its ref {self.name} holds: {head.decode()}")
            size = int(words[2])
            contents[words[0]], output = rest[:size], rest[size + 1 :]
        return contents

    def fetch(self) -> str:
        """Ask the remote for its ref. Returns why that cannot be; empty if it was done, or the remote has none yet."""
        try:
            self._fetch()
        except MirrorError as error:
            return str(error)
        return ""

    def _fetch(self) -> None:
        refspec = f"+{self.name}:{self.fetched}{self.remote}"
        done = self._git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", self.remote, refspec, seconds=REMOTE_SECONDS)
        if done.returncode != 0 and b"find remote ref" not in done.stderr:
            raise MirrorError(_reason(done))

    # --- writing ---

    def write(self, changing: Changing, again: Changing) -> None:
        """Commit the change here, then push it. `again` is the change where the remote has more by then: a merge, nothing new."""
        self._commit(changing)
        if self.remote:
            self._push(again)

    def _commit(self, changing: Changing) -> None:
        """On top of what is there by now, together with what was fetched."""
        for _ in range(TRIES):
            tips = self.tips()
            ours, theirs = tips.get(self.name), tips.get(f"{self.fetched}{self.remote}")
            base, other = self._order(ours, theirs)
            change = changing(base, other)
            if not change.files and other is None:
                if base == ours or self._git("update-ref", self.name, str(base), ours or "0" * len(str(base))).returncode == 0:
                    return
                continue
            done = self._git("fast-import", "--quiet", "--done", "--date-format=now", given=self._stream(change, base, other))
            if done.returncode == 0:
                return
            if b"fatal:" in done.stderr:
                raise MirrorError(_reason(done))
        raise MirrorError(f"others wrote {self.name} {TRIES} times meanwhile")

    def _order(self, ours: str | None, theirs: str | None) -> tuple[str | None, str | None]:
        """The commit to go on from, and the one to merge with it; None where there is none."""
        if ours is None or theirs is None or ours == theirs:
            return ours or theirs, None
        if self._is_ancestor(ours, theirs):
            return theirs, None
        return ours, None if self._is_ancestor(theirs, ours) else theirs

    def _is_ancestor(self, older: str, newer: str) -> bool:
        return self._git("merge-base", "--is-ancestor", older, newer).returncode == 0

    def _stream(self, change: Change, base: str | None, other: str | None) -> bytes:
        """The commit in the format of git-fast-import(1)."""
        who = "".join(character for character in self.who if character.isprintable() and character not in "<>")
        message = change.message.encode()
        parts = [f"commit {self.name}\ncommitter {who} <{who}> now\ndata {len(message)}\n".encode() + message + b"\n"]
        parts += [f"from {base}\n".encode()] if base is not None else []
        parts += [f"merge {other}\n".encode()] if other is not None else []
        files = {**self._of_other_sites(base, other), **change.files}
        parts += [_file_command(path, content) for path, content in sorted(files.items())]
        return b"".join([*parts, b"done\n"])

    def _of_other_sites(self, base: str | None, other: str | None) -> dict[str, str]:
        """Records of other sites that only the merged commit has: a merge keeps the first one's tree alone."""
        if base is None or other is None:
            return {}
        known = self._listed("ls-tree", "-r", "-z", base)
        found = self._listed("ls-tree", "-r", "-z", other)
        return {path: name for path, name in found.items() if path not in known and not path.startswith(f"{self.folder}/")}

    def _push(self, again: Changing) -> None:
        """Onto the remote's newest; where somebody else was faster, that is merged first."""
        tracking, reason = f"{self.fetched}{self.remote}", ""
        for _ in range(TRIES):
            tips = self.tips()
            if self.name not in tips or tips.get(tracking) == tips[self.name]:
                return
            refspec = f"{tips[self.name]}:{self.name}"
            done = self._git("push", "--quiet", "--no-verify", "--", self.remote, refspec, seconds=REMOTE_SECONDS)
            if done.returncode == 0:
                self._git("update-ref", tracking, tips[self.name])
                return
            reason = _reason(done)
            self._fetch()
            self._commit(again)
            if self.tips().get(self.name) == tips[self.name]:
                break  # the remote has nothing that we had not: it does not want ours
        raise MirrorError(f"{self.remote} does not take {self.name}: {reason}")

    # --- git ---

    def _read(self, *words: str, given: bytes = b"") -> bytes:
        done = self._git(*words, given=given)
        if done.returncode != 0:
            raise MirrorError(_reason(done))
        return done.stdout

    def _git(self, *words: str, given: bytes = b"", seconds: float = LOCAL_SECONDS) -> subprocess.CompletedProcess[bytes]:
        command = git_command(self.root, *words)
        environment = {**git_environment(), "GIT_TERMINAL_PROMPT": "0"}
        try:
            return subprocess.run(command, input=given, capture_output=True, check=False, timeout=seconds, env=environment)
        except FileNotFoundError as error:
            raise MirrorError("git is not installed") from error
        except OSError as error:
            raise MirrorError(f"git cannot be run: {error}") from error
        except subprocess.TimeoutExpired as error:
            raise MirrorError(f"git {words[0]} did not end within {seconds:.0f} s") from error


def _file_command(path: str, content: bytes | str | None) -> bytes:
    """One file of a commit, in the format of git-fast-import(1)."""
    quoted = _quoted(path)
    if content is None:
        return b"D " + quoted + b"\n"
    if isinstance(content, str):
        return b"M 100644 " + content.encode() + b" " + quoted + b"\n"
    return b"M 100644 inline " + quoted + b"\ndata %d\n" % len(content) + content + b"\n"


def _quoted(path: str) -> bytes:
    """A path that ends no line, whatever is in it: as a string in C (git-fast-import(1), `filemodify`)."""
    plain = path.encode("utf-8", "surrogateescape")
    return b'"' + b"".join(b"\\%03o" % byte if byte < 32 or byte in b'"\\' else bytes([byte]) for byte in plain) + b'"'


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    """The first line of what git says that says something, without what it calls itself."""
    lines = [line.strip() for line in LOGIN.sub("", done.stderr.decode("utf-8", "replace")).splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "!"))] or lines
    return telling[0].removeprefix("fatal: ").removeprefix("error: ") if telling else f"git exits with {done.returncode}"
