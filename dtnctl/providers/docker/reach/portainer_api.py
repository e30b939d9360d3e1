"""Reads of Portainer's own API: environments, whose key it is, teams. One header says who we are, and no cookie is ever kept.

Portainer bans an address for an hour that logs in more than ten times a second; a key needs no login.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

from dtnctl import __version__
from dtnctl.errors import UnreachableError
from dtnctl.model.environments import Environment, EnvironmentChoice, the_one
from dtnctl.model.portainer_fields import Portainer
from dtnctl.providers.docker.errors import said
from dtnctl.providers.docker.once_more import once_more
from dtnctl.providers.docker.reach.pool import Answer, DirectReads
from dtnctl.providers.records import recorded
from dtnctl.providers.secrets.errors import SecretError
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.providers.text import shortened
from dtnctl.providers.timeouts import Timeouts

Found = TypeVar("Found")

ADMINISTRATOR, OK = 1, 200
KEY_HEADER = "X-API-Key"
SLIM = ("excludeSnapshots", "true")  # else each environment comes with all that is on it
CHECK_IN = 5  # seconds between two questions of an edge agent, where Portainer does not say


@dataclass(frozen=True, slots=True)
class User:
    """Whose key it is."""

    name: str
    role: int


@dataclass(frozen=True, slots=True)
class PortainerApi:
    """One Portainer. `headers` hold the key; `what`, the address as people wrote it, stands before each complaint; `base` is its folder."""

    pool: DirectReads
    what: str
    base: str
    headers: Mapping[str, str] = field(repr=False)
    timeouts: Timeouts

    def environment(self, choice: EnvironmentChoice) -> Environment:
        """The environment that is meant. LookupError if there is none, or more than one."""
        if choice.name:
            return the_one(choice, self._listed(("name", choice.name)))
        if choice.id:
            return the_one(choice, self._listed(("endpointIds[]", str(choice.id))))
        return the_one(choice, self.environments())

    def environments(self) -> list[Environment]:
        """All that this key is shown, with the names of their groups and tags; those of its group count as an environment's own."""
        tags = self._read("/api/tags", lambda raw: {item["ID"]: str(item["Name"]) for item in raw})
        groups = self._read("/api/endpoint_groups", lambda raw: {item["Id"]: _group(item) for item in raw})
        return self._read("/api/endpoints", lambda raw: [_environment(item, groups, tags) for item in raw], SLIM)

    def _listed(self, chosen: tuple[str, str]) -> list[Environment]:
        return self._read("/api/endpoints", lambda raw: [_environment(item, {}, {}) for item in raw], SLIM, chosen)

    def me(self) -> User:
        """Whose key it is."""
        return self._read("/api/users/me", lambda raw: User(str(raw["Username"]), int(raw["Role"])))

    def team(self, name: str) -> int:
        """The team's id. UnreachableError names those that there are."""
        teams = self._read("/api/teams", lambda raw: {str(item["Name"]): int(item["Id"]) for item in raw})
        if name not in teams:
            raise UnreachableError(f"{self.what}: Portainer has no team {name}; it has {', '.join(sorted(teams)) or 'none'}")
        return teams[name]

    def read(self, path: str, headers: Mapping[str, str], seconds: float) -> Answer:
        """Whatever is answered within the time."""
        sent = {"User-Agent": f"dtnctl/{__version__}", **headers}
        with recorded(self.what, "GET", path):
            return once_more(partial(self.pool.read, f"{self.base}{path}", sent, (self.timeouts.connect, seconds)))

    def _read(self, path: str, meaning: Callable[[Any], Found], *query: tuple[str, str]) -> Found:
        """What the answer means. UnreachableError if it lacks what every Portainer answers there."""
        raw = self._get(path, *query)
        try:
            return meaning(raw)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnreachableError(
                f"{self.what}: what answers at {self.base}{path} is not in the form of Portainer CE 2.23 ({_fault(error)}); "
                "is it Portainer, and which version?"
            ) from error

    def _get(self, path: str, *query: tuple[str, str]) -> Any:
        """The decoded answer. Portainer reads lists in a query as `NAME[]=` alone, and ignores them in any other form."""
        answer = self.read(f"{path}?{urlencode(query)}" if query else path, self.headers, self.timeouts.answer)
        if answer.status != OK:
            raise UnreachableError(f"{self.what}: {_refused(answer)}")
        return json.loads(answer.content)


def _refused(answer: Answer) -> str:
    match answer.status:
        case 401:
            return "Portainer does not know this API key"
        case 303 if answer.headers.get("Redirect-Reason"):
            return "Portainer waits for its first administrator; restart it and set one within 5 minutes"
        case _:
            return f"Portainer answers {answer.status}: {shortened(said(answer.phrase, answer.content))}"


def _fault(error: Exception) -> str:
    return f"there is no {error}" if isinstance(error, KeyError) else str(error)


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    tags: tuple[int, ...]


def _group(item: Mapping[str, Any]) -> _Group:
    return _Group(str(item["Name"]), tuple(item.get("TagIds") or ()))


def _environment(item: Mapping[str, Any], groups: Mapping[int, _Group], tags: Mapping[int, str]) -> Environment:
    """With what those names say of its group and its tags."""
    group = groups.get(item.get("GroupId", 0), _Group("", ()))
    ids = {*(item.get("TagIds") or ()), *group.tags}
    wait = int(item.get("EdgeCheckinInterval") or CHECK_IN)
    return Environment(
        id=int(item["Id"]),
        name=str(item["Name"]),
        type=int(item["Type"]),
        url=str(item.get("URL", "")),
        group=group.name,
        tags=tuple(sorted(tags[number] for number in ids if number in tags)),
        agents_wait=wait,
        public_url=str(item.get("PublicURL", "")),
    )


def key_headers(settings: Portainer, what: str, secrets: SecretSource) -> Mapping[str, str]:
    """The one header that says who asks: with an `Authorization` beside it Portainer refuses. UnreachableError if there is no key."""
    reference = settings.key.secret
    try:
        key = secrets.line(reference)
    except SecretError as error:
        raise UnreachableError(f"{what}: `portainer: key` ({reference}) cannot be used: {error}") from None
    if not key.isascii() or " " in key:
        raise UnreachableError(f"{what}: `portainer: key` ({reference}) holds no API key; it is one line of letters, digits and signs")
    return {KEY_HEADER: key}
