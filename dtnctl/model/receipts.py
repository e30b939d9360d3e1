"""The mirror of records in the state repository: where one lies in the ref's tree, which of two says more, and what is missing. Pure.

The format of a file is the ledger's own. The mirror is what is left of a transfer when its endpoints were wiped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from dtnctl.model.ledger import FILE_NAME, Attempt, encode_attempt
from dtnctl.model.schedule import declared_generation

REF = "refs/dtnctl/receipts"
PASSWORD = re.compile(r"(?<=://)[^/\s@]*:[^/\s@]*(?=@)|(?<=http://)[^/\s@]+(?=@)|(?<=https://)[^/\s@]+(?=@)")
OF_THE_CLAIM = ("container", "claimed_at", "who", "commit", "uncommitted", "endpoint", "engine", "tool", "source", "destination", "image")
SHA256_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Mirror:
    """What the ref holds of one site: `files` is each file's Git object by path, `attempts` the records that were asked for.

    `trouble` is why nothing is known; empty if something is, or there is no ref yet.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    attempts: tuple[Attempt, ...] = ()
    trouble: str = ""


def mirror_path(site: str, attempt: Attempt) -> str:
    """Where the attempt's file is in the tree of the ref: a repository may hold the states of several sites."""
    return f"{site}/{attempt.transfer}.g{attempt.generation}a{attempt.attempt}.json"


def is_about(path: str, site: str, generations: Mapping[str, int]) -> bool:
    """Whether the file is the record of one of these generations, by transfer, at this site; or of a firing of one with a schedule."""
    folder, _, name = path.rpartition("/")
    named = FILE_NAME.fullmatch(name)
    if folder != site or named is None or named["transfer"] not in generations:
        return False
    return declared_generation(int(named["generation"])) == generations[named["transfer"]]


def mirrored_content(attempt: Attempt) -> bytes:
    """The file's content: the record, without a password that a tool's message may have shown in an address."""
    return encode_attempt(replace(attempt, cause=PASSWORD.sub("***", attempt.cause), reason=PASSWORD.sub("***", attempt.reason)))


def git_object(content: bytes, *, algorithm: str = "sha1") -> str:
    """The id that Git gives a file of this content (git-hash-object(1))."""
    return hashlib.new(algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def differing(site: str, attempts: Iterable[Attempt], files: Mapping[str, str]) -> dict[str, Attempt]:
    """By path, those attempts that the mirror does not hold as they are. `files` is the Git object of each path."""
    algorithm = "sha256" if any(len(found) == SHA256_LENGTH for found in files.values()) else "sha1"
    wanted = {mirror_path(site, attempt): attempt for attempt in attempts}
    return {
        path: attempt
        for path, attempt in sorted(wanted.items())
        if files.get(path) != git_object(mirrored_content(attempt), algorithm=algorithm)
    }


def to_be_mirrored(attempt: Attempt, known: Attempt | None) -> Attempt | None:
    """What the mirror should hold in place of `known`; None if that stays. One that cannot be read stays, too: a newer dtnctl may."""
    if known is None:
        return attempt
    best = more_final(attempt, known)
    stays = best == known or (best.verdict == known.verdict == "unknown" and not best.resolution)
    return None if stays else best


def more_final(first: Attempt, second: Attempt) -> Attempt:
    """Of two records of one attempt the one that says more of its end; the first one if both say as much.

    What the other one alone knows of the claim is filled in: a record of a claim that was lost does not know it.
    """
    winner, other = (second, first) if _finality(second) > _finality(first) else (first, second)
    return replace(winner, **{name: getattr(other, name) for name in OF_THE_CLAIM if not getattr(winner, name)})


def _finality(attempt: Attempt) -> tuple[int, str]:
    """A decision of a person before a result, that before an unknown one, that before a claim; of two of a kind the later one."""
    if attempt.resolution:
        return 3, attempt.resolved_at
    if attempt.verdict is None:
        return 0, attempt.claimed_at
    return (1 if attempt.verdict == "unknown" else 2), attempt.claimed_at


def merged(ledger: Iterable[Attempt], mirror: Iterable[Attempt]) -> tuple[Attempt, ...]:
    """The ledger's records, each with what the mirror knows better, and those that the mirror alone has; by generation and attempt."""
    mirrored = {attempt.key: attempt for attempt in mirror}
    if not mirrored:
        found = tuple(ledger)
        return found if len(found) < 2 else tuple(sorted(found, key=lambda attempt: attempt.key))
    known = [more_final(attempt, mirrored[attempt.key]) if attempt.key in mirrored else attempt for attempt in ledger]
    alone = mirrored.keys() - {attempt.key for attempt in known}
    return tuple(sorted([*known, *(mirrored[key] for key in alone)], key=lambda attempt: attempt.key))
