"""A stand-in of OSCARS 1.2: `new` overwrites whatever has the name, `orchId` is forgotten, a release of what is archived is no error."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tests.fakes.paths.double import TOKEN, TOKEN_VARIABLE, Answered, Asked, Circuit, Double

LETTERS = frozenset("234679CDFGHJKMNPRTWXYZ")


class OscarsDouble(Double):
    """Names of circuits are their ids."""

    kind = "oscars"
    ports = ("kans-cr6:1/1/c17/2", "nash-cr6:1/1/c9/1")
    refuses_at_once = True
    forgives_release = True

    @property
    def settings(self) -> dict[str, Any]:
        return {"kind": self.kind, "url": self.url, "token": {"secret": f"env:{TOKEN_VARIABLE}"}}

    @property
    def gone(self) -> frozenset[str]:
        return frozenset({"ARCHIVED"})

    def add_foreign(self) -> None:
        """Of somebody else, one whose description was copied from ours, one of another site."""
        for name, description in (("CXA4", "LHC primary"), ("ZZZ2", "dtnctl::lab/a2b a b"), ("ZZZ3", "dtnctl::other/a2b a b")):
            self.add(name, description)

    def add(self, name: str, description: str) -> Circuit:
        """One that somebody else made by another client."""
        ends = [{"device": port.partition(":")[0], "port": port, "vlan": 12 + len(self.circuits), "tagged": True} for port in self.ports]
        schedule = {"beginning": 1753209304.0, "ending": 2068569237.0}
        body = {"name": name, "meta": {"description": description}, "schedule": schedule, "qos": {"bandwidth": 0}, "tech": {"mtu": 9000}}
        self.circuits[name] = Circuit(name, "DEPLOYED", {**body, "endpoints": ends})
        return self.circuits[name]

    def answer(self, asked: Asked) -> Answered:
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Answered(401)
        match asked.method, asked.path.strip("/").split("/"):
            case "POST", ["api", "l2vpn", "list"]:
                return self._list(asked.body)
            case "GET", ["api", "l2vpn", "get", name] if name in self.circuits:
                return Answered(200, _shown(self.circuits[name]))
            case "POST", ["api", "l2vpn", "validate"]:
                return self._validated(asked.body)
            case "POST", ["api", "topo", "edge-port-search"]:
                return self._searched(asked.body)
            case (("POST" | "PUT"), ["protected", "l2vpn", "new" | "replace"]):
                return self._create_or_replace(asked.body)
            case "DELETE", ["protected", "l2vpn", "release", name] if name in self.circuits:
                return self._release(self.circuits[name])
            case _:
                return Answered(404)

    def _list(self, asked: dict[str, Any]) -> Answered:
        for circuit in self.circuits.values():
            self.look(circuit)
        found = [item for item in self.circuits.values() if asked["description"].lower() in item.body["meta"]["description"].lower()]
        first = (asked["page"] - 1) * asked["sizePerPage"]
        return Answered(200, {"page": asked["page"], "l2vpns": [_shown(item) for item in found[first : first + asked["sizePerPage"]]]})

    def _searched(self, asked: dict[str, Any]) -> Answered:
        """Ports of a device, with ranges of free VLANs; refused without a device or an interval."""
        if not asked.get("device") or set(asked.get("interval") or ()) != {"beginning", "ending"}:
            return Answered(400, "must include device id or a text search term")
        found = [port for port in self.ports if port.partition(":")[0] == asked["device"]]
        return Answered(200, [{"urn": port, "availability": {"vlan": {"tuples": self.free_ranges(port)}}} for port in found])

    def free_ranges(self, port: str) -> list[list[int]]:
        """Of 2 to 4094."""
        taken = sorted(end["vlan"] for item in self.living for end in item.body["endpoints"] if end["port"] == port)
        edges = [1, *taken, 4095]
        return [[low + 1, high - 1] for low, high in pairwise(edges) if low + 1 <= high - 1]

    def _validated(self, body: dict[str, Any]) -> Answered:
        words, self.failing = self._fault(body) or self.failing, ""
        return Answered(200, {"valid": not words, "message": words})

    def _fault(self, body: dict[str, Any]) -> str:
        taken = {(end["port"], end["vlan"]) for item in self.living if item.id != body["name"] for end in item.body["endpoints"]}
        for end in body["endpoints"]:
            if (end["port"], end["vlan"]) in taken:
                return f"vlan {end['vlan']} not available on {end['port']}"
        if len(body["name"]) != 4 or not LETTERS.issuperset(body["name"]):
            return f"invalid connection id {body['name']}"
        if max(body["schedule"].values()) > 2**31 - 1:
            return "ending is before beginning"
        devices = {end["device"] for end in body["endpoints"]}
        joined = {bundle[side] for bundle in body["bundles"] if bundle["lsps"] for side in ("a", "z")}
        return "" if len(devices) == 1 or devices == joined else "graph is not connected"

    def _create_or_replace(self, body: dict[str, Any]) -> Answered:
        """Whosever has the name now."""
        if self._fault(body):
            return Answered(500)
        kept = {**body, "meta": {**body["meta"], "orchId": None}}
        circuit = self.circuits[body["name"]] = Circuit(body["name"], "WAITING_TO_BE_DEPLOYED", kept)
        self.begin(circuit, "BEING_DEPLOYED", "DEPLOYED", "DEPLOY_FAILED")
        return Answered(200, _shown(circuit))

    def _release(self, circuit: Circuit) -> Answered:
        if circuit.state != "ARCHIVED":
            circuit.pending, circuit.looks = "ARCHIVED", 0
        return Answered(200)


def _shown(circuit: Circuit) -> dict[str, Any]:
    archived = circuit.state == "ARCHIVED"
    status = {
        "phase": "ARCHIVED" if archived else "RESERVED",
        "state": "WAITING" if archived else "ACTIVE",
        "deploymentState": "UNDEPLOYED" if archived else circuit.state,
    }
    return {**circuit.body, "status": status}
