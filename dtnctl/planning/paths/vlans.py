"""Which VLAN each path has: the one that is declared, else the one that it has already, else the lowest free one of its range. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from dtnctl.model.bound_paths import only_vlans, over_paths
from dtnctl.model.path_files import NetworkPath
from dtnctl.model.paths import GONE, PathProviderSeen
from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.model.site import Document, Site
from dtnctl.planning.paths.handover import holders_of
from dtnctl.planning.paths.wanted import DeclaredPath, declared_paths

Interface = tuple[str, str]  # an endpoint, and the name of one of its interfaces


def with_chosen_vlans(site: Site, snapshot: Snapshot) -> Site:
    """The site with one VLAN for every path and the network that goes over it; those whose VLAN is not known keep their range."""
    chosen = chosen_vlans(site, snapshot)
    paths = {name: _with_vlan(document, chosen[name]) if name in chosen else document for name, document in site.paths.items()}
    return replace(site, paths=paths, networks=over_paths(site.networks, paths, only_vlans(paths)))


def _with_vlan(document: Document[NetworkPath], vlan: int) -> Document[NetworkPath]:
    return replace(document, value=document.value.model_copy(update={"vlan": (vlan, vlan)}))


def chosen_vlans(site: Site, snapshot: Snapshot) -> Mapping[str, int]:
    """By path. One is missing where all are taken, or where it is not known which one it has: what would know does not answer."""
    paths, chosen = declared_paths(site), only_vlans(site.paths)
    open_paths = [path for path in paths.values() if path.name not in chosen]
    for path in open_paths:
        if kept := _kept(site, path, snapshot):
            chosen[path.name] = kept
    for path in open_paths:
        if path.name not in chosen and _all_answer(path, snapshot):
            vlan = _lowest(path, snapshot, _taken(site, path, snapshot) | _of_others(paths, path, chosen))
            chosen |= {path.name: vlan} if vlan else {}
    return chosen


def _lowest(path: DeclaredPath, snapshot: Snapshot, taken: set[int]) -> int:
    """The lowest one that is free; else the lowest that a path of ours has, which may be released first; 0 if there is none.

    Above the one with which its provider failed last comes first: else a range whose first two are taken there would be tried in turns.
    """
    low, high = path.document.value.vlan
    held = {vlan for vlan in range(low, high + 1) if holders_of(snapshot.paths[path.provider], path.spec(vlan), None)}
    failed = _failed(path, snapshot)
    free = sorted((vlan for vlan in range(low, high + 1) if vlan not in taken and vlan != failed), key=lambda vlan: (vlan < failed, vlan))
    offered = (vlan for vlan in free if vlan not in held and _is_offered(path, vlan, snapshot))
    return next(offered, 0) or next((vlan for vlan in free if vlan in held), 0)


def _kept(site: Site, path: DeclaredPath, snapshot: Snapshot) -> int:
    """The VLAN that the path has at its provider, or that its network has on an endpoint; 0 if none of the range."""
    provider = snapshot.paths.get(path.provider, PathProviderSeen(path.provider))
    reserved = provider.named(path.name)
    found = [reserved.spec.vlan] if reserved is not None and reserved.state not in (*GONE, "failed") else []
    for name in path.endpoints:
        found += _on_endpoint(site.name, path, snapshot.endpoints.get(name, EndpointSeen(name)))
    low, high = path.document.value.vlan
    return next((vlan for vlan in found if low <= vlan <= high), 0)


def _on_endpoint(site: str, path: DeclaredPath, seen: EndpointSeen) -> Iterator[int]:
    if path.network is None:
        return
    for network in seen.networks:
        tag = network.spec.parent.rpartition(".")[2]
        if network.name == path.network.name and tag.isdecimal():
            yield int(tag)
    for held in seen.host.held.vfs if seen.host is not None else ():
        if (held.owner.site, held.owner.network) == (site, path.network.name) and held.wanted.vlan:
            yield held.wanted.vlan


def _all_answer(path: DeclaredPath, snapshot: Snapshot) -> bool:
    provider = snapshot.paths.get(path.provider)
    is_known = provider is not None and not provider.silence
    return is_known and not any(name not in snapshot.endpoints or snapshot.endpoints[name].is_silent for name in path.endpoints)


def _failed(path: DeclaredPath, snapshot: Snapshot) -> int:
    """The VLAN with which its provider failed last; 0 if it did not."""
    seen = snapshot.paths[path.provider].named(path.name)
    return seen.spec.vlan if seen is not None and seen.state == "failed" else 0


def _taken(site: Site, path: DeclaredPath, snapshot: Snapshot) -> set[int]:
    """VLANs that something else has on an interface of the path."""
    taken: set[int] = set()
    for endpoint, interface in path.interfaces.items():
        carried = site.endpoints[endpoint].value.interfaces
        networks = (item.value.vlan for name, item in site.networks.items() if carried.get(name) == interface)
        taken.update(vlan for vlan in networks if vlan is not None)
        taken.update(_of_host(site.name, snapshot.endpoints[endpoint], interface))
    return taken


def _of_host(site: str, seen: EndpointSeen, interface: str) -> Iterator[int]:
    """Those of sub-interfaces that are there and that we did not make."""
    if seen.host is None:
        return
    ours = {held.name for held in seen.host.held.vlans if held.site == site}
    for found in seen.host.facts.interfaces:
        if found.parent == interface and found.vlan is not None and found.name not in ours:
            yield found.vlan


def _of_others(paths: Mapping[str, DeclaredPath], path: DeclaredPath, chosen: Mapping[str, int]) -> set[int]:
    """Those of other paths that share an interface with it, or a port of its provider."""
    return {chosen[name] for name, other in paths.items() if name != path.name and name in chosen and _share(path, other)}


def _share(path: DeclaredPath, other: DeclaredPath) -> bool:
    if path.provider == other.provider and not set(path.spec(0).ends).isdisjoint(other.spec(0).ends):
        return True
    return not set(path.interfaces.items()).isdisjoint(other.interfaces.items())


def _is_offered(path: DeclaredPath, vlan: int, snapshot: Snapshot) -> bool:
    """Whether the provider has it at all ends, as far as it says; what it says holds for paths without an end."""
    offered = snapshot.paths[path.provider].free_vlans if path.document.value.window is None else {}
    return all(vlan in offered[port] for port in path.spec(vlan).ends if port in offered)
