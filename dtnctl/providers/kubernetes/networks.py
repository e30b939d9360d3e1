"""Networks as NetworkAttachmentDefinitions (Multus), in both directions. Pure.

The CNI plugins are those that the CNI project ships: macvlan, ipvlan and bridge; host-device and vlan move an interface, or a VLAN of it,
into one pod; sriov is the one of the SR-IOV device plugin, which moves
a function of the resource into the pod. Addresses are dtnctl's own choice: the `static` plugin sets what a pod's annotation says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from dtnctl.model.drivers import OWN_VLAN
from dtnctl.model.resources import NetworkSeen, NetworkSpec, Pairs, Subnet
from dtnctl.providers.kubernetes.claims import resource_of_network
from dtnctl.providers.kubernetes.identity import NOTHING, Json, Object, annotations_of, labels_of, metadata, name_of
from dtnctl.providers.kubernetes.owned_fields import applied_by_us
from dtnctl.providers.kubernetes.place import Link, Place

NETWORK = {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition"}
RESOURCE_NOTE = "k8s.v1.cni.cncf.io/resourceName"
SPEC_NOTE = "dtnctl/network"  # what a CNI configuration has no place for: subnets, and who has the default route
CNI_VERSION = "1.0.0"
LONGEST_INTERFACE = 15
HOST_DEVICE, VLAN = "host-device", "vlan"  # plugins: an interface of the host as it is, and one that is made of a VLAN of it


def network_object(name: str, spec: NetworkSpec, labels: Pairs, place: Place) -> Object:
    """The definition that pods on this node are attached by."""
    made = metadata(name, place.endpoint, place.namespace, labels)
    notes = {SPEC_NOTE: _note(spec)}
    resource = _resource(name, spec, place)
    made["annotations"] |= notes | ({RESOURCE_NOTE: resource} if resource else {})
    return {**NETWORK, "metadata": made, "spec": {"config": json.dumps(_config(made["name"], spec), sort_keys=True)}}


def _resource(name: str, spec: NetworkSpec, place: Place) -> str:
    """What functions of the network come from, by the endpoint's file."""
    return resource_of_network(name) if spec.pf in place.claims else place.resources.get(spec.pf, "")


def _config(name: str, spec: NetworkSpec) -> Object:
    kind, interface = _plugin(spec)
    said: dict[str, Any] = {
        "mtu": spec.mtu,
        "mode": spec.mode if spec.driver != "bridge" else "",
        **interface,
        "bridge": _bridge_name(name) if spec.driver == "bridge" else "",
        "capabilities": {"ips": True},
        "ipam": {"type": "static"} | ({"routes": routes} if (routes := _routes(spec)) else {}),
    }
    return {"cniVersion": CNI_VERSION, "name": name, "type": kind, **{key: value for key, value in said.items() if value}}


def _plugin(spec: NetworkSpec) -> tuple[str, Object]:
    """The plugin, and what it is said of the interface."""
    if not spec.driver_row.moves_interface:
        return spec.driver, {"master": spec.parent}
    interface, _, vlan = spec.parent.partition(OWN_VLAN)
    return (VLAN, {"master": interface, "vlanId": int(vlan)}) if vlan else (spec.driver, {"device": interface})


def _routes(spec: NetworkSpec) -> list[Object]:
    """Where the network's gateways lead: its default route, unless it is to have none."""
    if spec.internal or spec.default_route is False:
        return []
    return [{"dst": "::/0" if ":" in item.gateway else "0.0.0.0/0", "gw": item.gateway} for item in spec.subnets if item.gateway]


def _bridge_name(name: str) -> str:
    """An interface's name for a bridge of the host; two networks get two."""
    return f"dtn{hashlib.sha256(name.encode()).hexdigest()[: LONGEST_INTERFACE - 3]}"


def _note(spec: NetworkSpec) -> str:
    noted = {
        "internal": spec.internal,
        "ipv6": spec.ipv6,
        "default_route": spec.default_route,
        "pf": spec.pf,
        "subnets": [[item.subnet, item.gateway] for item in spec.subnets],
    }
    return json.dumps(noted, sort_keys=True, separators=(",", ":"))


# --- from the server ----------------------------------------------------------------------------------------


def network_seen(raw: Json, place: Place) -> NetworkSeen:
    """One definition, whoever made it.

    Functions that come from something else than the endpoint's file says are not those of its interface.
    """
    name, spec, resource = name_of(raw), _spec(raw), annotations_of(raw).get(RESOURCE_NOTE, "")
    if resource == _resource(name, spec, place):
        return NetworkSeen(name, raw["metadata"]["uid"], labels_of(raw), spec)
    is_of_older_file = bool(resource) and annotations_of(applied_by_us(raw)).get(RESOURCE_NOTE) == resource
    return NetworkSeen(name, raw["metadata"]["uid"], labels_of(raw), replace(spec, pf=""), is_of_older_file)


def _spec(raw: Json) -> NetworkSpec:
    """What the configuration says. A note counts as far as the configuration is the one that it would give."""
    config = _decoded((raw.get("spec") or NOTHING).get("config"))
    plain = _plain_spec(config)
    noted = _noted(plain, _decoded(annotations_of(raw).get(SPEC_NOTE)))
    return noted if noted is not None and _config(raw["metadata"]["name"], noted) == config else plain


def _plain_spec(config: Mapping[str, Any]) -> NetworkSpec:
    """The configuration without our note; a chain of plugins counts as its first one."""
    chain = config.get("plugins")
    first: Mapping[str, Any] = chain[0] if isinstance(chain, list) and chain and isinstance(chain[0], dict) else config
    mtu, kind = first.get("mtu"), str(first.get("type") or "")
    parent = str(first.get("device" if kind == HOST_DEVICE else "master") or "")
    return NetworkSpec(
        driver=HOST_DEVICE if kind == VLAN else kind,
        mtu=mtu if isinstance(mtu, int) else 0,
        mode=str(first.get("mode") or ""),
        parent=f"{parent}{OWN_VLAN}{first.get('vlanId')}" if kind == VLAN else parent,
        subnets=_range(first.get("ipam")),
    )


def _range(ipam: object) -> tuple[Subnet, ...]:
    """The subnet of other people's address plugins, as far as it is one."""
    found = ipam.get("subnet") or ipam.get("range") if isinstance(ipam, dict) else None
    try:
        return (Subnet(str(ip_network(str(found), strict=False))),) if found else ()
    except ValueError:
        return ()


def _noted(plain: NetworkSpec, note: Mapping[str, Any]) -> NetworkSpec | None:
    """None for a note that is not of our making."""
    try:
        return NetworkSpec(
            driver=plain.driver,
            mtu=plain.mtu,
            mode=plain.mode,
            parent=plain.parent,
            internal=bool(note["internal"]),
            ipv6=bool(note["ipv6"]),
            default_route=note["default_route"],
            pf=str(note["pf"]),
            subnets=tuple(Subnet(str(ip_network(subnet)), str(gateway)) for subnet, gateway in note["subnets"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _decoded(text: object) -> Mapping[str, Any]:
    try:
        found = json.loads(str(text)) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def link_of(raw: Json) -> Link:
    """What pods that are attached to the network need of it."""
    subnets = [item.subnet for item in _spec(raw).subnets]
    four = next((text for text in subnets if ":" not in text), "")
    six = next((text for text in subnets if ":" in text), "")
    return Link(_prefix(four), _prefix(six), annotations_of(raw).get(RESOURCE_NOTE, ""), _spec(raw).pf)


def _prefix(subnet: str) -> int:
    return ip_network(subnet, strict=False).prefixlen if subnet else 0
