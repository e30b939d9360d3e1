"""A stand-in of nsi-aggregator-proxy 0.4: states, refusals, and the id that always gives the same reservation."""

from __future__ import annotations

import re
import uuid
from typing import Any

from tests.fakes.paths.double import TOKEN, TOKEN_VARIABLE, Answered, Asked, Circuit, Double

AGGREGATOR, REQUESTER = "urn:ogf:network:agg.example.net:2026:nsa:safnari", "urn:ogf:network:lab.example.net:2026:nsa:dtnctl"
STP = re.compile(r"urn:ogf:network:[A-Za-z0-9.\-]+:[0-9]{4}(?:[0-9]{2}(?:[0-9]{2})?)?:[A-Za-z0-9_.:\-]+(?:\?vlan=[0-9,-]+)?")
UUID_URN = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
RESERVED_FOR_NEXT = {"provision": ("RESERVED", "ACTIVATING", "ACTIVATED"), "release": ("ACTIVATED", "DEACTIVATING", "RESERVED")}


class NsiDouble(Double):
    """`calls` has no callbacks: dtnctl asks for the results instead."""

    kind = "nsi"
    ports = ("urn:ogf:network:one.example.net:2026:port-1", "urn:ogf:network:two.example.net:2026:port-7")

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "url": self.url,
            "token": {"secret": f"env:{TOKEN_VARIABLE}"},
            "options": {"requester": REQUESTER, "aggregator": AGGREGATOR},
        }

    @property
    def base(self) -> str:
        return "/proxy"

    @property
    def gone(self) -> frozenset[str]:
        return frozenset({"TERMINATED"})

    def add_foreign(self) -> None:
        """One of another requester, one whose description was copied from ours, one with our id under another description."""
        for description, global_id in (
            ("a circuit for physics", f"urn:uuid:{uuid.uuid4()}"),
            ("dtnctl::lab/a2b a b", f"urn:uuid:{uuid.uuid4()}"),
            ("dtnctl::other/a2b a b", f"urn:uuid:{uuid.uuid4()}"),
            ("", None),
        ):
            self._add(description, global_id, {"capacity": 1000, "sourceSTP": self.ports[0], "destSTP": self.ports[1]}, "ACTIVATED")

    def _add(self, description: str, global_id: str | None, p2ps: dict[str, Any], state: str) -> Circuit:
        body = {"globalReservationId": global_id, "description": description, "p2ps": p2ps}
        circuit = Circuit(str(uuid.uuid4()), state, body)
        self.circuits[circuit.id] = circuit
        return circuit

    def answer(self, asked: Asked) -> Answered:
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _problem(401, "Not authenticated")
        match asked.path.strip("/").split("/"):
            case ["reservations"] if asked.method == "GET":
                return self._list()
            case ["reservations"] if asked.method == "POST":
                return self._reserve(asked.body)
            case ["reservations", connection] if connection not in self.circuits:
                return _problem(404, f"Reservation {connection} not found")
            case ["reservations", connection] if asked.method == "DELETE":
                return self._terminate(self.circuits[connection], asked.body)
            case ["reservations", connection, ("provision" | "release") as verb] if asked.method == "POST":
                return self._change(self.circuits[connection], verb, asked.body)
            case _:
                return _problem(404, "Not Found")

    def _list(self) -> Answered:
        for circuit in self.circuits.values():
            self.look(circuit)
        return Answered(200, {"reservations": [_detail(item) for item in self.circuits.values()]})

    def _reserve(self, body: Any) -> Answered:
        if errors := _faults(body):
            return Answered(422, {"type": "about:blank", "title": "Unprocessable", "status": 422, "detail": "invalid", "errors": errors})
        if body["providerNSA"] != AGGREGATOR:
            return _problem(400, f"providerNSA {body['providerNSA']!r} does not match the configured provider")
        held = (item for item in self.living if item.body["globalReservationId"] == body["globalReservationId"])
        circuit = next(held, None)  # whatever its criteria are
        if circuit is None:
            if taken := self._taken(body["criteria"]["p2ps"]):
                self.failing = f"STP_UNAVAILABLE: {taken}"
            circuit = self._add(body["description"], body["globalReservationId"], body["criteria"]["p2ps"], "RESERVING")
            self.begin(circuit, "RESERVING", "RESERVED", "FAILED")
        return _accepted(circuit)

    def _taken(self, p2ps: dict[str, Any]) -> str:
        """An end, with its VLAN, that another reservation has; it is found out after the request was accepted."""
        used = {item.body["p2ps"][side] for item in self.living for side in ("sourceSTP", "destSTP") if "?vlan=" in item.body["p2ps"][side]}
        return next((p2ps[side] for side in ("sourceSTP", "destSTP") if p2ps[side] in used), "")

    def _change(self, circuit: Circuit, verb: str, body: Any) -> Answered:
        before, meanwhile, after = RESERVED_FOR_NEXT[verb]
        if not (body or {}).get("callbackURL"):
            return Answered(422, {"detail": "invalid", "errors": [{"field": "callbackURL", "reason": "Field required"}]})
        if circuit.state != before:
            return _problem(409, f"Cannot {verb}: reservation is {circuit.state}, expected {before}")
        self.begin(circuit, meanwhile, after, "FAILED")
        return _accepted(circuit)

    def _terminate(self, circuit: Circuit, body: Any) -> Answered:
        if not (body or {}).get("callbackURL"):
            return Answered(422, {"detail": "invalid", "errors": [{"field": "callbackURL", "reason": "Field required"}]})
        if circuit.state not in ("RESERVED", "FAILED"):
            return _problem(409, f"Cannot terminate: reservation is {circuit.state}")
        circuit.pending, circuit.looks = "TERMINATED", 0
        return _accepted(circuit)


def _faults(body: Any) -> list[dict[str, str]]:
    p2ps = body["criteria"]["p2ps"]
    stps = ("sourceSTP", "destSTP")
    faults = [{"field": name, "reason": "STP must be a Network URN"} for name in stps if STP.fullmatch(p2ps[name]) is None]
    if p2ps["capacity"] <= 0:
        faults.append({"field": "capacity", "reason": "Input should be greater than 0"})
    if UUID_URN.fullmatch(body["globalReservationId"]) is None:
        faults.append({"field": "globalReservationId", "reason": "must be a UUID URN"})
    return faults + ([] if body.get("callbackURL") else [{"field": "callbackURL", "reason": "Field required"}])


def _detail(circuit: Circuit) -> dict[str, Any]:
    return {
        "globalReservationId": circuit.body["globalReservationId"],
        "connectionId": circuit.id,
        "description": circuit.body["description"],
        "criteria": {"version": 1, "serviceType": "x", "p2ps": circuit.body["p2ps"]},
        "status": circuit.state,
        "lastError": circuit.error if circuit.state == "FAILED" else None,
    }


def _accepted(circuit: Circuit) -> Answered:
    return Answered(202, {"type": "about:blank", "title": "Accepted", "status": 202, "instance": f"/reservations/{circuit.id}"})


def _problem(status: int, detail: str) -> Answered:
    return Answered(status, {"type": "about:blank", "title": "Problem", "status": status, "detail": detail})
