"""Brings a session's file back as an earlier commit has it, with the files that it uses where that is asked for. Only YAML is written.

What would be lost is refused: files with changes that are not committed, and a state that would not be valid.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dtnctl.errors import UsageError
from dtnctl.model.effective import effective_profile, profile_chain
from dtnctl.model.networking import attachments
from dtnctl.model.runs import RunRecord
from dtnctl.model.site import Site
from dtnctl.repository.git_objects import run_git
from dtnctl.repository.load import SUFFIXES
from dtnctl.repository.state_at import SHORT, files_at
from dtnctl.repository.write import write_atomically

UNMERGED = ("u ",)  # git-status(1), "Porcelain Format Version 2"


@dataclass(frozen=True, slots=True)
class Revert:
    """What a session was at a commit, and what it is now: contents by name in the state folder, None where there is no file.

    `file` is the session's. `used` are files that the session used then and that differ now.
    """

    session: str
    commit: str
    file: str
    then: Mapping[str, bytes]
    now: Mapping[str, bytes]
    used: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the session, or something that it used, is another one now."""
        return bool(self.used) or self.then[self.file] != self.now.get(self.file)

    def names(self, also: Iterable[str]) -> tuple[str, ...]:
        """The files that are written: that of the session and these of those that it used, as far as they differ."""
        chosen = [self.file, *(name for name in self.used if name in also)]
        return tuple(name for name in chosen if self.then[name] != self.now.get(name))

    def state(self, names: Iterable[str]) -> dict[str, bytes]:
        """All state files as they would be with these written."""
        return {**self.now, **{name: self.then[name] for name in names}}


def session_file(files: Mapping[str, bytes], session: str) -> str:
    """The name of the session's file among these; empty if there is none."""
    return next((f"sessions/{session}{suffix}" for suffix in SUFFIXES if f"sessions/{session}{suffix}" in files), "")


def read_now(root: Path, folder: str) -> dict[str, bytes]:
    """The state files of the work tree, as files_at() names those of a commit."""
    state = root / folder
    found = [*state.glob("*"), *(path for kind in state.glob("*") if kind.is_dir() for path in kind.glob("*"))]
    return {path.relative_to(state).as_posix(): path.read_bytes() for path in sorted(found) if path.is_file()}


def used_files(site: Site, session: str, files: Iterable[str]) -> tuple[str, ...]:
    """The files that decide, with the session's own, what its services are: profiles with what they extend, and networks."""
    document = site.sessions[session]
    names = [("profiles", item.name) for item in profile_chain(site, document.value.profile)]
    for endpoint in document.value.endpoints:
        names += [("networks", net.name) for net in attachments(effective_profile(site, document, endpoint))]
    wanted = {f"{kind}/{name}{suffix}" for kind, name in names for suffix in SUFFIXES}
    return tuple(sorted(wanted.intersection(files)))


def revert_to(root: Path, folder: str, session: str, commit: str, site: Site, now: Mapping[str, bytes]) -> Revert:
    """What the session would go back to. `site` is that of the commit. UsageError where there was no such session."""
    then = files_at(root, folder, commit)
    file = session_file(then, session)
    if not file:
        raise UsageError(f"session {session} is not declared at {commit[:SHORT]}; {_first_commit(root, folder, session)}")
    known = session_file(now, session)
    if known and known != file:
        raise UsageError(
            f"{folder}/{known} was {folder}/{file} at {commit[:SHORT]}; rename it first: git mv {folder}/{known} {folder}/{file}"
        )
    used = tuple(name for name in used_files(site, session, then) if then[name] != now.get(name))
    return Revert(session, commit, file, then, now, used)


def _first_commit(root: Path, folder: str, session: str) -> str:
    paths = [f"{folder}/sessions/{session}{suffix}" for suffix in SUFFIXES]
    found = run_git(root, "log", "--format=%h", "--diff-filter=A", "--", *paths).splitlines()
    return f"its file was added by {found[-1]}" if found else "no commit of this branch has its file"


def good_commits(records: Mapping[str, RunRecord], session: str, head: str) -> tuple[str, ...]:
    """The commits that were applied and good for the session, the newest first, without the present one."""
    found = (record.commit for record in records.values() if record.is_good_for(session) and record.commit != head)
    return tuple(dict.fromkeys(found))


def refuse_uncommitted(root: Path, folder: str, names: Iterable[str]) -> None:
    """UsageError for a file whose changes would be lost, or that is in the middle of a merge."""
    for name in names:
        file = f"{folder}/{name}"
        lines = run_git(root, "status", "--porcelain=v2", "--untracked-files=all", "--", file).splitlines()
        if any(line.startswith(UNMERGED) for line in lines):
            raise UsageError(f"{file}:1: is in the middle of a merge; resolve it first")
        if lines:
            raise UsageError(f"{file}:1: has changes that are not committed, which would be lost; commit them, or `git restore {file}`")
        if _is_hidden(root, file):
            raise UsageError(f"{file}:1: is not as HEAD has it, which `git status` does not show; copy what you need of it, and remove it")


def _is_hidden(root: Path, file: str) -> bool:
    """Whether the file differs from HEAD's where git-status(1) says nothing: it is ignored, or its changes are (git-update-index(1))."""
    if not os.path.lexists(root / file):
        return False
    committed = run_git(root, "rev-parse", "--verify", "--quiet", f"HEAD:./{file}", codes=(0, 1, 128))
    return not (root / file).is_file() or run_git(root, "hash-object", "--", file) != committed


def write_revert(root: Path, folder: str, revert: Revert, names: Iterable[str]) -> None:
    """Write these files into the work tree."""
    for name in names:
        path = root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, revert.then[name].decode("utf-8", "surrogateescape"))
