"""OSCARS (esnet/oscars 1.2): layer-2 VPNs, each named by four characters that we choose; it deploys them by itself when they begin.

`new` replaces what has the name already, whosever it is: a name is taken only if nothing has it. `orchId` is not kept, so that the
description says whose a VPN is. Times are kept as seconds in 32 bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from typing import Any

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.paths import GONE, PathSeen, PathSpec, PathState
from dtnctl.providers.paths.calls import WRITES
from dtnctl.providers.paths.reading import PathReader

LIST, VALIDATE, PORTS = "/api/l2vpn/list", "/api/l2vpn/validate", "/api/topo/edge-port-search"
LETTERS = "234679CDFGHJKMNPRTWXYZ"  # of names; without those that are mistaken for others
NAMES = 200  # of one path
LAST_MOMENT = 2145916800  # 2038-01-01: a VPN without an end has one all the same, and later ones do not fit 32 bits
LONGEST_DESCRIPTION = 80
KBIT = 1000  # in a Mb/s
DEPLOYMENTS: Mapping[str, PathState] = {
    "UNDEPLOYED": "reserved",
    "WAITING_TO_BE_DEPLOYED": "activating",
    "BEING_DEPLOYED": "activating",
    "DEPLOYED": "active",
    "WAITING_TO_BE_REDEPLOYED": "activating",
    "BEING_REDEPLOYED": "activating",
    "WAITING_TO_BE_UNDEPLOYED": "releasing",
    "BEING_UNDEPLOYED": "releasing",
    "DEPLOY_FAILED": "failed",
    "REDEPLOY_FAILED": "failed",
    "UNDEPLOY_FAILED": "failed",
}


class Observer(PathReader):
    """Reads VPNs, and the VLANs that are free at ports of devices."""

    asked_by_post = frozenset({LIST, VALIDATE, PORTS})

    def _paths(self) -> Iterator[PathSeen]:
        """All pages. Those that are only held, which a request is for a moment, are in none."""
        for page in count(1):
            asked = {"phase": "ANY", "description": "dtnctl:", "page": page, "sizePerPage": 500}
            found = self._calls.ask("POST", LIST, asked).document["l2vpns"]
            yield from filter(None, map(self._seen, found))
            if len(found) < 500:
                return

    def _free_vlans(self, ports: frozenset[str], paths: tuple[PathSeen, ...]) -> Mapping[str, frozenset[int]]:
        """One question for each device."""
        del paths
        interval = {"beginning": int(datetime.now(UTC).timestamp()), "ending": LAST_MOMENT}
        free: dict[str, frozenset[int]] = {}
        for device in sorted({port.partition(":")[0] for port in ports}):
            for item in self._calls.ask("POST", PORTS, {"device": device, "interval": interval}).document:
                ranges = item["availability"]["vlan"]["tuples"]
                free[item["urn"]] = frozenset(vlan for low, high in ranges for vlan in range(low, high + 1))
        return {port: vlans for port, vlans in free.items() if port in ports}

    def _seen(self, item: Mapping[str, Any]) -> PathSeen | None:
        """None if it is not ours: another description, or a name that we do not give to a path of that name."""
        found = self._access.owner.read_mark(str(item["meta"].get("description")))
        if found is None or all(item["name"] not in _names(known) for known in self._access.owner.ids_of(found[0])):
            return None
        status = item["status"]
        words = " ".join(str(status[key]) for key in ("phase", "state", "deploymentState") if status.get(key))
        return PathSeen(str(item["name"]), self._state(item["name"], status), self._spec(*found, item), words)

    def _state(self, name: str, status: Mapping[str, Any]) -> PathState:
        match status.get("phase"), status.get("state"), status.get("deploymentState"):
            case "ARCHIVED", "FINISHED", _:
                return "expired"
            case "ARCHIVED", _, _:
                return "released"
            case _, "FAILED", _:
                return "failed"
            case (("DESIGN" | "HELD"), _, _):
                return "asked"
            case _, _, str(deployment) if deployment in DEPLOYMENTS:
                return DEPLOYMENTS[deployment]
        raise UnreachableError(f"{self.provider}: VPN {name} is {status}, which dtnctl does not know")

    def _spec(self, name: str, endpoints: tuple[str, ...], item: Mapping[str, Any]) -> PathSpec:
        vlans = {int(end["vlan"]) for end in item["endpoints"]}
        ending = int(item["schedule"]["ending"])
        return PathSpec(
            name=name,
            provider=self.provider,
            endpoints=endpoints,
            ends=tuple(str(end["port"]) for end in item["endpoints"]),
            vlan=vlans.pop() if len(vlans) == 1 else 0,
            bandwidth=int(item["qos"].get("bandwidth") or 0) * KBIT,
            mtu=int(item["tech"].get("mtu") or 0),
            until="" if ending >= LAST_MOMENT else datetime.fromtimestamp(ending, UTC).isoformat().replace("+00:00", "Z"),
        )


class Service(Observer):
    """Makes and ends VPNs."""

    methods = WRITES

    def request(self, path: PathSpec) -> None:
        """Make it under the first of its names that nothing has. EngineError, with OSCARS's words, if it would not be granted."""
        vpn = self._body(self._free_name(path), path, int(datetime.now(UTC).timestamp()))
        answer = self._calls.ask("POST", VALIDATE, vpn).document
        if not answer["valid"]:
            raise EngineError(f"{self.provider} does not grant path {path.name}: {answer.get('message')}")
        self._calls.ask("POST", "/protected/l2vpn/new", vpn)

    def activate(self, seen: PathSeen) -> None:
        """Its row says that it deploys by itself."""
        raise EngineError(f"{self.provider} deploys {seen.id} by itself, when it begins")

    def modify(self, seen: PathSeen, path: PathSpec) -> None:
        """Replace it by one of the same name that begins when it began."""
        there = self._calls.ask("GET", f"/api/l2vpn/get/{seen.id}").document
        self._calls.ask("PUT", "/protected/l2vpn/replace", self._body(seen.id, path, int(there["schedule"]["beginning"])))

    def deactivate(self, seen: PathSeen) -> None:
        """Its row says that there is no such thing."""
        raise EngineError(f"{self.provider} has no call that takes {seen.id} out of service and keeps it")

    def release(self, seen: PathSeen) -> None:
        self._calls.ask("DELETE", f"/protected/l2vpn/release/{seen.id}")

    def _free_name(self, path: PathSpec) -> str:
        """The first that nothing of ours had, not even what was released, and no other VPN has."""
        ours = [seen for seen in self._paths() if seen.spec.name == path.name]
        for there in ours:
            if there.state not in GONE:
                raise EngineError(f"{self.provider} has path {path.name} already, as {there.id}: {there.words}")
        for name in (name for name in _names(self._access.owner.id_of(path.name)) if name not in {seen.id for seen in ours}):
            if self._is_free(name):
                return name
        raise EngineError(f"{self.provider}: all {NAMES} names that path {path.name} may have were used; give the path another name")

    def _is_free(self, name: str) -> bool:
        answer = self._calls.send("GET", f"/api/l2vpn/get/{name}")
        if answer.status >= 400 and answer.status != 404:
            raise self._calls.refused(answer)
        return answer.status == 404

    def _body(self, name: str, path: PathSpec, beginning: int) -> Mapping[str, Any]:
        description = self._access.owner.mark(path)
        if len(description) > LONGEST_DESCRIPTION:
            raise EngineError(
                f"{self.provider} keeps {LONGEST_DESCRIPTION} characters of a description, and that of path {path.name} has "
                f"{len(description)} ({description}): give the path or its endpoints shorter names"
            )
        devices = sorted({end.partition(":")[0] for end in path.ends})
        starts = int(datetime.fromisoformat(path.starts).timestamp()) if path.starts else beginning
        ending = int(datetime.fromisoformat(path.until).timestamp()) if path.until else LAST_MOMENT
        return {
            "name": name,
            "meta": {"description": description, "username": "dtnctl"},
            "schedule": {"beginning": max(starts, beginning), "ending": min(ending, LAST_MOMENT)},
            "qos": {
                "mode": "GUARANTEED" if path.bandwidth else "BEST_EFFORT",
                "excessAction": "SCAVENGER",
                "bandwidth": path.bandwidth // KBIT,
            },
            "tech": {"mode": "AUTOMATIC", "flavor": "VPLS", "mtu": path.mtu or 9000, "macsec": False},
            "bundles": [_bundle(devices[0], device) for device in devices[1:]],
            "endpoints": [{"device": end.partition(":")[0], "port": end, "vlan": path.vlan, "tagged": True} for end in path.ends],
        }


def _names(path_id: str) -> tuple[str, ...]:
    """The names that a path of this id may have, in the order in which they are taken: each is used once, also after a release."""
    return tuple(_name(f"{path_id} {number}") for number in range(NAMES))


def _name(text: str) -> str:
    value, letters = int.from_bytes(sha256(text.encode()).digest()), ""
    for _ in range(4):
        value, index = divmod(value, len(LETTERS))
        letters += LETTERS[index]
    return letters


def _bundle(a: str, z: str) -> Mapping[str, Any]:
    """Between two devices by the way that OSCARS computes: without a primary path, even an empty one, none is made."""
    return {
        "name": f"{a}---{z}",
        "a": a,
        "z": z,
        "protection": "LOOSE",
        "constraints": {"include": [], "exclude": []},
        "lsps": [{"role": "PRIMARY", "path": []}],
    }
