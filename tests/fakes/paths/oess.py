"""A stand-in of OESS 2.0: refusals with status 200, no care for external identifiers, edits that empty and remove what they leave out."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from tests.fakes.paths.double import TOKEN, TOKEN_VARIABLE, Answered, Asked, Circuit, Double

USER, WORKGROUP = "dtnctl", "31"
BASIC = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()


class OessDouble(Double):
    """`in_review`: endpoints of what is made next wait for an administrator; after `pace` looks somebody has approved them."""

    kind = "oess"
    ports = ("mx960-1.example.net:xe-7/0/2", "mx960-2.example.net:ae0")
    refuses_at_once = True

    def __init__(self, *, pace: int = 1) -> None:
        super().__init__(pace=pace)
        self.in_review = False
        self._numbers: Iterator[int] = count(3012)

    @property
    def settings(self) -> dict[str, Any]:
        login = {"user": USER, "password": {"secret": f"env:{TOKEN_VARIABLE}"}}
        return {"kind": self.kind, "url": self.url, **login, "options": {"workgroup": WORKGROUP}}

    @property
    def base(self) -> str:
        return "/oess/services"

    @property
    def gone(self) -> frozenset[str]:
        return frozenset({"decom"})

    def add_foreign(self) -> None:
        """Of somebody else, one whose description was copied from ours, one of another site; one of another workgroup."""
        for tag, description in enumerate(("LHC primary", "dtnctl::lab/a2b a b", "dtnctl::other/a2b a b", None), start=12):
            self.add(description, None, tag)
        self.add("dtnctl::lab/a2b a b", None, 99).body["workgroup_id"] = "7"

    def add(self, description: str | None, identifier: str | None, tag: int) -> Circuit:
        """One that somebody else made by another client."""
        ends = [{"node": node, "interface": name, "tag": tag} for node, _, name in (port.partition(":") for port in self.ports)]
        fields = {"description": description, "external_identifier": identifier, "workgroup_id": WORKGROUP}
        return self._made(fields, [self._endpoint(end, "active") for end in ends])

    def answer(self, asked: Asked) -> Answered:
        if asked.headers.get("Authorization") != f"Basic {BASIC}":
            return Answered(401, "<html>Authorization Required</html>")
        fields = {**asked.query, **asked.form}
        if asked.path == "/interface.cgi":
            return self._interfaces(fields)
        if asked.path != "/circuit.cgi":
            return Answered(404, "<html>Not Found</html>")
        match fields.get("method"):
            case ["get"]:
                return self._get(fields)
            case ["provision"]:
                return self._provision(fields)
            case ["remove"]:
                return self._remove(fields)
            case _:
                return _refused("no such method")

    def _interfaces(self, fields: Mapping[str, list[str]]) -> Answered:
        """Those of the workgroup; the VLANs of one that no circuit has."""
        if fields.get("workgroup_id") != [WORKGROUP]:
            return _refused("required input parameter workgroup_id is missing")
        named = [(str(number), *port.split(":")) for number, port in enumerate(self.ports, start=501)]
        if fields.get("method") == ["get_interfaces"]:
            return Answered(200, {"results": [{"interface_id": int(number), "node": node, "name": name} for number, node, name in named]})
        found = next(((node, name) for number, node, name in named if [number] == fields.get("interface_id")), None)
        if fields.get("method") != ["get_available_vlans"] or found is None:
            return _refused("Unable to build interface")
        used = {end["tag"] for item in self.living for end in item.body["endpoints"] if (end["node"], end["interface"]) == found}
        return Answered(200, {"results": {"available_vlans": [vlan for vlan in range(1, 4096) if vlan not in used]}})

    def _get(self, fields: Mapping[str, list[str]]) -> Answered:
        for circuit in self.circuits.values():
            self.look(circuit)
        wanted = fields.get("circuit_id", [""])[0]
        found = (item for item in self._of_workgroup(fields) if wanted in ("", item.id))
        return Answered(200, {"results": [_shown(item) for item in found if item.state in fields.get("state", ["active"])]})

    def look(self, circuit: Circuit) -> None:
        """Only what waits for an administrator takes time."""
        super().look(circuit)
        if not circuit.pending:
            for end in circuit.body["endpoints"]:
                end["state"] = "active"

    def _of_workgroup(self, fields: Mapping[str, list[str]]) -> list[Circuit]:
        return [item for item in self.circuits.values() if [item.body["workgroup_id"]] == fields.get("workgroup_id")]

    def _provision(self, fields: Mapping[str, list[str]]) -> Answered:
        for needed in ("workgroup_id", "description", "provision_time", "remove_time", "endpoint"):
            if needed not in fields:
                return _refused(f"required input parameter {needed} is missing")
        words, self.failing = self.failing, ""
        circuit_id = fields.get("circuit_id", ["-1"])[0]
        ends = [json.loads(text) for text in fields["endpoint"]]
        if words or (words := self._fault(circuit_id, ends)):
            return _refused(f"Couldn't create Circuit: {words}")
        names = ("description", "external_identifier", "workgroup_id")
        written = {name: fields.get(name, [None])[0] for name in names}
        return self._create(written, ends) if circuit_id == "-1" else self._edit(circuit_id, written, ends)

    def _fault(self, circuit_id: str, ends: list[dict[str, Any]]) -> str:
        if circuit_id not in ("-1", *self.circuits):
            return "Couldn't load Circuit from database."
        if len(ends) < 2:
            return "Circuit requires at least two Endpoints."
        used = [end for item in self.living if item.id != circuit_id for end in item.body["endpoints"]]
        for end in ends:
            name = f"{end['node']}:{end['interface']}"
            if name not in self.ports:
                return f"Cannot find a valid Interface for {name}."
            if any((end["node"], end["interface"], end["tag"]) == (item["node"], item["interface"], item["tag"]) for item in used):
                return f"VLAN {end['tag']} is not available on {name}"
        return ""

    def _create(self, written: dict[str, Any], ends: list[dict[str, Any]]) -> Answered:
        state = "in-review" if self.in_review else "active"
        circuit = self._made(written, [self._endpoint(end, state) for end in ends])
        circuit.pending = "active" if self.in_review else ""
        return Answered(200, {"success": 1, "circuit_id": int(circuit.id)})

    def _made(self, written: dict[str, Any], ends: list[dict[str, Any]]) -> Circuit:
        number = str(next(self._numbers))
        self.circuits[number] = Circuit(number, "active", {**written, "endpoints": ends})
        return self.circuits[number]

    def _edit(self, circuit_id: str, written: dict[str, Any], ends: list[dict[str, Any]]) -> Answered:
        """Endpoints without an id are made; those that are not named are removed."""
        circuit = self.circuits[circuit_id]
        kept = {end["circuit_ep_id"]: end for end in circuit.body["endpoints"]}
        changed = [kept[end["circuit_ep_id"]] | end if "circuit_ep_id" in end else self._endpoint(end, "active") for end in ends]
        circuit.body = {**written, "endpoints": changed}
        return Answered(200, {"success": 1, "circuit_id": int(circuit_id)})

    def _endpoint(self, end: dict[str, Any], state: str) -> dict[str, Any]:
        number = str(next(self._numbers))
        return {
            "bandwidth": 0,
            "inner_tag": None,
            **end,
            "circuit_ep_id": number,
            "mtu": 9000 if end.get("jumbo") else 1500,
            "state": state,
        }

    def _remove(self, fields: Mapping[str, list[str]]) -> Answered:
        wanted = fields.get("circuit_id", [""])[0]
        circuit = next((item for item in self._of_workgroup(fields) if item.id == wanted and item in self.living), None)
        if circuit is None:
            return _refused("Circuit was not found in the database")
        circuit.state, circuit.pending = "decom", ""
        return Answered(200, {"status": 1})


def _shown(circuit: Circuit) -> dict[str, Any]:
    return {"circuit_id": int(circuit.id), "name": circuit.body["description"], "state": circuit.state, "status": "up", **circuit.body}


def _refused(words: str) -> Answered:
    return Answered(200, {"error": 1, "error_text": words, "results": None})
