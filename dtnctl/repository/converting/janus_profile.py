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

    def current(self, current: str, other: str, text: str) -> str:
        """Which of a key and its name in the other version of Janus counts: the one that this version read, if both are there."""
        if self.has(current) and self.has(other):
            self.conversion.dropped(self.at(other), f"`{other}`: Janus {self.folder.era} ignored it, and `{current}` is there, too")
        elif self.has(other):
            self.conversion.changed(self.at(other), f"Janus {self.folder.era} ignored `{other}` and {text}: the value takes effect")
        return current if self.has(current) or not self.has(other) else other

    def is_set(self, key: str) -> bool:
        """Whether the key is there and says something."""
        return self.at(key).value not in (None, "", [], {})
