"""What the shell's commands changed in the state files: shown, taken back, committed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dtnctl.client.workplace import STATE_FOLDER
from dtnctl.errors import UsageError
from dtnctl.repository.state_files import StateChange, change_between, read_contents, restore


@dataclass(slots=True)
class Changes:
    """The changes of this shell that can be taken back, the oldest first, and the files that it changed since its last commit.

    `applied`: a run has carried out what was changed.
    """

    made: list[StateChange] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    applied: bool = False

    def note(self, change: StateChange | None) -> None:
        """A command has changed the files."""
        if change is not None:
            self.made.append(change)
            self.touched |= {*change.files}
            self.applied = False

    def note_apply(self) -> None:
        """What is declared has been applied; restoring files would not take that back."""
        self.made.clear()
        self.applied = True

    def undo(self, root: Path) -> StateChange:
        """Restore the files as they were before the last change. UsageError where that cannot be."""
        if not self.made and self.applied:
            raise UsageError("apply ran after the last change, and undo restores files only; change them again, or see `rollback`")
        if not self.made:
            raise UsageError("nothing has been changed in this shell that could be undone")
        restore(root, STATE_FOLDER, self.made[-1])
        return self.made.pop()

    def commit(self, root: Path, message: str | None) -> str:
        """Commit the files that this shell changed and nothing else; the sentence about it."""
        from dtnctl.repository.git import commit_files
        from dtnctl.repository.git_objects import run_git

        listed = run_git(
            root,
            "status",
            "--porcelain",
            "--no-renames",
            "--untracked-files=all",
            "--ignore-submodules=none",
            "-z",
            "--",
            *sorted(self.touched),
        )
        differing = {entry[3:] for entry in listed.split("\0")} - {""} if self.touched else set()
        prefix = run_git(root, "rev-parse", "--show-prefix")
        files = [name for name in sorted(self.touched) if f"{prefix}{name}" in differing]
        if not files:
            raise UsageError("this shell has changed nothing that is not committed; changes of others are committed by `git commit`")
        commands = [change.command for change in self.made if not {*files}.isdisjoint(change.files)]
        commit_id = commit_files(root, files, message or "; ".join(commands) or f"change {', '.join(files)}")
        self.touched.clear()
        return f"committed {', '.join(files)} as {commit_id}"


@contextlib.contextmanager
def noted(root: Path, command: str, changes: Changes) -> Iterator[None]:
    """What is written into the state files within it is a change of this command."""
    before = read_contents(root, STATE_FOLDER)
    try:
        yield
    finally:
        changes.note(change_between(command, before, read_contents(root, STATE_FOLDER)))


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
