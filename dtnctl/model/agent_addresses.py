"""An agent's address, taken apart once: https, a socket behind the endpoint's own ssh login, or a socket of this machine. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from dtnctl.model.engine_addresses import faults_of_socket
from dtnctl.model.fields import shown

FORMS = "https://HOST:5050 (it speaks TLS only), ssh, ssh:/PATH or unix:///PATH"
DEFAULT_PORT = 5050
AGENT_SOCKET = "/run/dtnctl/agent.sock"
_HTTPS = re.compile(r"https://(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?/?")
_SOCKET = re.compile(r"(ssh:(?!//)|unix://)([!-~]+)")


@dataclass(frozen=True, slots=True)
class AgentAddress:
    """`text` is what people wrote. `scheme`: `https` (with `host` and `port`), `ssh` or `unix` (with the `path` of a socket)."""

    text: str
    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        return self.text

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Text in files, schemas and dumps."""
        del source, handler
        text = core_schema.str_schema()
        parsed = core_schema.no_info_after_validator_function(
            parse_agent, text, serialization=core_schema.to_string_ser_schema(when_used="always")
        )
        return core_schema.no_info_before_validator_function(_written, parsed)


def parse_agent(text: str) -> AgentAddress:
    """The address in its parts. ValueError says what is accepted."""
    if text == "ssh":
        return AgentAddress(text, "ssh", path=AGENT_SOCKET)
    socket = _SOCKET.fullmatch(text)
    if socket is not None:
        _refuse(text, faults_of_socket(socket[2]))
        return AgentAddress(text, socket[1].partition(":")[0], path=socket[2])
    https = _HTTPS.fullmatch(text)
    if https is None:
        raise ValueError(f"{shown(text)} is not an agent's address; write {FORMS}")
    port = DEFAULT_PORT if https[3] is None else int(https[3])
    _refuse(text, () if 1 <= port <= 65535 else (f"there is no port {port}",))
    return AgentAddress(text, "https", https[1] or https[2], port)


def _refuse(text: str, faults: Iterable[str]) -> None:
    for fault in faults:
        raise ValueError(f"{shown(text)} is not an agent's address: {fault}; write {FORMS}")


def _written(value: Any) -> Any:
    return value.text if isinstance(value, AgentAddress) else value
