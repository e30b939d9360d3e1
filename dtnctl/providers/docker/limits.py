"""Resource limits of containers, to the engine and back. Pure.

An engine adds its `default-ulimits` to those of a container, and no answer shows which is which: the creator notes the names of its own.
A Portainer reads numbers as floats, which changes large ones; so those are noted with their values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dtnctl.model.resources import Ulimit

LABEL_LIMITS = "dtnctl.limits"
LARGEST_EXACT = 2**53
NOTED = re.compile(r"(-?[0-9]{1,19}):([0-9]{1,19})", re.ASCII)


def limits_note(ulimits: Iterable[Ulimit]) -> str:
    """The label's text: `memlock,nofile=9007199254740993:9007199254740993`."""
    return ",".join(_note(item) for item in ulimits)


def _note(item: Ulimit) -> str:
    return item.name if item.hard <= LARGEST_EXACT else f"{item.name}={item.soft}:{item.hard}"


def ulimits_seen(host: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[Ulimit]:
    """Those that its creator asked for; all of a container whose creator did not note them."""
    notes = dict(note.partition("=")[::2] for note in labels.get(LABEL_LIMITS, "").split(","))
    for item in host.get("Ulimits") or ():
        if LABEL_LIMITS not in labels or item["Name"] in notes:
            seen = Ulimit(item["Name"], item["Soft"], item["Hard"])
            yield _exact(seen, notes.get(seen.name, ""))


def _exact(seen: Ulimit, note: str) -> Ulimit:
    """The noted values, where they are those that are seen after they went through a float."""
    match = NOTED.fullmatch(note)
    if match is None:
        return seen
    noted = Ulimit(seen.name, int(match[1]), int(match[2]))
    same = (float(noted.soft), float(noted.hard)) == (float(seen.soft), float(seen.hard))
    return noted if same else seen
