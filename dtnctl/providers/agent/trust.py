"""How we know an agent, and how it knows us: certificates and tokens, read when they are needed and kept out of sight."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from dtnctl.errors import UnreachableError
from dtnctl.model.site import Endpoint
from dtnctl.providers.secrets.errors import SecretError
from dtnctl.providers.secrets.source import SecretSource


@dataclass(frozen=True, slots=True)
class Trust:
    """Where the certificates and the token are. Without a CA the machine's own are asked; they suit a bought certificate."""

    url: str
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    token_file: Path | None = None
    token_env: str | None = None
    token_reference: str = ""
    secrets: SecretSource = field(default_factory=SecretSource, repr=False, compare=False)

    def context(self) -> ssl.SSLContext:
        """A client's TLS settings: 1.2 or newer, the name is checked, nothing is taken from the environment."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.ca is None:
            context.load_default_certs()
        else:
            self._load_ca(context, self.ca)
        if self.cert is not None and self.key is not None:
            self._load_pair(context, self.cert, self.key)
        return context

    def token(self) -> str:
        """The bearer token; nothing where certificates do. UnreachableError if it should be there and is not."""
        if self.token_reference:
            return self._checked(self._looked_up(), f"`agent_token` ({self.token_reference})")
        if self.token_env is not None:
            return self._checked(
                os.environ.get(self.token_env, "").strip(), f"the environment variable {self.token_env} (`agent_token_env`)"
            )
        if self.token_file is None:
            return ""
        text = self._read("agent_token_file", self.token_file).decode("utf-8", "replace").partition("\n")[0].strip()
        return self._checked(text, f"`agent_token_file` {self.token_file}")

    def _looked_up(self) -> str:
        try:
            return self.secrets.line(self.token_reference)
        except SecretError as error:
            raise UnreachableError(f"{self.url}: `agent_token` ({self.token_reference}) cannot be used: {error}") from None

    def _checked(self, token: str, place: str) -> str:
        """A library that meets anything else in a header would print it."""
        if not token.isascii() or not token.isprintable() or not token or " " in token:
            raise UnreachableError(f"{self.url}: {place} holds no token; it is one line of letters, digits and signs")
        return token

    def _load_ca(self, context: ssl.SSLContext, ca: Path) -> None:
        self._read("agent_tls: ca", ca)
        try:
            context.load_verify_locations(ca)
        except ssl.SSLError as error:
            raise UnreachableError(f"{self.url}: `agent_tls: ca`: {ca} holds no certificate (PEM)") from error

    def _load_pair(self, context: ssl.SSLContext, cert: Path, key: Path) -> None:
        self._read("agent_tls: cert", cert)
        self._read("agent_tls: key", key)
        try:
            context.load_cert_chain(cert, key, password=lambda: "")  # a password would be asked for on the terminal
        except (ssl.SSLError, ValueError) as error:
            text = f"`agent_tls: cert` and `key` ({cert}, {key}) are no PEM certificate and its key, without a password"
            raise UnreachableError(f"{self.url}: {text}") from error

    def _read(self, name: str, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise UnreachableError(f"{self.url}: `{name}`: cannot read {path}: {error.strerror}") from error


def trust_of(endpoint: Endpoint, root: Path, secrets: SecretSource | None = None) -> Trust:
    """What the endpoint's file says; without `agent_tls:` the engine's certificates serve."""
    tls = endpoint.agent_tls if endpoint.agent_tls is not None else endpoint.tls
    return Trust(
        endpoint.agent.text if endpoint.agent is not None else "",
        ca=_under(root, tls.ca if tls else None),
        cert=_under(root, tls.cert if tls else None),
        key=_under(root, tls.key if tls else None),
        token_file=_under(root, endpoint.agent_token_file),
        token_env=endpoint.agent_token_env,
        token_reference=endpoint.agent_token.secret if endpoint.agent_token is not None else "",
        secrets=secrets or SecretSource(root),
    )


def _under(root: Path, path: str | None) -> Path | None:
    return None if path is None else root / path
