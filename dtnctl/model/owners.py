"""Who may change which file of the repository: rules of site.yaml and of a CODEOWNERS file, judged for commits. Pure.

Sources: GitHub's "About code owners" for the form of the file; the last rule that matches a path counts.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from dtnctl.model.owner_patterns import check_pattern, covers
from dtnctl.model.written import Written

WORD = re.compile(r"(?:\\.|[^\s\\]|\\$)+", re.ASCII)  # of a CODEOWNERS file: `\ ` is a space in it
NOREPLY = re.compile(r"(?:\d+\+)?([^@+]+)@users\.noreply\.github\.com", re.IGNORECASE)


def check_person(value: str) -> str:
    """An e-mail address, a key's fingerprint, or `@name` of a group or of a user of GitHub."""
    if not re.fullmatch(r"@[\w./-]+|SHA256:[\w+/=]+|[0-9A-Fa-f]{40}|[^@\s]+@[^@\s]+", value):
        raise ValueError(f"{value!r} is no person; write an e-mail address, a key's fingerprint (SHA256:…), or @NAME")
    return value


Patterns = Annotated[tuple[Annotated[str, AfterValidator(check_pattern)], ...], Field(strict=False)]
People = Annotated[tuple[Annotated[str, AfterValidator(check_person)], ...], Field(strict=False)]


class OwnerRule(Written):
    """Whose files these are."""

    paths: Patterns = Field(description="As in a CODEOWNERS file: `/state/endpoints/dtn1.yaml`, `/state/profiles/`, `*.yaml`.")
    people: People = Field((), description="E-mail addresses, fingerprints of keys, `@GROUP`. Missing: any author.")


class Owners(Written):
    """Who may change which file; `dtnctl check --owners` compares it with the commits of a branch."""

    rules: Annotated[tuple[OwnerRule, ...], Field(strict=False)] = Field((), description="The last rule that matches a path counts.")
    codeowners: bool = Field(
        False, description="Also read the CODEOWNERS file (in .github/, here or in docs/) as rules that come before these."
    )
    groups: dict[str, People] = Field(default_factory=dict, description="Who is meant by a name: `'@dtn-ops': [ann@example.net]`.")
    committers: bool = Field(False, description="Whether who committed it counts like its author: both must be owners.")
    allowed_signers: str | None = Field(
        None,
        description="File of the repository with SSH keys, as `gpg.ssh.allowedSignersFile` of git has it. With it, a commit is by whoever "
        "signed it, and one without a valid signature has no author. Missing: names are believed.",
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, from one of the files: `place` is its file and line."""

    pattern: str
    people: tuple[str, ...]
    place: str


@dataclass(frozen=True, slots=True)
class Signature:
    """`status` is git's letter (`G`: good, by a key that is known); `principal` and `fingerprint` are whose."""

    status: str = "N"
    principal: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class ChangedFiles:
    """One commit with the files that it changed. A merge has those that are as in none of its parents."""

    commit: str
    subject: str
    author: str
    committer: str
    paths: tuple[str, ...]
    signature: Signature = Signature()  # a frozen value


@dataclass(frozen=True, slots=True)
class Trespass:
    """A file that somebody changed who is not among its owners."""

    commit: str
    subject: str
    who: str
    path: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class OwnersReport:
    """What was compared, and every file that somebody else changed; `by_signature`: whose commits they are is proven.

    `unmatched` are rules that match no file, of the base or changed: often a pattern with a mistake, whose files have no owner then.
    """

    base: str
    head: str
    commits: int
    rules: int
    by_signature: bool
    trespasses: tuple[Trespass, ...] = ()
    unmatched: tuple[Rule, ...] = ()


# --- rules --------------------------------------------------------------------------------------------------


def read_codeowners(text: str, file: str) -> tuple[Rule, ...]:
    """The rules of a CODEOWNERS file. Lines that GitHub passes over are passed over."""
    found: list[Rule] = []
    for number, line in enumerate(text.split("\n"), start=1):
        pattern, *people = list(itertools.takewhile(lambda word: not word.startswith("#"), WORD.findall(line))) or [""]
        if pattern and not pattern.startswith(("!", "[", "^[")) and "***" not in pattern:
            found.append(Rule(pattern, tuple(people), f"{file}:{number}"))
    return tuple(found)


def rule_of(rules: Sequence[Rule], path: str) -> Rule | None:
    """The rule that counts for a path: the last one that matches."""
    return next((rule for rule in reversed(rules) if covers(rule.pattern, path)), None)


def unmatched(rules: Iterable[Rule], paths: Collection[str]) -> tuple[Rule, ...]:
    """The rules that match none of the files."""
    return tuple(rule for rule in rules if not any(covers(rule.pattern, path) for path in paths))


# --- commits ------------------------------------------------------------------------------------------------


def trespasses(
    commits: Iterable[ChangedFiles], rules: Sequence[Rule], groups: Mapping[str, Sequence[str]], *, committers: bool, signed: bool
) -> Iterator[Trespass]:
    """Every file that somebody changed who is not among its owners, in the order of the commits."""
    for commit in commits:
        for path in commit.paths:
            rule = rule_of(rules, path)
            if rule is not None and rule.people:
                owners = people_of(rule.people, groups)
                strangers = [who for who, names in _doers(commit, committers=committers, signed=signed) if owners.isdisjoint(names)]
                yield from (Trespass(commit.commit, commit.subject, who, path, rule) for who in strangers)


def people_of(names: Iterable[str], groups: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """All who are meant, in small letters; groups may name groups."""
    known = {name.lower(): members for name, members in groups.items()}
    found: set[str] = set()
    waiting = [name.lower() for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [member.lower() for member in known.get(name, ())]
    return frozenset(found)


def _doers(commit: ChangedFiles, *, committers: bool, signed: bool) -> Iterator[tuple[str, frozenset[str]]]:
    """Who made it, as a person reads it, and the names by which rules may know them."""
    if signed:
        signature = commit.signature
        is_good = signature.status == "G"
        names = {signature.principal.lower(), signature.fingerprint.lower()} - {""} if is_good else set[str]()
        yield (f"signed by {signature.principal}" if is_good else f"{commit.author}, without a valid signature"), frozenset(names)
        return
    yield commit.author, _names(commit.author)
    if committers and commit.committer != commit.author:
        yield f"{commit.committer}, who committed it", _names(commit.committer)


def _names(address: str) -> frozenset[str]:
    """The address, and the user of GitHub whose address it is."""
    user = NOREPLY.fullmatch(address)
    return frozenset({address.lower(), *([f"@{user[1].lower()}"] if user else [])})
