"""Checks that references to secrets are among those that the site allows: who may change a session need not choose what it gets to see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from dtnctl.errors import Problem
from dtnctl.model.profile import Profile, ProfileFields
from dtnctl.model.secret_fields import Secret
from dtnctl.model.site import Document, Location, Session
from dtnctl.model.site_settings import SiteSettings
from dtnctl.model.transfer import Transfer


def find_secret_problems(
    settings: Document[SiteSettings],
    profiles: Mapping[str, Document[Profile]],
    sessions: Mapping[str, Document[Session]],
    transfers: Mapping[str, Document[Transfer]],
) -> list[Problem]:
    """Each reference that no pattern of `secret_references` covers, at its place; none where the site says nothing."""
    patterns = settings.value.secret_references
    if patterns is None:
        return []
    services: tuple[Document[Any], ...] = (*profiles.values(), *sessions.values())
    written = (*(place for document in services for place in _references(document)), *_of_webhooks(transfers.values()))
    return [
        _problem(document, location, settings.where("secret_references"))
        for document, location, reference in written
        if not any(fnmatchcase(reference, pattern) for pattern in patterns)
    ]


def _references(document: Document[Any]) -> Iterator[tuple[Document[Any], Location, str]]:
    for base, fields in _fields(document.value):
        for name, value in fields.env.items():
            if isinstance(value, Secret):
                yield document, (*base, "env", name, "secret"), value.secret


def _of_webhooks(transfers: Iterable[Document[Transfer]]) -> Iterator[tuple[Document[Any], Location, str]]:
    for document in transfers:
        notify = document.value.notify
        if notify is not None and isinstance(notify.url, Secret):
            yield document, ("notify", "url", "secret"), notify.url.secret


def _fields(value: Profile | Session) -> Iterator[tuple[Location, ProfileFields]]:
    """What it writes of a service, and where."""
    if isinstance(value, Profile):
        yield (), value
        return
    if value.settings is not None:
        yield ("settings",), value.settings
    for endpoint, fields in value.overrides.items():
        yield ("overrides", endpoint), fields


def _problem(document: Document[Any], location: Location, allowed_at: str) -> Problem:
    mark = document.mark(location)
    text = f"this reference is none of those that the site allows ({allowed_at})"
    return Problem(document.file, mark.line, mark.column, "E0369", text, "another reference, or a pattern for it in site.yaml")
