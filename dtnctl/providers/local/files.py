"""What a connection needs on this machine: certificates, keys, tokens, the ssh client. Judged before any endpoint is asked.

A mistake here would look like an endpoint that does not answer, which is a reason to wait; this one is a reason to correct a line.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dtnctl.errors import EngineError, Problem
from dtnctl.model.portainer_fields import Portainer
from dtnctl.model.site import AgentTls, Document, Endpoint, Location, Site, Tls
from dtnctl.providers.kubernetes.login_faults import login_faults
from dtnctl.providers.secrets.errors import SecretError
from dtnctl.providers.secrets.source import SecretSource


@dataclass(frozen=True, slots=True)
class _Place:
    """An endpoint's file, where its relative paths start, the environment, and what looks secrets up."""

    document: Document[Endpoint]
    root: Path
    environment: Mapping[str, str]
    secrets: SecretSource

    def problem(self, location: Location, code: str, message: str, hint: str) -> Problem:
        mark = self.document.mark(location)
        return Problem(self.document.file, mark.line, mark.column, code, message, hint)


def find_local_problems(site: Site, root: Path, environment: Mapping[str, str], secrets: SecretSource | None = None) -> list[Problem]:
    """Everything that keeps this machine from asking the site's endpoints, by the lines that name it."""
    source = secrets or SecretSource(root, environment)
    places = (_Place(document, root, environment, source) for document in site.endpoints.values())
    return sorted(problem for place in places for problem in (*_engine(place), *_agent(place)))


def _engine(place: _Place) -> Iterator[Problem]:
    endpoint = place.document.value
    if endpoint.address.scheme == "ssh" and shutil.which("ssh", path=place.environment.get("PATH", "")) is None:
        yield place.problem(("docker",), "E0373", "there is no ssh client on this machine", "to install OpenSSH's client")
    if endpoint.tls is not None:
        yield from _tls(place, "tls", endpoint.tls)
    if endpoint.portainer is not None:
        yield from _portainer(place, endpoint.portainer)
    if endpoint.kubernetes is not None:
        for fault in login_faults(endpoint.kubernetes, place.root, place.environment, place.secrets):
            yield place.problem(("kubernetes", "kubeconfig"), "E0370", fault, "a kubeconfig that this user may read")


def _agent(place: _Place) -> Iterator[Problem]:
    endpoint = place.document.value
    if endpoint.agent_tls is not None:
        yield from _tls(place, "agent_tls", endpoint.agent_tls)
    if endpoint.agent_token is not None:
        yield from _secret_token(place, ("agent_token", "secret"), endpoint.agent_token.secret)
    if endpoint.agent_token_env is not None:
        yield from _token(place, "agent_token_env", place.environment.get(endpoint.agent_token_env, ""))
    if endpoint.agent_token_file is not None:
        content, problem = _read(place, ("agent_token_file",), endpoint.agent_token_file)
        yield from [problem] if problem is not None else _token(place, "agent_token_file", content.decode(errors="replace"))


def _portainer(place: _Place, portainer: Portainer) -> Iterator[Problem]:
    yield from _secret_token(place, ("portainer", "key", "secret"), portainer.key.secret)
    if portainer.ca is not None:
        _, problem = _read(place, ("portainer", "ca"), portainer.ca)
        yield from _authority(place, "portainer", place.root / portainer.ca) if problem is None else [problem]


def _secret_token(place: _Place, location: Location, reference: str) -> Iterator[Problem]:
    try:
        is_token = _is_token(place.secrets.line(reference))
        reason = "" if is_token else "it is not one line of letters, digits and signs"
    except SecretError as error:
        reason = str(error)
    if reason:
        yield place.problem(location, "E0372", f"{reference} holds no token: {reason}", "a reference to one")


def _is_token(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _token(place: _Place, field: str, text: str) -> Iterator[Problem]:
    token = text.partition("\n")[0].strip()
    if not _is_token(token):
        name = getattr(place.document.value, field)
        what = f"the environment variable {name}" if field.endswith("_env") else f"the file {name}"
        yield place.problem((field,), "E0372", f"{what} holds no token", "one line of letters, digits and signs in it")


def _tls(place: _Place, field: str, tls: Tls | AgentTls) -> Iterator[Problem]:
    """Each file first; what is in them only where all can be read."""
    named = {name: path for name in ("ca", "cert", "key") if (path := getattr(tls, name)) is not None}
    unread = [problem for name, path in named.items() if (problem := _read(place, (field, name), path)[1]) is not None]
    yield from unread
    if not unread:
        yield from _certificates(place, field, {name: place.root / path for name, path in named.items()})


def _read(place: _Place, location: Location, path: str) -> tuple[bytes, Problem | None]:
    try:
        return (place.root / path).read_bytes(), None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "unusable path").lower()
        return b"", place.problem(location, "E0370", f"cannot read {path}: {reason}", "the path of a file that this user may read")


def _authority(place: _Place, field: str, ca: Path) -> Iterator[Problem]:
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca)
    except ssl.SSLError:
        yield place.problem((field, "ca"), "E0371", f"{ca.name} holds no certificate (PEM)", "the file of the CA's certificate")


def _certificates(place: _Place, field: str, paths: Mapping[str, Path]) -> Iterator[Problem]:
    import ssl

    yield from _authority(place, field, paths["ca"])
    if "cert" not in paths:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_cert_chain(paths["cert"], paths["key"], password=lambda: "")  # a password would be asked for on the terminal
    except (ssl.SSLError, ValueError):
        text = f"{paths['cert'].name} and {paths['key'].name} are no PEM certificate and its key, without a password"
        yield place.problem((field, "cert"), "E0371", text, "the files of one certificate and of its key")


# --- logins at registries -----------------------------------------------------------------------------------


def find_login_problems(site: Site, images: frozenset[str], root: Path, secrets: SecretSource | None = None) -> list[Problem]:
    """What keeps this machine from logging in at the registries of images that are about to be pulled."""
    from dtnctl.providers.docker.registry import login_for, registry_name

    settings, found = site.settings, set()
    for image in images:
        try:
            login_for(image, settings.value.registries, root, secrets)
        except EngineError as error:
            mark = settings.mark(("registries", registry_name(image, settings.value.registries)))
            found.add(Problem(settings.file, mark.line, mark.column, "E0374", str(error), "to set it, or another login"))
    return sorted(found)
