"""Keeps what endpoints record of `protect:` as it is declared: a marker where a container's own label says something else. Pure.

Protection is recorded as soon as it is declared. It is lifted only where nothing of the session is refused, so that the commit that lifts
it and the one that removes the session are two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from dtnctl.model.actions import Action, CreateContainer, RemoveContainer, ReplaceContainer
from dtnctl.model.plan import Cause, Change, Step
from dtnctl.model.protection import LIFTED, NOTHING, Record, RecordProtection
from dtnctl.model.resources import EndpointSeen, main_name
from dtnctl.planning.resolve import Service
from dtnctl.planning.step_ids import protection_id

Planned = tuple[Change, tuple[Step, ...]]


@dataclass(frozen=True, slots=True)
class Here:
    """One endpoint: what it records by session, its declared services, and the steps that are planned there.

    `meant`: sessions that this plan is about; `workable`: those of which nothing is refused.
    """

    seen: EndpointSeen
    records: Mapping[str, Record]
    services: Mapping[str, Service]
    meant: AbstractSet[str]
    workable: AbstractSet[str]
    steps: Sequence[Step]


def plan_records(here: Here) -> Iterator[Planned]:
    """Everything that makes the records of one endpoint right."""
    for owner in sorted(here.meant):
        service = here.services.get(owner)
        planned = _leftover(here, owner) if service is None else _record(here, service)
        if planned is not None:
            yield planned


def _record(here: Here, service: Service) -> Planned | None:
    """What makes the record of a declared service right; None if it is, or has to wait."""
    session, declared = service.session.name, service.protection
    record = here.records.get(session, NOTHING)
    if not declared and not record.label and record.marker is None:
        return None
    own = [step for step in here.steps if main_name(getattr(step.action, "container", "")) == service.container]
    is_made = any(isinstance(step.action, (CreateContainer, ReplaceContainer)) for step in own)
    if not (record.is_there or is_made) or (record.place and not declared and session not in here.workable):
        return None
    label = declared if is_made else record.label
    wanted = "" if bool(label) == bool(declared) else declared or LIFTED
    if _sort(wanted) == _sort(record.marker_text):
        return None
    action = RecordProtection(session, wanted) if wanted else _removal(record)
    return _planned(here, session, _declared(service, declared), _summary(record, session, declared), action, [step.id for step in own])


def _sort(text: str) -> str:
    """What a marker says, wherever it was declared."""
    return text if text in ("", LIFTED) else "protected"


def _summary(record: Record, session: str, declared: str) -> str:
    if bool(record.place) == bool(declared):
        return f"removes the marker of session {session}: its container says the same"
    return f"records that session {session} is protected" if declared else f"lifts the protection of session {session}"


def _leftover(here: Here, owner: str) -> Planned | None:
    """Removes the marker of a session of which nothing is left here; None while something is."""
    record = here.records[owner]
    removed = {step.action.id: step.id for step in here.steps if isinstance(step.action, RemoveContainer)}
    ids = [item.id for item in here.seen.containers if item.kind == "service" and item.owner == owner]
    if record.marker is None or not removed.keys() >= set(ids):
        return None
    text = f"removes the marker of session {owner}, of which nothing is left here"
    return _planned(here, owner, Cause("its session is gone"), text, _removal(record), sorted(removed[item] for item in ids))


def _declared(service: Service, declared: str) -> Cause:
    file, _, line = (declared or service.session.where("protect")).rpartition(":")
    return Cause("it is declared so" if declared else "it is not declared any more", file, int(line), "protect")


def _removal(record: Record) -> RemoveContainer:
    assert record.marker is not None, "there is nothing to remove"
    return RemoveContainer(record.marker.name, record.marker.id)


def _planned(here: Here, session: str, cause: Cause, text: str, action: Action, needs: Sequence[str]) -> Planned:
    step = Step(protection_id(here.seen.name, session), here.seen.name, action, tuple(needs))
    change = Change("update", "protection", session, here.seen.name, cause, text, steps=(step.id,))
    return change, (step,)
