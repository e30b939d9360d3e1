"""What a command wrote into state files, and how that is taken back while others edit, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dtnctl.errors import UsageError
from dtnctl.repository.load import SUFFIXES, is_passed_over
from dtnctl.repository.write import put


@dataclass(frozen=True, slots=True)
class StateChange:
    """What one command wrote: of each file that it changed the content before and after; None: there was no such file."""

    command: str
    before: Mapping[str, bytes | None]
    after: Mapping[str, bytes | None]

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(sorted(self.after))


def is_state_file(name: str, folder: str) -> bool:
    """Whether loading would read a file of this name from the root."""
    path = PurePosixPath(name)
    return path.suffix in SUFFIXES and name.startswith(f"{folder}/") and not (is_passed_over(path.name) or is_passed_over(path.parent.name))


def changed_since(root: Path, change: StateChange) -> tuple[str, ...]:
    """Files of the change that are not as it left them: somebody changed them since."""
    return tuple(name for name in change.files if _content(root / name) != change.after[name])


def restore(root: Path, change: StateChange) -> None:
    """The files as they were before. UsageError, and nothing is written, if one of them was changed since by somebody."""
    if others := changed_since(root, change):
        raise UsageError(f"{', '.join(others)} changed since `{change.command}`; nothing was restored, edit by hand")
    for name, content in sorted(change.before.items()):
        put(root / name, content)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
