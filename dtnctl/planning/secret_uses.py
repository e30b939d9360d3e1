"""Where services use secrets: which references a plan needs to have looked up, and what to note of those that were not. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from dtnctl.model.effective import origin
from dtnctl.model.nvme_volumes import NvmeVolume
from dtnctl.model.resources import Wanted
from dtnctl.model.secret_fields import Secret
from dtnctl.model.site import Document, Site
from dtnctl.planning.resolve import Service, resolve_services
from dtnctl.planning.scope import Scope, with_selection


@dataclass(frozen=True, slots=True)
class SecretUse:
    """One variable of one service with a secret's reference, and the place that wrote it. Lines and columns count from 1.

    `is_key`: a key of a volume over NVMe-oF, which must be of a certain form.
    """

    reference: str
    endpoint: str
    session: str
    variable: str
    file: str
    line: int
    column: int
    is_key: bool = False


def secret_uses(site: Site, now: datetime, scope: Scope) -> tuple[SecretUse, ...]:
    """Every use that the scope covers, in the order of services and variables; none where everything is to be removed."""
    services = () if scope.destroy else resolve_services(site, now)
    scope = with_selection(scope, site, now)
    return tuple(use for service in services for use in (*_variables(service, scope), *_keys(service, scope)))


def _variables(service: Service, scope: Scope) -> Iterator[SecretUse]:
    endpoint, session = service.key
    if not scope.covers("session", session, endpoint):
        return
    for name, value in sorted(service.profile.env.items()):
        if isinstance(value, Secret):
            document, location = origin(service.site, service.session, endpoint, "env", name)
            mark = document.mark((*location, "secret"))
            yield SecretUse(value.secret, endpoint, session, name, document.file, mark.line, mark.column)


def _keys(service: Service, scope: Scope) -> Iterator[SecretUse]:
    """Of the volumes that it mounts."""
    endpoint, session = service.key
    is_covered = scope.covers("session", session, endpoint)
    for mount in service.profile.volumes:
        volume = service.site.volumes.get(mount.nvme)
        if volume is not None and (is_covered or scope.covers("volume", volume.name, endpoint)):
            yield from _keys_of(volume, session, endpoint)


def _keys_of(volume: Document[NvmeVolume], session: str, host: str) -> Iterator[SecretUse]:
    """Both ends need them."""
    value = volume.value
    for name, reference in (value.auth.references if value.auth is not None else {}).items():
        mark = volume.mark(("auth", name, "secret"))
        for endpoint in filter(None, (host, value.target.endpoint)):
            variable = f"auth.{name} of volume {volume.name}"
            yield SecretUse(reference, endpoint, session, variable, volume.file, mark.line, mark.column, is_key=True)


def with_secrets(wanted: Mapping[str, Wanted], uses: tuple[SecretUse, ...]) -> Mapping[str, Wanted]:
    """What observation looks up, together with the secrets of each endpoint's services."""
    found: dict[str, set[str]] = {name: set() for name in wanted}
    for use in uses:
        found[use.endpoint].add(use.reference)
    return {name: replace(item, secrets=frozenset(found[name])) if found[name] else item for name, item in wanted.items()}
