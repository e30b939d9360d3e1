"""Where services use secrets: which references a plan needs to have looked up, and what to note of those that were not. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from dtnctl.model.effective import origin
from dtnctl.model.resources import Wanted
from dtnctl.model.secret_fields import Secret
from dtnctl.model.site import Site
from dtnctl.planning.resolve import Service, resolve_services
from dtnctl.planning.scope import Scope, with_selection


@dataclass(frozen=True, slots=True)
class SecretUse:
    """One variable of one service with a secret's reference, and the place that wrote it. Lines and columns count from 1."""

    reference: str
    endpoint: str
    session: str
    variable: str
    file: str
    line: int
    column: int


def secret_uses(site: Site, now: datetime, scope: Scope) -> tuple[SecretUse, ...]:
    """Every use that the scope covers, in the order of services and variables; none where everything is to be removed."""
    services = () if scope.destroy else resolve_services(site, now)
    scope = with_selection(scope, site, now)
    covered = (item for item in services if scope.covers("session", item.session.name, item.endpoint.name))
    return tuple(use for service in covered for use in _uses(service))


def _uses(service: Service) -> Iterator[SecretUse]:
    endpoint, session = service.key
    for name, value in sorted(service.profile.env.items()):
        if isinstance(value, Secret):
            document, location = origin(service.site, service.session, endpoint, "env", name)
            mark = document.mark((*location, "secret"))
            yield SecretUse(value.secret, endpoint, session, name, document.file, mark.line, mark.column)


def with_secrets(wanted: Mapping[str, Wanted], uses: tuple[SecretUse, ...]) -> Mapping[str, Wanted]:
    """What observation looks up, together with the secrets of each endpoint's services."""
    found: dict[str, set[str]] = {name: set() for name in wanted}
    for use in uses:
        found[use.endpoint].add(use.reference)
    return {name: replace(item, secrets=frozenset(found[name])) if found[name] else item for name, item in wanted.items()}
