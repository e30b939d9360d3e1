"""State files that are loaded and not the commit's although git-status(1) says nothing: it shows no ignored files, and no changes that
git-update-index(1) was asked to hide. Only what a state folder loads counts.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dtnctl.model.site import KINDS
from dtnctl.repository.git_program import git_command, git_environment
from dtnctl.repository.load import SITE_FILE, SUFFIXES, is_passed_over

SECONDS = 10
LINK, MODULE = "120000", "160000"  # modes of index entries: symbolic links and submodules
SHOWN = "HMRCK"  # tags of git-ls-files(1) whose changes git-status(1) shows; small letters: assume unchanged; S: skip the work tree


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the index, by its path from the folder that was asked for."""

    path: str
    mode: str
    oid: str
    is_hidden: bool


def has_unseen_changes(root: Path, folder: str) -> bool:
    """Whether there are such files. CalledProcessError and the errors of `subprocess.run` where Git cannot say."""
    loaded = dict(_loaded(root, folder))
    written, real = set(loaded), set(loaded.values())
    linked = sorted(real - written)
    if linked and _git(root, "status", "--porcelain", "--ignore-submodules=none", "--", *linked):
        return True
    return _differ(root, [folder, *linked], sorted(written | real))


def _differ(root: Path, asked: Sequence[str], needed: Sequence[str]) -> bool:
    """Whether one of the needed files is in no commit, or hidden and changed. Files of submodules are looked up in these."""
    entries = {entry.path: entry for entry in _entries(root, asked)}
    if any(_is_changed(root, entry) for entry in entries.values() if entry.is_hidden):
        return True
    modules: dict[str, list[str]] = {}
    for path in needed:
        holder = next((part for part in (path, *map(str, Path(path).parents)) if part in entries), "")
        if not holder:
            return True
        if entries[holder].mode == MODULE:
            modules.setdefault(holder, []).append(os.path.relpath(path, holder))
    return any(_differ(root / module, ["."], paths) for module, paths in sorted(modules.items()))


def _loaded(root: Path, folder: str) -> Iterator[tuple[str, str]]:
    """Each file by the path that names it and the one that it really has, both from `root`. Links alone are resolved: that is slow."""
    top = os.path.realpath(root)
    places = [(folder, (SITE_FILE,)), *((f"{folder}/{kind}", SUFFIXES) for kind in KINDS)]
    for place, endings in places:
        if not (root / place).is_dir():
            continue
        real = os.path.relpath(os.path.realpath(root / place), top)
        with os.scandir(root / place) as found:
            for entry in found:
                if entry.name.endswith(endings) and not is_passed_over(entry.name):
                    target = os.path.relpath(os.path.realpath(entry.path), top) if entry.is_symlink() else f"{real}/{entry.name}"
                    yield f"{place}/{entry.name}", target


def _entries(root: Path, asked: Sequence[str]) -> Iterator[Entry]:
    """As `git ls-files -v -s -z` writes them: `TAG MODE OID STAGE<tab>PATH`."""
    for line in _git(root, "ls-files", "-v", "-s", "-z", "--", *asked).split("\0")[:-1]:
        described, _, path = line.partition("\t")
        tag, mode, oid, _ = described.split(" ")
        yield Entry(path, mode, oid, tag not in SHOWN)


def _is_changed(root: Path, entry: Entry) -> bool:
    """Whether a hidden entry is not as the index has it; one that is missing, a link or a submodule counts as changed."""
    file = root / entry.path
    if entry.mode in (LINK, MODULE) or file.is_symlink() or not file.is_file():
        return True
    return _git(root, "hash-object", "--", entry.path).strip() != entry.oid


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(git_command(root, *words), capture_output=True, check=True, timeout=SECONDS, env=git_environment())
    return done.stdout.decode("utf-8", "surrogateescape")
