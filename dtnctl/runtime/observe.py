"""Looks at all endpoints at once. An endpoint that does not answer is silent in the snapshot; nothing is raised for it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from dtnctl.model.resources import EndpointSeen, Snapshot, Wanted
from dtnctl.providers.base import Observer


def observe_all(observers: Mapping[str, Observer], wanted: Mapping[str, Wanted]) -> Snapshot:
    """What is on every endpoint now, in name order."""
    if not observers:
        return Snapshot({})

    def look(name: str) -> EndpointSeen:
        return observers[name].observe(wanted.get(name, Wanted()))

    names = sorted(observers)
    with ThreadPoolExecutor(max_workers=len(names), thread_name_prefix="observe") as pool:
        return Snapshot(dict(zip(names, pool.map(look, names), strict=True)))
