"""Writes down on an endpoint whether a session is protected: a name in its store, whose labels say it."""

from __future__ import annotations

from dtnctl.errors import EngineError
from dtnctl.model.protection import LABEL_PROTECTED, RecordProtection, marker_labels, marker_name
from dtnctl.providers.base import Engine
from dtnctl.runtime.observe import find_ours


def record_protection(engine: Engine, site: str, action: RecordProtection) -> None:
    """Make the session's marker say so, whatever it said before. EngineError if its name is somebody else's."""
    name = marker_name(site, action.session)
    taken = f"the name {name} on {engine.endpoint} is taken by a container"
    seen = find_ours(engine, name, lambda whose: EngineError(f"{taken} {whose}; remove or rename it"))
    if seen is not None and seen.labels.get(LABEL_PROTECTED) == action.record:
        return
    if seen is not None:
        engine.store.remove(seen.id)
    engine.store.claim(name, marker_labels(site, engine.endpoint, action))
