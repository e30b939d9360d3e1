"""What every setting of a host can do, whatever it is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Protocol


class Root(Protocol):
    """Where the kernel's files are, so that a test can show a host that it does not run on."""

    @property
    def sys(self) -> Path: ...

    @property
    def proc(self) -> Path: ...


class Setting(ABC):
    """One setting. Texts are in normal form: what was set is what is read. OSError is the kernel's no.

    `absence` says why it may read as None; empty: there is no such thing here.
    """

    absence: ClassVar[str] = ""

    @abstractmethod
    def read(self) -> str | None:
        """The live value; None if there is no such thing here, or if it cannot be read."""

    @abstractmethod
    def normal(self, value: str) -> str:
        """The value in normal form; ValueError, saying what can be written, if it is none."""

    @abstractmethod
    def write(self, value: str) -> None:
        """Make a normal value live."""

    def is_as(self, wanted: str) -> bool:
        """Whether a normal value is live."""
        return self.read() == wanted

    def found(self) -> str | None:
        """What `restore` needs to make it as it is now. ValueError if it could not."""
        return self.read()

    def restore(self, found: str | None) -> None:
        """Make it as it was; None: nothing was set."""
        if found is not None:
            self.write(found)


def text_of(path: Path) -> str | None:
    """The file's text with single spaces; None where the kernel has no such file, or refuses to be read."""
    try:
        return " ".join(path.read_text().split())
    except OSError:
        return None


def number(value: str, highest: int = 2**31 - 1) -> str:
    """A whole number from 0."""
    if not value.isascii() or not value.isdecimal() or int(value[:12]) > highest:
        raise ValueError(f"`{value}` is not a whole number from 0 to {highest}")
    return str(int(value))


def one_of(value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError(f"`{value}` is not one of {', '.join(choices)}")
    return value


def pairs(text: str) -> dict[str, str]:
    """`a:1 b:2` as a mapping: how settings that have many parts remember each."""
    return dict(part.split(":", 1) for part in text.split())


def paired(parts: dict[str, str]) -> str:
    return " ".join(f"{name}:{value}" for name, value in parts.items())
