"""A client of one Docker engine from its few facts, for tests: dtnctl itself makes clients of a whole site."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, overload

from dtnctl.model.site import Endpoint
from dtnctl.model.site_settings import Registry
from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.docker.engine import DockerEngine, DockerObserver
from dtnctl.providers.timeouts import Timeouts


@overload
def connect(
    name: str,
    endpoint: Endpoint,
    *,
    site: str,
    registries: Mapping[str, Registry],
    read_only: Literal[True],
    root: Path,
    timeouts: Timeouts = ...,
    repository: str = ...,
    unlabelled: bool = ...,
) -> DockerObserver: ...
@overload
def connect(
    name: str,
    endpoint: Endpoint,
    *,
    site: str,
    registries: Mapping[str, Registry],
    read_only: Literal[False],
    root: Path,
    timeouts: Timeouts = ...,
    repository: str = ...,
    unlabelled: bool = ...,
) -> DockerEngine: ...
def connect(
    name: str,
    endpoint: Endpoint,
    *,
    site: str,
    registries: Mapping[str, Registry],
    read_only: bool,
    root: Path,
    timeouts: Timeouts = Timeouts(),  # noqa: B008  a frozen value
    repository: str = "",
    unlabelled: bool = True,
) -> DockerObserver | DockerEngine:
    """The provider of an endpoint: an observer if it may only read, else an engine. Does no I/O."""
    kind = DockerObserver if read_only else DockerEngine
    return kind(EndpointAccess(name, endpoint, site, registries, root, timeouts, repository, unlabelled))
