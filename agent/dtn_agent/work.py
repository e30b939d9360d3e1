"""What the agent does when asked: facts from the probe, changes by its resources, memory in the ledger. Knows nothing of HTTP."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version

from dtn_agent import protocol as p
from dtn_agent.errors import RefusedError
from dtn_agent.host_resource import AnyResource
from dtn_agent.ledger import SECTIONS, Ledger
from dtn_agent.probe.containers import containers


class Work:
    """Answers one request of a turn after the other where it changes something; reads wait for none."""

    def __init__(
        self, ledger: Ledger, probe: Callable[[p.Held], p.Facts], resources: tuple[AnyResource, ...], driver_runs: Callable[[], bool]
    ) -> None:
        """`driver_runs` says whether the network driver is being served."""
        self.ledger = ledger
        self.resources = resources
        self._by_request: Mapping[type[p.Requested], AnyResource] = {kind: each for each in resources for kind in each.requests}
        self._probe = probe
        self._driver_runs = driver_runs
        self._turns: defaultdict[tuple[str, ...], threading.Lock] = defaultdict(threading.Lock)

    def host(self, readings: Collection[str], *, inside: bool = False) -> p.Host:
        """Everything that dtnctl wants to know, now; with `inside` also what containers see in network namespaces of their own.

        RefusedError if the ledger is not readable: then what is held is unknown.
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
            abilities=tuple(sorted(self._abilities(facts), key=lambda ability: ability.name)),
            readings=self._readings(readings, facts),
        )

    def perform(self, request: p.Request) -> p.Done:
        """Carry out one request. Raises RefusedError.

        One at a time, because the kernel's tables are read, then written; but nothing else waits for what a silent host may hold up.
        """
        resource = self._by_request[type(request)]
        with self._turns[resource.turn(request)]:
            return resource.perform(request)

    def _held(self) -> p.Held:
        try:
            stored = self.ledger.read()
        except ValueError as error:
            text = f"{self.ledger.path} is not a ledger that this agent can read; fix it or move it away, nothing is changed until then"
            raise RefusedError("failed", text) from error
        return stored.model_copy(update={SECTIONS[resource.entry]: resource.held() for resource in self.resources})

    def _abilities(self, facts: p.Facts) -> Iterable[p.Ability]:
        for resource in self.resources:
            yield from resource.abilities(facts)
        lacks = "" if self._driver_runs() else "the agent's network driver does not run; the agent's log says why"
        yield p.Ability(name="driver", lacks=lacks)

    def _readings(self, keys: Collection[str], facts: p.Facts) -> dict[str, str | None]:
        return {key: value for resource in self.resources if keys for key, value in resource.readings(keys, facts).items()}


def agent_version() -> str:
    """The installed package's; `unknown` where the agent runs from a folder."""
    try:
        return version("dtnctl")
    except PackageNotFoundError:
        return "unknown"
