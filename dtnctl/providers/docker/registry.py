"""Image references and logins at registries. A secret is read when it is needed, and goes nowhere but into the request's header."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dtnctl.errors import EngineError
from dtnctl.model.site_settings import Registry
from dtnctl.providers.secrets.errors import SecretError
from dtnctl.providers.secrets.source import SecretSource

DOCKER_HUB = "docker.io"
AUTH_HEADER = "X-Registry-Auth"
HUB_NAMES = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})


@dataclass(frozen=True, slots=True)
class Reference:
    """An image reference, taken apart. `repository` has the host in front if it was written; `version` is what to pull."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def version(self) -> str:
        """The digest wins over the tag, as it does for the engine."""
        return self.digest or self.tag or "latest"


def parse_reference(image: str) -> Reference:
    """`[host[:port]/]name[:tag][@digest]`; without a host it is Docker Hub's."""
    name, _, digest = image.partition("@")
    path, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:  # the colon belongs to the host's port
        path, tag = name, ""
    first, slash, _ = path.partition("/")
    is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    return Reference(first if is_host else DOCKER_HUB, path, tag, digest)


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """A user name and a secret. `repr` does not show the secret."""

    host: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"RegistryLogin({self.host!r}, {self.username!r}, …)"

    @property
    def header(self) -> dict[str, str]:
        """The request header that carries it to the engine, which passes it on to the registry."""
        data = {"username": self.username, "password": self.password, "serveraddress": self.host}
        return {AUTH_HEADER: base64.urlsafe_b64encode(json.dumps(data).encode()).decode()}

    def redact(self, text: str) -> str:
        """The text without the secret, for what a registry says."""
        return text.replace(self.password, "…") if self.password else text


def registry_name(image: str, registries: Mapping[str, Registry]) -> str:
    """What the image's registry is called among these; empty if it is not there."""
    host = parse_reference(image).host
    names = HUB_NAMES if host in HUB_NAMES else {host}
    return min((name for name in registries if name in names), default="")


def login_for(image: str, registries: Mapping[str, Registry], root: Path, secrets: SecretSource | None = None) -> RegistryLogin | None:
    """The login at the image's registry, read now; None if there is none. EngineError if what it refers to is missing."""
    host, name = parse_reference(image).host, registry_name(image, registries)
    if not name:
        return None
    registry = registries[name]
    username = registry.username if registry.username is not None else _variable(registry.username_env or "", host)
    return RegistryLogin(host, username, _password(registry, host, root, secrets or SecretSource()))


def _password(registry: Registry, host: str, root: Path, secrets: SecretSource) -> str:
    if registry.password is not None:
        try:
            return secrets.line(registry.password.secret)
        except SecretError as error:
            raise EngineError(f"login at {host}: {registry.password.secret} cannot be used: {error}") from None
    if registry.password_file is None:
        return _variable(registry.password_env or "", host)
    path = root / registry.password_file
    try:
        return path.read_text().partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError(f"login at {host}: cannot read the password file {path}") from error


def _variable(name: str, host: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise EngineError(f"login at {host}: the environment variable {name} is not set")
    return value
