"""Where numbers are kept: a file of the user's state folder for each site, so that what was shown once stays as it was."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dtnctl.cli.shell.numbers import NUMBERED, Numbers, assign
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from dtnctl.model.site import Site
    from dtnctl.repository.first_commits import FirstCommit

Kept = dict[str, dict[str, int]]
OWN = 0o700


def shell_folder(environment: Mapping[str, str]) -> Path:
    """What the shell keeps of a user. Source: XDG Base Directory Specification, `$XDG_STATE_HOME`."""
    base = Path(environment.get("XDG_STATE_HOME", ""))
    root = base if base.is_absolute() else Path(environment.get("HOME") or "/") / ".local" / "state"
    return root / "dtnctl" / "shell"


def numbers_file(environment: Mapping[str, str], site: Site, root: Path) -> Path:
    """By the repository's id, which its clones share; without one by its folder."""
    identity = site.repository or hashlib.sha256(str(root).encode()).hexdigest()[:12]
    return shell_folder(environment) / "numbers" / f"{site.name}-{identity}.json"


def keep_numbers(file: Path, history: Mapping[str, tuple[FirstCommit, ...]], present: Mapping[str, Iterable[str]]) -> Mapping[str, Numbers]:
    """The numbers of sessions and transfers; new ones are written. Where nothing can be written only the history gives some."""
    try:
        with _locked(file):
            kept = _read(file)
            found = _assigned(kept, history, present)
            new = {kind: dict(numbers.by_name) for kind, numbers in found.items()}
            if new != kept:
                _write(file, new)
            return found
    except OSError:
        return _assigned({}, history, {})


def _assigned(
    kept: Mapping[str, Mapping[str, int]], history: Mapping[str, tuple[FirstCommit, ...]], present: Mapping[str, Iterable[str]]
) -> dict[str, Numbers]:
    return {kind: assign(kept.get(kind, {}), [item.name for item in history.get(kind, ())], present.get(kind, ())) for kind in NUMBERED}


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Held by one shell at a time: two that write would give one number twice."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=OWN)
    descriptor = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(file: Path) -> Kept:
    """What is kept; nothing if there is no such file. UsageError for one that is damaged: other numbers could name other sessions."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return {kind: {str(name): int(number) for name, number in names.items()} for kind, names in data.items() if kind in NUMBERED}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, TypeError) as error:
        raise UsageError(f"{file} is damaged; remove it, and sessions get the numbers of the history again") from error


def _write(file: Path, kept: Kept) -> None:
    beside = file.with_suffix(f".{os.getpid()}")
    beside.touch(mode=0o600)
    beside.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    beside.replace(file)
