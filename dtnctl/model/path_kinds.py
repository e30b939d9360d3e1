"""The kinds of providers of paths, a row each: how a provider is reached and what it can be asked for. Plans ask the row, never a name.

A further kind is a row here and a module of its name in providers/paths/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STATIC = "static"  # the provider that every site has: somebody else made the path


@dataclass(frozen=True, slots=True)
class PathKind:
    """One kind of provider; `name` is the word in site.yaml.

    `is_asked`: it is asked for paths; else they are there without dtnctl. `logins`: what a login is made of, one set of fields each.
    `options`: further settings of a provider, with what they mean; `required` are those that have no default, `addresses` those that
    secrets are sent to. `needs_bandwidth`: it makes no path without one.
    `port_form`: what the provider's own name of a port looks like; every end of a path needs one. Empty: ends need none.
    `two_ends`: a path has exactly two ends. `has_window`: it can be asked for a time. `unit`: kbit/s that it counts bandwidth in.
    `shows`: fields of a path that its answers have, so that they can be compared. `modifies`: those that it changes while the path is used;
    `modifies_reserved`: also before that.
    `activates`: what was reserved is of use once it is activated; else it becomes active by itself. `deactivates`: an active path must be
    deactivated before it is released.
    `patience`: seconds within which what it was asked for is done, or has failed.
    """

    name: str
    title: str
    is_asked: bool = True
    logins: tuple[tuple[str, ...], ...] = ((),)
    options: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    port_form: str = ""
    two_ends: bool = True
    needs_bandwidth: bool = False
    has_window: bool = False
    unit: int = 1
    shows: frozenset[str] = frozenset()
    modifies: frozenset[str] = frozenset()
    modifies_reserved: bool = True
    activates: bool = True
    deactivates: bool = False
    patience: float = 600.0


PATH_KINDS: Mapping[str, PathKind] = {
    row.name: row
    for row in (
        PathKind(STATIC, "made by others; dtnctl checks it", is_asked=False, two_ends=False, has_window=True),
        PathKind(
            "nsi",
            "NSI by REST (nsi-aggregator-proxy)",
            logins=((), ("token",), ("cert", "key")),
            options={
                "requester": "The NSA that asks, as a URN.",
                "aggregator": "The NSA of the aggregator, as a URN.",
                "service_type": "The service's type. Missing: point-to-point Ethernet of A-GOLE.",
                "callback": "Where the provider reports results. Missing: an address that does not exist; dtnctl asks instead.",
            },
            required=("requester", "aggregator"),
            port_form=r"urn:ogf:network:[A-Za-z0-9.-]+:[0-9]{4,8}:[A-Za-z0-9_.:-]+",
            needs_bandwidth=True,
            unit=1000,
            shows=frozenset({"ends", "vlan", "bandwidth"}),
            deactivates=True,
            patience=600.0,  # 180 s until reserved, 300 s until the data plane is up, each with its commit
        ),
        PathKind(
            "oscars",
            "OSCARS 1.2 (ESnet), layer-2 VPNs",
            logins=(("token",),),
            port_form=r"[A-Za-z0-9.-]+:[A-Za-z0-9/_.-]+",
            two_ends=False,
            has_window=True,
            unit=1000,
            shows=frozenset({"ends", "vlan", "bandwidth", "mtu", "until"}),
            modifies=frozenset({"bandwidth", "mtu", "until"}),
            activates=False,
            patience=900.0,
        ),
        PathKind(
            "oess",
            "OESS 2.0 (legacy), layer-2 circuits",
            logins=(("user", "password"),),
            options={"workgroup": "Number of the workgroup that owns the circuits."},
            required=("workgroup",),
            port_form=r"[A-Za-z0-9._-]+:[A-Za-z0-9/._-]+",
            two_ends=False,
            unit=1000,
            shows=frozenset({"ends", "vlan", "bandwidth"}),
            modifies=frozenset({"bandwidth"}),
            activates=False,
        ),
        PathKind(
            "sense",
            "SENSE-O (ESnet), point-to-point VLANs",
            logins=(("user", "password", "client_secret"),),
            options={
                "auth": "Where tokens are asked for, at the Keycloak: `https://…/protocol/openid-connect/token`.",
                "client": "The client's id there.",
            },
            required=("auth", "client"),
            addresses=("auth",),
            port_form=r"urn:ogf:network:[A-Za-z0-9._:+*=@/-]+",
            unit=1000,
            shows=frozenset({"ends", "vlan", "bandwidth"}),
            modifies=frozenset({"bandwidth"}),
            modifies_reserved=False,
            deactivates=True,
            patience=1800.0,
        ),
    )
}
ASKED_KINDS = tuple(name for name, row in PATH_KINDS.items() if row.is_asked)
