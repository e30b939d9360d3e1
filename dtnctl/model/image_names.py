"""Image references as the engine understands them, so that every spelling of one image is judged alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

HUB = "docker.io"
_HUB_HOSTS = frozenset({HUB, "index.docker.io"})
_ID = re.compile(r"(sha256:)?[0-9a-f]+")  # the engine looks up what has this form among the ids of its images, too


@dataclass(frozen=True, slots=True)
class ImageName:
    """`host` and `path` are always there; the engine ignores the tag of a reference that has a digest."""

    host: str
    path: str
    tag: str = ""
    digest: str = ""


def parse_image(text: str) -> ImageName:
    """`[host[:port]/]name[:tag][@digest]` with all that Docker adds: `dtn` is `docker.io/library/dtn:latest`."""
    name, _, digest = text.partition("@")
    first, slash, rest = name.partition("/")
    has_host = bool(slash) and ("." in first or ":" in first or first == "localhost" or first != first.lower())
    host, path = (first, rest) if has_host else (HUB, name)
    path, _, tag = path.partition(":")
    if host in _HUB_HOSTS:
        host, path = HUB, path if "/" in path else f"library/{path}"
    return ImageName(host, path, "" if digest else tag or "latest", digest)


def matches_image(image: str, pattern: str) -> bool:
    """Whether an owner's pattern covers the image. `*` alone is any; else host, path and tag are each matched by themselves.

    A pattern is read as an image's name is: without a host it is Docker Hub's. One that ends in `*` and has no tag covers all tags
    and digests; so does the tag `*`. Something that may be an image's id is covered by `*` alone.
    """
    if pattern == "*":
        return True
    if _ID.fullmatch(image) or not image:
        return False
    found, wanted = parse_image(image), _pattern(pattern)
    if not (fnmatchcase(found.host, wanted.host) and fnmatchcase(found.path, wanted.path)):
        return False
    if found.digest:
        return wanted.tag == "*" or fnmatchcase(found.digest, wanted.digest)
    return fnmatchcase(found.tag, wanted.tag)


def _pattern(text: str) -> ImageName:
    """A first part that has a `*` may stand for a host."""
    first, slash, rest = text.partition("/")
    is_any_host = bool(slash) and "*" in first and "." not in first and ":" not in first
    parsed = parse_image(f"HOST/{rest}" if is_any_host else text)
    is_open = "@" not in text and ":" not in text.rpartition("/")[2] and text.endswith("*")
    return ImageName(first if is_any_host else parsed.host, parsed.path, "*" if is_open else parsed.tag, parsed.digest)
