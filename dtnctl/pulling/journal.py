"""What the loop remembers between two runs and over a restart: values, as one JSON document. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter, ValidationError

FORMAT_VERSION = 1
MOST_RUNS = 200  # entries; runs that differ in nothing but their time share one
MOST_UNSENT = 100  # notices that wait for a webhook that does not answer
MOST_STATUSES = 500  # of the newest commit, and those of others that wait for a forge that does not answer

ConditionName = Literal["remote", "commit", "run"]
NoticeState = Literal["raised", "cleared", "happened"]
StatusState = Literal["success", "failure", "error"]


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is wrong and lasts: it is reported when it begins, when it changes to another `identity`, and when it ends."""

    name: ConditionName
    identity: str
    text: str
    since: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that is reported once. `id` is the same in each try to send it, so that a receiver can recognise a repetition."""

    id: str
    event: str
    state: NoticeState
    commit: str
    text: str
    at: str


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """What a commit's page at the forge is to show under this name; `is_posted`: it does, or the forge refused it."""

    commit: str
    name: str
    state: StatusState
    text: str
    is_posted: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One `dtnctl apply` that ended, or `repeats` of them in a row that differ in nothing but their time. Times are UTC.

    `changes` are those of its plan, `drift` those among them that only restore what an endpoint changed.
    """

    commit: str
    began: str
    ended: str
    seconds: float
    exit_code: int
    exit_name: str
    changes: int
    drift: int
    plan_hash: str
    text: str = ""
    repeats: int = 1

    @property
    def is_success(self) -> bool:
        return self.exit_code == 0


@dataclass(frozen=True, slots=True)
class Journal:
    """`fetched` is the branch's newest known commit, `good` the last one that was accepted, which is what the endpoints should be.

    `accepted` is the last one that ever was good: it stays where signers change, since what came after it is what has to be signed.
    `applied` is the last one of which a run ended without an error, at `last_success`. `sequence` numbers notices.
    """

    format_version: int = FORMAT_VERSION
    repository: str = ""
    branch: str = ""
    fetched: str = ""
    good: str = ""
    accepted: str = ""
    applied: str = ""
    last_success: str = ""
    sequence: int = 0
    conditions: tuple[Condition, ...] = ()
    unsent: tuple[Notice, ...] = ()
    statuses: tuple[CommitStatus, ...] = ()
    runs: tuple[Run, ...] = ()

    def condition(self, name: ConditionName) -> Condition | None:
        """The condition of that name, while it lasts."""
        return next((item for item in self.conditions if item.name == name), None)


_JOURNAL = TypeAdapter(Journal)


class BrokenJournalError(Exception):
    """The document is not one that this version wrote."""


def encode_journal(journal: Journal) -> bytes:
    """The document, with a newline at its end."""
    return _JOURNAL.dump_json(journal, indent=1) + b"\n"


def decode_journal(document: bytes) -> Journal:
    """The journal of a document; BrokenJournalError says why it is none."""
    try:
        journal = _JOURNAL.validate_json(document)
    except ValidationError as error:
        raise BrokenJournalError(f"{error.error_count()} mistakes, the first: {error.errors()[0]['msg']}") from error
    if journal.format_version != FORMAT_VERSION:
        raise BrokenJournalError(f"its format is {journal.format_version}, not {FORMAT_VERSION}")
    return journal
