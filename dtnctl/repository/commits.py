"""What the state files of a commit declare, read from Git's objects; files that commits share are read and validated once.

A branch counts as its merge would be: the base's files, with those that the branch changed since it left the base. Where both changed a
file, the branch's version counts and a note says so; Git decides at the merge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from dtnctl.errors import Problem
from dtnctl.model.branches import Declared
from dtnctl.model.site import KINDS, Document
from dtnctl.model.source import Source
from dtnctl.repository.git_objects import GitObjects
from dtnctl.repository.load import SUFFIXES, is_passed_over, name_problem_of, shown_name, validate
from dtnctl.repository.source_cache import SourceCache
from dtnctl.repository.source_file import MAX_BYTES, fill_source, is_small

CLAIMING = ("endpoints", "networks", "profiles", "sessions")  # the kinds of files that decide what is claimed
Path = tuple[str, str]  # kind, file name
Files = Mapping[Path, str]  # the id of each file's content


@dataclass(slots=True)
class CommitReader:
    """`folder` is the state folder from the top of the Git repository, `shown` as messages name it."""

    objects: GitObjects
    folder: str
    shown: str
    cache: SourceCache | None = None
    _documents: dict[tuple[str, str, str], Document[Any] | Problem] = field(default_factory=dict)

    def files(self, commit: str) -> Files:
        """The state files of a commit that claims depend on; none if it has no state folder."""
        found: dict[Path, str] = {}
        for kind in self.objects.folder(f"{commit}:{self.folder}"):
            if kind.name in CLAIMING and kind.is_folder:
                found |= {(kind.name, item.name): item.oid for item in self.objects.folder(kind.oid) if item.is_file}
        return found

    def declared(self, files: Files) -> tuple[Declared, dict[Path, Problem]]:
        """What the files declare, and what is wrong with those that cannot be read: they count as broken, not as missing."""
        found: dict[str, dict[str, Document[Any]]] = {kind: {} for kind in CLAIMING}
        problems: dict[Path, Problem] = {}
        for (kind, name), oid in sorted(files.items()):
            path = PurePosixPath(name)
            if is_passed_over(name) or path.suffix not in SUFFIXES:
                continue
            document = self._document(kind, name, oid)
            if isinstance(document, Problem):
                problems[kind, name] = document
            else:
                found[kind][path.stem] = document
        broken = {kind: frozenset(PurePosixPath(name).stem for of, name in problems if of == kind) for kind in CLAIMING}
        return Declared(**found, broken=broken), problems

    def _document(self, kind: str, name: str, oid: str) -> Document[Any] | Problem:
        if (kind, name, oid) not in self._documents:
            self._documents[kind, name, oid] = self._read(kind, name, oid)
        return self._documents[kind, name, oid]

    def _read(self, kind: str, name: str, oid: str) -> Document[Any] | Problem:
        source = Source(f"{self.shown}/{kind}/{shown_name(name)}")
        stem = PurePosixPath(name).stem
        wrong = name_problem_of(stem)
        if wrong is not None:
            return Problem(source.file, 1, 1, "E0118", wrong, "another file name")
        found = self.objects.read_small(oid, MAX_BYTES)
        if found is None:
            return Problem(source.file, 1, 1, "E0101", "cannot be read: Git does not have its content here")
        size, data = found
        if is_small(source, size):
            fill_source(source, data, self.cache)
        value = validate(source, KINDS[kind])
        if value is None:
            return source.problems[0] if source.problems else Problem(source.file, 1, 1, "E0101", "is no mapping")
        return Document(stem, source.file, value, source.marks)


def merged(base: Files, before: Files, branch: Files) -> tuple[Files, tuple[Path, ...]]:
    """The base's files with what the branch changed since `before`, and the files that both changed, to different contents."""
    changed = {path for path in before.keys() | branch.keys() if before.get(path) != branch.get(path)}
    both = tuple(sorted(path for path in changed if base.get(path) not in (before.get(path), branch.get(path))))
    files = {path: oid for path, oid in base.items() if path not in changed}
    return files | {path: branch[path] for path in changed if path in branch}, both
