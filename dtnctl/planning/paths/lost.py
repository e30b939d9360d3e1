"""Which commits may have had paths that no provider of the site is asked about any more: by what still runs on VLANs. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dtnctl.model.ownership import LABEL_COMMIT
from dtnctl.model.resources import ContainerSeen, EndpointSeen, Snapshot
from dtnctl.model.site import Site

UNCOMMITTED = "+uncommitted"  # files differed from the commit


@dataclass(frozen=True, slots=True)
class OnVlans:
    """A service, the commit that it was made for, and its networks with a VLAN that no file declares any more."""

    service: str
    commit: str
    networks: frozenset[str]


def on_forgotten_vlans(site: Site, snapshot: Snapshot) -> tuple[OnVlans, ...]:
    """One for each commit and its networks. Networks that are still declared say nothing: their path may have been released in order."""
    found: dict[tuple[str, frozenset[str]], OnVlans] = {}
    for endpoint, seen in sorted(snapshot.endpoints.items()):
        forgotten = _with_vlan(site.name, seen) - site.networks.keys()
        for container in sorted(seen.containers, key=lambda item: item.name):
            networks = container.networks & forgotten
            if container.kind == "service" and networks and (commit := _commit(container)):
                found.setdefault((commit, networks), OnVlans(f"session {container.owner} on {endpoint}", commit, networks))
    return tuple(found.values())


def _commit(container: ContainerSeen) -> str:
    return container.labels.get(LABEL_COMMIT, "").removesuffix(UNCOMMITTED)


def _with_vlan(site: str, seen: EndpointSeen) -> set[str]:
    """Names of networks on a sub-interface, or on virtual functions with a VLAN."""
    held = seen.host.held.vfs if seen.host is not None else ()
    tagged = {item.name for item in seen.networks if item.spec.parent.rpartition(".")[2].isdecimal()}
    return tagged | {item.owner.network for item in held if item.owner.site == site and item.wanted.vlan}
