"""Looks secrets up where dtnctl runs: variables, files, sops. Each reference once, and every value stays in this object."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dtnctl.errors import EngineError
from dtnctl.model.secrets import Reference, SecretValue, SecretVariables, hidden_in, parse_reference
from dtnctl.providers.secrets import sops
from dtnctl.providers.secrets.errors import SecretError
from dtnctl.providers.secrets.fingerprint import SHORTEST, keyed_fingerprint, slow_fingerprint

NOTHING: Mapping[str, str] = MappingProxyType({})
LARGEST = 128 * 1024 - 1024  # bytes: Linux takes 128 KiB for a variable with its name


class SecretSource:
    """The secrets of one run. `salt` keeps fingerprints of sites apart, `key` is the reference of the site's key for them.

    May be used from several threads: a reference that two of them need is looked up once.
    """

    def __init__(self, root: Path = Path(), environment: Mapping[str, str] = NOTHING, salt: str = "", key: str = "") -> None:
        self._root, self._environment, self._salt, self._key = root, environment, salt, key
        self._lock = threading.RLock()
        self._values: dict[str, SecretValue | SecretError] = {}
        self._fingerprints: dict[str, str] = {}
        self._files: dict[str, Any] = {}

    def look_up(self, reference: str) -> SecretValue:
        """The value. SecretError if there is none, or one that no variable can have."""
        with self._lock:
            if reference not in self._values:
                try:
                    self._values[reference] = SecretValue(_checked(self._read(parse_reference(reference))))
                except SecretError as error:
                    self._values[reference] = error
            found = self._values[reference]
        if isinstance(found, SecretError):
            raise SecretError(str(found))
        return found

    def line(self, reference: str) -> str:
        """The value of a password or token: its one line, without blanks around it. SecretError also if it has several lines."""
        text = self.look_up(reference).reveal().strip()
        if not text or not text.isprintable():
            raise SecretError("it is not one line of text")
        return text

    def fingerprint(self, reference: str) -> str:
        """The value's fingerprint. SecretError as look_up, and for a value that its fingerprint would reveal."""
        value = self.look_up(reference).reveal()
        with self._lock:
            if reference not in self._fingerprints:
                self._fingerprints[reference] = self._fingerprint(value)
            return self._fingerprints[reference]

    def _fingerprint(self, value: str) -> str:
        if self._key:
            return keyed_fingerprint(value, self._salt, self._key_value())
        if len(value) < SHORTEST:
            raise SecretError(
                f"it has fewer than {SHORTEST} characters, so its fingerprint could be guessed; the site needs a fingerprint_key"
            )
        return slow_fingerprint(value, self._salt)

    def _key_value(self) -> str:
        try:
            key = self.look_up(self._key).reveal()
        except SecretError as error:
            raise SecretError(f"the site's fingerprint_key ({self._key}) is missing: {error}") from None
        if len(key) < SHORTEST:
            raise SecretError(f"the site's fingerprint_key has fewer than {SHORTEST} characters")
        return key

    def fingerprints(self, references: Iterable[str]) -> Mapping[str, str]:
        """Those of the references that can be looked up."""
        found = {reference: self._fingerprint_or_nothing(reference) for reference in sorted(references)}
        return {reference: text for reference, text in found.items() if text}

    def _fingerprint_or_nothing(self, reference: str) -> str:
        try:
            return self.fingerprint(reference)
        except SecretError:
            return ""

    def values(self, variables: SecretVariables) -> Mapping[str, SecretValue]:
        """By variable, what a container is made with. EngineError unless each is the value that was planned with."""
        try:
            for item in variables:
                if self.fingerprint(item.reference) != item.fingerprint:
                    raise EngineError(f"{item.name}: {item.reference} is not the secret that was planned with; plan again")
            return {item.name: self.look_up(item.reference) for item in variables}
        except SecretError as error:
            raise EngineError(f"the secrets of the container cannot be looked up: {error}") from None

    def hidden_in(self, text: str) -> str:
        """The text without any value that was looked up, and without the longer lines of those that have several."""
        with self._lock:
            found = [item for item in self._values.values() if isinstance(item, SecretValue)]
        return hidden_in(text, found)

    # --- places ---

    def _read(self, reference: Reference) -> str:
        match reference.scheme:
            case "env":
                if reference.place not in self._environment:
                    raise SecretError(f"the environment variable {reference.place} is not set")
                return self._environment[reference.place]
            case "file":
                return _content(self._root / reference.place, reference.place)
            case "sops":
                return sops.value_at(self._decrypted(reference.place), reference.keys)

    def _decrypted(self, place: str) -> Any:
        """One call of sops for each file, whatever comes of it."""
        if place not in self._files:
            path = self._root / place
            if not path.is_file():
                raise SecretError(f"there is no file {place}")
            try:
                self._files[place] = sops.decrypt(path.absolute(), self._root, self._environment)
            except SecretError as error:
                self._files[place] = error
        found = self._files[place]
        if isinstance(found, SecretError):
            raise SecretError(f"{place}: {found}")
        return found


def _content(path: Path, shown: str) -> str:
    """The file's text without the line break at its end."""
    try:
        if not path.is_file():
            raise SecretError(f"there is no file {shown}")
        content = path.read_bytes()
        return content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretError(f"{shown} holds no UTF-8 text") from None
    except OSError as error:
        raise SecretError(f"cannot read {shown}: {(error.strerror or 'unusable path').lower()}") from None


def _checked(text: str) -> str:
    if not text:
        raise SecretError("it is empty")
    if "\0" in text:
        raise SecretError("it has a NUL character, which no variable can hold")
    if len(text.encode("utf-8", "surrogateescape")) > LARGEST:
        raise SecretError(f"it is larger than {LARGEST} bytes")
    return text
