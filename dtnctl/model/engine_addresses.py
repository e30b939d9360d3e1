"""An engine's address, checked as far as its text decides: one that cannot be an address would look like a host that is silent. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator

from dtnctl.model.fields import shown

FORMS = "unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST"
_PASSWORD = re.compile(r"(?<=:)[^:/@][^/@]*(?=@)")
LONGEST_SOCKET = 107  # bytes of a path; Linux's sockaddr_un has 108, the last one is a zero


def check_engine(value: str) -> str:
    """The address as it is. ValueError says what is wrong with it."""
    try:
        wrong = next(_faults(value, urlsplit(value)), "")
    except ValueError as error:  # of urlsplit, which reads the port only when it is asked for it
        wrong = str(error)
    if wrong:
        raise ValueError(f"{shown(_PASSWORD.sub('…', value))} is not an engine's address: {wrong}; write {FORMS}")
    return value


def _faults(value: str, parts: SplitResult) -> Iterator[str]:
    if not value.isprintable() or " " in value:
        yield "there is a space or a control character in it"
    if parts.scheme == "unix":
        yield from _faults_of_socket(value.removeprefix("unix://"))
    else:
        yield from _faults_of_host(parts)


def _faults_of_socket(path: str) -> Iterator[str]:
    if not path.startswith("/"):
        yield "a socket's path starts with /"
    if len(path.encode()) > LONGEST_SOCKET:
        yield f"a socket's path has at most {LONGEST_SOCKET} bytes"


def _faults_of_host(parts: SplitResult) -> Iterator[str]:
    host, user, port = parts.hostname or "", unquote(parts.username or ""), parts.port
    if not host or host.startswith("-"):
        yield "there is no host in it"
    if parts.password is not None or parts.query or parts.fragment:
        yield "there is more in it than user, host, port and path; a password is never written there"
    if user.startswith("-"):
        yield "a user's name does not start with -"
    if port == 0 or (port is None and parts.scheme == "tcp"):
        yield "there is no port in it"


EngineAddress = Annotated[str, AfterValidator(check_engine)]
