"""Whose objects a client looks at and makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from dtnctl.model.resources import LABEL_REPOSITORY, ContainerSeen, NetworkSeen, Pairs, is_owned
from dtnctl.model.site_settings import Registry
from dtnctl.providers.secrets.source import SecretSource

Named = TypeVar("Named", ContainerSeen, NetworkSeen)


@dataclass(frozen=True, slots=True)
class View:
    """Whose objects are looked at and made, where, and with which logins.

    `repository` is the repository's id, empty for one without; `unlabelled`: whether objects without an id are ours. `secrets` looks up
    the values of what is made. `labels`: what other programs want to be on all that is made.
    """

    endpoint: str
    site: str
    registries: Mapping[str, Registry]
    root: Path
    repository: str = ""
    unlabelled: bool = True
    secrets: SecretSource = field(default_factory=SecretSource)
    labels: Pairs = ()

    def owns(self, labels: Mapping[str, str], object_name: str) -> bool:
        return is_owned(
            labels,
            site=self.site,
            endpoint=self.endpoint,
            object_name=object_name,
            repository=self.repository,
            unlabelled=self.unlabelled,
        )

    def divided(self, items: Iterable[Named]) -> tuple[tuple[Named, ...], tuple[Named, ...]]:
        """Ours and others', each in their order."""
        ours: list[Named] = []
        others: list[Named] = []
        for item in items:
            (ours if self.owns(item.labels, item.name) else others).append(item)
        return tuple(ours), tuple(others)

    def signed(self, labels: Pairs) -> Pairs:
        """The labels with the repository's id: everything that is made carries it, so no caller can forget it."""
        own = ((LABEL_REPOSITORY, self.repository),) if self.repository else ()
        return tuple(sorted((*labels, *own, *self.labels))) if own or self.labels else labels
