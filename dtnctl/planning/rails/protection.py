"""`protect: true`: what may not be stopped, replaced or removed, as declared or as it was when it was applied last. Pure.

An endpoint records it, so that a commit that takes the protection away and removes the session is held back, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dtnctl.model.actions import RemoveContainer, ReplaceContainer, RetireContainer, StopContainer
from dtnctl.model.plan import Cause
from dtnctl.model.protection import NOTHING, Record
from dtnctl.model.site import Document, Endpoint, Session
from dtnctl.planning.containers.describe import service_change
from dtnctl.planning.containers.services import BROKEN_STATES, Situation, service_steps
from dtnctl.planning.refusal import Refusal

Records = Mapping[str, Mapping[str, Record]]  # by endpoint and session
CODE = "E0441"
ALONE = "counts once it has been applied without this change"


def refuse_change(situation: Situation, record: Record) -> Refusal | None:
    """Why a declared service may not be stopped, replaced or cut off; None if it is not, or nothing protects it."""
    name, declared = situation.service.session.name, situation.service.protection
    place = declared or record.place
    if not place or _is_completed(situation):
        return None
    change = service_change(situation, service_steps(situation))
    if not (_ends(situation) or change.interrupts or situation.leaves_its_network or situation.gets_less_memory):
        return None
    what = f"so this is not done: {change.summary}, because {change.cause.text}"
    if declared:
        text, fix = f"session {name} is protected, {what}", f"`protect: false` in {_file(place)}; it {ALONE}"
    else:
        text = f"session {name} was protected when it was applied last, {what}"
        fix = f"first apply a commit that has `protect: false` in {_file(place)} and not this change"
    return Refusal(CODE, _cause(text, place), fix)


def _is_completed(situation: Situation) -> bool:
    """Whether nothing is there that could be ended, or a replacement has begun, which is completed."""
    seen = situation.seen
    return seen is None or situation.retired is not None or seen.state in BROKEN_STATES


def _ends(situation: Situation) -> bool:
    """Whether the container that is there is stopped, set aside or removed."""
    ending = (StopContainer, RetireContainer, ReplaceContainer, RemoveContainer)
    seen_id = situation.seen.id if situation.seen is not None else ""
    return any(isinstance(step.action, ending) and step.action.id == seen_id for step in service_steps(situation))


# --- what is no longer declared ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Removal:
    """The removal of a session from an endpoint. `is_asked_for`: by `destroy`; `is_whole`: the session is on no other endpoint either."""

    endpoint: str
    owner: str
    session: Document[Session] | None
    declared_on: Document[Endpoint] | None
    is_asked_for: bool
    is_whole: bool

    @property
    def declared(self) -> str:
        """Where `protect: true` is declared right now; empty if it is not."""
        if self.session is not None and self.session.value.protect:
            return self.session.where("protect")
        return self.declared_on.where("protect") if self.declared_on is not None and self.declared_on.value.protect else ""


def refuse_removal(removal: Removal, records: Records) -> Refusal | None:
    """Why the container of a session on an endpoint may not be removed; half of a protected session is of no use."""
    name, owner = removal.endpoint, removal.owner
    others = records.values() if removal.is_whole else ()
    places = (removal.declared, *(there.get(owner, NOTHING).place for there in (records[name], *others)))
    place = next(filter(None, places), "")
    if not place:
        return None
    state = "is protected" if removal.declared else "was protected when it was applied last"
    cause = _cause(f"session {owner} {state}, so it is not removed", place)
    return Refusal(CODE, cause, _way_out(removal, place))


def _way_out(removal: Removal, place: str) -> str:
    lifted = f"apply that with `protect: false` in {_file(place) or 'its file'}"
    if removal.is_asked_for:
        return f"first {lifted.replace(' that', '')}, then `dtnctl destroy`"
    if removal.session is None:
        return f"restore state/sessions/{removal.owner}.yaml and {lifted}; then remove it"
    return f"let {removal.session.file} name {removal.endpoint} again, not expired, and {lifted}; then remove it"


def _file(place: str) -> str:
    return place.rpartition(":")[0]


def _cause(text: str, place: str) -> Cause:
    """A label may say anything: what is no `FILE:LINE` is no place."""
    file, _, line = place.rpartition(":")
    return Cause(text, file, int(line), "protect") if file and line.isascii() and line.isdecimal() and len(line) < 7 else Cause(text)
