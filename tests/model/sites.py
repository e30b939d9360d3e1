"""A site in memory, written as the files that it would be, and what the checks between files say about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dtnctl.model.bound_paths import only_vlans, over_paths
from dtnctl.model.bound_tools import by_declared_tools
from dtnctl.model.site import KINDS, Document
from dtnctl.model.source import Source
from dtnctl.model.validation.references import find_reference_problems
from dtnctl.repository.load import validate
from dtnctl.repository.yaml_source import parse_source

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass
class Objects:
    endpoints: dict[str, Document[Any]] = field(default_factory=dict)
    networks: dict[str, Document[Any]] = field(default_factory=dict)
    profiles: dict[str, Document[Any]] = field(default_factory=dict)
    sessions: dict[str, Document[Any]] = field(default_factory=dict)
    transfers: dict[str, Document[Any]] = field(default_factory=dict)
    tools: dict[str, Document[Any]] = field(default_factory=dict)
    volumes: dict[str, Document[Any]] = field(default_factory=dict)
    paths: dict[str, Document[Any]] = field(default_factory=dict)


HOST = "docker: ssh://dtn@h.example.net\ninterfaces: {data: eth1}\n"
DATA = "driver: macvlan\nsubnet: 10.0.0.0/24\ngateway: 10.0.0.1\n"


def objects(files: Mapping[str, str]) -> Objects:
    """The objects of `kind/name: text`. Every file must be valid by itself."""
    found = Objects()
    for path, text in sorted(files.items()):
        kind, _, name = path.partition("/")
        source = Source(f"{path}.yaml")
        parse_source(text.encode(), source)
        value = validate(source, KINDS[kind])
        assert value is not None, [str(problem) for problem in source.problems]
        getattr(found, kind)[name] = Document(name, source.file, value, source.marks)
    found.transfers = by_declared_tools(found.transfers, found.tools)
    found.networks = over_paths(found.networks, found.paths, only_vlans(found.paths))
    return found


def problems(files: Mapping[str, str], **broken: set[str]) -> list[str]:
    """What is wrong between two endpoints `a` and `b`, a macvlan network `data`, and the given files."""
    base = {"endpoints/a": HOST, "endpoints/b": HOST, "networks/data": DATA}
    return [str(problem) for problem in find_reference_problems(objects({**base, **files}), NOW, broken)]
