"""Why something that is asked for cannot be, and what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dtnctl.model.impact import Cut
from dtnctl.model.kinds import ChangeKind
from dtnctl.model.plan import Cause, Change, Mark


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a service cannot be, and what to do. `cause` points at the line that asked, or the owner's line that says no.

    `held` is the mark of a change that only waits until the running transfers `cuts` have ended.
    """

    code: str
    cause: Cause
    fix: str = ""
    held: Mark | None = None
    cuts: tuple[Cut, ...] = ()


def blocked(kind: ChangeKind, name: str, endpoint: str, refusal: Refusal) -> Change:
    """What a plan shows of an object that is refused."""
    return Change(
        mark="blocked",
        kind=kind,
        name=name,
        endpoint=endpoint,
        cause=refusal.cause,
        summary=refusal.cause.text,
        code=refusal.code,
        fix=refusal.fix,
        cuts=refusal.cuts,
        held=refusal.held,
    )
