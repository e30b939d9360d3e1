"""Decides what of a plan is drift: the endpoints have moved away from what was applied, or may have. Pure."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.plan import Change, Plan

UNRECORDED = "the container was changed in place since it was made: whether Git or the endpoint has changed now is not recorded"


def drifted(plan: Plan) -> Plan:
    """The plan with those of its changes alone that are drift, and nothing to do about them.

    What is declared and not there counts, and what is blocked: it is not recorded whether it ever was.
    """
    changes = tuple(_noted(change) for change in plan.changes if _is_drift(change))
    return replace(plan, changes=changes, steps=(), transfers=())


def _is_drift(change: Change) -> bool:
    return change.is_drift or change.may_be_drift or change.mark in ("create", "blocked")


def _noted(change: Change) -> Change:
    return replace(change, notes=(*change.notes, UNRECORDED)) if change.may_be_drift else change
