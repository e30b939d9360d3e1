"""The contents of all state files at one moment, what changed between two, and how that is taken back while others edit, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from dtnctl.errors import UsageError
from dtnctl.repository.load import SUFFIXES, is_passed_over
from dtnctl.repository.write import write_atomically

Contents: TypeAlias = Mapping[str, bytes]  # by name from the root


@dataclass(frozen=True, slots=True)
class StateChange:
    """What one command wrote: of each file that it changed the content before and after; None: there was no such file."""

    command: str
    before: Mapping[str, bytes | None]
    after: Mapping[str, bytes | None]

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(sorted(self.after))


def read_contents(root: Path, folder: str) -> Contents:
    """Every state file that loading would read. UsageError for one that cannot be read."""
    found = {}
    for path in sorted((root / folder).rglob("*")):
        if path.suffix in SUFFIXES and not (is_passed_over(path.name) or is_passed_over(path.parent.name)) and path.is_file():
            try:
                found[path.relative_to(root).as_posix()] = path.read_bytes()
            except FileNotFoundError:
                continue  # it went while the folder was read
            except OSError as error:
                raise UsageError(f"cannot read {path}: {error.strerror}") from error
    return found


def change_between(command: str, before: Contents, after: Contents) -> StateChange | None:
    """What the command changed; None if nothing."""
    names = [name for name in {*before, *after} if before.get(name) != after.get(name)]
    if not names:
        return None
    return StateChange(command, {name: before.get(name) for name in names}, {name: after.get(name) for name in names})


def changed_since(change: StateChange, now: Contents) -> tuple[str, ...]:
    """Files of the change that are not as it left them: somebody changed them since."""
    return tuple(name for name in change.files if now.get(name) != change.after[name])


def restore(root: Path, folder: str, change: StateChange) -> None:
    """The files as they were before. UsageError, and nothing is written, if one of them was changed since by somebody."""
    if others := changed_since(change, read_contents(root, folder)):
        raise UsageError(f"{', '.join(others)} changed since `{change.command}`; nothing was restored, edit by hand")
    for name, content in sorted(change.before.items()):
        _put(root / name, content)


def _put(path: Path, content: bytes | None) -> None:
    if content is not None:
        write_atomically(path, content)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot remove {path}: {error.strerror}") from error
