"""Networks of Janus: driver, parent, VLAN, MTU and subnets. Those of running sessions that have no profile are made of what runs."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from dtnctl.model.drivers import BUILT_IN, DRIVERS
from dtnctl.repository.converting.conversion import Conversion
from dtnctl.repository.converting.foreign import Foreign
from dtnctl.repository.converting.janus_records import records

MODES = {"macvlan_mode": "macvlan", "ipvlan_mode": "ipvlan"}
PARENTS = ("parent", "netdevice")
PART_OF_ID = re.compile(r"(.+)\.([0-9]{1,4})")
SAME_AS_JANUS = ("com.docker.network.driver.mtu", "mtu")


def convert_networks(networks: Mapping[str, Foreign], conversion: Conversion, sessions: Foreign | None) -> None:
    """A file for each network that can be expressed; the others are refused with the reason."""
    for name, item in networks.items():
        if name in BUILT_IN:
            conversion.dropped(item, f"network `{name}` is there on every engine")
        else:
            _convert(name, item, conversion)
    for name, live in _live_networks(sessions) if sessions is not None else ():
        if name not in networks and name not in BUILT_IN and ("network", name) not in conversion.names:
            _convert_live(name, live, conversion)


def _convert(name: str, item: Foreign, conversion: Conversion) -> None:
    driver = str(item.at("driver").value or "")
    options = dict(item.at("options").items())
    fields: dict[str, Any] = {"driver": driver}
    interface, vlan = _parent(item, options, conversion)
    if driver == "vlan":
        conversion.changed(
            item.at("driver"), "driver `vlan` is no driver of engines (Janus had it for Kubernetes alone): macvlan on the VLAN"
        )
        fields["driver"] = "macvlan"
    elif driver not in DRIVERS:
        conversion.refused(item, f"network `{name}` has driver `{driver}`; there are {', '.join(DRIVERS)}: it is left out")
        return
    if fields["driver"] == "bridge" and vlan:
        conversion.dropped(item.at("options"), "a bridge has no VLAN")
        vlan = 0
    if vlan:
        fields["vlan"] = vlan
    _modes(item, options, fields, conversion)
    _mtu(options, fields, driver, conversion)
    _subnets(item, fields, conversion)
    _rest(item, options, conversion)
    if DRIVERS[fields["driver"]].addresses == "ours" and not {"subnet", "subnet6"} & fields.keys():
        conversion.refused(item, f"network `{name}` has no subnet, from which its containers would get addresses: it is left out")
        return
    ours = conversion.name_of("network", name, item)
    if interface and DRIVERS[fields["driver"]].needs_interface:
        conversion.interfaces[ours] = interface
    elif interface:
        conversion.dropped(item.at("options"), f"a {fields['driver']} uses no interface: `{interface}` is left out")
    if "host" in name:
        conversion.changed(
            item, f"Janus took network `{name}` for the host's own, because of `host` in its name: it is a network of its own here"
        )
    conversion.put("networks", ours, fields, item.where())


def _parent(item: Foreign, options: Mapping[str, Foreign], conversion: Conversion) -> tuple[str, int]:
    """(interface, VLAN id or 0) of `parent: eth1.1000`, or of `parent: eth1` and `vlan: 1000`."""
    named = next((options[key] for key in PARENTS if key in options), None)
    interface = str(named.value) if named is not None and named.value is not None else ""
    for key in PARENTS:
        if key in options and options[key] is not named:
            conversion.dropped(options[key], f"`{key}` beside `{interface}`")
    vlan = _vlan(options.get("vlan"), conversion)
    whole = PART_OF_ID.fullmatch(interface)
    if whole and 1 <= int(whole[2]) <= 4094:
        if vlan:
            conversion.dropped(options["vlan"], f"`vlan` beside `{interface}`")
        return whole[1], int(whole[2])
    if vlan and item.at("driver").value != "vlan":
        conversion.changed(options["vlan"], f"Janus did not pass `vlan` on: containers were on {interface or 'the parent'} without a tag")
    return interface, vlan


def _vlan(item: Foreign | None, conversion: Conversion) -> int:
    if item is None or item.value in (None, "", 0):
        return 0
    text = str(item.value)
    if text.isdecimal() and 1 <= int(text) <= 4094:
        return int(text)
    conversion.dropped(item, f"`vlan: {text}` is no VLAN id")
    return 0


def _modes(item: Foreign, options: Mapping[str, Foreign], fields: dict[str, Any], conversion: Conversion) -> None:
    given = [(options[key], driver) for key, driver in MODES.items() if key in options]
    if item.has("mode") and item.at("mode").value is not None:
        given.append((item.at("mode"), fields["driver"]))
        if not [key for key in MODES if key in options]:
            conversion.changed(item.at("mode"), "Janus did not pass `mode` on; it takes effect")
    known = [mode.name for mode in DRIVERS[fields["driver"]].modes]
    for mode, driver in given:
        if driver == fields["driver"] and str(mode.value) in known:
            fields["mode"] = str(mode.value)
        else:
            conversion.dropped(mode, f"mode `{mode.value}`: {fields['driver']} has {', '.join(known) or 'no modes'} here")


def _mtu(options: Mapping[str, Foreign], fields: dict[str, Any], driver: str, conversion: Conversion) -> None:
    for key in (key for key in SAME_AS_JANUS if key in options):
        text = str(options[key].value)
        if not text.isdecimal() or not 576 <= int(text) <= 65535:
            conversion.dropped(options[key], f"`mtu: {text}` is no MTU from 576 to 65535")
            continue
        fields["mtu"] = int(text)
        if driver != "bridge":
            conversion.changed(options[key], f"Janus passed `mtu` on for bridges alone; MTU {text} takes effect")


def _subnets(item: Foreign, fields: dict[str, Any], conversion: Conversion) -> None:
    has_six = item.at("enable_ipv6").value in (True, "true", "True", 1)
    for entry in item.at("ipam", "config").entries():
        text = str(entry.at("subnet").value or "")
        try:
            subnet = ipaddress.ip_network(text, strict=False)
        except ValueError:
            conversion.dropped(entry, f"`{text}` is no subnet")
            continue
        suffix = "6" if subnet.version == 6 else ""
        if f"subnet{suffix}" in fields:
            conversion.dropped(entry, f"a second IPv{subnet.version} subnet; a network has one of each version here")
            continue
        if suffix and not has_six:
            conversion.dropped(entry, "an IPv6 subnet without `enable_ipv6: true`: the engine did not use it")
            continue
        fields[f"subnet{suffix}"] = str(subnet)
        if str(subnet) != text:
            conversion.changed(entry.at("subnet"), f"`{text}` is an address in subnet {subnet}")
        _gateway(entry, subnet, f"gateway{suffix}", fields, conversion)
    if has_six and "subnet6" not in fields:
        conversion.dropped(item.at("enable_ipv6"), "`enable_ipv6` without an IPv6 subnet")


def _gateway(
    entry: Foreign, subnet: ipaddress.IPv4Network | ipaddress.IPv6Network, key: str, fields: dict[str, Any], conversion: Conversion
) -> None:
    text = entry.at("gateway").value
    if text is None:
        return
    try:
        address = ipaddress.ip_address(str(text))
    except ValueError:
        address = None
    if address is None or address not in subnet:
        conversion.dropped(entry.at("gateway"), f"gateway `{text}` is not in subnet {subnet}")
    else:
        fields[key] = str(address)


def _rest(item: Foreign, options: Mapping[str, Foreign], conversion: Conversion) -> None:
    for key, value in options.items():
        if key not in (*PARENTS, *MODES, *SAME_AS_JANUS, "vlan"):
            conversion.dropped(value, f"option `{key}` of the network")
    for key in ("users", "groups"):
        if item.at(key).value:
            conversion.dropped(item.at(key), f"`{key}`: who may change what is decided by reviews here; see CODEOWNERS of your forge")
    for key, value in item.items():
        if key not in ("driver", "mode", "enable_ipv6", "ipam", "options", "users", "groups"):
            conversion.dropped(value, f"`{key}` is no key of a network")
    for key, value in item.at("ipam").items():
        if key != "config":
            conversion.dropped(value, f"`{key}` of a network's addresses")


# --- what runs ----------------------------------------------------------------------------------------------


def _live_networks(sessions: Foreign) -> Iterator[tuple[str, Foreign]]:
    """Data networks of running services with the network as the engine described it. Janus kept it beside the service."""
    for record in records(sessions):
        for _, _, service in record.services():
            name = service.at("data_net_name").value
            live = service.at("data_net")
            if isinstance(name, str) and name and isinstance(live.value, dict) and live.has("driver"):
                yield name, live


def _convert_live(name: str, live: Foreign, conversion: Conversion) -> None:
    """Its flat form: driver, options beside it, `subnet: [{Subnet, Gateway}]`."""
    driver = str(live.at("driver").value)
    if driver not in DRIVERS:
        conversion.refused(live, f"network `{name}` runs with driver `{driver}`; there are {', '.join(DRIVERS)}: it is left out")
        return
    fields: dict[str, Any] = {"driver": driver}
    interface, vlan = _parent(live, dict(live.items()), conversion)
    if vlan and driver in ("macvlan", "ipvlan"):
        fields["vlan"] = vlan
    for entry in live.at("subnet").entries():
        text = str(entry.at("Subnet").value or "")
        try:
            subnet = ipaddress.ip_network(text, strict=False)
        except ValueError:
            continue
        suffix = "6" if subnet.version == 6 else ""
        fields.setdefault(f"subnet{suffix}", str(subnet))
        gateway = entry.at("Gateway").value
        if gateway:
            fields.setdefault(f"gateway{suffix}", str(gateway).split("/", maxsplit=1)[0])
    mtu = live.at("mtu").value or live.at("com.docker.network.driver.mtu").value
    if str(mtu).isdecimal():
        fields["mtu"] = int(str(mtu))
    if DRIVERS[driver].addresses == "ours" and not {"subnet", "subnet6"} & fields.keys():
        conversion.refused(live, f"network `{name}` runs without a subnet that is known: it is left out")
        return
    ours = conversion.name_of("network", name, live)
    if interface:
        conversion.interfaces[ours] = interface
    conversion.changed(live, f"network `{name}` has no network profile: it is declared as it runs, and dtnctl will make it")
    conversion.put("networks", ours, fields, live.where())


def is_address(value: object) -> bool:
    """Whether it is an IP address, as text."""
    try:
        return isinstance(value, str) and bool(ipaddress.ip_address(value))
    except ValueError:
        return False
