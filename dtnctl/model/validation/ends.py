"""Checks where the ends of transfers are: an endpoint's `host:` is a place that the other endpoints reach."""

from __future__ import annotations

from dtnctl.model.hosts import is_loopback, parse_host
from dtnctl.model.site import Document, Endpoint
from dtnctl.model.validation.known import Known

REACHED = "`host:` with the name or address at which the other endpoints reach it"


def check_hosts(known: Known) -> None:
    """A loopback address is every host's own: it names an endpoint only where all of them are one machine."""
    hosts = {name: _host(document.value) for name, document in known.site.endpoints.items()}
    others = [f"{name} ({host})" for name, host in sorted(hosts.items()) if host and not is_loopback(host)]
    for name, document in known.site.endpoints.items():
        if document.value.host is None:
            _check_engine_host(known, document)
        elif is_loopback(hosts[name]) and others:
            what = f"`{hosts[name]}` is each host's own loopback, and {others[0]} is another host, which would reach itself there"
            known.report((document, ("host",)), "E0330", what, f"the name or address at which the other endpoints reach {name}")


def _host(endpoint: Endpoint) -> str:
    return endpoint.host if endpoint.host is not None else endpoint.address.host


def _check_engine_host(known: Known, document: Document[Endpoint]) -> None:
    """Without `host:` control ports are looked for where the engine is reached, which must then be a host that others reach too."""
    host = document.value.address.host
    try:
        parse_host(host)
        what = f"the engine is reached over this machine's own loopback ({host}), and control ports are not" if is_loopback(host) else ""
    except ValueError:
        what = f"`{document.value.address}` does not show where control ports are reached"
    if what:
        known.report((document, ("docker",)), "E0331", what, REACHED)
