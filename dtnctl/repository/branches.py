"""The open branches and pull requests of the repository, as far as they have been fetched, and what each would declare when merged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from dtnctl.errors import UsageError
from dtnctl.model.branches import Branch, Declared, OpenBranch
from dtnctl.repository.commits import CommitReader, Files, merged
from dtnctl.repository.git_objects import GitObjects, run_git
from dtnctl.repository.source_cache import SourceCache

BASES = ("refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master", "refs/heads/main", "refs/heads/master")
PULL = re.compile(r"refs/(?:remotes/[^/]+/)?(?:pull|pr|prs)/(\d+)(?:/head)?")
MERGE_REQUEST = re.compile(r"refs/(?:remotes/[^/]+/)?(?:merge-requests|mr)/(\d+)(?:/head)?")
TRAIN = re.compile(r"refs/(?:remotes/[^/]+/)?merge-requests/(\d+)/train")
TEST_MERGE = re.compile(r"refs/(?:remotes/[^/]+/)?(?:(?:pull|pr)/\d+/merge|merge-requests/\d+/merge)")
QUEUE = re.compile(r"refs/(?:heads|remotes/[^/]+)/gh-readonly-queue/(.+)/pr-(\d+)-[0-9a-f]{40,64}")
BRANCH = re.compile(r"refs/(?:heads|remotes/[^/]+)/(.+)")


@dataclass(frozen=True, slots=True)
class Ref:
    """One ref that can be merged: `label` is what people call it, `number` counts requests (0: a branch)."""

    name: str
    commit: str
    changed_at: int
    label: str
    number: int = 0
    is_queued: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """The base, the open branches, and which of them is asked about; empty: none, the checkout is the base's."""

    base: Branch
    declared: Declared
    branches: tuple[OpenBranch, ...]
    subject: str


def label_of(name: str) -> tuple[str, int, bool] | None:
    """(label, number, is_queued) of a ref's full name; None for one that is not merged.

    Sources: GitHub's refs/pull/N/head and gh-readonly-queue/BASE/pr-N-COMMIT, GitLab's refs/merge-requests/N/head and /train, and where
    people fetch them to.
    """
    if TEST_MERGE.fullmatch(name) or name.endswith("/HEAD"):
        return None
    if found := QUEUE.fullmatch(name):
        return f"merge queue entry of pull request #{found[2]}", int(found[2]), True
    if found := TRAIN.fullmatch(name):
        return f"merge train entry of merge request !{found[1]}", int(found[1]), True
    if found := PULL.fullmatch(name):
        return f"pull request #{found[1]}", int(found[1]), False
    if found := MERGE_REQUEST.fullmatch(name):
        return f"merge request !{found[1]}", int(found[1]), False
    found = BRANCH.fullmatch(name)
    return (f"branch {found[1]}", 0, False) if found else None


def find_base(root: Path, wanted: str, environment: Mapping[str, str]) -> str:
    """The full name of the ref that branches are merged into: the one that is wanted, what CI says, or the remote's main branch."""
    said = environment.get("GITHUB_BASE_REF") or environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") or ""
    candidates = [wanted] if wanted else [*([f"refs/remotes/origin/{said}"] if said else []), *BASES]
    for name in candidates:
        full = run_git(root, "rev-parse", "--symbolic-full-name", "--verify", "--quiet", name, codes=(0, 1, 128))
        if full or run_git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", codes=(0, 1, 128)):
            return full or name
    if wanted:
        raise UsageError(f"there is no {wanted} in this repository to compare with")
    raise UsageError("there is no main branch to compare with; name it by --base, or fetch it: git fetch origin")


def compare(
    root: Path, folder: str, base_ref: str, now: datetime, max_age: float, environment: Mapping[str, str], cache: SourceCache | None
) -> Compared:
    """Every open branch that has changed within `max_age` seconds, with what it would declare. Nothing is fetched or checked out."""
    base_commit, head = run_git(root, "rev-parse", f"{base_ref}^{{commit}}", "HEAD^{commit}").split("\n")
    head_ref = environment.get("GITHUB_REF") or run_git(root, "symbolic-ref", "--quiet", "HEAD", codes=(0, 1))
    refs = [ref for ref in _refs(root) if ref.name != base_ref and ref.commit != base_commit]
    graph = _Graph(root, base_commit, [head, *(ref.commit for ref in refs)])
    prefix = run_git(root, "rev-parse", "--show-prefix")
    subject = _subject(refs, head, head_ref, environment) if graph.is_open(head) else None
    young = [ref for ref in refs if now.timestamp() - ref.changed_at <= max_age]
    others = _others(young, graph, subject)
    left = sum(1 for ref in {item.commit: item for item in refs}.values() if graph.is_open(ref.commit) and ref not in young)
    notes: tuple[str, ...] = (f"{left} left out: without a commit for longer than --max-age",) if left else ()
    with GitObjects(root) as objects:
        reader = CommitReader(objects, f"{prefix}{folder}".strip("/"), folder, cache)
        files = reader.files(base_commit)
        declared, problems = reader.declared(files)
        notes += tuple(f"in the base, {problem}" for problem in problems.values())
        chosen = [*([subject] if subject is not None else []), *others]
        opened = tuple(_opened(reader, files, ref, graph) for ref in chosen)
    base = Branch(_short(base_ref), base_commit, notes=notes)
    return Compared(base, declared, opened, subject.label if subject is not None else "")


def _short(ref: str) -> str:
    return re.sub(r"^refs/(?:heads|remotes)/", "", ref)


def _refs(root: Path) -> Iterator[Ref]:
    form = "--format=%(objectname) %(committerdate:unix) %(refname)"
    for line in run_git(root, "for-each-ref", form, "refs/heads", "refs/remotes", "refs/pull", "refs/merge-requests").splitlines():
        commit, date, name = line.split(" ", 2)
        named = label_of(name)
        if named is not None and date:
            yield Ref(name, commit, int(date), *named)


def _subject(refs: Iterable[Ref], head: str, head_ref: str, environment: Mapping[str, str]) -> Ref:
    """What is checked out, by the name that CI gives it, its own, or that of a ref with the same commit."""
    request = environment.get("CI_MERGE_REQUEST_IID", "")
    by_ci = re.fullmatch(r"refs/pull/(\d+)/merge", head_ref)
    if request.isdecimal():
        return Ref("", head, 0, f"merge request !{request}", int(request))
    if by_ci:
        return Ref("", head, 0, f"pull request #{by_ci[1]}", int(by_ci[1]))
    own = label_of(head_ref)
    if own is not None:
        return Ref(head_ref, head, 0, *own)
    same = sorted((ref for ref in refs if ref.commit == head), key=lambda ref: (ref.number == 0, ref.name))
    return same[0] if same else Ref("", head, 0, f"HEAD {head[:7]}")


def _others(refs: Iterable[Ref], graph: _Graph, subject: Ref | None) -> Iterator[Ref]:
    """Open refs that the subject does not contain, one for each commit; of a local and a remote branch of one name the remote one."""
    by_label: dict[str, Ref] = {}
    for ref in refs:
        is_own = subject is not None and (ref.label == subject.label or graph.contains(subject.commit, ref.commit))
        if graph.is_open(ref.commit) and not is_own:
            known = by_label.setdefault(ref.label, ref)
            if not ref.name.startswith("refs/heads/"):
                by_label[ref.label] = ref if known.name.startswith("refs/heads/") else known
    by_commit: dict[str, list[Ref]] = {}
    for ref in by_label.values():
        by_commit.setdefault(ref.commit, []).append(ref)
    for same in by_commit.values():
        first, *more = sorted(same, key=lambda ref: (ref.number == 0, not ref.is_queued, ref.label))
        yield replace(first, label=f"{first.label} ({', '.join(ref.label for ref in more)})" if more else first.label)


def _opened(reader: CommitReader, base: Files, ref: Ref, graph: _Graph) -> OpenBranch:
    before = graph.fork_point(ref.commit)
    files, both = merged(base, reader.files(before) if before else {}, reader.files(ref.commit))
    declared, problems = reader.declared(files)
    notes = [f"{reader.shown}/{kind}/{name} was changed in the base, too; this branch's version counts here" for kind, name in both]
    notes += [str(problem) for path, problem in problems.items() if files[path] != base.get(path)]
    if not before:
        notes.append("has no commit in common with the base here: fetch its history (a shallow clone has none)")
    return OpenBranch(Branch(ref.label, ref.commit, graph.since(ref.commit), ref.is_queued, tuple(notes)), declared)


class _Graph:
    """The commits that the base does not have, with their parents and when they were written."""

    def __init__(self, root: Path, base: str, tips: Iterable[str]) -> None:
        self.root, self.base = root, base
        lines = run_git(root, "log", "--format=%H %at %P", *sorted(set(tips)), "--not", base, "--").splitlines()
        words = [line.split() for line in lines]
        self._written = {item[0]: int(item[1]) for item in words}
        self._parents = {item[0]: item[2:] for item in words}
        self._own: dict[str, frozenset[str]] = {}

    def is_open(self, commit: str) -> bool:
        return commit in self._written

    def since(self, commit: str) -> int:
        """When the oldest of its own commits was written."""
        return min(self._written[item] for item in self._commits(commit))

    def contains(self, commit: str, other: str) -> bool:
        return other in self._commits(commit)

    def fork_point(self, commit: str) -> str:
        """The newest commit that it shares with the base; empty if there is none here."""
        left = {parent for item in self._commits(commit) for parent in self._parents[item] if parent not in self._written}
        if len(left) <= 1:
            return next(iter(left), "")
        return run_git(self.root, "merge-base", self.base, commit, codes=(0, 1))

    def _commits(self, commit: str) -> frozenset[str]:
        if commit not in self._own:
            found: set[str] = set()
            waiting = [commit]
            while waiting:
                item = waiting.pop()
                if item not in found and item in self._written:
                    found.add(item)
                    waiting += self._parents[item]
            self._own[commit] = frozenset(found)
        return self._own[commit]
