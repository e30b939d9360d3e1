"""Checks of paths between sites: what networks, sessions and paths say of each other, and what a path's provider can be asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from dtnctl.errors import Problem
from dtnctl.model.bound_paths import FROM_PATH, is_written
from dtnctl.model.fields import show_rate
from dtnctl.model.nearest import suggestion
from dtnctl.model.networking import attachments
from dtnctl.model.path_files import NetworkPath
from dtnctl.model.path_kinds import STATIC, PathKind
from dtnctl.model.site import Document, Endpoint, Location, Network
from dtnctl.model.site_settings import SiteSettings
from dtnctl.model.validation.known import Known

Fault = tuple[Location, str, str]  # where, what, and what to do


def check_paths(known: Known) -> None:
    """Reports what networks and sessions ask of paths that these do not give, and VLANs that two networks want on one interface."""
    for network in known.site.networks.values():
        _check_network(known, network)
    for path in known.site.paths.values():
        for index, end in enumerate(path.value.ends):
            if end.endpoint is not None and end.endpoint not in known.names("endpoints"):
                hint = known.suggest(end.endpoint, known.names("endpoints"), f"to write endpoints/{end.endpoint}.yaml")
                known.report((path, ("ends", index, "endpoint")), "E0301", f"there is no endpoint `{end.endpoint}`", hint)
    _check_users(known)
    _check_services(known)
    for endpoint in known.site.endpoints.values():
        _check_vlans(known, endpoint)


def _check_network(known: Known, document: Document[Network]) -> None:
    name = document.value.path
    if name is None:
        return
    if name not in known.names("paths"):
        hint = known.suggest(name, known.names("paths"), f"to write paths/{name}.yaml")
        known.report((document, ("path",)), "E0320", f"there is no path `{name}`", hint)
    path = known.site.paths.get(name)
    for field in FROM_PATH if path is not None else ():
        if path is not None and is_written(document, field) and getattr(path.value, field) is not None:
            what = f"`{field}` of this network is that of path `{name}` ({path.where(field)})"
            known.report((document, (field,)), "E0321", what, f"to remove `{field}` here")


def _check_users(known: Known) -> None:
    """One path is one layer 2, and so is one network."""
    named = sorted((item.value.path, name) for name, item in known.site.networks.items() if item.value.path is not None)
    for (path, first), (other, second) in pairwise(named):
        if path == other:
            document = known.site.networks[second]
            what = f"path `{path}` carries network `{first}` ({known.site.networks[first].where('path')})"
            known.report((document, ("path",)), "E0322", what, "one network for both, or another path")


def _check_services(known: Known) -> None:
    """A network over a path is where the path ends, and nowhere else."""
    for service in known.services:
        for net in attachments(service.profile):
            network = known.network(net.name)
            path = known.site.paths.get(network.path or "") if network is not None else None
            if path is not None and service.endpoint not in path.value.endpoints:
                what = f"network `{net.name}` goes over path `{path.name}`, which has no end at {service.endpoint} ({path.where('ends')})"
                known.report(
                    service.origin(service.attached_by(net.name)), "E0323", what, f"`{{endpoint: {service.endpoint}}}` in its `ends`"
                )


def _check_vlans(known: Known, endpoint: Document[Endpoint]) -> None:
    """A VLAN of an interface is one layer 2."""
    taken: dict[tuple[str, int], Document[Network]] = {}
    for name, interface in sorted(endpoint.value.interfaces.items()):
        network = known.site.networks.get(name)
        if network is None or network.value.vlan is None:
            continue
        other = taken.setdefault((interface, network.value.vlan), network)
        if other is not network and (other.value.path, network.value.path) != (None, None):
            what = f"VLAN {network.value.vlan} of {interface} is that of network `{other.name}` already ({other.where('vlan')})"
            known.report((endpoint, ("interfaces", name)), "E0324", what, "another VLAN of one of them, or another interface")


# --- what a provider can be asked for -----------------------------------------------------------------------


def find_provider_problems(
    settings: Document[SiteSettings], paths: Mapping[str, Document[NetworkPath]], endpoints: Mapping[str, Document[Endpoint]]
) -> list[Problem]:
    """Every problem of providers' names, and of paths with what their provider is."""
    found = [_problem(settings, location, "E0325", what, hint) for location, what, hint in _name_faults(settings.value, endpoints)]
    for document in paths.values():
        found += [_problem(document, *fault) for fault in _path_faults(settings.value, document.value)]
    return found


def _problem(document: Document[SiteSettings] | Document[NetworkPath], location: Location, code: str, what: str, hint: str) -> Problem:
    mark = document.mark(location)
    return Problem(document.file, mark.line, mark.column, code, what, hint)


def _name_faults(settings: SiteSettings, endpoints: Mapping[str, Document[Endpoint]]) -> Iterator[Fault]:
    """A plan says where something is done by one name: that of an endpoint or of a provider."""
    for name in settings.path_providers:
        if name == STATIC:
            yield ("path_providers", name), f"`{STATIC}` is the provider that every site has", "another name"
        elif name in endpoints:
            yield ("path_providers", name), f"`{name}` is the name of an endpoint ({endpoints[name].file})", "another name"


def _path_faults(settings: SiteSettings, path: NetworkPath) -> Iterator[tuple[Location, str, str, str]]:
    row = settings.path_kind(path.provider)
    if row is None:
        names = [STATIC, *settings.path_providers]
        hint = suggestion(path.provider, names, "an entry in `path_providers` of site.yaml")
        yield ("provider",), "E0326", f"there is no path provider `{path.provider}`", hint
        return
    yield from ((location, "E0327", what, hint) for location, what, hint in (*_shape_faults(row, path), *_end_faults(row, path)))


def _shape_faults(row: PathKind, path: NetworkPath) -> Iterator[Fault]:
    if not row.is_asked and path.only_vlan is None:
        yield ("vlan",), "whoever made this path has given it one VLAN, and this is a range", "the one that it has"
    if row.two_ends and len(path.ends) != 2:
        yield ("ends",), f"a path of {row.name} has two ends, and this one has {len(path.ends)}", "one path for each pair"
    if path.window is not None and not row.has_window:
        yield ("window",), f"{row.name} takes no time for a path: it is asked for now", "to remove `window`, and the file when it is over"
    if path.bandwidth is not None and path.bandwidth % row.unit:
        yield ("bandwidth",), f"{row.name} counts bandwidth in {show_rate(row.unit)}", "a multiple of that"
    if row.needs_bandwidth and path.bandwidth is None:
        yield ("bandwidth",), f"{row.name} makes no path without a bandwidth", "`bandwidth: 10gbit`"


def _end_faults(row: PathKind, path: NetworkPath) -> Iterator[Fault]:
    for index, end in enumerate(path.ends if row.port_form else ()):
        if end.port is None:
            yield ("ends", index), f"{row.name} has its own names for ports, and this end has none", "`port: …`"
        elif re.fullmatch(row.port_form, end.port) is None:
            yield ("ends", index, "port"), f"`{end.port}` is no port's name of {row.name}: {row.port_form}", "its name without a VLAN"
