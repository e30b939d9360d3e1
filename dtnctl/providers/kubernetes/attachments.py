"""Networks of a pod in Multus' annotations, in both directions. Pure.

The cluster's own network is not in them: each pod that is not on the host's has it, and it carries the default route.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dtnctl.model.drivers import ENGINE_BRIDGE
from dtnctl.model.resources import Attachment
from dtnctl.providers.kubernetes.identity import Object, object_name
from dtnctl.providers.kubernetes.place import Link, Place

NETWORKS_NOTE = "k8s.v1.cni.cncf.io/networks"
STATUS_NOTE = "k8s.v1.cni.cncf.io/network-status"
INTERFACE = "net"  # net1, net2 …: Multus' own names, said so that they stay


def networks_text(attachments: Iterable[Attachment], place: Place) -> str:
    """The annotation that asks for them; empty for none."""
    wanted = [item for item in attachments if item.network != ENGINE_BRIDGE]
    asked = [_asked(number, item, place) for number, item in enumerate(wanted, 1)]
    return json.dumps(asked, separators=(",", ":")) if asked else ""


def _asked(number: int, attachment: Attachment, place: Place) -> Object:
    link = place.links.get(attachment.network, Link())
    name = object_name(attachment.network, place.endpoint)
    asked: Object = {"name": name, "namespace": place.namespace, "interface": f"{INTERFACE}{number}"}
    addresses = [
        *([f"{attachment.ipv4}/{link.prefix4 or 32}"] if attachment.ipv4 else []),
        *([f"{attachment.ipv6}/{link.prefix6 or 128}"] if attachment.ipv6 else []),
    ]
    return asked | ({"ips": addresses} if addresses else {})


def attachments_seen(text: str, names: Mapping[str, str], namespace: str) -> tuple[Attachment, ...]:
    """What an annotation asks for; `names` are those of plans by the objects' names. What cannot be read counts as none."""
    return tuple(sorted(_attachment(names, namespace, item) for item in _items(text)))


def _attachment(names: Mapping[str, str], namespace: str, item: Mapping[str, Any]) -> Attachment:
    ipv4, ipv6 = _addresses(item.get("ips"))
    return Attachment(_network(names, namespace, str(item["name"]), str(item.get("namespace") or namespace)), ipv4, ipv6)


def _network(names: Mapping[str, str], namespace: str, name: str, where: str) -> str:
    return names.get(name, name) if where == namespace else f"{where}/{name}"


def _addresses(texts: object) -> tuple[str, str]:
    """Those of a list; what others wrote in its place is none."""
    plain = [str(text).partition("/")[0] for text in (texts if isinstance(texts, list) else ())]
    first4 = next((text for text in plain if ":" not in text), "")
    return first4, next((text for text in plain if ":" in text), "")


def live_addresses(text: str, names: Mapping[str, str], namespace: str) -> tuple[Attachment, ...]:
    """The addresses that a pod has, from the status that Multus writes: its own network is `bridge`."""
    return tuple(sorted(_live(names, namespace, item) for item in _items(text) if item.get("ips")))


def _live(names: Mapping[str, str], namespace: str, item: Mapping[str, Any]) -> Attachment:
    where, _, name = str(item["name"]).rpartition("/")
    network = ENGINE_BRIDGE if item.get("default") else _network(names, namespace, name, where or namespace)
    return Attachment(network, *_addresses(item["ips"]))


def _items(text: str) -> Iterator[Mapping[str, Any]]:
    """The entries of an annotation; its short form (`a,ns/b@if`) is people's, and read, too."""
    try:
        found = json.loads(text) if text else []
    except ValueError:
        found = [_short(part.strip()) for part in text.split(",")]
    yield from (item for item in found if isinstance(item, dict) and item.get("name")) if isinstance(found, list) else ()


def _short(text: str) -> dict[str, str]:
    where, _, rest = text.rpartition("/")
    return {"name": rest.partition("@")[0], **({"namespace": where} if where else {})}
