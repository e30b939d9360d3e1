"""What the record of runs and the labels of live containers say together: who ran what, and which commit made what stands now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dtnctl.model.ownership import LABEL_COMMIT
from dtnctl.model.resources import ContainerSeen, Snapshot
from dtnctl.model.runs import RunRecord

UNCOMMITTED = "+uncommitted"


@dataclass(frozen=True, slots=True)
class Standing:
    """A live container of a session. `commit` is empty for one that does not name it: it was made by an older dtnctl, or without Git."""

    session: str
    endpoint: str
    commit: str
    uncommitted: bool
    state: str


@dataclass(frozen=True, slots=True)
class History:
    """`runs` by id, the newest first, `more` is how many older ones are left out. `session`: empty for all of them.

    `silent`: endpoints that did not answer, with the reason. `unreadable`: records that a newer dtnctl wrote.
    """

    session: str
    runs: Mapping[str, RunRecord]
    more: int = 0
    standing: tuple[Standing, ...] = ()
    silent: tuple[tuple[str, str], ...] = ()
    unreadable: int = 0


def standing_in(snapshot: Snapshot, session: str = "") -> tuple[Standing, ...]:
    """The live containers of the session, or of all, in name order."""
    found = [
        _standing(container, seen.name)
        for seen in snapshot.endpoints.values()
        for container in seen.containers
        if container.kind == "service" and not container.is_aside and session in ("", container.owner)
    ]
    return tuple(sorted(found, key=lambda item: (item.session, item.endpoint)))


def _standing(container: ContainerSeen, endpoint: str) -> Standing:
    written = container.labels.get(LABEL_COMMIT, "")
    return Standing(container.owner, endpoint, written.removesuffix(UNCOMMITTED), written.endswith(UNCOMMITTED), container.state)


def history_of(records: Mapping[str, RunRecord], session: str, limit: int) -> tuple[dict[str, RunRecord], int]:
    """Those that did something about the session, or all: the newest ones, and how many more there are. A limit of 0 is none."""
    chosen = {name: record for name, record in records.items() if not session or record.of_session(session)}
    shown = dict(list(chosen.items())[: limit or len(chosen)])
    return shown, len(chosen) - len(shown)


def marks_of(record: RunRecord, session: str) -> tuple[tuple[str, int], ...]:
    """How many objects have each mark, of the session or of all, and how many failed."""
    changes = record.of_session(session) if session else record.changes
    return (*_counted(change.mark for change in changes), *_counted(change.result for change in changes if change.result in FAILURES))


FAILURES = ("failed", "undone")


def _counted(words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    found = list(words)
    return tuple((word, found.count(word)) for word in sorted(set(found)))
