"""Checks that references to secrets are among those that the site allows: who may change a session need not choose what it gets to see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from dtnctl.errors import Problem
from dtnctl.model.secret_fields import Secret
from dtnctl.model.site import KINDS, Declarations, Document, Location
from dtnctl.model.site_settings import SiteSettings
from dtnctl.model.written import Written

OF_THE_SITE = "endpoints"  # like site.yaml, these say how dtnctl itself logs in


def find_secret_problems(settings: Document[SiteSettings], declared: Declarations) -> list[Problem]:
    """Each reference that no pattern of `secret_references` covers, at its place; none where the site says nothing."""
    patterns = settings.value.secret_references
    if patterns is None:
        return []
    documents = [document for kind in KINDS if kind != OF_THE_SITE for document in getattr(declared, kind).values()]
    return [
        _problem(document, location, settings.where("secret_references"))
        for document in documents
        for location, reference in _references(document.value, ())
        if not any(fnmatchcase(reference, pattern) for pattern in patterns)
    ]


def _references(value: object, at: Location) -> Iterator[tuple[Location, str]]:
    """Every reference in what was written, with its place, whatever field it is in."""
    if isinstance(value, Secret):
        yield (*at, "secret"), value.secret
    elif isinstance(value, Written):
        for name, field in type(value).model_fields.items():
            yield from _references(getattr(value, name), (*at, field.alias or name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _references(item, (*at, key))
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from _references(item, (*at, index))


def _problem(document: Document[Any], location: Location, allowed_at: str) -> Problem:
    mark = document.mark(location)
    text = f"this reference is none of those that the site allows ({allowed_at})"
    return Problem(document.file, mark.line, mark.column, "E0369", text, "another reference, or a pattern for it in site.yaml")
