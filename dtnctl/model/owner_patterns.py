"""Patterns of a CODEOWNERS file: what is one, and which files it means. Pure.

Sources: GitHub's "About code owners" and gitignore(5). A backslash makes the character after it a plain one: `/my\\ dir/`.
"""

from __future__ import annotations

import re

HINT = "write for example /state/endpoints/dtn1.yaml, /state/profiles/ or *.yaml"
PIECES = re.compile(r"\\.|\*\*/|/\*\*$|\*\*|\*|\?|[^*?]", re.DOTALL)
UNKNOWN = re.compile(r"[\[{}]|\*\*\*|^!|\\(?![ *?#\\])")  # what CODEOWNERS files do not have, and escapes that mean nothing
Places = set[int]  # in a path: how many of its characters are matched


def check_pattern(value: str) -> str:
    """A path as CODEOWNERS files have it; ValueError for what these do not know, and for what matches no file."""
    body = value.removeprefix("/").removesuffix("/")
    if not body or UNKNOWN.search(value) or not value.isprintable():
        raise ValueError(f"{value!r} is no pattern of a CODEOWNERS file; {HINT}")
    if value != value.strip() or any(part in ("", ".", "..") for part in body.split("/")):
        raise ValueError(f"{value!r} matches no file; {HINT}")
    return value


def covers(pattern: str, path: str) -> bool:
    """Whether a pattern means the file; `path` is from the repository's top, without a leading slash.

    Takes time by the product of both lengths, whatever stars there are.
    """
    places: Places = {0}
    if "/" not in pattern.rstrip("/"):
        places = _after("**/", path, places)
    for piece in PIECES.findall(pattern.strip("/")):
        if not places:
            return False
        places = _after(piece, path, places)
    is_below = any(place < len(path) and path[place] == "/" for place in places)
    if pattern.endswith("/"):
        return is_below
    return len(path) in places or (is_below and not pattern.endswith("/*"))


def _after(piece: str, path: str, places: Places) -> Places:
    """Where a piece of a pattern may end that begins at one of the places."""
    match piece:
        case "**/":
            return places | {end for end in range(min(places) + 1, len(path) + 1) if path[end - 1] == "/"}
        case "**":
            return set(range(min(places), len(path) + 1))
        case "/**":
            below = _after("/", path, places)
            return _after("**", path, below) if below else below
        case "*":
            return _within_names(path, places)
        case "?":
            return {place + 1 for place in places if place < len(path) and path[place] != "/"}
        case _:
            return {place + 1 for place in places if path.startswith(piece[-1], place)}


def _within_names(path: str, places: Places) -> Places:
    """The places, and those after them up to the end of the file's or folder's name."""
    found: Places = set()
    is_reached = False
    for place in range(min(places), len(path) + 1):
        is_reached = place in places or (is_reached and path[place - 1] != "/")
        if is_reached:
            found.add(place)
    return found
