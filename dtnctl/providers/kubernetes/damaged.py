"""Objects of dtnctl that somebody changed so that nothing can be read of them: each is named, and all others are seen as ever. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from dtnctl.errors import EngineError
from dtnctl.model.resources import ForeignSeen
from dtnctl.providers.kubernetes.identity import Json, labels_of, name_of

T = TypeVar("T")
FAULTS = (EngineError, ValueError, KeyError, TypeError, AttributeError, IndexError)  # of a form that is not of our making


@dataclass(slots=True)
class Damaged:
    """Those that were met. `sentences` are for people; `taken`: their names are neither free nor ours."""

    sentences: list[str] = field(default_factory=list)
    taken: list[ForeignSeen] = field(default_factory=list)

    def readable(self, kind: str, raws: Iterable[Json], read: Callable[[Json], T]) -> Iterator[T]:
        """What is read of each object of this kind that can be read."""
        for raw in raws:
            try:
                seen = read(raw)
            except FAULTS:
                name = raw["metadata"]["name"]
                self.sentences.append(
                    f"{kind} {name} was changed by somebody and cannot be read; `kubectl delete {kind.lower()} {name}` frees its name"
                )
                self.taken.append(ForeignSeen(name_of(raw), raw["metadata"]["uid"], (), (), labels_of(raw)))
                continue
            yield seen
