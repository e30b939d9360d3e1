"""What a pattern of `--target`, `--exclude` or `--replace` can name: what the state files declare, and what is on the endpoints. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dtnctl.model.kinds import KIND_OF_LABEL, PLAN_KINDS
from dtnctl.model.resources import Snapshot, ledger_name
from dtnctl.model.site import Site
from dtnctl.planning.host.resources import RESOURCES


def nameable_objects(site: Site, snapshot: Snapshot) -> frozenset[tuple[str, str, str]]:
    """Every (kind, name, endpoint) that a pattern can mean."""
    return frozenset((*_declared(site), *_seen(site, snapshot), *_on_hosts(site, snapshot)))


def real_objects(site: Site, snapshot: Snapshot) -> frozenset[tuple[str, str, str]]:
    """The same with no session or transfer on an endpoint where it is not; each endpoint has one object without a name."""
    here = (("ledger", "", endpoint) for endpoint in site.endpoints)
    return frozenset((*_with_files(site), *here, *_seen(site, snapshot), *_on_hosts(site, snapshot)))


def _with_files(site: Site) -> Iterator[tuple[str, str, str]]:
    yield from ((kind, name, "") for kind, row in PLAN_KINDS.items() if row.folder for name in getattr(site, row.folder))


def _declared(site: Site) -> Iterator[tuple[str, str, str]]:
    """What has a file of its own, also where it is not yet. Patterns name an object or an endpoint: one object of a kind has them all."""
    yield from _with_files(site)
    for kind, row in PLAN_KINDS.items():
        names = tuple(getattr(site, row.folder)) if row.folder else ()
        yield from ((kind, name, endpoint) for name in names[:1] for endpoint in site.endpoints)


def _seen(site: Site, snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    """What is on the endpoints, also what no file declares any more."""
    for endpoint, seen in snapshot.endpoints.items():
        yield from ((KIND_OF_LABEL[item.kind], item.owner, endpoint) for item in seen.containers if item.kind in KIND_OF_LABEL)
        yield from (("network", item.name, endpoint) for item in seen.networks)
        yield ("ledger", ledger_name(site.name), endpoint)
    yield from (("path", item.spec.name, "") for provider in snapshot.paths.values() for item in provider.paths)


def _on_hosts(site: Site, snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    """What the endpoints' agents make, and the sessions for which they hold something."""
    hosts = {name: seen.host for name, seen in snapshot.endpoints.items()}
    for resource in RESOURCES:
        for endpoint, document in site.endpoints.items():
            host = hosts.get(endpoint)
            held = host.held if host is not None else None
            yield from ((kind, name, endpoint) for kind, name in resource.names(site, document, held))
            owners = resource.owners(held) if held is not None else ()
            yield from (("session", owner.session, endpoint) for owner in owners if owner.site == site.name)
