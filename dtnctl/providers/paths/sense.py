"""SENSE-O (ESnet; sense-o-api 1.55): one service instance for each path; computed, then provisioned; cancelled, then deleted.

It logs in at a Keycloak, whose tokens end after minutes. The state of an instance is plain text (`CREATE - READY`). `CANCEL - READY`
appears before it is true, so that a client believes it only after some looks. What was asked for stands in an instance's intent, what
came of it in its manifest, which is a query of SENSE-O's model.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.paths import PathSeen, PathSpec, PathState
from dtnctl.providers.paths.base import PathAccess
from dtnctl.providers.paths.calls import WRITES, Answer, PathCalls
from dtnctl.providers.paths.reading import PathReader

PHASES: Mapping[str, PathState] = {
    "INIT": "activating",
    "COMPILED": "activating",
    "PROPAGATED": "activating",
    "COMMITTING": "activating",
    "COMMITTED": "activating",
    "READY": "active",
    "FAILED": "failed",
}
STATES: Mapping[str, PathState] = {
    **{f"{verb} - {phase}": state for verb in ("CREATE", "REINSTATE", "MODIFY") for phase, state in PHASES.items()},
    **{f"CANCEL - {phase}": "failed" if phase == "FAILED" else "deactivating" for phase in PHASES},
    "CREATE - INIT": "asked",
    "CREATE - COMPILED": "reserved",
}
CANCELLED = "CANCEL - READY"
BELIEVED = 9  # looks at it until it is believed: about half a minute, by the pauses between them
UNAUTHORIZED, NO_SUCH_SERVICE, UNACCEPTABLE = 401, 404, 406
KBIT = 1000  # in a Mb/s
MANIFESTS = "/service/manifest/"
TAGGED = "SELECT DISTINCT ?tagged ?vlan WHERE { ?net a mrs:SwitchingSubnet ; nml:hasBidirectionalPort ?tagged . "
TAGGED += "?tagged nml:hasLabel [ nml:value ?vlan ] . }"
PORTS_BELOW = "SELECT DISTINCT ?port WHERE { ?port nml:hasBidirectionalPort ?tagged . }"
TEMPLATE = {"Ports": [{"Port": "?port?", "Vlan": "?vlan?", "sparql": TAGGED, "sparql-ext": PORTS_BELOW, "required": "true"}]}
_RANGE = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?")
IN_A_PATH = ":+*=@"  # characters of ports' names that need no escape there


class Observer(PathReader):
    """Reads instances, and the pools of VLANs of ports: what is taken of a pool SENSE-O says when it computes, and not before."""

    asked_by_post = frozenset({MANIFESTS})

    def __init__(self, access: PathAccess) -> None:
        super().__init__(access)
        self._cancelled: Counter[str] = Counter()

    def _paths(self) -> Iterator[PathSeen]:
        for item in self._ask("GET", f"/discover/service/instances?search={quote('dtnctl:')}").document["instances"]:
            ours = self._ours(item)
            status = self._status(item["referenceUUID"]) if ours is not None else ""
            if ours is not None and status:
                yield self._confirmed(PathSeen(item["referenceUUID"], self._state(item["referenceUUID"], status), ours, status))

    def _confirmed(self, seen: PathSeen) -> PathSeen:
        """An active one with the VLANs that its ports have, as its manifest has them, and with the intent's where it has none yet."""
        if seen.state != "active":
            return seen
        try:
            granted = {end: vlan for end, vlan in self._manifest(seen.id).items() if end in seen.spec.ends}
        except EngineError as error:  # where only the question fails, the VLAN is not known, and the intent's would be another one
            if error.status != NO_SUCH_SERVICE:
                raise
            return replace(seen, words=f"{seen.words}; its manifest cannot be read: {error}")
        if not granted:
            return replace(seen, words=f"{seen.words}; its manifest has no VLAN of its ports yet")
        vlans = {granted.get(end, seen.spec.vlan) for end in seen.spec.ends}
        text = ", ".join(f"VLAN {granted[end]} at {end}" for end in seen.spec.ends if end in granted)
        vlan = vlans.pop() if len(vlans) == 1 else 0
        words = seen.words if vlan == seen.spec.vlan else f"{seen.words}; by its manifest {text}"
        return replace(seen, spec=replace(seen.spec, vlan=vlan), words=words)

    def _manifest(self, instance: str) -> Mapping[str, int]:
        """By port, its VLAN. Empty where SENSE-O gives none, as in the first seconds after it is ready."""
        answer = self._ask("POST", f"{MANIFESTS}{instance}/json", TEMPLATE)
        try:
            ports = json.loads(answer.document["jsonTemplate"])["Ports"]
            return {str(item["Port"]): int(item["Vlan"]) for item in ports if str(item["Vlan"]).isdecimal()}
        except (LookupError, TypeError, ValueError):
            return {}

    def _free_vlans(self, ports: frozenset[str], paths: tuple[PathSeen, ...]) -> Mapping[str, frozenset[int]]:
        """The pools of those ports that face another domain; of others it reports none."""
        del paths
        domains = {self._domain(port) for port in ports} - {""}
        pools: dict[str, frozenset[int]] = {}
        for domain in sorted(domains):
            for point in self._ask("GET", f"/discover/{quote(domain, safe=IN_A_PATH)}/peers").document["peer_points"]:
                pools[str(point["port_uri"])] = _pool(str(point.get("port_vlan_pool")))
        return {port: pools[port] for port in sorted(ports) if pools.get(port)}

    def _domain(self, port: str) -> str:
        """The URI of the domain that the port is in; empty if SENSE-O does not know the port."""
        answer = self._send("GET", f"/discover/lookup/{quote(port, safe=IN_A_PATH)}/rooturi")
        return answer.text.strip().strip('"') if answer.status < 400 else ""

    def _ours(self, item: Mapping[str, Any]) -> PathSpec | None:
        """None if it is not ours: another alias, or one that was copied from ours, whose connection has another name."""
        found = self._access.owner.read_mark(str(item.get("alias")))
        intents = item.get("intents") or []
        if found is None or not intents:
            return None
        connections = (json.loads(intents[-1]["json"]).get("data") or {}).get("connections") or [{}]
        is_ours = connections[0].get("name") in self._access.owner.ids_of(found[0])
        return self._spec(*found, connections[0]) if is_ours else None

    def _spec(self, name: str, endpoints: tuple[str, ...], connection: Mapping[str, Any]) -> PathSpec:
        vlans = {str(end.get("vlan_tag")) for end in connection["terminals"]}
        vlan = vlans.pop() if len(vlans) == 1 else ""
        return PathSpec(
            name=name,
            provider=self.provider,
            endpoints=endpoints,
            ends=tuple(str(end["uri"]) for end in connection["terminals"]),
            vlan=int(vlan) if vlan.isdecimal() else 0,
            bandwidth=int((connection.get("bandwidth") or {}).get("capacity") or 0) * KBIT,
        )

    def _status(self, instance: str) -> str:
        """Empty if it is deleted, also since it was listed."""
        answer = self._send("GET", f"/instance/{instance}/status")
        if answer.status == 404 or "not found" in answer.text.lower():
            return ""
        return self._accepted(answer).text.strip().strip('"')

    def _state(self, instance: str, status: str) -> PathState:
        if status not in STATES:
            raise UnreachableError(f"{self.provider}: instance {instance} is {status[:80]}, which dtnctl does not know")
        self._cancelled[instance] = self._cancelled[instance] + 1 if status == CANCELLED else 0
        return "reserved" if self._cancelled[instance] >= BELIEVED else STATES[status]

    # --- calls ----------------------------------------------------------------------------------------------

    def _ask(self, method: str, path: str, body: Any = None) -> Answer:
        return self._accepted(self._send(method, path, body))

    def _send(self, method: str, path: str, body: Any = None) -> Answer:
        """One call, with a new token if there is none yet or it has ended: a call that is not authorized was not carried out."""
        if not self._calls.headers:
            self._log_in()
        answer = self._calls.send(method, path, body)
        if answer.status == UNAUTHORIZED:
            self._log_in()
            answer = self._calls.send(method, path, body)
        return answer

    def _accepted(self, answer: Answer) -> Answer:
        if answer.status >= 400:
            raise self._calls.refused(answer)
        return answer

    def _log_in(self) -> None:
        """A token, by the login of the client (HTTP Basic) and that of the user. No answer is shown: it may have a token."""
        settings = self._access.settings
        client = {"url": settings.options["auth"], "user": settings.options["client"], "password": settings.client_secret}
        keycloak = PathCalls(replace(self._access, settings=settings.model_copy(update=client)), frozenset({"POST"}))
        form = {"grant_type": "password", "username": settings.user, "password": self._calls.secret("password")}
        answer = keycloak.send("POST", "", form=form)
        token = answer.document.get("access_token") if isinstance(answer.document, Mapping) else None
        if answer.status >= 400 or not isinstance(token, str):
            raise UnreachableError(
                f"{self.provider}: no token for {settings.user} from {settings.options['auth']} (it answers {answer.status})"
            )
        self._calls.headers = {"Authorization": f"Bearer {token}"}


def _pool(text: str) -> frozenset[int]:
    """VLANs of `1779-1799,3600`; none of what is not such a list."""
    ranges = [_RANGE.fullmatch(part.strip()) for part in text.split(",")]
    return frozenset(vlan for found in ranges if found is not None for vlan in range(int(found[1]), int(found[2] or found[1]) + 1))


class Service(Observer):
    """Makes and ends instances."""

    methods = WRITES

    def request(self, path: PathSpec) -> None:
        """Have it computed. EngineError if there is one of ours: SENSE-O would make another."""
        there = next((seen for seen in self._paths() if seen.spec.name == path.name), None)
        if there is not None:
            raise EngineError(f"{self.provider} has path {path.name} already, as {there.id}: {there.words}")
        instance = self._ask("GET", "/instance").text.strip().strip('"')
        self._ask("POST", f"/instance/{instance}", self._intent(path))

    def activate(self, seen: PathSeen) -> None:
        """Provision it; again, if it was cancelled."""
        verb = "reprovision" if seen.words == CANCELLED else "provision"
        self._ask("PUT", f"/instance/{seen.id}/{verb}?sync=false")

    def modify(self, seen: PathSeen, path: PathSpec) -> None:
        """One more intent for the instance, which is carried out as soon as it is computed."""
        self._ask("POST", f"/instance/{seen.id}/modify?sync=false&proceed=true", self._intent(path))

    def deactivate(self, seen: PathSeen) -> None:
        self._ask("PUT", f"/instance/{seen.id}/cancel?sync=false")

    def release(self, seen: PathSeen) -> None:
        """Delete it. EngineError, with a cancel under way, if it failed after its provisioning had begun: it is deleted after that."""
        answer = self._send("PUT", f"/instance/{seen.id}/delete")
        if answer.status == UNACCEPTABLE and seen.state == "failed":
            self._ask("PUT", f"/instance/{seen.id}/cancel?sync=false&force=true")
            raise EngineError(
                f"{seen.id} failed before it was complete ({seen.words}): {self.provider} cancels it; the next apply deletes it"
            )
        self._accepted(answer)

    def _intent(self, path: PathSpec) -> Mapping[str, Any]:
        bandwidth = (
            {"qos_class": "guaranteedCapped", "capacity": str(path.bandwidth // KBIT)} if path.bandwidth else {"qos_class": "bestEffort"}
        )
        connection = {
            "name": self._access.owner.id_of(path.name),
            "terminals": [{"uri": end, "vlan_tag": str(path.vlan), "assign_ip": False} for end in path.ends],
            "bandwidth": bandwidth,
        }
        data = {"type": "Multi-Path P2P VLAN", "connections": [connection]}
        return {"service": "dnc", "alias": self._access.owner.mark(path), "data": data}
