"""A stand-in of SENSE-O with its Keycloak: tokens that end, states in plain text, and a cancel that says too early that it is done."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from tests.fakes.paths.double import TOKEN, TOKEN_VARIABLE, Answered, Asked, Circuit, Double

CLIENT, USER = "StackV", "dtnctl"
BASIC = base64.b64encode(f"{CLIENT}:{TOKEN}".encode()).decode()
KEYCLOAK = "/auth/realms/StackV/protocol/openid-connect/token"


class SenseDouble(Double):
    """`early`: looks at a cancelled instance that show it as done before it is. `calls_of_a_token`: after these it has ended.

    `unlike`: VLANs that ports get instead of those that were asked for. `without_manifest`: answers that have none yet.

    `more["last"]` of a circuit is the phase that it was in before its last one.
    """

    kind = "sense"
    ports = ("urn:ogf:network:es.net:2013::sunn-cr6:1_1_c2_1:+", "urn:ogf:network:es.net:2013::wash-cr6:1_1_c6_1:+")
    refuses_at_once = True
    reports_pools = True
    domain = "urn:ogf:network:es.net:2013:"
    pool = "2-1999,3600-4094"

    def __init__(self, *, pace: int = 1) -> None:
        super().__init__(pace=pace)
        self.early = 2
        self.calls_of_a_token = 1_000_000
        self.unlike: dict[str, int] = {}
        self.without_manifest = 0
        self.tokens: dict[str, int] = {}

    @property
    def settings(self) -> dict[str, Any]:
        secret = {"secret": f"env:{TOKEN_VARIABLE}"}
        keycloak = self.url.removesuffix(self.base) + KEYCLOAK
        login = {"user": USER, "password": secret, "client_secret": secret}
        return {"kind": self.kind, "url": self.url, **login, "options": {"auth": keycloak, "client": CLIENT}}

    @property
    def base(self) -> str:
        return "/StackV-web/restapi"

    @property
    def gone(self) -> frozenset[str]:
        return frozenset({"deleted"})

    def add_foreign(self) -> None:
        """Of somebody else, one whose alias was copied from ours, one of another site, one of another service, one without an intent."""
        for tag, alias in enumerate(("SENSE-API-2.0", "dtnctl::lab/a2b a b", "dtnctl::other/a2b a b"), start=12):
            ends = [{"uri": port, "vlan_tag": str(tag)} for port in self.ports]
            self._add(str(uuid.uuid4()), {"alias": alias, "data": {"connections": [{"name": "Connection 1", "terminals": ends}]}})
        for data in ({"type": "Multi-Point VLAN Bridge"}, None):
            self._add(str(uuid.uuid4()), {"alias": "dtnctl::lab/a2b a b", "data": data})

    def _add(self, instance: str, body: dict[str, Any], state: str = "CREATE - READY") -> Circuit:
        self.circuits[instance] = Circuit(instance, state, body, more={"last": "INIT", "early": 0})
        return self.circuits[instance]

    def answer(self, asked: Asked) -> Answered:
        if asked.path == KEYCLOAK:
            return self._token(asked)
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) <= 0:
            return Answered(401, "<html>Unauthorized</html>")
        self.tokens[token] -= 1
        match asked.method, asked.path.strip("/").split("/"):
            case "GET", ["discover", *asked_for]:
                return self._discover([unquote(part) for part in asked_for], asked.query)
            case "POST", ["service", "manifest", instance, "json"]:
                return self._manifest(self.circuits.get(instance), asked.body)
            case "GET", ["instance"]:
                return Answered(200, str(uuid.uuid4()))
            case "POST", ["instance", instance]:
                return self._compute(instance, asked.body)
            case _, ["instance", instance, verb] if instance in self.circuits and self.circuits[instance].state != "deleted":
                return self._instance(self.circuits[instance], verb, asked)
            case _, ["instance", instance, *_]:
                return Answered(404, f"ServiceInstance {instance} not found")
            case _:
                return Answered(404, {"exception": "no such resource"})

    def _instance(self, circuit: Circuit, verb: str, asked: Asked) -> Answered:
        match asked.method, verb:
            case "GET", "status":
                return self._status(circuit)
            case "POST", "modify":
                return self._modify(circuit, asked.body)
            case "PUT", _:
                return self._operate(circuit, verb, asked.query.get("force") == ["true"])
            case _:
                return Answered(404, {"exception": "no such resource"})

    def _token(self, asked: Asked) -> Answered:
        wanted = {"grant_type": ["password"], "username": [USER], "password": [TOKEN]}
        if asked.headers.get("Authorization") != f"Basic {BASIC}" or asked.form != wanted:
            return Answered(401, {"error": "invalid_grant", "error_description": "Invalid user credentials"})
        token = f"canary-{uuid.uuid4()}"
        self.tokens[token] = self.calls_of_a_token
        return Answered(200, {"access_token": token, "refresh_token": f"canary-{uuid.uuid4()}", "expires_in": 300})

    def _list(self, query: Mapping[str, list[str]]) -> Answered:
        """By a part of the alias; intents are texts."""
        return Answered(200, {"instances": [_listed(item) for item in self.living if query["search"][0] in item.body["alias"]]})

    def _discover(self, asked_for: list[str], query: Mapping[str, list[str]]) -> Answered:
        match asked_for:
            case ["service", "instances"]:
                return self._list(query)
            case ["lookup", port, "rooturi"] if port in self.ports:
                return Answered(200, self.domain)
            case [self.domain, "peers"]:
                return self._peers()
            case _:
                return Answered(404, f"resource {asked_for} not found")

    def _peers(self) -> Answered:
        """Ports that face another domain, with their pools; the last one does not say what it has."""
        points = [{"port_uri": port, "port_vlan_pool": self.pool, "port_capacity": "100000"} for port in self.ports]
        return Answered(
            200, {"domain_uri": self.domain, "peer_points": [*points, {"port_uri": f"{self.domain}:another", "port_name": "n/a"}]}
        )

    def _manifest(self, circuit: Circuit | None, template: Any) -> Answered:
        """The template, filled in once for each port, as a text; without one in the first seconds, and of what is not ready."""
        (wanted,) = template["Ports"]
        if circuit is None or not circuit.state.endswith(" - READY") or self.without_manifest:
            self.without_manifest = max(0, self.without_manifest - 1)
            return Answered(200, {"serviceUUID": "", "jsonTemplate": ""})
        shown = {name: value for name, value in wanted.items() if value.startswith("?")}
        ends = [(end["uri"], str(self.unlike.get(end["uri"], end["vlan_tag"]))) for end in _terminals(circuit.body)]
        filled = [{name: {"?port?": port, "?vlan?": vlan}[value] for name, value in shown.items()} for port, vlan in ends]
        return Answered(200, {"serviceUUID": circuit.id, "jsonTemplate": json.dumps({"Ports": filled})})

    def _compute(self, instance: str, body: dict[str, Any]) -> Answered:
        words, self.failing = self.failing, ""
        fault = words or self._fault(body)
        self._add(instance, body, "CREATE - FAILED" if fault else "CREATE - COMPILED")
        return Answered(400, {"exception": fault}) if fault else Answered(200, {"service_uuid": instance, "model": "…"})

    def _modify(self, circuit: Circuit, body: dict[str, Any]) -> Answered:
        """Of an instance that is ready: one more intent, carried out at once; what cannot be computed leaves it as failed."""
        if not circuit.state.endswith(" - READY") or circuit.state.startswith("CANCEL"):
            return Answered(406, {"exception": f"Request unacceptable under status: {circuit.state}"})
        if fault := self._fault(body, circuit.id):
            circuit.state = "MODIFY - FAILED"
            return Answered(400, {"exception": fault})
        circuit.body = body
        self._go(circuit, "MODIFY")
        return Answered(200, {"service_uuid": circuit.id, "model": "…"})

    def _fault(self, body: dict[str, Any], instance: str = "") -> str:
        if body.get("service") != "dnc" or body["data"]["type"] != "Multi-Path P2P VLAN":
            return "Unknown service type"
        others = (item for item in self.living if item.id != instance)
        taken = {(end["uri"], end["vlan_tag"]) for item in others for end in _terminals(item.body)}
        for end in _terminals(body):
            if end["uri"] not in self.ports or (end["uri"], end["vlan_tag"]) in taken or 1999 < int(end["vlan_tag"]) < 3600:
                return f"cannot find path: {end['uri']} has no vlan_tag {end['vlan_tag']}"
        return ""

    def _status(self, circuit: Circuit) -> Answered:
        if circuit.more["early"]:
            circuit.more["early"] -= 1
            return Answered(200, "CANCEL - READY")
        self.look(circuit)
        return Answered(200, circuit.state)

    def _operate(self, circuit: Circuit, verb: str, is_forced: bool) -> Answered:
        kind, _, phase = circuit.state.partition(" - ")
        match verb:
            case "provision" if circuit.state == "CREATE - COMPILED":
                self._go(circuit, "CREATE")
            case "reprovision" if self._is_cancelled(circuit):
                self._go(circuit, "REINSTATE")
            case "cancel" if kind != "CANCEL" and not circuit.pending and (phase == "READY" or is_forced):
                self._go(circuit, "CANCEL")
                circuit.more["early"] = self.early
            case "delete" if circuit.state == "CREATE - COMPILED" or self._is_cancelled(circuit) or self._failed_early(circuit):
                circuit.state = "deleted"
            case _:
                return Answered(406, {"exception": f"Request unacceptable under status: {circuit.state}"})
        return Answered(200)

    def _go(self, circuit: Circuit, kind: str) -> None:
        circuit.more["last"] = "COMMITTING"
        self.begin(circuit, f"{kind} - COMMITTING", f"{kind} - READY", f"{kind} - FAILED")

    @staticmethod
    def _is_cancelled(circuit: Circuit) -> bool:
        return circuit.state == "CANCEL - READY" and not circuit.more["early"]

    @staticmethod
    def _failed_early(circuit: Circuit) -> bool:
        return circuit.state == "CREATE - FAILED" and circuit.more["last"] in ("INIT", "COMPILED")


def _terminals(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [end for connection in (body["data"] or {}).get("connections", []) for end in connection["terminals"]]


def _listed(circuit: Circuit) -> dict[str, Any]:
    kind, _, phase = circuit.state.partition(" - ")
    intents = [{"id": "1", "json": json.dumps(circuit.body)}] if circuit.body["data"] else []
    fields = {"state": kind, "lastState": phase, "alias": circuit.body["alias"]}
    return {"referenceUUID": circuit.id, **fields, "intents": intents}
