"""What all observers of path providers do: look at every path of ours, and answer with silence where that cannot be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar

from dtnctl.errors import DtnctlError
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
        """Every path of ours, and which VLANs are free at these ports, as far as the provider says that."""
        return silent_instead(self.provider, lambda: self._look(ports))

    def _look(self, ports: frozenset[str]) -> PathProviderSeen:
        paths = tuple(self._paths())
        return PathProviderSeen(self.provider, paths=paths, free_vlans=self._free_as_said(ports, paths))

    def _free_as_said(self, ports: frozenset[str], paths: tuple[PathSeen, ...]) -> Mapping[str, frozenset[int]]:
        """An answer that is missing or not understood leaves them unknown, and hides no path."""
        try:
            return self._free_vlans(ports, paths)
        except (DtnctlError, AttributeError, LookupError, TypeError, ValueError):
            return {}

    def _free_vlans(self, ports: frozenset[str], paths: tuple[PathSeen, ...]) -> Mapping[str, frozenset[int]]:
        """By port, for as long as there is no end. `paths` are those of ours."""
        del ports, paths
        return {}

    def close(self) -> None:  # noqa: B027  # nothing stays open
        """Each call had a connection of its own."""

    @abstractmethod
    def _paths(self) -> Iterable[PathSeen]:
        """Every path of ours, and no other, in any state."""
