"""Where an endpoint is reached: a DNS name or an IP address, in one form, and whether it is this very machine. Pure."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, WithJsonSchema

from dtnctl.model.fields import shown

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
FORM = "a DNS name or an IP address and nothing else, such as dtn1.example.net, 192.0.2.7 or 2001:db8::7"
LONGEST_NAME = 253
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")  # programs read a name that ends in one as an IPv4 address: 127.1, 0x7f.1
_LOOPBACK_NAMES = re.compile(r"(.*\.)?localhost|localhost\.localdomain|localhost[46](\.localdomain[46])?|ip6-(localhost|loopback)")


def parse_host(value: str) -> str:
    """The host in one form: addresses as the standard writes them, names as they are. ValueError says what is accepted."""
    address = _address(value)
    if address is None and not _is_name(value):
        raise ValueError(f"{shown(value)} is not a host; write {FORM}")
    if address is not None and (address.is_unspecified or address.is_multicast or str(address) == "255.255.255.255"):
        raise ValueError(f"{shown(value)} is no address of one host; write {FORM}")
    return value if address is None else str(address)


def _is_name(value: str) -> bool:
    labels = value.removesuffix(".").split(".")
    return len(value) <= LONGEST_NAME and all(map(_LABEL.fullmatch, labels)) and not _NUMBER.fullmatch(labels[-1])


def _address(value: str) -> Address | None:
    """The address; an IPv4 address that is written as an IPv6 one is the IPv4 address. A zone means something on one host only."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return None
    if address.version == 4:
        return address
    return (address.ipv4_mapped or address) if address.scope_id is None else None


def is_address(host: str) -> bool:
    return _address(host) is not None


def is_loopback(host: str) -> bool:
    """Whether the host is, for any program that uses it, the machine or container that it runs on."""
    address = _address(host)
    if address is not None:
        return address.is_loopback or address.is_unspecified
    return _LOOPBACK_NAMES.fullmatch(host.removesuffix(".").lower()) is not None


def same_host(one: str, other: str) -> bool:
    """Whether two texts name one host, as far as the texts alone can say."""
    return _canonical(one) == _canonical(other)


def _canonical(host: str) -> str:
    return "loopback" if is_loopback(host) else str(_address(host) or host.removesuffix(".").lower())


Host = Annotated[str, AfterValidator(parse_host), WithJsonSchema({"type": "string", "$comment": "name or address"})]
