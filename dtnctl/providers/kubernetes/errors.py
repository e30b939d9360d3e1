"""Errors of the HTTP client, of TLS and of an API server as ours: translated once, here, in words that say what to check."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from dtnctl.errors import ConflictError, EngineError, NotFoundError, UnreachableError
from dtnctl.providers.text import shortened

NOT_FOUND = 404
GONE = 410  # of a page of a list: what it continues was too long ago
BUSY = 429  # and nothing was done
HINTS = {
    401: "the cluster does not know this login; has its token or certificate expired?",
    403: "this login may not do that; docs/kubernetes.md has the rights that dtnctl needs",
    BUSY: "the cluster has too much to do",
}


class LoginError(Exception):
    """Why a login that several endpoints share does not work."""


@contextmanager
def translated(address: str) -> Iterator[None]:
    """Whatever the block raises below us comes out as an UnreachableError (no answer)."""
    import httpx2
    from lightkube.core.exceptions import ConfigError

    try:
        yield
    except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError) as error:
        raise UnreachableError(f"{address}: {_reason(error)}") from error
    except LoginError as error:
        raise UnreachableError(f"{address}: {error}") from None
    except ConfigError as error:  # the file of a token is not there
        raise UnreachableError(f"{address}: {shortened(str(error))}") from None


def refusal(status: int, content: bytes, *, lost_precondition: bool = False) -> EngineError:
    """What a server said no with, in its own words."""
    said = shortened(_message(content) or f"status {status}")
    if status == NOT_FOUND:
        return NotFoundError(said, status)
    if status == 409 or lost_precondition:
        return ConflictError(said, status)
    is_of_rights = status != 403 or " cannot " in said  # else a quota, Pod Security, or a namespace that is being deleted: said already
    hint = HINTS.get(status) if is_of_rights else None
    return EngineError(f"{said}: {hint}" if hint else said, status)


def is_no_answer(error: EngineError) -> bool:
    """Whether a proxy, or the server for its database, says that no answer came: what was asked for may have been done all the same."""
    return error.status in (502, 503, 504) or "etcdserver:" in str(error)


def _message(content: bytes) -> str:
    try:
        found = json.loads(content)
        return str(found["message"])
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace").strip()


def _reason(error: BaseException) -> str:
    """What to check, from the first cause that says something."""
    import httpx2

    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return "the server's certificate is not signed by the CA of the kubeconfig, has expired, or is another host's"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"no TLS connection: {shortened(str(error))}"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "the server's name has no address"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes) or "refused" in str(error):
        return "no process listens there; does the API server run?"
    if isinstance(error, httpx2.ConnectTimeout):
        return "no connection in time; is the host up, and does a firewall let the port through?"
    if isinstance(error, (httpx2.TimeoutException, TimeoutError)):
        return "it was reached, but gave no answer in time"
    return shortened(str(error)) or "the connection was cut before the answer came"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
