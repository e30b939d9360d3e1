"""Images as the API shows them."""

from __future__ import annotations

from tests.fakes import configs, images
from tests.fakes.clock import stamp
from tests.fakes.core import Engine
from tests.fakes.errors import EngineError
from tests.fakes.state import Json


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
