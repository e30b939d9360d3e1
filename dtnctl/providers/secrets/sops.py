"""Decrypts a file by the program `sops`, in memory: no shell, no file, nothing on its standard input, and not for ever."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dtnctl.printable import printable_text
from dtnctl.providers.secrets.errors import SecretError

PATIENCE = 60.0  # seconds: a key may be at a service of a cloud, or behind a gpg agent
SHOWN_LINES, LONGEST_LINE = 8, 200  # the first ones: sops says there what it has tried
SHORTEST_SHOWN = 6  # characters of a variable's value that is looked for in what sops says
SECRET_NAME = re.compile(r"KEY|TOKEN|PASS|SECRET|CREDENTIAL", re.IGNORECASE)
PLACE_NAME = re.compile(r"_(FILE|CMD|PATH|ID)$", re.IGNORECASE)  # where a secret is, which the reader has to know


def decrypt(path: Path, root: Path, environment: Mapping[str, str], patience: float = PATIENCE) -> Any:
    """The file's content as plain values; numbers are the texts that sops writes for them. SecretError has no value in it.

    `patience`: seconds after which it is ended.
    """
    program = shutil.which("sops", path=environment.get("PATH", ""))
    if program is None:
        raise SecretError("the program sops is not installed here")
    command = [program, "--decrypt", "--output-type", "json", str(path)]
    try:
        ran = subprocess.run(
            command, cwd=root, env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        raise SecretError(f"sops has not decrypted it within {patience:.0f} s") from None
    except OSError as error:
        raise SecretError(f"sops cannot be started: {error.strerror}") from None
    if ran.returncode:
        raise SecretError(f"sops ended with {ran.returncode}: {_said(ran.stderr, environment)}")
    try:
        return json.loads(ran.stdout, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise SecretError("what sops wrote is no JSON") from None


def _said(stderr: bytes, environment: Mapping[str, str]) -> str:
    """The first lines, without values of variables that look like secrets."""
    text = stderr.decode("utf-8", "replace")
    for name, value in sorted(environment.items(), key=lambda pair: -len(pair[1])):
        if SECRET_NAME.search(name) and not PLACE_NAME.search(name) and len(value) >= SHORTEST_SHOWN:
            text = text.replace(value, f"(value of {name})")
    lines = [printable_text(line.strip(" -|"))[:LONGEST_LINE] for line in text.splitlines() if line.strip()]
    return " ".join(lines[:SHOWN_LINES]) or "it said nothing"


def value_at(content: Any, keys: tuple[str, ...]) -> str:
    """The text at these keys, numbers of lists included. SecretError names the first key that is not there."""
    found, way = content, ""
    for key in keys:
        way = f"{way}.{key}" if way else key
        found = _step(found, key, way)
    match found:
        case str():
            return found
        case bool():
            return "true" if found else "false"
        case _:
            raise SecretError(f"{way} is {_kind(found)}, not one value")


def _step(found: Any, key: str, way: str) -> Any:
    if isinstance(found, dict) and key in found:
        return found[key]
    if isinstance(found, list) and key.isascii() and key.isdecimal() and int(key) < len(found):
        return found[int(key)]
    raise SecretError(f"there is no {way} in it")


def _kind(found: object) -> str:
    if isinstance(found, dict):
        return "a mapping"
    return "a list" if isinstance(found, list) else "empty"
