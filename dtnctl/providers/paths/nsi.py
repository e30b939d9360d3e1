"""NSI by REST: reservations at an aggregator's proxy (workfloworchestrator/nsi-aggregator-proxy), polled; it modifies nothing.

It returns the reservation that it has for an id, whatever is asked for with that id later; a terminated one frees the id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.paths import PathSeen, PathSpec, PathState
from dtnctl.providers.paths.calls import WRITES
from dtnctl.providers.paths.reading import PathReader

STATES: Mapping[str, PathState] = {
    "RESERVING": "asked",
    "RESERVED": "reserved",
    "ACTIVATING": "activating",
    "ACTIVATED": "active",
    "DEACTIVATING": "deactivating",
    "FAILED": "failed",
    "TERMINATED": "released",
}
SERVICE_TYPE = "http://services.ogf.org/nsi/2013/12/descriptions/EVTS.A-GOLE"
NOWHERE = "http://callback.invalid/"  # a name that never resolves (RFC 2606): results are asked for
KBIT = 1000  # in a Mb/s
_STP = re.compile(r"([^?#]+)(?:\?vlan=([0-9]+))?")


class Observer(PathReader):
    """Reads reservations. The proxy knows no free VLANs."""

    def _paths(self) -> Iterator[PathSeen]:
        for item in self._calls.ask("GET", "/reservations?detail=summary").document["reservations"]:
            if (seen := self._seen(item)) is not None:
                yield seen

    def _seen(self, item: Mapping[str, Any]) -> PathSeen | None:
        """None if it is not ours: another description, or one that was copied from ours, whose id is another one."""
        found = self._access.owner.read_mark(str(item.get("description")))
        if found is None or item.get("globalReservationId") not in self._ids(found[0]):
            return None
        status = str(item.get("status"))
        if status not in STATES:
            raise UnreachableError(f"{self.provider}: reservation {item.get('connectionId')} is {status}, which dtnctl does not know")
        words = f"{status}: {item['lastError']}" if item.get("lastError") else status
        return PathSeen(str(item["connectionId"]), STATES[status], self._spec(*found, item.get("criteria") or {}), words)

    def _spec(self, name: str, endpoints: tuple[str, ...], criteria: Mapping[str, Any]) -> PathSpec:
        p2ps = criteria.get("p2ps") or {}
        stps = [match for key in ("sourceSTP", "destSTP") if (match := _STP.fullmatch(str(p2ps.get(key, "")))) is not None]
        vlans = {int(match[2]) for match in stps if match[2]}
        return PathSpec(
            name=name,
            provider=self.provider,
            endpoints=endpoints,
            ends=tuple(match[1] for match in stps),
            vlan=vlans.pop() if len(vlans) == 1 else 0,
            bandwidth=int(p2ps.get("capacity") or 0) * KBIT,
        )

    def _ids(self, path: str) -> tuple[str, ...]:
        return tuple(f"urn:uuid:{known}" for known in self._access.owner.ids_of(path))


class Service(Observer):
    """Makes and ends reservations."""

    methods = WRITES

    def request(self, path: PathSpec) -> None:
        """Reserve it. EngineError if the proxy has another reservation with this id."""
        options = self._access.settings.options
        source, destination = (f"{end}?vlan={path.vlan}" for end in path.ends)
        p2ps = {"capacity": path.bandwidth // KBIT, "sourceSTP": source, "destSTP": destination}
        answer = self._calls.ask(
            "POST",
            "/reservations",
            {
                "globalReservationId": self._ids(path.name)[0],
                "description": self._access.owner.mark(path),
                "criteria": {"serviceType": options.get("service_type", SERVICE_TYPE), "p2ps": p2ps},
                "requesterNSA": options["requester"],
                "providerNSA": options["aggregator"],
                **self._callback(),
            },
        )
        if answer.status != 202:
            raise EngineError(f"{self.provider} answers {answer.status} to a reservation: {answer.words}", answer.status)

    def activate(self, seen: PathSeen) -> None:
        self._calls.ask("POST", f"/reservations/{seen.id}/provision", self._callback())

    def modify(self, seen: PathSeen, path: PathSpec) -> None:
        """Its row says that it modifies nothing."""
        raise EngineError(f"path {path.name} ({seen.id}) stays as it is: this provider ({self.provider}) has no call that changes it")

    def deactivate(self, seen: PathSeen) -> None:
        self._calls.ask("POST", f"/reservations/{seen.id}/release", self._callback())

    def release(self, seen: PathSeen) -> None:
        self._calls.ask("DELETE", f"/reservations/{seen.id}", self._callback())

    def _callback(self) -> Mapping[str, str]:
        return {"callbackURL": self._access.settings.options.get("callback", NOWHERE)}
