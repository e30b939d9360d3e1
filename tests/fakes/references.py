"""Image names as people write them: normal forms, splitting, and the identifiers that stand beside them."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.fakes.errors import EngineError

DOCKER_HUB = "registry-1.docker.io"
DOMAIN = re.compile(r"^(index\.)?docker\.io/")
TAG = re.compile(r"^[\w][\w.-]{0,127}$")
REPOSITORY = re.compile(r"^[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]+(?=/))?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$")


def split(reference: str) -> tuple[str, str, str]:
    """(repository, tag, digest) in the short form that the engine shows; tag and digest may be empty."""
    name, _, digest = reference.partition("@")
    name = DOMAIN.sub("", name)
    name = name.removeprefix("library/")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        return name, "", digest
    return repository, tag, digest


def normal(reference: str) -> str:
    """The reference with `:latest` where neither tag nor digest is given."""
    repository, tag, digest = split(reference)
    if digest:
        return f"{repository}@{digest}"
    return f"{repository}:{tag or 'latest'}"


def require_valid(reference: str, refuse: Callable[[str], EngineError]) -> None:
    """Raise what `refuse` makes of the engine's sentence when this is no image name."""
    repository, tag, _ = split(reference)
    if repository != repository.lower():
        raise refuse("invalid reference format: repository name must be lowercase")
    if not REPOSITORY.match(repository) or (tag and not TAG.match(tag)):
        raise refuse("invalid reference format")


def registry_of(repository: str) -> str:
    """The registry that a repository name points to."""
    first, slash, _ = repository.partition("/")
    return first if slash and (first == "localhost" or "." in first or ":" in first) else DOCKER_HUB
