"""What all observers of path providers do: look at every path of ours, and answer with silence where that cannot be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from dtnctl.model.paths import PathProviderSeen, PathSeen
from dtnctl.providers.paths.base import PathAccess, silent_instead
from dtnctl.providers.paths.calls import READS, PathCalls


class PathReader(ABC):
    """A client of one provider, with the methods of its calls; `asked_by_post`: as PathCalls has it."""

    methods: ClassVar[frozenset[str]] = READS
    asked_by_post: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, access: PathAccess) -> None:
        self.provider = access.name
        self._access = access
        self._calls = PathCalls(access, self.methods, self.asked_by_post)

    def observe(self, ports: frozenset[str] = frozenset()) -> PathProviderSeen:
        """Every path of ours. A provider that reports free VLANs has an answer of its own."""
        del ports
        return silent_instead(self.provider, lambda: PathProviderSeen(self.provider, paths=tuple(self._paths())))

    def close(self) -> None:  # noqa: B027  # nothing stays open
        """Each call had a connection of its own."""

    @abstractmethod
    def _paths(self) -> Iterable[PathSeen]:
        """Every path of ours, and no other, in any state."""
