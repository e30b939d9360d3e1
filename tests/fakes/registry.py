"""The registries of the machine: pulling from them, and asking for a digest without pulling."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator

from tests.fakes import images, references
from tests.fakes.core import Engine
from tests.fakes.errors import EngineError, bad_request, not_found, server_error
from tests.fakes.machine import RegistryImage
from tests.fakes.state import Json

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST_SIZE = 527


def pull(engine: Engine, name: str, tag: str, authorization: str) -> Iterator[Json]:
    """POST /images/create?fromImage=: what fails before the first line is a status, later an `error` line."""
    separator = "@" if tag.startswith("sha256:") else ":"
    reference = _normal(f"{name}{separator}{tag}" if tag else name)
    return _pull_lines(engine, reference, _fetch(engine, reference, authorization))


def describe(engine: Engine, name: str, authorization: str) -> Json:
    """GET /distribution/{name}/json: the digest that a pull would bring."""
    reference = _normal(name)
    found = _fetch(engine, reference, authorization)
    digest = references.split(reference)[2] or digest_of(reference, found)
    return {
        "Descriptor": {"mediaType": MANIFEST, "digest": digest, "size": MANIFEST_SIZE},
        "Platforms": [{"architecture": "amd64", "os": "linux"}],
    }


def _normal(name: str) -> str:
    reference = references.normal(name)
    references.require_valid(reference, bad_request)
    return reference


def _fetch(engine: Engine, reference: str, authorization: str) -> RegistryImage:
    """The image that the registry has; 404, 401, 403 and 500 as the registry and the way to it give them."""
    host = references.registry_of(references.split(reference)[0])
    offers = {name: image for name, image in engine.machine.registry.items() if references.registry_of(references.split(name)[0]) == host}
    if not offers:
        raise server_error(f'Get "https://{host}/v2/": dial tcp: lookup {host.partition(":")[0]}: no such host')
    found = _offered(offers, reference)
    locked = [found] if found else list(offers.values())
    _check_login(host, reference, [image for image in locked if image.password], authorization)
    if found is None:
        raise not_found("manifest unknown: manifest unknown")
    return found


def _offered(offers: dict[str, RegistryImage], reference: str) -> RegistryImage | None:
    if reference in offers:
        return offers[reference]
    repository, _, digest = references.split(reference)
    for name, image in offers.items():
        if digest and references.split(name)[0] == repository and digest_of(name, image) == digest:
            return image
    return None


def _check_login(host: str, reference: str, locked: list[RegistryImage], authorization: str) -> None:
    if not locked or _credentials(authorization) in {(image.username, image.password) for image in locked}:
        return
    if host == references.DOCKER_HUB:
        raise EngineError(403, "denied: requested access to the resource is denied")
    if authorization:
        raise EngineError(401, "unauthorized: authentication required")
    repository, tag, digest = references.split(reference)
    address = f"https://{host}/v2/{repository.partition('/')[2]}/manifests/{tag or digest}"
    raise server_error(f'Head "{address}": no basic auth credentials')


def digest_of(reference: str, image: RegistryImage) -> str:
    """The digest under which the registry serves this image: it follows from what the image holds."""
    facts = json.dumps([references.split(reference)[0], image.config, sorted(image.files)], sort_keys=True).encode()
    content = b"".join(image.files[path] for path in sorted(image.files))
    return "sha256:" + hashlib.sha256(facts + content).hexdigest()


def _credentials(authorization: str) -> tuple[str, str]:
    try:
        given = json.loads(base64.urlsafe_b64decode(authorization + "=="))
        return given.get("username", ""), given.get("password", "")
    except ValueError:
        return "", ""


def _pull_lines(engine: Engine, reference: str, found: RegistryImage) -> Iterator[Json]:
    repository, tag, digest = references.split(reference)
    host = references.registry_of(repository)
    path = repository.removeprefix(f"{host}/")
    yield {"status": f"Pulling from {path if '/' in repository else 'library/' + path}", "id": tag or reference}
    if found.broken:
        yield {"errorDetail": {"message": found.broken}, "error": found.broken}
        return
    digest = digest or digest_of(reference, found)
    by_digest = f"{repository}@{digest}"
    known = [image for image in engine.state.images.values() if by_digest in image.digests]
    image = known[0] if known else images.add_from_files(engine, by_digest, found.config, found.files)
    if tag and reference not in image.tags:
        images.set_tag(engine, image, reference)
    yield {"status": f"Digest: {digest}"}
    state = "Image is up to date" if known else "Downloaded newer image"
    yield {"status": f"Status: {state} for {reference}"}
