"""The lab's folder: held by one run at a time, never mistaken for somebody else's, emptied without surprise."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.layout import LabError, Layout


@contextmanager
def _hold(folder: Path) -> Iterator[None]:
    """Hold the folder, made when missing, until the block ends; waits for another run that holds it."""
    handle = _lock(folder)
    try:
        yield
    finally:
        os.close(handle)


def fill(layout: Layout, clean: Callable[[], None], bring_up: Callable[[], None]) -> None:
    """Bring a lab up in its folder, after cleaning what an earlier run left there; on an error leave nothing."""
    with _hold(layout.folder):
        _refuse_foreign(layout)
        clean()
        try:
            bring_up()
        except BaseException:
            clean()
            raise


def clear(layout: Layout, clean: Callable[[], None]) -> None:
    """Leave nothing of a lab, nor its folder unless something else is in it. Also when there is none."""
    if layout.folder.exists():
        with _hold(layout.folder):
            clean()
            _remove_when_empty(layout.folder)
    else:
        clean()


def _refuse_foreign(layout: Layout) -> None:
    """Raise when the folder holds something that no lab put there."""
    if not layout.record.exists() and any(layout.folder.iterdir()):
        raise LabError(f"{layout.folder}: is not empty and not a lab's; give a new folder")


def empty(layout: Layout) -> None:
    """Remove what a lab put in its folder, its record last so that a half-emptied folder is still known as a lab's."""
    if not layout.record.exists():
        return
    for entry in layout.folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry != layout.record:
            entry.unlink()
    layout.record.unlink()


def _remove_when_empty(folder: Path) -> None:
    """Remove the folder unless something else is in it."""
    if folder.exists() and not any(folder.iterdir()):
        folder.rmdir()


def _lock(folder: Path) -> int:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if _is_still(folder, handle):
            return handle
        os.close(handle)  # its last holder removed it while we waited


def _is_still(folder: Path, handle: int) -> bool:
    try:
        return folder.stat().st_ino == os.fstat(handle).st_ino
    except FileNotFoundError:
        return False
