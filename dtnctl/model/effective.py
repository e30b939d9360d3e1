"""The settings that a service really has: the pure merge of profiles, session and overrides, and which file set what.

Order, later wins: built-in defaults, the profile chain (parents first), the session's own `image` and `user`, its
`settings`, its `overrides` for the endpoint. Only what was written wins over what was inherited.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from dtnctl.model.profile import Profile, ProfileFields
from dtnctl.model.site import Document, Location, Session

DEFAULT_PROFILE = "default"
MOST_PROFILES = 32  # in one chain of `extends`; people lose track long before, and each is looked at for each of its users
MERGED_BY_KEY = frozenset({"env", "limits", "sysctls"})


class HasProfiles(Protocol):
    """A Site, or the readable part of one."""

    @property
    def profiles(self) -> Mapping[str, Document[Profile]]: ...


@dataclass(frozen=True, slots=True)
class Layer:
    """One place that writes settings: the fields written there, the file, and where in the file they stand."""

    written: Mapping[str, Any]
    document: Document[Any]
    base: Location = ()


def profile_chain(site: HasProfiles, name: str) -> tuple[Document[Profile], ...]:
    """The profile's files, parents first. Missing files are left out, and a cycle or a very long chain is cut; all three are problems."""
    chain: dict[str, Document[Profile]] = {}
    following: str | None = name
    while following is not None and following in site.profiles and following not in chain and len(chain) <= MOST_PROFILES:
        chain[following] = site.profiles[following]
        following = chain[following].value.extends
    return tuple(reversed(chain.values()))


def layers(site: HasProfiles, session: Document[Session], endpoint: str) -> tuple[Layer, ...]:
    """Every place that writes settings of the session's service on the endpoint, in the order in which they win."""
    return (*profile_layers(site, session.value.profile), *_session_layers(session, endpoint))


def profile_layers(site: HasProfiles, name: str) -> tuple[Layer, ...]:
    """The same for a profile by itself."""
    return tuple(Layer(_written(profile.value), profile) for profile in profile_chain(site, name))


def _session_layers(session: Document[Session], endpoint: str) -> Iterator[Layer]:
    request = session.value
    yield Layer({field: value for field in ("image", "user") if (value := getattr(request, field)) is not None}, session)
    if request.settings is not None:
        yield Layer(_written(request.settings), session, ("settings",))
    if endpoint in request.overrides:
        yield Layer(_written(request.overrides[endpoint]), session, ("overrides", endpoint))


def _written(fields: ProfileFields) -> Mapping[str, Any]:
    return {name: getattr(fields, name) for name in fields.model_fields_set if name != "extends"}


def merge(found: Iterable[Layer]) -> ProfileFields:
    """The settings that the layers come to; `model_fields_set` holds what any of them wrote."""
    merged: dict[str, Any] = {}
    for layer in found:
        for field, value in layer.written.items():
            merged[field] = {**merged.get(field, {}), **value} if field in MERGED_BY_KEY else value
    return _defaults().model_copy(update=merged)


@cache
def _defaults() -> ProfileFields:
    """What is not written anywhere. A copy of it is twenty times faster than building one, and planning needs one for every service."""
    return ProfileFields()


def winner(found: Sequence[Layer], field: str, key: str | None = None) -> tuple[Document[Any], Location] | None:
    """The file and the place that set a field, or one key of a mapping such as `env`; None if it is not written."""
    for layer in reversed(found):
        if field in layer.written and (key is None or key in layer.written[field]):
            return layer.document, (*layer.base, field, *([] if key is None else [key]))
    return None


def winner_at(found: Sequence[Layer], location: Location) -> tuple[Document[Any], Location] | None:
    """The same of a place within a field: an item of a list, a key of a mapping."""
    field, *within = location
    is_merged = field in MERGED_BY_KEY and within
    place = winner(found, str(field), str(within[0]) if is_merged else None)
    return place if place is None or is_merged else (place[0], (*place[1], *within))


def effective_profile(site: HasProfiles, session: Document[Session], endpoint: str) -> ProfileFields:
    """What the session's service on the endpoint gets."""
    return merge(layers(site, session, endpoint))


def origin(
    site: HasProfiles, session: Document[Session], endpoint: str, field: str, key: str | None = None
) -> tuple[Document[Any], Location]:
    """The file and the place that set a field. One that is not written came with the session's choice of profile."""
    return winner(layers(site, session, endpoint), field, key) or (session, ("profile",))
