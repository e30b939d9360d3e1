"""The files that come with the pages, read once: scripts, styles, the icon. Each with a digest, so that a browser asks only once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from dtnctl.render.pictures.style import STYLE

PICTURES = "pictures.css"  # how pictures look, which is theirs to say
KINDS: Mapping[str, str] = {
    "page.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    PICTURES: "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "uplot.js": "text/javascript; charset=utf-8",
    "uplot.css": "text/css; charset=utf-8",
    "uplot-LICENSE.txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file with its media type and its digest in quotes, as ETag has it."""

    content: bytes
    kind: str
    tag: str


def static_files() -> Mapping[str, StaticFile]:
    """All that is served, by name; nothing else is, whatever is asked for."""
    folder = files("dtnctl.web") / "static"
    contents = {name: STYLE.encode() if name == PICTURES else (folder / name).read_bytes() for name in KINDS}
    return {name: StaticFile(content, KINDS[name], f'"{hashlib.sha256(content).hexdigest()[:16]}"') for name, content in contents.items()}
