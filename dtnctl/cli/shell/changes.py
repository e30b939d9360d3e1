"""What the shell's commands changed in the state files: shown, taken back, committed."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dtnctl.cli.messages import announce
from dtnctl.client.workplace import STATE_FOLDER
from dtnctl.errors import DtnctlError, UsageError
from dtnctl.repository.state_files import StateChange, changed_since, is_state_file, restore
from dtnctl.repository.written import Written, noted_writes


@dataclass(slots=True)
class Changes:
    """The changes of this shell that can be taken back, the oldest first, and the files that it changed since they were committed.

    `applied`: a run has carried out what was changed. `doubtful`: of the first changes that many may be on some endpoints.
    """

    made: list[StateChange] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    applied: bool = False
    doubtful: int = 0

    def note(self, root: Path, change: StateChange) -> None:
        """A command has changed the files. One that somebody changed meanwhile is no part of a commit."""
        others = changed_since(root, change)
        if others:
            announce(f"{', '.join(others)}: somebody changed it meanwhile, so `undo` and `commit` leave it as it is")
        self.made.append(change)
        self.touched |= {*change.files} - {*others}
        self.applied = False

    def note_apply(self) -> None:
        """What is declared has been applied; restoring files would not take that back."""
        self.made.clear()
        self.applied = True
        self.doubtful = 0

    def note_broken_off(self) -> None:
        """A run was ended by somebody else's lease; before that it may have changed endpoints."""
        self.doubtful = len(self.made)

    def undo(self, root: Path) -> str:
        """Restore the files as they were before the last change; what to say of it. UsageError where that cannot be."""
        if not self.made and self.applied:
            raise UsageError("apply ran after the last change, and undo restores files only; change them again, or see `rollback`")
        if not self.made:
            raise UsageError("nothing has been changed in this shell that could be undone")
        change, names = self.made[-1], ", ".join(self.made[-1].files)
        is_committed = not _differing(root, change.files)
        restore(root, change)
        self.made.pop()
        self.touched |= {*change.files}
        said = [f"undone: {change.command} ({names})"]
        if is_committed:
            said.append(f"HEAD still has what was undone in {names}; `commit` commits the files as they are now")
        if len(self.made) < self.doubtful:
            said.append("a run that a lease ended may have changed endpoints, and undo restores files only; `apply` makes them as declared")
            self.doubtful = len(self.made)
        return "\n".join(said)

    def uncommitted(self, root: Path) -> list[str]:
        """The files that this shell changed and that are not as HEAD has them. Without Git or a commit all that it changed."""
        self.touched = _differing(root, self.touched)
        return sorted(self.touched)

    def commit(self, root: Path, message: str | None) -> str:
        """Commit the files that this shell changed and nothing else; the sentence about it."""
        from dtnctl.repository.git import commit_files

        files = self.uncommitted(root)
        if not files:
            raise UsageError("this shell has changed nothing that is not committed; changes of others are committed by `git commit`")
        commands = [change.command for change in self.made if not {*files}.isdisjoint(change.files)]
        commit_id = commit_files(root, files, message or "; ".join(commands) or f"change {', '.join(files)}")
        self.touched.clear()
        return f"committed {', '.join(files)} as {commit_id}"


def _differing(root: Path, names: Collection[str]) -> set[str]:
    """Those of the files that are not as HEAD has them; all where Git does not say."""
    from dtnctl.repository.git_objects import run_git

    if not names:
        return set()
    words = ("--porcelain", "--no-renames", "--untracked-files=all", "--ignored", "--ignore-submodules=none", "-z")
    try:
        listed = {entry[3:] for entry in run_git(root, "status", *words, "--", *sorted(names)).split("\0")}
        prefix = run_git(root, "rev-parse", "--show-prefix")
    except DtnctlError:
        return set(names)
    return {name for name in names if f"{prefix}{name}" in listed}


@contextlib.contextmanager
def noted(root: Path, command: str, changes: Changes) -> Iterator[None]:
    """What is written into the state files within it is a change of this command; what other programs write is not."""
    writes: Mapping[Path, Written] = {}
    try:
        with noted_writes() as writes:
            yield
    finally:
        named = {path.relative_to(root).as_posix(): written for path, written in writes.items() if path.is_relative_to(root)}
        found = {name: written for name, written in named.items() if is_state_file(name, STATE_FOLDER)}
        if found:
            before = {name: written.before for name, written in found.items()}
            changes.note(root, StateChange(command, before, {name: written.after for name, written in found.items()}))
            changes.uncommitted(root)  # --commit has committed it


def lines_since_commit(root: Path) -> Iterator[str]:
    """What of the files is not as HEAD has it, field by field."""
    from dtnctl.repository.state_changes import state_changes

    found = state_changes(root, STATE_FOLDER, "HEAD")
    if found.trouble:
        raise UsageError(f"what changed since HEAD is not known: {found.trouble}; `diff last` needs no commit")
    yield from found.lines or ("nothing differs from HEAD",)


def lines_of_last(changes: Changes) -> Iterator[str]:
    """What the last change of this shell wrote, field by field."""
    from dtnctl.repository.state_changes import content_changes

    if not changes.made:
        raise UsageError("nothing has been changed in this shell since it began, or since apply; `diff` compares with HEAD")
    last = changes.made[-1]
    for name in last.files:
        yield from content_changes(name, last.before[name], last.after[name])
