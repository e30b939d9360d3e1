"""Images as the API shows them, and the lines of a pull."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator

from tests.fakes import configs, filters, images, references
from tests.fakes.clock import SECOND, stamp
from tests.fakes.core import Engine
from tests.fakes.errors import EngineError, bad_request, not_found
from tests.fakes.machine import RegistryImage
from tests.fakes.state import Image, Json

LIST_FILTERS = ("before", "dangling", "label", "reference", "since")


def inspect(engine: Engine, term: str) -> Json:
    """GET /images/{name}/json."""
    try:
        image = images.find(engine, term)
    except EngineError as error:
        raise EngineError(error.status, f"no such image: {term}: {error.message}") from error
    return {
        "Id": image.id,
        "RepoTags": list(image.tags),
        "RepoDigests": list(image.digests),
        "Parent": image.parent,
        "Comment": image.comment,
        "Created": stamp(image.created),
        "Container": image.container,
        "ContainerConfig": image.container_config or configs.complete({}),
        "DockerVersion": "20.10.24+dfsg1",
        "Author": image.author,
        "Config": image.config,
        "Architecture": "amd64",
        "Os": "linux",
        "Size": image.size,
        "VirtualSize": image.size,
        "GraphDriver": graph_driver(image.id.removeprefix("sha256:"), running=False),
        "RootFS": {"Type": "layers", "Layers": image.layers},
        "Metadata": {"LastTagTime": stamp(image.created)},
    }


def graph_driver(name: str, running: bool) -> Json:
    """Where overlay2 would keep the layers."""
    base = f"/var/lib/docker/overlay2/{name}"
    data = {"MergedDir": f"{base}/merged", "UpperDir": f"{base}/diff", "WorkDir": f"{base}/work"}
    if running:
        data["LowerDir"] = f"{base}-init/diff"
    return {"Data": data, "Name": "overlay2"}


def list_images(engine: Engine, query: dict[str, str]) -> list[Json]:
    """GET /images/json: newest first; images without a name only with `all` or the dangling filter."""
    wanted = filters.read_filters(query.get("filters", ""), LIST_FILTERS)
    shown = [image for image in engine.state.images.values() if _is_wanted(image, wanted)]
    shown.sort(key=lambda image: image.created, reverse=True)
    return [_summary(image) for image in engine.shuffler.order(shown)]


def _is_wanted(image: Image, wanted: filters.Filters) -> bool:
    if not filters.has_labels(wanted.get("label", []), image.config.get("Labels") or {}):
        return False
    if "dangling" in wanted and (wanted["dangling"][0] in ("1", "true")) == bool(image.tags):
        return False
    patterns = wanted.get("reference")
    return not patterns or any(_matches(pattern, image) for pattern in patterns)


def _matches(pattern: str, image: Image) -> bool:
    repository, tag, _ = references.split(pattern)
    for name in image.tags:
        own_repository, own_tag, _ = references.split(name)
        if own_repository == repository and tag in ("", own_tag):
            return True
    return pattern in image.digests


def _summary(image: Image) -> Json:
    unnamed = not image.tags and not image.digests
    return {
        "Containers": -1,
        "Created": image.created // SECOND,
        "Id": image.id,
        "Labels": image.config.get("Labels"),
        "ParentId": image.parent,
        "RepoDigests": ["<none>@<none>"] if unnamed else (list(image.digests) or None),
        "RepoTags": ["<none>:<none>"] if unnamed else (list(image.tags) or None),
        "SharedSize": -1,
        "Size": image.size,
        "VirtualSize": image.size,
    }


def pull(engine: Engine, name: str, tag: str, authorization: str) -> Iterator[Json]:
    """Fetch from the machine's registry. What fails before the first line is a status, later an `error` line."""
    reference = _pull_reference(name, tag)
    found = _offered(engine, reference)
    if found.password and _credentials(authorization) != (found.username, found.password):
        raise not_found(
            f"pull access denied for {references.split(reference)[0]}, repository does not exist or may require "
            "'docker login': denied: requested access to the resource is denied"
        )
    return _pull_lines(engine, reference, found)


def _pull_reference(name: str, tag: str) -> str:
    separator = "@" if tag.startswith("sha256:") else ":"
    reference = references.normal(f"{name}{separator}{tag}" if tag else name)
    references.require_valid(reference, bad_request)
    return reference


def _offered(engine: Engine, reference: str) -> RegistryImage:
    registry = engine.machine.registry
    repository, _, digest = references.split(reference)
    if reference in registry:
        return registry[reference]
    for offered, found in registry.items():
        if digest and references.split(offered)[0] == repository and digest_of(offered, found) == digest:
            return found
    host = references.registry_of(repository)
    if host not in {references.registry_of(offered) for offered in registry}:
        raise EngineError(500, f'Get "https://{host}/v2/": dial tcp: lookup {host.partition(":")[0]}: no such host')
    raise not_found(f"manifest for {reference} not found: manifest unknown: manifest unknown")


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
    digest = digest or digest_of(reference, found)
    yield {"status": f"Pulling from {repository if '/' in repository else 'library/' + repository}", "id": tag or digest}
    if found.broken:
        yield {"errorDetail": {"message": found.broken}, "error": found.broken}
        return
    by_digest = f"{repository}@{digest}"
    known = [image for image in engine.state.images.values() if by_digest in image.digests]
    image = known[0] if known else images.add_from_files(engine, by_digest, found.config, found.files)
    if tag and reference not in image.tags:
        images.set_tag(engine, image, reference)
    yield {"status": f"Digest: {digest}"}
    state = "Image is up to date" if known else "Downloaded newer image"
    yield {"status": f"Status: {state} for {reference}"}
