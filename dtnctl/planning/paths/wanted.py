"""The paths that files declare, each with its provider's kind and the network that goes over it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from dtnctl.model.path_files import NetworkPath
from dtnctl.model.path_kinds import PathKind
from dtnctl.model.paths import PathSpec
from dtnctl.model.site import Document, Network, Site


@dataclass(frozen=True, slots=True)
class DeclaredPath:
    """`interfaces`: by endpoint, the interface that carries it, as far as a network names the path and the endpoint says where that is."""

    document: Document[NetworkPath]
    row: PathKind
    network: Document[Network] | None
    interfaces: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.document.name

    @property
    def provider(self) -> str:
        return self.document.value.provider

    @property
    def endpoints(self) -> tuple[str, ...]:
        return self.document.value.endpoints

    def is_over(self, now: datetime) -> bool:
        """Whether its window has ended."""
        return is_over(self.document.value, now)

    def is_early(self, now: datetime) -> bool:
        """Whether its window has not begun."""
        window = self.document.value.window
        return window is not None and window.from_ is not None and window.from_ > now

    def spec(self, vlan: int) -> PathSpec:
        """What its provider is asked for, with this VLAN."""
        path, window = self.document.value, self.document.value.window
        return PathSpec(
            name=self.name,
            provider=self.provider,
            endpoints=self.endpoints,
            ends=tuple(end.port for end in path.ends if end.port is not None),
            vlan=vlan,
            bandwidth=path.bandwidth or 0,
            mtu=path.mtu or 0,
            starts=_moment(window.from_) if window is not None else "",
            until=_moment(window.until) if window is not None else "",
        )


def is_over(path: NetworkPath, now: datetime) -> bool:
    """Whether its window has ended."""
    return path.window is not None and path.window.until is not None and path.window.until <= now


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment is not None else ""


def declared_paths(site: Site) -> Mapping[str, DeclaredPath]:
    """All of them, in name order."""
    networks = {item.value.path: item for item in site.networks.values() if item.value.path is not None}
    return {name: _declared(site, document, networks.get(name)) for name, document in sorted(site.paths.items())}


def _declared(site: Site, document: Document[NetworkPath], network: Document[Network] | None) -> DeclaredPath:
    row = site.settings.value.path_kind(document.value.provider)
    assert row is not None, f"validation has let the provider of {document.file} through"
    interfaces = {
        name: interface
        for name in document.value.endpoints
        if network is not None and name in site.endpoints and (interface := site.endpoints[name].value.interfaces.get(network.name))
    }
    return DeclaredPath(document, row, network, interfaces)


def ports_by_provider(site: Site) -> Mapping[str, frozenset[str]]:
    """By provider, its own names of the ports that declared paths end at."""
    ports: dict[str, set[str]] = {}
    for document in site.paths.values():
        ports.setdefault(document.value.provider, set()).update(end.port for end in document.value.ends if end.port is not None)
    return {provider: frozenset(names) for provider, names in sorted(ports.items())}
