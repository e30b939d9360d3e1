"""Session records of Janus: the reply of `GET /active` of any version, or the database file with its table `active`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dtnctl.repository.converting.foreign import Foreign


@dataclass(frozen=True, slots=True)
class Record:
    """One session: {id, user, state, services: {endpoint: [service]}, request: [...]}."""

    item: Foreign

    @property
    def id(self) -> str:
        return str(self.item.at("id").value)

    def services(self) -> Iterator[tuple[str, int, Foreign]]:
        """(endpoint, number on that endpoint, service)."""
        for endpoint, services in self.item.at("services").items():
            for number, service in enumerate(services.entries()):
                yield endpoint, number, service

    def requests(self) -> Iterator[Foreign]:
        yield from self.item.at("request").entries()


def records(active: Foreign) -> Iterator[Record]:
    """All sessions in the file, in its order: a list, one record, {id: record}, or TinyDB's {"active": {"1": record}}."""
    for item in _items(active.at("active") if active.has("active") else active):
        if item.has("services"):
            yield Record(item)


def _items(found: Foreign) -> Iterator[Foreign]:
    if isinstance(found.value, list):
        yield from found.entries()
    elif found.has("services"):
        yield found
    else:
        yield from (item for _, item in found.items())
