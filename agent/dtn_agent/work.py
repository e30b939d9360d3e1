"""What the agent does when asked: facts from the probe, changes by its hands, memory in the ledger. Knows nothing of HTTP.

The hands are told by what they do (the Protocols below), so that a test can hold others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Protocol, assert_never

from dtn_agent import protocol as p
from dtn_agent.audit import Audit
from dtn_agent.errors import RefusedError
from dtn_agent.ledger import Ledger
from dtn_agent.probe.containers import containers


class VfWork(Protocol):
    """Virtual functions: dtn_agent.vf.functions."""

    def set_count(self, request: p.SetVfCount, /) -> p.Done: ...
    def configure(self, request: p.ConfigureVf, /) -> p.Done: ...
    def release(self, request: p.ReleaseVf, /) -> p.Done: ...
    def held(self) -> tuple[p.HeldVf, ...]: ...
    def restore(self) -> None: ...


class VlanWork(Protocol):
    """802.1Q sub-interfaces: dtn_agent.vlan."""

    def make(self, request: p.MakeVlan, /) -> p.Done: ...
    def remove(self, request: p.RemoveVlan, /) -> p.Done: ...
    def restore(self) -> None: ...


class TuneWork(Protocol):
    """Settings of the host: dtn_agent.tuning.tune."""

    def tune(self, request: p.Tune, /) -> p.Done: ...
    def untune(self, request: p.Untune, /) -> p.Done: ...
    def read(self, keys: Collection[str], /) -> dict[str, str | None]: ...
    def held(self) -> tuple[p.HeldTuning, ...]: ...
    def restore(self) -> None: ...
    def retry(self) -> None: ...
    def watch(self, stop: threading.Event, /) -> None: ...


class QosWork(Protocol):
    """Queueing of containers' interfaces: dtn_agent.queueing.qos."""

    def set(self, request: p.SetQos, /) -> p.Done: ...
    def clear(self, request: p.ClearQos, /) -> p.Done: ...
    def held(self) -> tuple[p.HeldQos, ...]: ...
    def restore(self) -> None: ...
    def watch(self, stop: threading.Event, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Hands:
    """Everything through which the host is changed."""

    vf: VfWork
    vlan: VlanWork
    tune: TuneWork
    qos: QosWork


class Work:
    """Answers one request after the other where it changes something; reads wait for nobody."""

    def __init__(
        self, ledger: Ledger, probe: Callable[[p.Held], p.Facts], hands: Hands, abilities: Callable[[p.Facts], tuple[p.Ability, ...]]
    ) -> None:
        self.ledger = ledger
        self.hands = hands
        self._probe = probe
        self._abilities = abilities
        self._changing = threading.Lock()

    def host(self, readings: Collection[str], *, inside: bool = False) -> p.Host:
        """Everything that dtnctl wants to know, now; with `inside` also what containers see in network namespaces of their own.

        RefusedError if the ledger is not readable: then nobody knows what is held.
        """
        held = self._held()
        facts = self._probe(held)
        if inside:
            facts = facts.model_copy(update={"containers": containers()})
        return p.Host(
            version=p.PROTOCOL_VERSION,
            agent=agent_version(),
            facts=facts,
            held=held,
            abilities=self._abilities(facts),
            readings=self.hands.tune.read(spelt_out(readings, facts)) if readings else {},
        )

    def perform(self, request: p.Request) -> p.Done:
        """Carry out one request; one at a time, because the kernel's tables and the ledger are read, then written. Raises RefusedError."""
        with self._changing:
            return self._dispatch(request)

    def _dispatch(self, request: p.Request) -> p.Done:
        hands = self.hands
        match request:
            case p.SetVfCount():
                return hands.vf.set_count(request)
            case p.ConfigureVf():
                return hands.vf.configure(request)
            case p.ReleaseVf():
                return hands.vf.release(request)
            case p.MakeVlan():
                return hands.vlan.make(request)
            case p.RemoveVlan():
                return hands.vlan.remove(request)
            case p.Tune():
                return hands.tune.tune(request)
            case p.Untune():
                return hands.tune.untune(request)
            case p.SetQos():
                return hands.qos.set(request)
            case p.ClearQos():
                return hands.qos.clear(request)
            case _:
                assert_never(request)

    def _held(self) -> p.Held:
        try:
            stored = self.ledger.read()
        except ValueError as error:
            text = f"{self.ledger.path} is not a ledger that this agent can read; mend it or move it away, nothing is changed until then"
            raise RefusedError("failed", text) from error
        hands = self.hands
        return stored.model_copy(update={"vfs": hands.vf.held(), "tuning": hands.tune.held(), "qos": hands.qos.held()})


def spelt_out(keys: Collection[str], facts: p.Facts) -> list[str]:
    """The keys in order; a pattern of block devices as one key for each that fits."""
    found: set[str] = set()
    for key in keys:
        group, _, rest = key.partition("/")
        pattern, _, setting = rest.partition("/")
        fitting = [device.name for device in facts.block_devices if fnmatchcase(device.name, pattern)] if group == "block" else []
        found |= {f"block/{name}/{setting}" for name in fitting} or {key}
    return sorted(found)


def agent_version() -> str:
    """The installed package's; `unknown` where the agent runs from a folder."""
    try:
        return version("dtnctl")
    except PackageNotFoundError:
        return "unknown"


def work_of_this_host(ledger: Ledger, engine_socket: Path, driver_runs: Callable[[], bool], audit: Audit) -> Work:
    """The real probe and hands. `driver_runs` tells whether the network driver is being served; `audit` hears what nobody asked for."""
    from dtn_agent.abilities import Abilities, try_this_kernel
    from dtn_agent.probe import probe
    from dtn_agent.queueing.qos import QosHands
    from dtn_agent.tuning.tune import TuneHands
    from dtn_agent.vf.functions import VfHands
    from dtn_agent.vlan import VlanHands

    hands = Hands(
        VfHands(ledger, audit=audit),
        VlanHands(ledger, audit=audit),
        TuneHands(ledger, audit=audit),
        QosHands(ledger, engine_socket, audit=audit),
    )
    return Work(ledger, lambda held: probe(held=held), hands, Abilities(try_this_kernel, driver_runs))
