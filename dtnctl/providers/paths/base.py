"""What dtnctl asks of a provider of paths: an observer cannot write; a service can. They translate, and decide nothing.

A call to a service is one request. What comes of it later, minutes later with some, the next look shows. UnreachableError is raised
when there is no answer, EngineError when the provider refuses, with its own words in the message and no secret in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dtnctl.errors import DtnctlError
from dtnctl.model.path_files import PathProvider
from dtnctl.model.paths import PathOwner, PathProviderSeen, PathSeen, PathSpec
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.providers.timeouts import Timeouts


@dataclass(frozen=True, slots=True)
class PathAccess:
    """All that a client is made from. `root` is where relative paths of certificates start; `secrets` looks up tokens and passwords."""

    name: str
    settings: PathProvider
    owner: PathOwner
    root: Path
    timeouts: Timeouts
    secrets: SecretSource = field(default_factory=SecretSource)


class PathObserver(Protocol):
    """A client of one provider that cannot write."""

    provider: str

    def observe(self, ports: frozenset[str] = frozenset()) -> PathProviderSeen:
        """Every path of ours, and no other, in any state; with free VLANs of these ports, if the provider reports them.

        Silence is returned, not raised.
        """

    def close(self) -> None:
        """Release the connections."""


class PathService(PathObserver, Protocol):
    """A client that can. Who calls has just looked: what is already so is not asked for again."""

    def request(self, path: PathSpec) -> None:
        """Ask for it, under an id or a name that only this path of ours has, so that it is found again."""

    def activate(self, seen: PathSeen) -> None:
        """Put a reserved one into service."""

    def modify(self, seen: PathSeen, path: PathSpec) -> None:
        """Change those fields in place that the kind's row says it can."""

    def deactivate(self, seen: PathSeen) -> None:
        """Take an active one out of service."""

    def release(self, seen: PathSeen) -> None:
        """Release it for good."""


def silent_instead(provider: str, look: Callable[[], PathProviderSeen]) -> PathProviderSeen:
    """What the look shows; silence, with the reason, if it has no answer, is refused, or gets something that cannot be read.

    An answer that is not understood must not look like a provider that has nothing of ours.
    """
    try:
        return look()
    except DtnctlError as error:
        return PathProviderSeen(provider, silence=str(error))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        return PathProviderSeen(provider, silence=f"{provider} answers in a form that dtnctl does not know ({type(error).__name__})")
