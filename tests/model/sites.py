"""A site in memory, written as the files that it would be, and what the checks between files say about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dtnctl.model.site import KINDS, Declarations, Document
from dtnctl.model.source import Source
from dtnctl.model.validation.references import find_reference_problems
from dtnctl.repository.load import declared_by, validate
from dtnctl.repository.yaml_source import parse_source

NOW = datetime(2026, 6, 1, tzinfo=UTC)


HOST = "docker: ssh://dtn@h.example.net\ninterfaces: {data: eth1}\n"
DATA = "driver: macvlan\nsubnet: 10.0.0.0/24\ngateway: 10.0.0.1\n"


def objects(files: Mapping[str, str]) -> Declarations:
    """The objects of `kind/name: text`. Every file must be valid by itself."""
    found: dict[str, dict[str, Document[Any]]] = {kind: {} for kind in KINDS}
    for path, text in sorted(files.items()):
        kind, _, name = path.partition("/")
        source = Source(f"{path}.yaml")
        parse_source(text.encode(), source)
        value = validate(source, KINDS[kind])
        assert value is not None, [str(problem) for problem in source.problems]
        found[kind][name] = Document(name, source.file, value, source.marks)
    return declared_by(found)


def problems(files: Mapping[str, str], **broken: set[str]) -> list[str]:
    """What is wrong between two endpoints `a` and `b`, a macvlan network `data`, and the given files."""
    base = {"endpoints/a": HOST, "endpoints/b": HOST, "networks/data": DATA}
    return [str(problem) for problem in find_reference_problems(objects({**base, **files}), NOW, broken)]
