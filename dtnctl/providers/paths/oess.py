"""OESS 2.0 (GlobalNOC/OESS, legacy): circuits of a workgroup, by forms; it is done, or refused, when it answers.

Refusals come with status 200. It takes the same circuit twice under one external identifier: only a VLAN that is taken keeps a second one
from being made. An edit writes every field: what it leaves out is emptied, and an endpoint that it leaves out is removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.paths import PathSeen, PathSpec, PathState
from dtnctl.providers.paths.calls import WRITES, Answer
from dtnctl.providers.paths.reading import PathReader

CIRCUITS, INTERFACES = "/circuit.cgi", "/interface.cgi"
STATES: Mapping[str, PathState] = {"active": "active", "reserved": "reserved", "confirmed": "reserved", "provisioned": "activating"}
IN_REVIEW = "in-review"  # of an endpoint: an administrator is to approve it, which may take days
NOW, NEVER = -1, -1
KBIT = 1000  # in a Mb/s
STANDARD_MTU = 1500


class Observer(PathReader):
    """Reads circuits, but for removed ones, and the VLANs that are free at interfaces."""

    def _paths(self) -> Iterator[PathSeen]:
        for item in self._found():
            if (seen := self._seen(item)) is not None:
                yield seen

    def _found(self, **fields: str) -> list[Mapping[str, Any]]:
        query = urlencode({"method": "get", **self._workgroup, "state": "active", **fields})
        found: list[Mapping[str, Any]] = self._taken(self._calls.send("GET", f"{CIRCUITS}?{query}"))["results"]
        return found

    def _free_vlans(self, ports: frozenset[str], paths: tuple[PathSeen, ...]) -> Mapping[str, frozenset[int]]:
        """Of interfaces at which no circuit of ours ends: OESS tries every VLAN for an answer, which takes it seconds."""
        wanted = ports - {end for path in paths for end in path.spec.ends}
        found = self._results("get_interfaces") if wanted else []
        numbers = {f"{item['node']}:{item['name']}": str(item["interface_id"]) for item in found if item.get("node")}
        return {
            port: frozenset(map(int, self._results("get_available_vlans", interface_id=numbers[port])["available_vlans"]))
            for port in sorted(wanted & numbers.keys())
        }

    def _results(self, method: str, **fields: str) -> Any:
        query = urlencode({"method": method, **self._workgroup, **fields})
        return self._taken(self._calls.send("GET", f"{INTERFACES}?{query}"))["results"]

    @property
    def _workgroup(self) -> Mapping[str, str]:
        return {"workgroup_id": self._access.settings.options["workgroup"]}

    def _taken(self, answer: Answer) -> Mapping[str, Any]:
        """What it answers. EngineError with its words if it refuses, which its status does not say."""
        said = answer.document
        if answer.status >= 400 or not isinstance(said, Mapping) or said.get("error"):
            raise self._calls.refused(answer)
        return said

    def _seen(self, item: Mapping[str, Any]) -> PathSeen | None:
        """None if it is not ours: another description, or one that was copied from ours, whose identifier is another one."""
        found = self._access.owner.read_mark(str(item.get("description")))
        if found is None or item.get("external_identifier") not in self._access.owner.ids_of(found[0]):
            return None
        ends = item["endpoints"]
        reviewed = [_port(end) for end in ends if end.get("state") == IN_REVIEW]
        words = f"in review: an administrator of OESS is to approve {', '.join(reviewed)}" if reviewed else str(item["state"])
        return PathSeen(str(item["circuit_id"]), self._state(item, bool(reviewed)), self._spec(*found, ends), words)

    def _state(self, item: Mapping[str, Any], is_in_review: bool) -> PathState:
        if item["state"] not in STATES:
            raise UnreachableError(f"{self.provider}: circuit {item['circuit_id']} is {item['state']}, which dtnctl does not know")
        return "reserved" if is_in_review else STATES[item["state"]]

    def _spec(self, name: str, endpoints: tuple[str, ...], ends: list[Mapping[str, Any]]) -> PathSpec:
        return PathSpec(
            name=name,
            provider=self.provider,
            endpoints=endpoints,
            ends=tuple(_port(end) for end in ends),
            vlan=_common(ends, "tag"),
            bandwidth=_common(ends, "bandwidth") * KBIT,
        )


class Service(Observer):
    """Makes, edits and removes circuits."""

    methods = WRITES

    def request(self, path: PathSpec) -> None:
        """Make it. EngineError if there is one of ours: OESS would make another."""
        there = next((seen for seen in self._paths() if seen.spec.name == path.name), None)
        if there is not None:
            raise EngineError(f"{self.provider} has path {path.name} already, as {there.id}: {there.words}")
        self._provision(path, {port: {} for port in path.ends})

    def activate(self, seen: PathSeen) -> None:
        """Its row says that it becomes active by itself."""
        raise EngineError(f"{self.provider} activates {seen.id} by itself, or once an administrator has approved it")

    def modify(self, seen: PathSeen, path: PathSpec) -> None:
        """Edit it, with the ids of all of its endpoints: those without one would be made beside those that are removed."""
        there = next(iter(self._found(circuit_id=seen.id)), None)
        if there is None:
            raise EngineError(f"path {path.name} ({seen.id}) is no circuit of {self.provider} any more")
        ids = {_port(end): {"circuit_ep_id": end["circuit_ep_id"], "mtu": end.get("mtu")} for end in there["endpoints"]}
        self._provision(path, {port: ids.get(port, {}) for port in path.ends}, circuit_id=seen.id)

    def deactivate(self, seen: PathSeen) -> None:
        """Its row says that there is no such thing."""
        raise EngineError(f"{self.provider} has no call that takes {seen.id} out of service and keeps it")

    def release(self, seen: PathSeen) -> None:
        self._write("remove", circuit_id=seen.id)

    def _provision(self, path: PathSpec, ends: Mapping[str, dict[str, Any]], **fields: str) -> None:
        self._write(
            "provision",
            description=self._access.owner.mark(path),
            external_identifier=self._access.owner.id_of(path.name),
            provision_time=NOW,
            remove_time=NEVER,
            endpoint=[json.dumps(_endpoint(path, port) | more) for port, more in ends.items()],
            **fields,
        )

    def _write(self, method: str, **fields: Any) -> None:
        self._taken(self._calls.send("POST", CIRCUITS, form={"method": method, **self._workgroup, **fields}))


def _endpoint(path: PathSpec, port: str) -> dict[str, Any]:
    node, _, interface = port.partition(":")
    jumbo = {"jumbo": int(path.mtu > STANDARD_MTU)} if path.mtu else {}
    return {"node": node, "interface": interface, "tag": path.vlan, "bandwidth": path.bandwidth // KBIT, **jumbo}


def _port(end: Mapping[str, Any]) -> str:
    return f"{end['node']}:{end['interface']}"


def _common(ends: list[Mapping[str, Any]], key: str) -> int:
    """The number that all ends have; 0 if they differ."""
    found = {int(end.get(key) or 0) for end in ends}
    return found.pop() if len(found) == 1 else 0
