"""Networks of a compose file: bridges, macvlan and ipvlan with what their parent and subnets are; and how services are attached."""

from __future__ import annotations

import ipaddress
from typing import Any, Protocol

from dtnctl.model.drivers import DRIVERS
from dtnctl.repository.converting.compose_units import DIGITS
from dtnctl.repository.converting.conversion import Conversion
from dtnctl.repository.converting.foreign import Foreign
from dtnctl.repository.converting.janus_networks import PART_OF_ID, is_address

MTU = "com.docker.network.driver.mtu"
OURS = ("bridge", "macvlan", "ipvlan")


class Service(Protocol):
    """What networks need of a service."""

    name: str
    item: Foreign
    conversion: Conversion
    fields: dict[str, Any]

    def at(self, key: str) -> Foreign: ...


def convert_networks(top: Foreign, conversion: Conversion) -> None:
    """A file for each network that dtnctl can make; the others are refused."""
    for name, item in top.at("networks").items():
        driver = str(item.at("driver").value or "bridge")
        if item.at("external").value or driver not in OURS:
            reason = "is made outside of this file" if item.at("external").value else f"has driver `{driver}`"
            conversion.refused(item, f"network `{name}` {reason}: declare it in state/networks; services are not attached to it")
            continue
        _convert(name, item, driver, conversion)


def _convert(name: str, item: Foreign, driver: str, conversion: Conversion) -> None:
    fields: dict[str, Any] = {"driver": driver}
    options = dict(item.at("driver_opts").items())
    parent = str(options["parent"].value) if "parent" in options else ""
    whole = PART_OF_ID.fullmatch(parent)
    if whole:
        parent, fields["vlan"] = whole[1], int(whole[2])
    _options(options, driver, fields, conversion)
    if item.at("internal").value:
        fields["internal"] = True
    _subnets(item, fields, conversion)
    if driver != "bridge" and not {"subnet", "subnet6"} & fields.keys():
        conversion.refused(item, f"network `{name}` has no subnet, from which its containers would get addresses: it is left out")
        return
    ours = conversion.name_of("network", name, item)
    if parent:
        conversion.interfaces[ours] = parent
    conversion.put("networks", ours, fields, item.where())


def _options(options: dict[str, Foreign], driver: str, fields: dict[str, Any], conversion: Conversion) -> None:
    for key in ("macvlan_mode", "ipvlan_mode"):
        if key in options and str(options[key].value) in [mode.name for mode in DRIVERS[driver].modes]:
            fields["mode"] = str(options[key].value)
        elif key in options:
            conversion.dropped(options[key], f"mode `{options[key].value}` of {driver}")
    if MTU in options:
        text = str(options[MTU].value)
        if DIGITS.fullmatch(text):
            fields["mtu"] = int(text)
        else:
            conversion.dropped(options[MTU], f"`{text}` is no MTU")
    for key, option in options.items():
        if key not in ("parent", "macvlan_mode", "ipvlan_mode", MTU):
            conversion.dropped(option, f"option `{key}` of a network")


def _subnets(item: Foreign, fields: dict[str, Any], conversion: Conversion) -> None:
    for entry in item.at("ipam", "config").entries():
        try:
            subnet = ipaddress.ip_network(str(entry.at("subnet").value), strict=False)
        except ValueError:
            conversion.dropped(entry, f"`{entry.at('subnet').value}` is no subnet")
            continue
        suffix = "6" if subnet.version == 6 else ""
        if f"subnet{suffix}" in fields:
            conversion.dropped(entry, f"a second IPv{subnet.version} subnet; a network has one of each version here")
            continue
        fields[f"subnet{suffix}"] = str(subnet)
        gateway = entry.at("gateway")
        if is_address(gateway.value):
            fields[f"gateway{suffix}"] = str(gateway.value)
        elif gateway.value is not None:
            conversion.dropped(gateway, f"gateway `{gateway.value}` is no address")
        _pool(entry.at("ip_range"), f"addresses{suffix}", fields, conversion)
        if entry.at("aux_addresses").value:
            conversion.dropped(entry.at("aux_addresses"), "`aux_addresses`: leave those addresses out of `addresses:` of the network")


def _pool(item: Foreign, key: str, fields: dict[str, Any], conversion: Conversion) -> None:
    if not item.value:
        return
    try:
        part = ipaddress.ip_network(str(item.value), strict=False)
    except ValueError:
        conversion.dropped(item, f"`{item.value}` is no range of addresses")
        return
    fields[key] = f"{part[0]}-{part[-1]}"


def attach(service: Service) -> None:
    """One bridge is the management network, the others are data networks."""
    mode, nets = service.at("network_mode"), service.at("networks")
    service.fields["mgmt_net"] = "bridge"
    if mode.value in ("host", "none"):
        service.fields["mgmt_net"] = "host" if mode.value == "host" else None
        if nets.value:
            service.conversion.dropped(nets, f"networks beside `network_mode: {mode.value}`")
        return
    if mode.value not in (None, "bridge"):
        service.conversion.refused(mode, f"`network_mode: {mode.value}`: each service has a network of its own here")
    found = [_attachment(service, nets, str(name)) for name in (nets.value if isinstance(nets.value, list | dict) else ())]
    attached = [net for net in found if net is not None]
    if not attached:
        service.conversion.changed(
            service.item, f"service `{service.name}` is on the engine's bridge: names of other services do not resolve there"
        )
        return
    files = service.conversion.files
    bridges = [net for net in attached if files["networks", _name(net)]["driver"] == "bridge"]
    service.fields["mgmt_net"] = bridges[0] if bridges else None
    data = [net for net in attached if net not in bridges[:1]]
    if not data:
        return
    service.fields["data_nets"] = data
    route = service.conversion.first_route(_name(net) for net in attached)
    if route and bridges and route != _name(bridges[0]):
        service.fields["default_route"] = route
        service.conversion.changed(nets, f"the default route is on `{route}`, where the engine put it: the first network by name")


def _attachment(service: Service, nets: Foreign, name: str) -> Any:
    item = nets.at(name) if isinstance(nets.value, dict) else nets
    ours = service.conversion.names.get(("network", name))
    if ours is None or ("networks", ours) not in service.conversion.files:
        text = f"network `{name}` is not declared: the service is not attached to it"
        if name == "default":
            service.conversion.dropped(item, "network `default` is the engine's bridge, where no other network of the service is one")
        else:
            service.conversion.refused(item, text)
        return None
    addresses = {family: str(item.at(f"{family}_address").value) for family in ("ipv4", "ipv6") if item.at(f"{family}_address").value}
    if item.at("aliases").value:
        service.conversion.dropped(item.at("aliases"), "`aliases`: containers have no further names")
    return {"name": ours, **addresses} if addresses else ours


def _name(net: Any) -> str:
    return str(net["name"] if isinstance(net, dict) else net)
