"""Who may speak to the agent: files that are safe to rely on, a TLS context, and the recognition of callers.

There is no anonymous caller: without a client CA and without a token the agent does not listen on a port.
"""

from __future__ import annotations

import hmac
import os
import ssl
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHORTEST_TOKEN = 32  # characters
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2; those of 1.3 are all good
TOKEN_CALLER = "token"  # noqa: S105  # what the audit line calls a caller with the token


class UnsafeError(Exception):
    """The agent would be open, or its secrets are. `problems` are all of them, each with what to do."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Credentials:
    """The files that the agent is started with."""

    cert: Path | None
    key: Path | None
    client_ca: Path | None = None
    token_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """How callers are received; without a TLS context on a unix socket only. Raises nothing: an unknown caller has no name."""

    context: ssl.SSLContext | None = None
    token: bytes | None = None

    def recognise(self, peer: str | None, authorization: bytes | None) -> str | None:
        """The name of who asks: of a verified certificate, of a unix socket's user, or `token`; None for an unknown caller."""
        if peer:
            return peer
        scheme, _, given = (authorization or b"").partition(b" ")
        if self.token is None or scheme.lower() != b"bearer":
            return None
        return TOKEN_CALLER if hmac.compare_digest(given.strip(), self.token) else None


def open_access(credentials: Credentials) -> Access:
    """Check everything and load it. UnsafeError names all that is wrong, before a socket is opened."""
    problems = tuple(_problems(credentials))
    if problems:
        raise UnsafeError(problems)
    token = _read_token(credentials.token_file) if credentials.token_file is not None else None
    return Access(_tls_context(credentials, has_token=token is not None), token)


def peer_name(certificate: Mapping[str, Any] | None) -> str | None:
    """The common name of a certificate that TLS has verified, as `ssl` reports it; its serial number if it has no name."""
    if not certificate:
        return None
    names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return names[0] if names and names[0] else f"certificate {certificate.get('serialNumber', '')}"


def _problems(credentials: Credentials) -> Iterator[str]:
    if credentials.cert is None or credentials.key is None:
        yield "there is no TLS certificate and key; give --cert and --key"
    if credentials.client_ca is None and credentials.token_file is None:
        yield "every client could ask; give --client-ca, --token-file, or both"
    for path in (credentials.cert, credentials.client_ca):
        if path is not None:
            yield from _unreadable(path)
    for path in (credentials.key, credentials.token_file):
        if path is not None:
            yield from _exposed(path)
    if credentials.token_file is not None:
        yield from _weak(credentials.token_file)


def _unreadable(path: Path) -> Iterator[str]:
    try:
        path.read_bytes()
    except OSError as error:
        yield f"cannot read {path}: {error.strerror}"


def _exposed(path: Path) -> Iterator[str]:
    """A secret that others than its owner may read is none."""
    try:
        found = path.stat()
    except OSError as error:
        yield f"cannot read {path}: {error.strerror}"
        return
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield f"{path} has mode {stat.S_IMODE(found.st_mode):04o}, so others may use it; chmod 0600 {path}, and replace it if they could"
    if found.st_uid not in (0, os.geteuid()):
        yield f"{path} belongs to user {found.st_uid}; it must belong to root or to the agent's own user"


def _weak(path: Path) -> Iterator[str]:
    try:
        token = _read_token(path)
    except OSError:
        return  # reported already
    if len(token) < SHORTEST_TOKEN:
        yield f"the token in {path} has {len(token)} characters; write at least {SHORTEST_TOKEN}, as `openssl rand -hex 32` does"


def _read_token(path: Path) -> bytes:
    return path.read_bytes().partition(b"\n")[0].strip()


def _tls_context(credentials: Credentials, *, has_token: bool) -> ssl.SSLContext:
    """TLS 1.2 or newer. With a token a client certificate may be missing; one that is shown is always verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    # A resumed session would accept a certificate that has expired since.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    assert credentials.cert is not None
    try:
        context.load_cert_chain(credentials.cert, credentials.key, password=lambda: "")
    except (ssl.SSLError, ValueError) as error:
        raise UnsafeError((f"{credentials.cert} and {credentials.key} are no PEM certificate and its key, without a password",)) from error
    if credentials.client_ca is not None:
        _trust(context, credentials.client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL if has_token else ssl.CERT_REQUIRED
    return context


def _trust(context: ssl.SSLContext, client_ca: Path) -> None:
    try:
        context.load_verify_locations(client_ca)
    except ssl.SSLError as error:
        raise UnsafeError((f"{client_ca} holds no CA certificate (PEM)",)) from error
