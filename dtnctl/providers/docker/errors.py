"""Errors of the Docker SDK, requests, urllib3 and sockets as ours: translated once, here, in words that say what to check."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException, IncompleteRead
from typing import Any, Protocol

from dtnctl.errors import ConflictError, EngineError, NotFoundError, UnreachableError
from dtnctl.model.engine_addresses import EngineAddress
from dtnctl.providers.text import shortened

CHECK_CERTIFICATE = "is `tls: cert` signed by the engine's CA, for client use, and not expired?"
# What engines call 500 (a port), 403 (a network) or 400 (a name) and is a conflict all the same.
TAKEN_PORT = "port is already allocated"
CONFLICTS = (
    TAKEN_PORT,
    "address already in use",
    "already exists in network",
    "is already attached to network",
    "has active endpoints",
    "that name is already in use",  # from here on they are Podman's
    "network is being used",
    "is already allocated to container",
    "unique constraint failed",
    "container state improper",
)
# A Docker that ends while it starts a container (seen with 20.10) has the container's port taken from its next start to the one after that.
LEAKED_PORT = "if no container has it, the engine took it when it was killed: restart the engine"
# What engines call 500 and is a container that goes away at this moment: its files are gone, its name is not yet.
GOING = "is unexpectedly nil"


class LateConnectionError(OSError):
    """No connection was made in time; a TimeoutError says that one was made, and no answer came."""


class Complaining(Protocol):
    """A way to an engine."""

    def complaint(self) -> str:
        """What the program below reports that explains a failed call; empty if there is nothing of use."""


@contextmanager
def translated(address: EngineAddress, transport: Complaining) -> Iterator[None]:
    """Whatever the block raises below us comes out as an EngineError (it refused) or an UnreachableError (no answer)."""
    try:
        yield
    except (HTTPException, OSError, ValueError) as error:
        raise UnreachableError(f"{address}: {transport.complaint() or reason(error, address)}") from error


def refusal(status: int, phrase: str, content: bytes) -> EngineError:
    """What an engine said no with, as an error."""
    return _sorted(status, said(phrase, content))


def said(phrase: str, content: bytes) -> str:
    """The words of a refusal; a Portainer adds details. Answers without a message count with all their text."""
    try:
        answer = json.loads(content)
        message, details = str(answer["message"]), str(answer.get("details") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return content.decode(errors="replace").strip() or phrase
    return f"{message}: {details}" if details and details.lower() != message.lower() else message


def _sorted(status: int, text: str) -> EngineError:
    message = shortened(text)
    if TAKEN_PORT in message.lower():
        message = f"{message}; {LEAKED_PORT}"
    if status == 404 or GOING in message:
        return NotFoundError(message, status)
    if status == 409 or any(text in message.lower() for text in CONFLICTS):
        return ConflictError(message, status)
    return EngineError(message, status)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that it was made from, the outermost first; libraries hide causes in four places."""
    waiting: list[Any] = [error]
    met: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in met:
            met.add(id(cause))
            yield cause
            waiting += [*cause.args, cause.__cause__, cause.__context__, getattr(cause, "reason", None)]


def reason(error: BaseException, address: EngineAddress) -> str:
    """What to tell, and what to check, from the first telling one of the causes."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _distrust(cause, address)
        for kind, sentence in SENTENCES:
            if isinstance(cause, kind):
                return sentence(cause).format(host=address.host, path=address.path, **_names(address))
    return shortened(str(error))


def _names(address: EngineAddress) -> dict[str, str]:
    if address.environment is not None:
        return {"engine": "Portainer", "kind": "a Portainer with a Docker engine behind it"}
    return {"engine": "the engine", "kind": "a Docker engine"}


def _distrust(error: ssl.SSLCertVerificationError, address: EngineAddress) -> str:
    if address.environment is not None:
        return f"Portainer's certificate is refused: {error.verify_message}; is `portainer: ca` the right file, and has it this name?"
    host = address.host
    match error.verify_code:
        case 9:
            return "the engine's certificate is not valid yet; compare the clocks"
        case 10:
            return "the engine's certificate has expired; renew it on the endpoint"
        case 18 | 19 | 20 | 21:
            return "the engine's certificate is not signed by the CA in `tls: ca`; is it the right file, and is this the right host?"
        case 62 | 64:
            return f"the engine's certificate is not for {host}; use a name that is in it, or renew it with this one"
        case _:
            return f"the engine's certificate is refused: {error.verify_message}"


def _tls_failure(error: BaseException) -> str:
    # With TLS 1.3 the engine looks at our certificate after the handshake; its alert may come too late to be read.
    if isinstance(error, ssl.SSLEOFError):
        return f"the engine cut the TLS connection: it has just ended, or refuses our certificate; {CHECK_CERTIFICATE}"
    text = str(error).lower().replace("_", " ")
    if "alert" in text and any(word in text for word in ("certificate", "unknown ca", "decrypt error", "access denied")):
        return f"the engine refuses our certificate; {CHECK_CERTIFICATE}"
    if "wrong version number" in text or "record layer failure" in text:
        return "what listens there does not speak TLS; is it the engine's TLS port (2376)?"
    return "no TLS connection: " + shortened(str(error)).replace("{", "").replace("}", "")


def _always(sentence: str) -> Callable[[BaseException], str]:
    return lambda _: sentence


SENTENCES: tuple[tuple[type[BaseException], Callable[[BaseException], str]], ...] = (
    (ssl.SSLError, _tls_failure),
    (LateConnectionError, _always("no connection in time; is the host up, and does a firewall let the port through?")),
    (TimeoutError, _always("it was reached, but gave no answer in time")),
    (socket.gaierror, _always("there is no host of the name {host}")),
    (FileNotFoundError, _always("there is no socket at {path}; is the engine running?")),
    (PermissionError, _always("this user may not open {path}; the group `docker` usually may")),
    (ConnectionRefusedError, _always("no process listens there; is {engine} running?")),
    (ConnectionResetError, _always("the connection was cut before the answer came")),
    (BrokenPipeError, _always("the connection was cut before the answer came")),
    (IncompleteRead, _always("the connection was cut before the answer came")),
    (HTTPException, _always("what answers there is not {kind}")),
    (json.JSONDecodeError, _always("what answers there is not {kind}")),
    (UnicodeDecodeError, _always("what answers there is not {kind}")),
)
