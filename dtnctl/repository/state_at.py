"""The state files as a commit has them, read from Git's objects without a checkout, and the site that they declare."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from dtnctl.errors import ConfigError, UsageError
from dtnctl.model.site import KINDS, Site
from dtnctl.repository.git_objects import GitObjects, run_git
from dtnctl.repository.load import SITE_FILE, load_site
from dtnctl.repository.source_file import MAX_BYTES

SHORT = 7  # characters of a commit


@dataclass(frozen=True, slots=True)
class Commit:
    """`parent` is its first one, empty for the first commit of all. `when` is the author's date, `2026-11-29T16:00:00+01:00`."""

    id: str
    parent: str
    author: str
    when: str
    subject: str


def read_commit(root: Path, name: str) -> Commit:
    """The commit that a name, a branch or the beginning of an id stands for. UsageError if there is none here."""
    form = "--format=%H%x00%P%x00%an%x00%aI%x00%s"
    words = ("log", "-1", form, "--end-of-options", f"{name}^{{commit}}", "--")
    found = run_git(root, *words, codes=(0, 128)) if name and not name.startswith("-") else ""
    if not found:
        raise UsageError(f"there is no commit {name} in this repository; a shallow clone has only the newest ones: `git fetch --unshallow`")
    commit, parents, author, when, subject = found.split("\0")
    return Commit(commit, parents.partition(" ")[0], author, when, subject)


def files_at(root: Path, folder: str, commit: str) -> dict[str, bytes]:
    """The state files of a commit by their names in the state folder, such as sessions/climate.yaml; none if it has no such folder.

    Of a file that is too large for a state file only the beginning, as much as shows that it is.
    """
    prefix = run_git(root, "rev-parse", "--show-prefix")
    top = f"{commit}:{prefix}{folder}".rstrip("/")
    with GitObjects(root) as objects:
        found = {entry.name: entry.oid for entry in objects.folder(top) if entry.is_file}
        for kind in objects.folder(top):
            if kind.is_folder and kind.name in KINDS:
                found |= {f"{kind.name}/{entry.name}": entry.oid for entry in objects.folder(kind.oid) if entry.is_file}
        read = {name: objects.read_small(oid, MAX_BYTES + 1) for name, oid in sorted(found.items())}
    missing = [name for name, item in read.items() if item is None]
    if missing:
        raise UsageError(
            f"Git does not have {folder}/{missing[0]} of {commit[:SHORT]} here; fetch it: a partial clone has not all contents"
        )
    return {name: item[1] for name, item in read.items() if item is not None}


def site_of(files: dict[str, bytes], folder: str, label: str = "") -> Site:
    """The site that these files declare. In problems, `label` stands before each file's name: the commit that has it."""
    with tempfile.TemporaryDirectory(prefix="dtnctl-") as place:
        for name, content in files.items():
            path = Path(place) / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        try:
            return load_site(Path(place), folder)
        except ConfigError as error:
            raise ConfigError([replace(problem, file=f"{label}{problem.file}") for problem in error.problems]) from error


def site_at(root: Path, folder: str, commit: str) -> Site | None:
    """The site as a commit has it; None if it has none. ConfigError where its files are not valid for this dtnctl."""
    files = files_at(root, folder, commit)
    return site_of(files, folder, f"{commit[:SHORT]}:") if SITE_FILE in files else None


def descendants(root: Path, commit: str) -> frozenset[str]:
    """The commits of the checked-out branch that contain it, without itself."""
    return frozenset(run_git(root, "rev-list", "--ancestry-path", f"{commit}..HEAD", codes=(0, 128)).split())
