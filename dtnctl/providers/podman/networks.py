"""Translates networks between Docker's API and libpod's. Pure.

Podman's Docker API drops the mode of a macvlan network and shows of the options the MTU only; its own has both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dtnctl.model.backends import route_metric
from dtnctl.providers.podman.notes import Json

DEFAULT = "podman"  # what Podman calls the network that Docker calls `bridge`
BRIDGE = "bridge"
MTU = "com.docker.network.driver.mtu"
# Podman gives each network a gateway; those that were asked for are noted.
LABEL_GATEWAYS = "dtnctl.gateways"
LABEL_OPTIONS = "dtnctl.options"  # the names of the options that were asked for, as the body that is translated has them noted
METRIC = "metric"
ISOLATED = {"isolate": "true"}  # as Docker does with its bridges


def podmans_name(name: str) -> str:
    return DEFAULT if name == BRIDGE else name


def dockers_name(name: str) -> str:
    return BRIDGE if name == DEFAULT else name


def network_body(body: Json) -> dict[str, Any]:
    """libpod's body for a network, from Docker's."""
    driver, options = body["Driver"], dict(body["Options"])
    subnets = [_subnet(pool) for pool in (body.get("IPAM") or {}).get("Config") or ()]
    gateways = ",".join(subnet["gateway"] for subnet in subnets if "gateway" in subnet)
    return {
        "name": body["Name"],
        "driver": driver,
        "network_interface": options.pop("parent", ""),
        "internal": body["Internal"],
        "ipv6_enabled": body["EnableIPv6"],
        "dns_enabled": driver == BRIDGE,
        "subnets": subnets,
        "labels": {**body["Labels"], LABEL_GATEWAYS: gateways},
        "options": {**_own_options(body), **{_podmans_option(driver, name): text for name, text in options.items()}},
    }


def _own_options(body: Json) -> dict[str, str]:
    """Which of several default routes counts is left to chance, unless each network has another metric."""
    route = {} if body["Internal"] else {METRIC: str(route_metric(body["Name"]))}
    return route | (ISOLATED if body["Driver"] == BRIDGE else {})


def _subnet(pool: Json) -> dict[str, str]:
    return {"subnet": pool["Subnet"]} | ({"gateway": pool["Gateway"]} if pool.get("Gateway") else {})


def _podmans_option(driver: str, name: str) -> str:
    return {MTU: "mtu", f"{driver}_mode": "mode"}.get(name, name)


def networks_seen(raws: Iterable[Json]) -> list[Json]:
    return [network_seen(raw) for raw in raws]


def network_seen(raw: Json) -> dict[str, Any]:
    """A network of libpod's, as Docker shows one."""
    labels = raw.get("labels") or {}
    asked = labels[LABEL_GATEWAYS].split(",") if LABEL_GATEWAYS in labels else None
    return {
        "Name": dockers_name(raw["name"]),
        "Id": raw["id"] if raw["name"] != DEFAULT else "",  # the same on every Podman: no sign of which engine it is
        "Driver": raw["driver"],
        "Internal": raw.get("internal", False),
        "EnableIPv6": raw.get("ipv6_enabled", False),
        "IPAM": {"Config": [_pool(subnet, asked) for subnet in raw.get("subnets") or ()]},
        "Options": _dockers_options(raw),
        "Labels": labels,
    }


def _pool(subnet: Json, asked: Iterable[str] | None) -> dict[str, str]:
    gateway = subnet.get("gateway") or ""
    return {"Subnet": subnet["subnet"], "Gateway": gateway if asked is None or gateway in asked else ""}


def _dockers_options(raw: Json) -> dict[str, str]:
    driver, options = raw["driver"], raw.get("options") or {}
    names, is_noted = {"mtu": MTU, "mode": f"{driver}_mode"}, LABEL_OPTIONS in (raw.get("labels") or {})
    ours = {METRIC: options.get(METRIC), **ISOLATED} if not is_noted else {}  # where it is noted what was asked for, they may be
    found = {names.get(name, name): text for name, text in options.items() if ours.get(name) != text}
    is_on_top = driver != BRIDGE and raw.get("network_interface")
    return {**found, **({"parent": raw["network_interface"]} if is_on_top else {})}
