"""Reads from Git whose files a branch changed: rules as the base has them, commits with their files, and signatures.

The rules are those of the base: a branch does not give itself rights.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from dtnctl.errors import ConfigError, UsageError
from dtnctl.model.owners import ChangedFiles, Owners, OwnersReport, Rule, Signature, read_codeowners, trespasses, unmatched
from dtnctl.model.site_settings import SiteSettings
from dtnctl.model.source import Source
from dtnctl.repository.git_objects import GitObjects, run_git
from dtnctl.repository.load import SITE_FILE, validate
from dtnctl.repository.source_file import MAX_BYTES, fill_source, is_small

CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")  # GitHub takes the first one that is there
FORM = "%H%x00%ae%x00%ce%x00%s"
SIGNED = "%G?%x00%GS%x00%GF"


def check_owners(root: Path, folder: str, span: str) -> OwnersReport:
    """Everything in the commits BASE..HEAD that somebody changed who does not own it. UsageError for a span that is none."""
    base, dots, head = span.partition("..")
    if not dots or not base or head.startswith(".") or base.startswith("-"):
        raise UsageError(f"--owners {span}: write BASE..HEAD, such as origin/main..HEAD")
    top = Path(run_git(root, "rev-parse", "--show-toplevel"))
    base, head = (_commit(top, name or "HEAD") for name in (base, head))
    fork = run_git(top, "merge-base", base, head, codes=(0, 1))
    if not fork:
        raise UsageError(f"--owners {span}: they have no commit in common here; fetch the history (a shallow clone has none)")
    prefix = run_git(root, "rev-parse", "--show-prefix")
    with GitObjects(top) as objects, tempfile.TemporaryDirectory(prefix="dtnctl-owners-") as scratch:
        owners, rules = _rules(objects, base, f"{prefix}{folder}/{SITE_FILE}")
        signers = _signers(objects, base, owners, Path(scratch))
        commits = tuple(_commits(top, base, head, fork, signers)) if rules else ()
    found = tuple(trespasses(commits, rules, owners.groups, committers=owners.committers, signed=signers is not None))
    files = {path for commit in commits for path in commit.paths} | {*_files(top, base)} if rules else ()
    return OwnersReport(base, head, len(commits), len(rules), signers is not None, found, unmatched(rules, files))


def _commit(top: Path, name: str) -> str:
    found = run_git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", codes=(0, 1, 128))
    if not found:
        raise UsageError(f"there is no commit {name} here; fetch it, or name another one")
    return found.splitlines()[-1]


# --- rules --------------------------------------------------------------------------------------------------


def _rules(objects: GitObjects, base: str, site_file: str) -> tuple[Owners, tuple[Rule, ...]]:
    """What the base's site.yaml says of owners, and all rules; ConfigError where that cannot be read."""
    source = Source(site_file)
    found = objects.read(f"{base}:{site_file}")
    if found is None:
        return Owners(), ()
    if is_small(source, len(found[2])):
        fill_source(source, found[2][:MAX_BYTES])
    settings = validate(source, SiteSettings)
    if settings is None or source.problems:
        raise ConfigError(source.problems)
    owners: Owners = settings.owners
    rules = list(_codeowners(objects, base)) if owners.codeowners else []
    for index, rule in enumerate(owners.rules):
        place = f"{site_file}:{source.marks[('owners', 'rules', index)].line}"
        rules += [Rule(pattern, rule.people, place) for pattern in rule.paths]
    return owners, tuple(rules)


def _codeowners(objects: GitObjects, base: str) -> tuple[Rule, ...]:
    """UsageError if there is no such file: nothing would be checked although it is asked for."""
    for file in CODEOWNERS:
        found = objects.read(f"{base}:{file}")
        if found is not None and found[1] == "blob":
            return read_codeowners(found[2].decode("utf-8", "surrogateescape"), file)
    raise UsageError(f"`owners: codeowners` asks for a file that {base[:7]} does not have: {', '.join(CODEOWNERS)}")


def _signers(objects: GitObjects, base: str, owners: Owners, scratch: Path) -> Path | None:
    """The keys that the base knows, in a file of their own."""
    if owners.allowed_signers is None:
        return None
    found = objects.read(f"{base}:{owners.allowed_signers}")
    if found is None or found[1] != "blob":
        raise UsageError(f"`owners: allowed_signers` names {owners.allowed_signers}, which {base[:7]} does not have")
    file = scratch / "allowed_signers"
    file.write_bytes(found[2])
    return file


# --- commits ------------------------------------------------------------------------------------------------


def _commits(top: Path, base: str, head: str, fork: str, signers: Path | None) -> Iterator[ChangedFiles]:
    """Every commit that only the head has, the oldest first. What differs in the end by no commit's own doing is the merges'."""
    names = run_git(top, "rev-list", "--reverse", "--topo-order", "--parents", f"{base}..{head}").splitlines()
    changed: dict[str, tuple[str, ...]] = {}
    for line in names:
        commit, *parents = line.split()
        changed[commit] = tuple(dict.fromkeys((*_paths(top, "-c", "--root", commit), *_dropped(top, commit, parents))))
    left = tuple(path for path in _paths(top, fork, head) if all(path not in paths for paths in changed.values()))
    for line in names:
        commit, *parents = line.split()
        further = left if len(parents) > 1 else ()
        yield _read(top, commit, (*changed[commit], *further), signers)


def _dropped(top: Path, merge: str, parents: Sequence[str]) -> Iterator[str]:
    """The files of a merge in which it does not have what one of its sides did since the sides had a commit in common.

    An automatic merge has that of each side, so it is the merge's own doing; where both sides changed a file, so is what became of it.
    """
    for side, other in itertools.permutations(parents, 2):
        lost = frozenset(_paths(top, side, merge))
        if lost:
            yield from (path for path in _done_since_common(top, side, other) if path in lost)


def _done_since_common(top: Path, side: str, other: str) -> tuple[str, ...]:
    """The files that the side changed, by any commit in common if there are several; all of its files if there is none."""
    common = run_git(top, "merge-base", "--all", side, other, codes=(0, 1)).split()
    if not common:
        return _files(top, side)
    return tuple(path for commit in common for path in _paths(top, commit, side))


def _files(top: Path, commit: str) -> tuple[str, ...]:
    return tuple(path for path in run_git(top, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit).split("\0") if path)


def _paths(top: Path, *words: str) -> tuple[str, ...]:
    """The files that differ, old and new names both."""
    text = run_git(top, "diff-tree", "-r", "-z", "--no-renames", "--no-commit-id", "--name-only", *words)
    return tuple(dict.fromkeys(path for path in text.split("\0") if path))


def _read(top: Path, commit: str, paths: tuple[str, ...], signers: Path | None) -> ChangedFiles:
    known = () if signers is None else ("-c", f"gpg.ssh.allowedSignersFile={signers}")
    form = FORM if signers is None else f"{FORM}%x00{SIGNED}"
    shown = run_git(top, "-c", "log.showSignature=false", *known, "show", "--no-patch", f"--format={form}", commit)
    name, author, committer, subject, *signature = shown.split("\0")
    return ChangedFiles(name, subject, author, committer, paths, Signature(*signature) if signature else Signature())
