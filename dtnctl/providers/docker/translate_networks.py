"""Translates networks between the model's normal form and the engine's JSON, in both directions. Pure.

An engine adds subnets and options of its own choice, and no answer shows which of them were asked for. The creator notes that in
labels, and only what was asked for is read back. Networks without these labels (other people's) are read back whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
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
YES_NO = {True: "yes", False: "no"}


@dataclass(frozen=True, slots=True)
class DriverWords:
    """A driver's name in our words and in the engine's, and which of its options carries which field of ours."""

    ours: str
    engines: str
    fields: Mapping[str, str]


FIELDS = {"com.docker.network.driver.mtu": "mtu", "parent": "parent"}
DRIVERS = (
    *(DriverWords(name, name, FIELDS) for name in ("bridge", "host", "null", "overlay")),
    *(DriverWords(name, name, {**FIELDS, f"{name}_mode": "mode"}) for name in ("macvlan", "ipvlan")),
)
BY_OUR_NAME = {words.ours: words for words in DRIVERS}
BY_ENGINES_NAME = {words.engines: words for words in DRIVERS}


@cache
def _agents() -> DriverWords:
    """The agent's driver. Its protocol is imported where there is such a network: that takes 27 ms of CPU."""
    from dtn_agent.protocol.driver import DEFAULT_ROUTE_OPTION, MTU_OPTION, NETWORK_DRIVER, PF_OPTION

    return DriverWords("sriov", NETWORK_DRIVER, {PF_OPTION: "pf", MTU_OPTION: "mtu", DEFAULT_ROUTE_OPTION: "default_route"})


def _of_ours(driver: str) -> DriverWords:
    found = BY_OUR_NAME.get(driver) or _agents()
    return found if found.ours == driver else DriverWords(driver, driver, FIELDS)


def _of_engine(driver: str) -> DriverWords:
    found = BY_ENGINES_NAME.get(driver) or _agents()
    return found if found.engines == driver else DriverWords(driver, driver, FIELDS)


def network_body(name: str, spec: NetworkSpec, labels: Pairs) -> dict[str, Any]:
    """The JSON that creates the network. Its labels note what the engine is left to choose."""
    words = _of_ours(spec.driver)
    options = _options(spec, words.fields)
    body: dict[str, Any] = {
        "Name": name,
        "CheckDuplicate": True,  # network names are not unique on engines before API 1.44 unless asked for
        "Driver": words.engines,
        "Internal": spec.internal,
        "EnableIPv6": spec.ipv6,
        "Options": options,
        "Labels": {**dict(labels), **_chosen(spec.subnets), LABEL_OPTIONS: ",".join(options)},
    }
    if spec.subnets:
        body["IPAM"] = {"Driver": "default", "Config": [_subnet_body(item) for item in spec.subnets]}
    return body


def _options(spec: NetworkSpec, names: Mapping[str, str]) -> dict[str, str]:
    """The driver's options in the engine's words, in the order of their names."""
    values = {option: _option_text(getattr(spec, name)) for option, name in names.items()}
    return dict(sorted(({option: text for option, text in values.items() if text} | dict(spec.others)).items()))


def _option_text(value: str | int | bool | None) -> str:
    return YES_NO[value] if isinstance(value, bool) else str(value or "")


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
    words = _of_engine(raw["Driver"])
    found, others = _fields(words.fields, _asked_options(raw.get("Options") or {}, labels))
    return NetworkSeen(
        name=raw["Name"],
        id=raw["Id"],
        labels=labels,
        spec=NetworkSpec(
            driver=words.ours,
            internal=bool(raw.get("Internal")),
            ipv6=bool(raw.get("EnableIPv6")),
            subnets=_asked_subnets((_subnet(pool) for pool in pools if pool.get("Subnet")), labels),
            others=others,
            **found,
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


def _fields(names: Mapping[str, str], options: Pairs) -> tuple[dict[str, Any], Pairs]:
    """The fields that options carry, and the options that carry none, or a value that we would not write so."""
    values = {option: _field_value(names[option], text) for option, text in options if option in names}
    found = {names[option]: value for option, value in values.items() if value is not None}
    return found, tuple((option, text) for option, text in options if values.get(option) is None)


def _field_value(name: str, text: str) -> str | int | bool | None:
    if name == "default_route":
        return {"yes": True, "no": False}.get(text)
    if name == "mtu":
        return int(text) if text.isascii() and text.isdecimal() and str(int(text)) == text else None
    return text


def _is_ipv6(subnet: Subnet) -> bool:
    return ":" in subnet.subnet


def _subnet(pool: Json) -> Subnet:
    # Old engines write the gateway with its prefix length.
    return Subnet(pool["Subnet"], (pool.get("Gateway") or "").partition("/")[0])
