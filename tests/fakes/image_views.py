"""Images as the API shows them."""

from __future__ import annotations

from tests.fakes import configs, filters, images, references
from tests.fakes.clock import SECOND, stamp
from tests.fakes.core import Engine
from tests.fakes.errors import EngineError
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
