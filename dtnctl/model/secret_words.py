"""What people may have written a secret into although it is no place for one, by its name; it is left out of what is shown. Pure.

The places that are for secrets hold references (`dtnctl.model.secrets`) and need no such guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

LEFT_OUT = "…"
NOT_SHOWN = "(not shown)"
_SENSITIVE = r"[\w.-]*(?:passw|passphrase|token|secret|key|credential)[\w.-]*|pass"
_NAME = re.compile(_SENSITIVE, re.IGNORECASE)
_PAIR = re.compile(rf"(?<![\w.-])({_SENSITIVE})=[^,]*", re.IGNORECASE)  # among mount options, in a query, in a text of assignments
_LOGIN = re.compile(r"(?<=://)[^/\s]+@")  # of an address
COMMANDS = frozenset({"arguments", "client", "cmd", "command", "entrypoint", "ready", "server", "test"})


def is_hidden(way: Iterable[object]) -> bool:
    """Whether a value is not shown: an environment, a command line, what is named as a secret. `way`: the keys that lead to it."""
    words = [str(word).lower() for word in way]
    return any("env" in word or word in COMMANDS or _NAME.fullmatch(word) for word in words)


def shown_value(value: Any) -> str:
    """A value of a file as one line for a reader, without what it names as secret, however deep."""
    match value:
        case Mapping():
            return f"{{{', '.join(f'{key}: {NOT_SHOWN if is_hidden((key,)) else shown_value(item)}' for key, item in value.items())}}}"
        case list():
            is_command = any(isinstance(item, str) and item.startswith("-") for item in value)
            return NOT_SHOWN if is_command else f"[{', '.join(map(shown_value, value))}]"
        case _:
            return shown_text(str(value))


def without_hidden(value: Any) -> Any:
    """The same value with texts in place of what it names as secret, however deep."""
    match value:
        case Mapping():
            return {key: NOT_SHOWN if is_hidden((key,)) else without_hidden(item) for key, item in value.items()}
        case list():
            return [without_hidden(item) for item in value]
        case str():
            return shown_text(value)
        case _:
            return value


def shown_text(text: str) -> str:
    """The text without the values of `password=…` and the like, and without the login in an address."""
    return _LOGIN.sub(f"{LEFT_OUT}@", _PAIR.sub(rf"\1={LEFT_OUT}", text))


def shown_options(options: Mapping[str, str]) -> Mapping[str, str]:
    """Options of a volume's driver as they may be shown: plugins have a password as an option of its own, mounts among their options."""
    return {name: LEFT_OUT if _NAME.fullmatch(name) else shown_text(value) for name, value in options.items()}
