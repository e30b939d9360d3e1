"""Reads commits, folders and files of a Git repository without a checkout: one `git cat-file --batch` for all of them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dtnctl.errors import DtnctlError, UsageError
from dtnctl.repository.git_program import git_command, git_environment
from dtnctl.repository.pipe_reader import PipeReader, SilenceError

TREE_MODE, REGULAR = "40000", ("100644", "100755", "100664")
TIMEOUT = 60  # seconds of one call of git; of `git cat-file`, that it may write nothing while it is waited for


class GitReadError(DtnctlError):
    """Git cannot read what it should have: a damaged or shallow repository."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """What a folder holds under one name. `mode` as git-ls-tree(1) has it, without a leading zero."""

    name: str
    mode: str
    oid: str

    @property
    def is_folder(self) -> bool:
        return self.mode == TREE_MODE

    @property
    def is_file(self) -> bool:
        return self.mode in REGULAR


def run_git(root: Path, *words: str, codes: tuple[int, ...] = (0,)) -> str:
    """What a git command prints. UsageError without git or a repository; GitReadError if it ends with another code than these."""
    try:
        done = subprocess.run(git_command(root, *words), capture_output=True, check=False, timeout=TIMEOUT, env=git_environment())
    except FileNotFoundError as error:
        raise UsageError("git is not installed") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitReadError(f"git {words[0]} does not answer: {error}") from error
    if done.returncode not in codes:
        reason = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ") or "git gives no reason"
        if "not a git repository" in reason:
            raise UsageError(f"{root} is in no Git repository")
        raise GitReadError(f"git {words[0]}: {reason}")
    return done.stdout.decode("utf-8", "surrogateescape").strip("\n")


@dataclass(slots=True)
class GitObjects:
    """The repository's objects by id. Folders are read once; who wants files kept keeps them.

    GitReadError if git falls silent for `seconds`; it is ended then.
    """

    root: Path
    seconds: float = TIMEOUT
    _reader: PipeReader | None = None
    _process: subprocess.Popen[bytes] | None = None
    _folders: dict[str, tuple[TreeEntry, ...]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        command = git_command(self.root, "cat-file", "--batch")
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        try:
            self._process = subprocess.Popen(command, **pipes, env=git_environment(), bufsize=0)
        except FileNotFoundError as error:
            raise UsageError("git is not installed") from error
        assert self._process.stdout is not None
        self._reader = PipeReader(self._process.stdout, self.seconds)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        process, self._process, self._reader = self._process, None, None
        assert process is not None
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()  # git ends at the end of its questions
        try:
            process.wait(self.seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def read(self, name: str) -> tuple[str, str, bytes] | None:
        """(id, type, content) of an object by its id or by `COMMIT:PATH`; None if there is none."""
        found = self._ask(name)
        return None if found is None else (found[0], found[1], self._content(found[2], found[2]))

    def read_small(self, name: str, most: int) -> tuple[int, bytes] | None:
        """(size, content) of an object, of its content not more than `most` bytes: a few kilobytes in a pack may be gigabytes."""
        found = self._ask(name)
        return None if found is None else (found[2], self._content(found[2], most))

    def _ask(self, name: str) -> tuple[str, str, int] | None:
        """(id, type, size) of an object, whose content comes next; None if there is none."""
        if "\n" in name:
            return None
        head = self._answer(name.encode("utf-8", "surrogateescape") + b"\n").decode("utf-8", "surrogateescape").rstrip("\n")
        words = head.rsplit(" ", 2)
        if head.endswith((" missing", " ambiguous")):
            return None
        if len(words) != 3 or not words[2].isdecimal():
            raise GitReadError(f"git cat-file: {head or 'no answer'}")
        return words[0], words[1], int(words[2])

    def _answer(self, question: bytes) -> bytes:
        """The line that git writes to it. It fits into the pipe: git has read all questions before."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._reader is not None
        try:
            self._process.stdin.write(question)
            return self._reader.line()
        except BrokenPipeError as error:
            raise GitReadError("git cat-file has ended") from error
        except SilenceError as error:
            raise self._hangs(error) from error

    def _content(self, size: int, most: int) -> bytes:
        """The content of the object that was asked for, up to `most` bytes; the rest is passed over."""
        assert self._reader is not None
        try:
            content = self._reader.take(min(size, most))
            self._reader.skip(max(0, size - most) + 1)
        except SilenceError as error:
            raise self._hangs(error) from error
        return content

    def _hangs(self, error: SilenceError) -> GitReadError:
        """The git that hangs is ended at once: it may wait for what comes never."""
        assert self._process is not None
        self._process.kill()
        return GitReadError(f"git cat-file does not answer: {error}")

    def folder(self, name: str) -> tuple[TreeEntry, ...]:
        """What a folder holds, by its id or by `COMMIT:PATH`; nothing if there is none."""
        if name not in self._folders:
            found = self.read(name)
            entries = _entries(found[2], len(found[0]) // 2) if found is not None and found[1] == "tree" else ()
            self._folders[name] = entries
        return self._folders[name]


def _entries(content: bytes, id_length: int) -> tuple[TreeEntry, ...]:
    """Source: the tree object's format, `MODE NAME\\0` and the binary id (gitformat-pack(5), git-mktree(1))."""
    found: list[TreeEntry] = []
    place = 0
    while place < len(content):
        end = content.index(b"\0", place)
        mode, _, name = content[place:end].partition(b" ")
        place = end + 1 + id_length
        found.append(TreeEntry(name.decode("utf-8", "surrogateescape"), mode.decode(), content[end + 1 : place].hex()))
    return tuple(found)
