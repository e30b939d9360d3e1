"""What lists, plans and notes say of paths between sites. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dtnctl.model.path_rows import PathRow
from dtnctl.model.paths import PathProviderSeen, PathSeen
from dtnctl.model.resources import Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.paths.bandwidth import promised_bandwidth
from dtnctl.planning.paths.study import NOT_ASKED, PathView, overcommitment_text
from dtnctl.planning.paths.wanted import DeclaredPath, declared_paths

MADE_BY_OTHERS, MISSING, UNKNOWN = "declared", "missing", "unknown"  # beside the states of a path


def path_rows(site: Site, snapshot: Snapshot) -> tuple[PathRow, ...]:
    """A row for each declared path, and for each of ours at a provider that no file declares, by name."""
    declared = declared_paths(site)
    rows = [_row(path, snapshot) for path in declared.values()]
    for provider, seen in snapshot.paths.items():
        left = (item for item in seen.paths if item.spec.name not in declared or declared[item.spec.name].provider != provider)
        rows += [_undeclared(provider, item) for item in left]
    return tuple(sorted(rows, key=lambda row: (row.name, row.provider)))


def _row(path: DeclaredPath, snapshot: Snapshot) -> PathRow:
    state, words = _state(path, snapshot.paths.get(path.provider, PathProviderSeen(path.provider, silence=NOT_ASKED)))
    value = path.document.value
    ends = ((end.endpoint or end.port or "", path.interfaces.get(end.endpoint or "", "")) for end in value.ends)
    return PathRow(
        name=path.name,
        provider=path.provider,
        state=state,
        words=words,
        ends=tuple(f"{place} {interface}".strip() for place, interface in ends),
        vlan=value.only_vlan or 0,
        bandwidth=value.bandwidth or 0,
        mtu=value.mtu or 0,
        network=path.network.name if path.network is not None else "",
    )


def _state(path: DeclaredPath, provider: PathProviderSeen) -> tuple[str, str]:
    if not path.row.is_asked:
        return MADE_BY_OTHERS, path.row.title
    if provider.silence:
        return UNKNOWN, provider.silence
    seen = provider.named(path.name)
    return (seen.state, seen.words) if seen is not None else (MISSING, "")


def _undeclared(provider: str, item: PathSeen) -> PathRow:
    spec = item.spec
    return PathRow(
        spec.name, provider, item.state, item.words or "no file declares it", spec.endpoints, spec.vlan, spec.bandwidth, spec.mtu
    )


def silent_providers(site: Site, snapshot: Snapshot) -> tuple[str, ...]:
    """Providers of the site that gave no answer, or were not asked."""
    names = sorted(site.settings.value.path_providers)
    return tuple(name for name in names if snapshot.paths.get(name, PathProviderSeen(name, silence=NOT_ASKED)).silence)


def path_notes(view: PathView) -> Iterator[str]:
    """Sentences about providers that did not answer, and about interfaces that are promised too much where that only warns."""
    declared = declared_paths(view.site)
    for name in silent_providers(view.site, view.snapshot):
        paths = [path.name for path in declared.values() if path.provider == name]
        what = f"its paths ({', '.join(paths)}) are" if paths else "what it has of this site is"
        yield f"path provider {name} does not answer ({view.provider(name).silence}): {what} unknown, and left alone"
    if view.site.settings.value.limits.path_bandwidth == "warn":
        yield from (overcommitment_text(row) for row in promised_bandwidth(declared, view.snapshot) if row.is_too_much)
