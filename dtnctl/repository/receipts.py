"""The mirror of records in a ref of the state repository: read, written on top of the newest, fetched and pushed.

Commits are made by git-fast-import(1): neither the work tree nor the index is touched, and a ref moves only forward, whoever else
writes. Nothing is ever pushed by force. What cannot be done is said and loses nothing: the next apply mirrors what is missing.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dtnctl.model.ledger import Attempt, decode_attempt
from dtnctl.model.receipts import REF, Mirror, differing, is_about, merged, mirrored_content, to_be_mirrored

FETCHED = "refs/dtnctl/remotes/"  # by remote: where its ref is kept as it was fetched last
TRIES = 10  # against other writers; each try begins on top of what the other one wrote
LOCAL_SECONDS = 20.0
REMOTE_SECONDS = 60.0
NAMED = 50  # records that a commit's message names


class MirrorError(Exception):
    """Git cannot do it now; says why."""


@dataclass(frozen=True, slots=True)
class Receipts:
    """The mirror of one site. `remote` is the Git remote that has it, too; empty without one. `who` makes the commits."""

    root: Path
    site: str
    remote: str = ""
    who: str = "dtnctl"

    # --- reading ---

    def read(self, generations: Mapping[str, int]) -> Mirror:
        """What is mirrored here and was fetched; records of these generations, by transfer. `trouble` says what cannot be read."""
        try:
            files: dict[str, str] = {}
            attempts: tuple[Attempt, ...] = ()
            for commit in self._tips().values():
                found = self._files(commit)
                wanted = {path: name for path, name in found.items() if is_about(path, self.site, generations)}
                attempts = merged(attempts, self._decoded(wanted).values())
                files |= found
            return Mirror(files, attempts)
        except MirrorError as error:
            return Mirror(trouble=str(error))

    def fetch(self) -> str:
        """Ask the remote for its ref. Returns why that cannot be; empty if it was done, or the remote has none yet."""
        try:
            self._fetch()
        except MirrorError as error:
            return str(error)
        return ""

    def _fetch(self) -> None:
        words = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", self.remote, f"+{REF}:{FETCHED}{self.remote}")
        done = self._git(*words, seconds=REMOTE_SECONDS)
        if done.returncode != 0 and b"find remote ref" not in done.stderr:
            raise MirrorError(_reason(done))

    def _tips(self) -> dict[str, str]:
        """The commit of our ref, and of what was fetched."""
        lines = self._read("for-each-ref", "--format=%(refname) %(objectname)", REF, f"{FETCHED}{self.remote or '-'}").decode().splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def _files(self, commit: str) -> dict[str, str]:
        """The Git object of each file of this site."""
        lines = self._read("ls-tree", "-z", commit, f"{self.site}/").split(b"\0")
        parts = (line.decode("utf-8", "replace").partition("\t") for line in lines if b" blob " in line)
        return {path: described.split(" ")[2] for described, _, path in parts}

    def _decoded(self, files: Mapping[str, str]) -> dict[str, Attempt]:
        """The records in these files."""
        contents = self._contents(sorted(set(files.values()))) if files else {}
        return {path: decode_attempt(path, contents[name]) for path, name in files.items()}

    def _contents(self, names: list[str]) -> dict[str, bytes]:
        """Objects by name, as git-cat-file(1) writes them in a batch: a line `NAME blob SIZE`, the content, a newline."""
        output = self._read("cat-file", "--batch", given="\n".join(names).encode() + b"\n")
        contents: dict[str, bytes] = {}
        while output:
            head, _, rest = output.partition(b"\n")
            words = head.decode().split(" ")
            if len(words) != 3:
                raise MirrorError(f"Git does not have what its ref {REF} holds: {head.decode()}")
            size = int(words[2])
            contents[words[0]], output = rest[:size], rest[size + 1 :]
        return contents

    # --- writing ---

    def write(self, attempts: Iterable[Attempt]) -> str:
        """Mirror these records, here and at the remote. Returns why that cannot be; empty if it was done."""
        try:
            self._commit(tuple(attempts))
            if self.remote:
                self._push()
        except MirrorError as error:
            return str(error)
        return ""

    def _commit(self, attempts: tuple[Attempt, ...]) -> None:
        """On top of what is there by now, together with what was fetched."""
        for _ in range(TRIES):
            tips = self._tips()
            ours, theirs = tips.get(REF), tips.get(f"{FETCHED}{self.remote}")
            base, other = self._order(ours, theirs)
            changes = self._changes(attempts, base, other)
            if not changes and other is None:
                if base == ours or self._git("update-ref", REF, str(base), ours or "0" * len(str(base))).returncode == 0:
                    return
                continue
            done = self._git("fast-import", "--quiet", "--done", "--date-format=now", given=self._stream(changes, base, other))
            if done.returncode == 0:
                return
            if b"fatal:" in done.stderr:
                raise MirrorError(_reason(done))
        raise MirrorError(f"others wrote {REF} {TRIES} times meanwhile")

    def _order(self, ours: str | None, theirs: str | None) -> tuple[str | None, str | None]:
        """The commit to go on from, and the one to merge with it; None where there is none."""
        if ours is None or theirs is None or ours == theirs:
            return ours or theirs, None
        if self._is_ancestor(ours, theirs):
            return theirs, None
        return ours, None if self._is_ancestor(theirs, ours) else theirs

    def _is_ancestor(self, older: str, newer: str) -> bool:
        return self._git("merge-base", "--is-ancestor", older, newer).returncode == 0

    def _changes(self, attempts: tuple[Attempt, ...], base: str | None, other: str | None) -> dict[str, Attempt]:
        """What has to be written on top of `base`, by path."""
        files = self._files(base) if base is not None else {}
        new = {} if other is None else {path: name for path, name in self._files(other).items() if files.get(path) != name}
        wanted = differing(self.site, attempts, files)
        known = self._decoded({path: files[path] for path in {*new, *wanted} if path in files})
        changes: dict[str, Attempt] = {}
        for path, attempt in (*self._decoded(new).items(), *wanted.items()):
            best = to_be_mirrored(attempt, known.get(path))
            if best is not None:
                changes[path] = known[path] = best
        return changes

    def _stream(self, changes: Mapping[str, Attempt], base: str | None, other: str | None) -> bytes:
        """The commit in the format of git-fast-import(1)."""
        who = "".join(character for character in self.who if character.isprintable() and character not in "<>")
        lines = [f"{item.transfer} g{item.generation}a{item.attempt}: {_state(item)}" for item in changes.values()]
        message = "\n".join([f"Receipts of {self.site}", "", *lines[:NAMED]]).encode()
        parts = [f"commit {REF}\ncommitter {who} <{who}> now\ndata {len(message)}\n".encode() + message + b"\n"]
        parts += [f"from {base}\n".encode()] if base is not None else []
        parts += [f"merge {other}\n".encode()] if other is not None else []
        for path, attempt in sorted(changes.items()):
            content = mirrored_content(attempt)
            parts.append(f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n")
        return b"".join([*parts, b"done\n"])

    def _push(self) -> None:
        """Onto the remote's newest; where somebody else was faster, that is merged first."""
        tracking, reason = f"{FETCHED}{self.remote}", ""
        for _ in range(TRIES):
            tips = self._tips()
            if REF not in tips or tips.get(tracking) == tips[REF]:
                return
            done = self._git("push", "--quiet", "--no-verify", "--", self.remote, f"{tips[REF]}:{REF}", seconds=REMOTE_SECONDS)
            if done.returncode == 0:
                self._git("update-ref", tracking, tips[REF])
                return
            reason = _reason(done)
            self._fetch()
            self._commit(())
            if self._tips().get(REF) == tips[REF]:
                break  # the remote has nothing that we had not: it does not want ours
        raise MirrorError(f"{self.remote} does not take {REF}: {reason}")

    # --- git ---

    def _read(self, *words: str, given: bytes = b"") -> bytes:
        done = self._git(*words, given=given)
        if done.returncode != 0:
            raise MirrorError(_reason(done))
        return done.stdout

    def _git(self, *words: str, given: bytes = b"", seconds: float = LOCAL_SECONDS) -> subprocess.CompletedProcess[bytes]:
        command = ["git", "-C", str(self.root), *words]
        environment = {**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
        try:
            return subprocess.run(command, input=given, capture_output=True, check=False, timeout=seconds, env=environment)
        except FileNotFoundError as error:
            raise MirrorError("git is not installed") from error
        except OSError as error:
            raise MirrorError(f"git cannot be run: {error}") from error
        except subprocess.TimeoutExpired as error:
            raise MirrorError(f"git {words[0]} did not end within {seconds:.0f} s") from error


def _state(attempt: Attempt) -> str:
    return attempt.verdict or ("released" if attempt.released else "claimed")


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    """The first line of what git says that says something, without what it calls itself."""
    lines = [line.strip() for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "!"))] or lines
    return telling[0].removeprefix("fatal: ").removeprefix("error: ") if telling else f"git exits with {done.returncode}"
