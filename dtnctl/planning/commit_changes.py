"""Compares what two commits declare, in the words of the plan: services with the settings that they really have. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from dtnctl.model.commit_changes import DeclaredChange, DeclaredField, DeclaredKind
from dtnctl.model.effective import MERGED_BY_KEY, effective_profile, origin, profile_chain
from dtnctl.model.profile import ProfileFields
from dtnctl.model.secret_words import COMMANDS, is_hidden, without_hidden
from dtnctl.model.site import Document, Session, Site
from dtnctl.model.written import Written
from dtnctl.planning.containers.compare import size_text

SIZES = ("memory", "shm_size")
NAMED_BY_PEOPLE = ("env", "options", "labels", "metadata")  # mappings whose values may be secrets: that they differ is shown then
SHOWN_OF_SERVICES = ("image", "user", "settings", "overrides")  # of a session: fields that are shown as its services have them
SET, OTHER = "(set)", "(set otherwise)"
Values = Mapping[str, Any]
Places = Callable[[str], str]
Service = tuple[str, str]  # session, endpoint
DOCUMENTS: tuple[tuple[DeclaredKind, str], ...] = (
    ("endpoint", "endpoints"),
    ("network", "networks"),
    ("path", "paths"),
    ("tool", "tools"),
    ("volume", "volumes"),
    ("session", "sessions"),
    ("transfer", "transfers"),
)


def commit_changes(before: Site | None, after: Site | None) -> tuple[DeclaredChange, ...]:
    """Everything that differs; None is a commit without a state."""
    found = [*_site_changes(before, after), *_service_changes(before, after), *_unused_profiles(before, after)]
    for kind, folder in DOCUMENTS:
        old, new = ({} if site is None else getattr(site, folder) for site in (before, after))
        found += _document_changes(kind, old, new)
    return tuple(sorted(found, key=lambda change: change.sort_key))


# --- files ----------------------------------------------------------------------------------------------------------


def _site_changes(before: Site | None, after: Site | None) -> Iterator[DeclaredChange]:
    old = {} if before is None else {before.name: before.settings}
    new = {} if after is None else {after.name: after.settings}
    yield from _document_changes("site", old, new)


def _document_changes(
    kind: DeclaredKind, before: Mapping[str, Document[Any]], after: Mapping[str, Document[Any]]
) -> Iterator[DeclaredChange]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        document = new or old
        assert document is not None
        change = _change(kind, name, "", (_written(old), _written(new)), partial(_place, document))
        if change is not None:
            yield change


def _unused_profiles(before: Site | None, after: Site | None) -> Iterator[DeclaredChange]:
    """Profiles that no session has: what others change is shown by the services."""
    sites = [site for site in (before, after) if site is not None]
    used = {item.name for site in sites for session in site.sessions.values() for item in profile_chain(site, session.value.profile)}
    old, new = (
        {} if site is None else {name: item for name, item in site.profiles.items() if name not in used} for site in (before, after)
    )
    yield from _document_changes("profile", old, new)


def _written(document: Document[Any] | None) -> Values | None:
    """The fields of a file by their path."""
    if document is None:
        return None
    value: Written = document.value
    data = value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    hidden = SHOWN_OF_SERVICES if isinstance(value, Session) else ()
    return dict(_flat({name: item for name, item in data.items() if name not in hidden}))


def _place(document: Document[Any], field: str) -> str:
    return document.where(*field.split(".")) if field else document.where()


# --- services -------------------------------------------------------------------------------------------------------


def _service_changes(before: Site | None, after: Site | None) -> Iterator[DeclaredChange]:
    old, new = _services(before), _services(after)
    for session, endpoint in sorted(old.keys() | new.keys()):
        key = (session, endpoint)
        site = after if key in new else before
        assert site is not None
        pair = (_settings(old.get(key)), _settings(new.get(key)))
        change = _change("service", session, endpoint, pair, _places(site, site.sessions[session], endpoint))
        if change is not None:
            yield change


def _services(site: Site | None) -> dict[Service, ProfileFields]:
    sessions = {} if site is None else site.sessions
    return {
        (name, endpoint): effective_profile(site, document, endpoint)
        for name, document in sessions.items()
        for endpoint in document.value.endpoints
        if site is not None
    }


def _settings(profile: ProfileFields | None) -> Values | None:
    """What a service has, with the defaults: to write one out changes nothing."""
    return None if profile is None else dict(_flat(profile.model_dump(mode="json", by_alias=True)))


def _places(site: Site, session: Document[Session], endpoint: str) -> Places:
    def place(field: str) -> str:
        if not field:
            return session.where()
        name, _, key = field.partition(".")
        document, location = origin(site, session, endpoint, name, key if key and name in MERGED_BY_KEY else None)
        return document.where(*location)

    return place


# --- fields ---------------------------------------------------------------------------------------------------------


def _change(
    kind: DeclaredKind, name: str, endpoint: str, pair: tuple[Values | None, Values | None], place: Places
) -> DeclaredChange | None:
    """None if both are the same."""
    old, new = pair
    if old is None:
        return DeclaredChange("create", kind, name, endpoint, place(""))
    if new is None:
        return DeclaredChange("destroy", kind, name, endpoint, place(""))
    fields = tuple(_field(field, old, new, place) for field in sorted(old.keys() | new.keys()) if old.get(field) != new.get(field))
    return DeclaredChange("update", kind, name, endpoint, place(""), fields) if fields else None


def _field(field: str, old: Values, new: Values, place: Places) -> DeclaredField:
    before, after = _text(field, old.get(field)), _text(field, new.get(field))
    if _may_be_secret(field.split(".")):
        before, after = (SET if before else ""), (OTHER if before and after else SET if after else "")
    return DeclaredField(field, before, after, place(field))


def _may_be_secret(way: list[str]) -> bool:
    return any(word in COMMANDS for word in way) or (way[0] in NAMED_BY_PEOPLE and len(way) > 1 and is_hidden(way))


def _flat(data: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Mappings by their keys, everything else as one value; what is not set is left out."""
    for name, value in data.items():
        field = f"{above}.{name}" if above else name
        if isinstance(value, dict):
            yield from _flat(value, field)
        elif value is not None:
            yield field, value


def _text(field: str, found: Any) -> str:
    """A value for a reader; empty if there is none."""
    if found is None:
        return ""
    if field in SIZES and isinstance(found, int) and not isinstance(found, bool):
        return size_text(found)
    value = without_hidden(found)
    if isinstance(value, str):
        return value or '""'
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)
