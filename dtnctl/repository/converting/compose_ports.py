"""Published ports of a compose service. Here ports are published under their own number, but for one control port."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

from dtnctl.repository.converting.conversion import Conversion
from dtnctl.repository.converting.foreign import Foreign

PORT = re.compile(
    r"(?:(?P<ip>\[[^\]]+\]|[0-9]+(?:\.[0-9]+){3}):)?(?:(?P<host>[0-9]{1,5}(?:-[0-9]{1,5})?)?:)?(?P<inside>[0-9]{1,5}(?:-[0-9]{1,5})?)(?:/(?P<protocol>tcp|udp))?"
)
RANGE = re.compile(r"[0-9]{1,5}(?:-[0-9]{1,5})?")
ANY = ("", "0.0.0.0", "[::]")  # noqa: S104  # what compose writes for all addresses
Published = tuple[str, str, str, str]  # IP, host ports, ports inside, protocol


class Service(Protocol):
    """What ports need of a service."""

    conversion: Conversion
    fields: dict[str, Any]

    def at(self, key: str) -> Foreign: ...


def convert_ports(service: Service) -> None:
    """`ctrl_port_range` and `internal_port` for the one that has another number inside, `exposed_ports` for the others."""
    service.fields["ctrl_port_range"] = None
    exposed: list[str | int] = []
    for entry in service.at("ports").entries():
        for ip, host, inside, protocol in _published(service, entry):
            _publish(service, entry, (ip, host, inside, protocol), exposed)
    if exposed:
        service.fields["exposed_ports"] = exposed


def _published(service: Service, entry: Foreign) -> Iterator[Published]:
    if isinstance(entry.value, dict):
        ip, host = str(entry.at("host_ip").value or ""), str(entry.at("published").value or "")
        inside = str(entry.at("target").value or "")
        if RANGE.fullmatch(inside) and (not host or RANGE.fullmatch(host)):
            yield ip, host, inside, str(entry.at("protocol").value or "tcp")
        else:
            service.conversion.refused(entry, f"port `{host}:{inside}` is not understood: it is not published")
        return
    found = PORT.fullmatch(str(entry.value))
    if found is None:
        service.conversion.refused(entry, f"port `{entry.value}` is not understood: it is not published")
        return
    yield found["ip"] or "", found["host"] or "", found["inside"], found["protocol"] or "tcp"


def _publish(service: Service, entry: Foreign, published: Published, exposed: list[str | int]) -> None:
    ip, host, inside, protocol = published
    if service.fields.get("mgmt_net") == "host":
        service.conversion.dropped(entry, "ports are not published on the host's own network")
    elif ip not in ANY:
        service.conversion.refused(
            entry, f"published on {ip} alone; ports are published on all addresses here, so this one is not published"
        )
    elif host in ("", inside):
        if not host:
            service.conversion.changed(entry, f"the engine chose a port of the host for {inside}: it is {inside} now")
        exposed.append(f"{inside}/{protocol}" if protocol != "tcp" else int(inside) if inside.isdecimal() else inside)
    elif protocol == "tcp" and host.isdecimal() and inside.isdecimal() and service.fields["ctrl_port_range"] is None:
        service.fields["ctrl_port_range"] = [int(host), int(host)]
        service.fields["internal_port"] = int(inside)
        service.conversion.changed(entry, f"port {host} is the control port (CTRL_PORT), which maps to {inside} inside")
    else:
        text = f"port {host} that is {inside} inside: one control port can have another number, others cannot; it is not published"
        service.conversion.refused(entry, text)
