"""Image names as people write them: normal forms, splitting, and the identifiers that stand beside them."""

from __future__ import annotations

import re

DOMAIN = re.compile(r"^(index\.)?docker\.io/")
TAG = re.compile(r"^[\w][\w.-]{0,127}$")
REPOSITORY = re.compile(r"^[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$")
HEX = re.compile(r"^[0-9a-f]{1,64}$")


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


def is_valid(reference: str) -> bool:
    repository, tag, _ = split(reference)
    return bool(REPOSITORY.match(repository)) and (not tag or bool(TAG.match(tag)))


def is_id_prefix(image_id: str, term: str) -> bool:
    """Whether `term` begins this image's id, with or without `sha256:`."""
    digits = term.removeprefix("sha256:")
    return bool(HEX.match(digits)) and image_id.removeprefix("sha256:").startswith(digits)
