"""A Janus profile while it is converted: its keys, what became of them, and where notes go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from dtnctl.repository.converting.conversion import Conversion
from dtnctl.repository.converting.foreign import Foreign


class Folder(Protocol):
    """The folder's sections, and the version that wrote them."""

    @property
    def era(self) -> str: ...
    @property
    def sections(self) -> Mapping[str, dict[str, Foreign]]: ...


@dataclass(slots=True)
class Profile:
    """One profile while it is converted."""

    name: str
    item: Foreign
    folder: Folder
    conversion: Conversion
    fields: dict[str, Any] = field(default_factory=dict)

    def has(self, key: str) -> bool:
        return self.item.has(key)

    def at(self, key: str) -> Foreign:
        return self.item.at(key)

    def is_set(self, key: str) -> bool:
        """Whether the key is there and says something."""
        return self.at(key).value not in (None, "", [], {})
