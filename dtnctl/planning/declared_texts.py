"""Every text that the state files ask for on endpoints. Pure.

Who writes down what was seen there keeps these and no other text that may be a secret: whoever reads the repository has them anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from dtnctl.model.resources import Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.scope import Scope
from dtnctl.planning.studying import study


def declared_texts(site: Site, snapshot: Snapshot, now: datetime) -> frozenset[str]:
    """The texts of all profiles and sessions as written, and of all containers as they are wanted."""
    found = set(_texts([situation.spec for situation in study(site, snapshot, now, Scope()).situations]))
    values: tuple[BaseModel, ...] = tuple(item.value for item in site.profiles.values())
    for value in (*values, *(item.value for item in site.sessions.values())):
        found.update(_texts(value.model_dump(mode="json")))
    return frozenset(found)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif is_dataclass(value):
        yield from _texts([getattr(value, item.name) for item in fields(value)])
