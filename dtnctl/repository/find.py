"""Finds the repository that somebody stands in, upwards as git does, and never across a border that git respects."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dtnctl.errors import ConfigError, Problem, UsageError

GIT = ".git"


def find_repository(start: Path, folder: str) -> Path:
    """The nearest folder, from `start` upwards, with a site in its `folder/`. Raises ConfigError that says where was searched.

    The search ends at the top of a Git repository, of a file system, and below folders of other users: what a stranger puts
    above us (into /tmp) is not ours to apply.
    """
    searched = list(_upwards(start))
    sites = [place for place in searched if (place / folder / "site.yaml").exists()]
    begun = [place for place in searched if (place / folder).is_dir() and (place == start or (place / GIT).exists())]
    found = next(iter([*sites, *begun]), None)
    if found is None:
        raise ConfigError([Problem(folder, 0, 0, "E0121", _missing(start, searched[-1], folder), _advice(start))])
    if found != start and not _is_trusted(found / folder):
        raise UsageError(f"{found / folder} belongs to another user; if it is meant: dtnctl -C {found}")
    return found


def standing() -> Path:
    """The current folder, as it is called by the shell."""
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError("the current folder does not exist any more; go to another one, or use -C DIR") from error


def _upwards(start: Path) -> Iterator[Path]:
    device = start.stat().st_dev
    for place in (start, *start.parents):
        if place.stat().st_dev != device:
            return
        yield place
        if (place / GIT).exists():
            return


def _is_trusted(state: Path) -> bool:
    """Ours, root's, or of the person who called sudo."""
    owner = state.stat().st_uid
    return owner in (os.geteuid(), 0) or str(owner) == os.environ.get("SUDO_UID", "")


def _missing(start: Path, last: Path, folder: str) -> str:
    if start == last:
        return f"there is no {folder}/site.yaml in {start}"
    end = "the top of its Git repository" if (last / GIT).exists() else "where its file system begins"
    return f"there is no {folder}/site.yaml in {start} or above it, up to {last} ({end})"


def _advice(start: Path) -> str:
    """`init` only where there is nothing that it could disturb."""
    if any(start.iterdir()):
        return "-C DIR with the folder of your site's repository"
    return "-C DIR with the folder of your site's repository, or `dtnctl init` for a new one in this empty folder"
