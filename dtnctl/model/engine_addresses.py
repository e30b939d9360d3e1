"""An engine's address, taken apart once. What cannot be one is refused here: later it would look like a host that is silent. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from dtnctl.model.environments import EnvironmentChoice, faults_of_choice, parse_choice
from dtnctl.model.fields import shown
from dtnctl.model.hosts import is_loopback

LONGEST_SOCKET = 107  # bytes of a path; Linux's sockaddr_un has 108, the last one is a zero
_PASSWORD = re.compile(r"(?<=:)[^:/@][^/@]*(?=@)")


@dataclass(frozen=True, slots=True)
class Scheme:
    """What an address of one kind looks like. `socket`: that of an engine whose address names none; empty: it has a port or a path.

    `in_portainer`: the engine is an environment of a Portainer, which the end of the address names. `is_plain`: without TLS.
    """

    form: str
    has_port: bool = False
    socket: str = ""
    in_portainer: bool = False
    is_plain: bool = False


# Each has a transport in providers/docker/reach.
SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        "unix": Scheme("unix:///PATH"),
        "tcp": Scheme("tcp://HOST:PORT", has_port=True),
        "ssh": Scheme("ssh://USER@HOST", socket="/run/docker.sock"),
        "portainer+https": Scheme("portainer+https://HOST:PORT/ENVIRONMENT", has_port=True, in_portainer=True),
        "portainer+http": Scheme("portainer+http://127.0.0.1:PORT/ENVIRONMENT", has_port=True, in_portainer=True, is_plain=True),
    }
)
FORMS = " or ".join(", ".join(scheme.form for scheme in SCHEMES.values() if not scheme.is_plain).rsplit(", ", 1))
PATTERN = f"^({'|'.join(f'{re.escape(name)}://' for name in SCHEMES)}).+"


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """`text` is what people wrote; the rest are its parts, empty or 0 where it has none.

    `path`: of the engine's socket with unix and ssh; with tcp and Portainer the folder of a web server that is in front of it.
    `environment`: which of Portainer's it is.
    """

    text: str
    scheme: str
    host: str = ""
    port: int = 0
    user: str = ""
    path: str = ""
    environment: EnvironmentChoice | None = None

    def __str__(self) -> str:
        return self.text

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Text in files, schemas and dumps."""
        del source, handler
        text = core_schema.str_schema(pattern=PATTERN)
        parsed = core_schema.no_info_after_validator_function(
            parse_engine, text, serialization=core_schema.to_string_ser_schema(when_used="always")
        )
        return core_schema.no_info_before_validator_function(_written, parsed)


def parse_engine(text: str) -> EngineAddress:
    """The address in its parts. ValueError says what is wrong with it, without a password that is in it."""
    try:
        parts = urlsplit(text)
        wrong = next(_faults(text, parts), "")
    except ValueError as error:  # of urlsplit, which reads the port only when it is asked for it
        wrong = str(error)
    if wrong:
        raise ValueError(f"{shown(_PASSWORD.sub('…', text))} is not an engine's address: {wrong}; write {FORMS}")
    if parts.scheme == "unix":
        return EngineAddress(text, "unix", path=text.removeprefix("unix://"))
    path, scheme, environment = parts.path.rstrip("/"), SCHEMES[parts.scheme], None
    if scheme.socket:
        path = unquote(path) or scheme.socket
    if scheme.in_portainer:
        path, environment = parts.path.rpartition("/")[0], parse_choice(parts)
    return EngineAddress(text, parts.scheme, _written_host(parts.netloc), parts.port or 0, unquote(parts.username or ""), path, environment)


def _written_host(authority: str) -> str:
    """urlsplit's own is in lower case."""
    host = authority.rpartition("@")[2]
    return host.partition("]")[0][1:] if host.startswith("[") else host.partition(":")[0]


def _faults(text: str, parts: SplitResult) -> Iterator[str]:
    if not text.isprintable() or " " in text:
        yield "there is a space or a control character in it"
    if parts.scheme == "unix":
        yield from faults_of_socket(text.removeprefix("unix://"))
    elif parts.scheme in SCHEMES and SCHEMES[parts.scheme].in_portainer:
        yield from _faults_in_portainer(parts)
    else:
        yield from _faults_of_host(parts)


def faults_of_socket(path: str) -> Iterator[str]:
    """What keeps a text from being the path of a unix socket."""
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
    if port == 0 or (port is None and SCHEMES[parts.scheme].has_port):
        yield "there is no port in it"


def _faults_in_portainer(parts: SplitResult) -> Iterator[str]:
    if parts.username is not None:
        yield "there is a user in it; Portainer's key is in `portainer: key:`"
    if SCHEMES[parts.scheme].is_plain and not is_loopback(parts.hostname or ""):
        yield "without TLS everyone on the way reads the key; http is for a Portainer on this machine's loopback"
    yield from _faults_of_host(parts._replace(query="", fragment=""))
    yield from faults_of_choice(parts)


def _written(value: Any) -> Any:
    return value.text if isinstance(value, EngineAddress) else value
