"""Translates networks between the model's normal form and the engine's JSON, in both directions. Pure.

An engine adds subnets and options of its own choice, and no answer shows which of them were asked for. The creator notes that in
labels, and only what was asked for is read back. Networks without these labels (other people's) are read back whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dtnctl.model.resources import NetworkSeen, NetworkSpec, Pairs, Subnet
from dtnctl.providers.docker.translate import Json

# Which subnets the engine chose: all of them, or the IPv4 one that it gives to a network with IPv6 alone.
LABEL_SUBNETS = "dtnctl.subnets"
ENGINE_CHOSE = "engine"
ENGINE_CHOSE_IPV4 = "engine-ipv4"
# The names of the options that were asked for: `default-network-opts` of the engine's daemon.json adds to them.
LABEL_OPTIONS = "dtnctl.options"
# Engine 28 writes them by itself; they repeat fields that we compare anyway.
ENGINE_OPTIONS = frozenset({"com.docker.network.enable_ipv4", "com.docker.network.enable_ipv6"})


def network_body(name: str, spec: NetworkSpec, labels: Pairs) -> dict[str, Any]:
    """The JSON that creates the network. Its labels note what the engine is left to choose."""
    body: dict[str, Any] = {
        "Name": name,
        "CheckDuplicate": True,  # network names are not unique on engines before API 1.44 unless asked for
        "Driver": spec.driver,
        "Internal": spec.internal,
        "EnableIPv6": spec.ipv6,
        "Options": dict(spec.options),
        "Labels": {**dict(labels), **_chosen(spec.subnets), LABEL_OPTIONS: ",".join(option for option, _ in spec.options)},
    }
    if spec.subnets:
        body["IPAM"] = {"Driver": "default", "Config": [_subnet_body(item) for item in spec.subnets]}
    return body


def _chosen(subnets: tuple[Subnet, ...]) -> dict[str, str]:
    if any(not _is_ipv6(item) for item in subnets):
        return {}
    return {LABEL_SUBNETS: ENGINE_CHOSE_IPV4 if subnets else ENGINE_CHOSE}


def _subnet_body(subnet: Subnet) -> dict[str, str]:
    return {"Subnet": subnet.subnet} | ({"Gateway": subnet.gateway} if subnet.gateway else {})


def network_seen(raw: Json) -> NetworkSeen:
    """One network, from the list or from its inspection; IPv4 subnets first."""
    labels = raw.get("Labels") or {}
    pools = (raw.get("IPAM") or {}).get("Config") or ()
    return NetworkSeen(
        name=raw["Name"],
        id=raw["Id"],
        labels=labels,
        spec=NetworkSpec(
            driver=raw["Driver"],
            internal=bool(raw.get("Internal")),
            ipv6=bool(raw.get("EnableIPv6")),
            subnets=_asked_subnets((_subnet(pool) for pool in pools if pool.get("Subnet")), labels),
            options=_asked_options(raw.get("Options") or {}, labels),
        ),
    )


def _asked_subnets(subnets: Iterable[Subnet], labels: Mapping[str, str]) -> tuple[Subnet, ...]:
    chosen = labels.get(LABEL_SUBNETS)
    if chosen == ENGINE_CHOSE:
        return ()
    asked = [item for item in subnets if chosen != ENGINE_CHOSE_IPV4 or _is_ipv6(item)]
    return tuple(sorted(asked, key=_is_ipv6))


def _asked_options(options: Mapping[str, str], labels: Mapping[str, str]) -> Pairs:
    asked = labels[LABEL_OPTIONS].split(",") if LABEL_OPTIONS in labels else options.keys() - ENGINE_OPTIONS
    return tuple(sorted((name, value) for name, value in options.items() if name in asked))


def _is_ipv6(subnet: Subnet) -> bool:
    return ":" in subnet.subnet


def _subnet(pool: Json) -> Subnet:
    # Old engines write the gateway with its prefix length.
    return Subnet(pool["Subnet"], (pool.get("Gateway") or "").partition("/")[0])
