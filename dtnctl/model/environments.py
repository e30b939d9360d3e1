"""Environments of a Portainer: how the end of an address says which one is meant, and which one it is among those that are there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote

from dtnctl.printable import plural

KEYS = ("tag", "group")
FORMS = "end it with /NAME, /#ID, or /?tag=TAG and &group=GROUP"


@dataclass(frozen=True, slots=True)
class EnvironmentChoice:
    """What people wrote. Either a name, or an id, or what the one environment that is meant has alone: all these tags, this group."""

    name: str = ""
    id: int = 0
    tags: tuple[str, ...] = ()
    group: str = ""

    def __str__(self) -> str:
        if self.name or self.id:
            return self.name or f"#{self.id}"
        group = (f"of the group {self.group}",) if self.group else ()
        return " ".join((*group, *(f"with the tag {tag}" for tag in self.tags)))


@dataclass(frozen=True, slots=True)
class Environment:
    """One that is there. `type` and `url` are Portainer's own; `agents_wait`: seconds until an edge agent asks for work again.

    `public_url`: the host where people reach what is published there, as somebody typed it.
    """

    id: int
    name: str
    type: int
    url: str = ""
    group: str = ""
    tags: tuple[str, ...] = ()
    agents_wait: int = 0
    public_url: str = ""

    @property
    def is_docker(self) -> bool:
        """An engine's API is behind it: of its own, of an agent, of an edge agent."""
        return self.type in (1, 2, 4)

    @property
    def is_kubernetes(self) -> bool:
        return self.type in (5, 6, 7)

    @property
    def is_edge(self) -> bool:
        """Its agent opens a tunnel when it is asked for one."""
        return self.type in (4, 7)

    @property
    def streams(self) -> bool:
        """Whether answers arrive while they are written. Portainer holds back those of an engine on a socket of its own host."""
        return not self.url.startswith(("unix://", "npipe://"))


def parse_choice(parts: SplitResult) -> EnvironmentChoice:
    """The choice at the end of an address that has no fault."""
    query = parse_qsl(parts.query)
    return EnvironmentChoice(
        name=unquote(parts.path.rpartition("/")[2]),
        id=int(parts.fragment or 0),
        tags=tuple(value for key, value in query if key == "tag"),
        group=next((value for key, value in query if key == "group"), ""),
    )


def faults_of_choice(parts: SplitResult) -> Iterator[str]:
    """What keeps the end of an address from naming an environment."""
    name, number = parts.path.rpartition("/")[2], parts.fragment
    query = parse_qsl(parts.query, keep_blank_values=True)
    written = [bool(name), bool(number), bool(parts.query)]
    if written.count(True) != 1:
        yield f"{'no environment is' if not any(written) else 'an environment is twice'} in it: {FORMS}"
    if number and not (number.isascii() and number.isdecimal() and int(number)):
        yield f"an environment's id is a number: {FORMS}"
    if parts.query and not all(key in KEYS and value for key, value in query):
        yield f"an environment is found by its tags and its group: {FORMS}"


def fits(choice: EnvironmentChoice, environment: Environment) -> bool:
    """Whether it is one that can be meant. Portainer compares names of environments exactly."""
    if choice.name or choice.id:
        return environment.id == choice.id if choice.id else environment.name == choice.name
    return set(choice.tags) <= set(environment.tags) and choice.group in ("", environment.group)


def the_one(choice: EnvironmentChoice, found: Iterable[Environment]) -> Environment:
    """The environment that is meant. LookupError if there is none, or more than one."""
    fitting = [item for item in found if fits(choice, item)]
    if not fitting:
        raise LookupError(f"Portainer shows this key no environment {choice}")
    if len(fitting) > 1:
        raise LookupError(
            f"Portainer has {plural(len(fitting), 'environment')} {choice}: {', '.join(sorted(item.name for item in fitting))}"
        )
    return fitting[0]
