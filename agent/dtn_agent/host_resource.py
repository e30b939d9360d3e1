"""What the agent asks of each kind of thing that it makes on its host: virtual functions, VLANs, settings, queueing. A new kind
is a module with one more of these and its place in `resources.py`; its requests and entries are a file of the protocol, listed in the
`resources.py` there.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar

from dtn_agent.protocol import Ability, Done, Facts, HeldEntry, Requested

R = TypeVar("R", bound=Requested, contravariant=True)


class HostResource(Protocol[R]):
    """One kind of thing. `name` is its plural in the log, `requests` are the classes that `perform` takes, `entry` the ledger's for it."""

    name: ClassVar[str]
    requests: ClassVar[tuple[type[Requested], ...]]
    entry: ClassVar[type[HeldEntry]]

    @abstractmethod
    def perform(self, request: R, /) -> Done:
        """Carry out one request, in the ledger before it is on the host. Idempotent. Raises RefusedError."""

    def turn(self, request: R, /) -> tuple[str, ...]:
        """Requests of one turn are carried out one after the other, others beside them; empty: the turn of most kinds."""
        del request
        return ()

    @abstractmethod
    def held(self) -> tuple[HeldEntry, ...]:
        """What the ledger has of this kind, with what the kernel has now. Waits for no request."""

    @abstractmethod
    def abilities(self, facts: Facts, /) -> tuple[Ability, ...]:
        """What of this kind can be made on this host, and why the rest cannot."""

    def readings(self, keys: Collection[str], facts: Facts, /) -> Mapping[str, str | None]:
        """The live values of these tuning keys, as far as they are of this kind."""
        del keys, facts
        return {}

    def restore(self) -> None:
        """As the agent starts, after a reboot or a crash: make the host what the ledger says. What cannot be is logged and left."""
        return

    def restore_rest(self) -> None:
        """The same after all kinds were restored, for what was left because it needed another kind."""
        return

    def watch(self, stop: threading.Event, /) -> None:
        """Until `stop`: repair what is undone meanwhile."""
        del stop


AnyResource: TypeAlias = HostResource[Any]
