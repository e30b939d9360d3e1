"""Secrets by reference: what state files write in place of a value, and a value that never shows itself. No I/O, no look-up.

`docs/decisions` says why a value is compared by a fingerprint; who looks values up is `providers/secrets`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NoReturn

from pydantic_core import CoreSchema
from pydantic_core.core_schema import is_instance_schema

Scheme = Literal["env", "file", "sops"]
FORMS = "`env:NAME`, `file:PATH` or `sops:FILE#KEY.PATH`"
HIDDEN = "(secret)"
SHORTEST_LINE = 6  # characters of one line of a secret; shorter ones are found in any text
LABEL_SECRETS = "dtnctl.secrets"  # of a container: its variables that hold secrets, each with the fingerprint of its value

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATH = r"[^#\x00-\x1f\x7f]+"
_FILE = re.compile(_PATH)
_SOPS = re.compile(rf"({_PATH})#([^.\s#]+(?:\.[^.\s#]+)*)")
_FINGERPRINT = re.compile(r"[ks]1:[0-9a-f]{32}")


class SecretValue:
    """A secret in memory. Only `reveal` gives it: repr, str and formatting hide it, and it cannot be pickled, copied or made JSON."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself, for the one call that needs it."""
        return self.__text

    def parts(self) -> Iterator[str]:
        """What must not be shown of it: the text, and each longer line if it has several, since a log has one line at a time."""
        yield from {self.__text, *(line for line in self.__text.splitlines() if len(line) >= SHORTEST_LINE)} - {""}

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, _: str) -> str:
        return HIDDEN

    @classmethod
    def __get_pydantic_core_schema__(cls, _: object, __: object) -> CoreSchema:
        """Only values that are one already are taken: none is ever read from a file."""
        return is_instance_schema(cls)

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a secret is never written down")


def hidden_in(text: str, values: Iterable[SecretValue]) -> str:
    """The text without these values, the longest first, and without each longer line of those that have several."""
    found = {part for value in values for part in value.parts()}
    for part in sorted(found, key=lambda part: (-len(part), part)):
        text = text.replace(part, HIDDEN)
    return text


# --- references ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret is: a variable's name, a file's path, or a file that sops decrypts with the keys that lead to the value."""

    scheme: Scheme
    place: str
    keys: tuple[str, ...] = ()


def parse_reference(text: str) -> Reference:
    """The reference in its parts. ValueError never repeats the text: somebody may have written the secret itself."""
    scheme, _, rest = text.partition(":")
    if scheme == "env" and _NAME.fullmatch(rest):
        return Reference("env", rest)
    if scheme == "file" and _FILE.fullmatch(rest):
        return Reference("file", rest)
    if scheme == "sops" and (found := _SOPS.fullmatch(rest)) is not None:
        return Reference("sops", found[1], tuple(found[2].split(".")))
    raise ValueError(f"this is no reference to a secret; write {FORMS}, and never the secret itself")


# --- what a container, or a request to an agent, has of them ------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class SecretVariable:
    """A variable of a container, or a field of a request to an agent, whose value is a secret.

    An empty fingerprint: the value was not looked at. `reference` is where a new value comes from; empty for what lives.
    """

    name: str
    fingerprint: str = ""
    reference: str = field(default="", compare=False)


SecretVariables = tuple[SecretVariable, ...]


def secrets_label(variables: SecretVariables) -> str:
    """The label's text: names with fingerprints."""
    return json.dumps({item.name: item.fingerprint for item in variables}, sort_keys=True, separators=(",", ":"))


def secrets_in(labels: Mapping[str, str]) -> Mapping[str, str]:
    """Fingerprints by the names of variables; none where the label is missing or is not ours."""
    try:
        found = json.loads(labels.get(LABEL_SECRETS, "{}"))
    except (ValueError, RecursionError):
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {name: text if isinstance(text, str) and _FINGERPRINT.fullmatch(text) else "" for name, text in pairs}
