"""The tools that docs/tools.md declares, read as a site's own files are."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dtnctl.model.declared_tools import DeclaredTool
from tests.docs.pages import CLONE, FENCE
from tests.model.sites import objects

_FILE = re.compile(r"# state/([a-z]+/\w+)\.yaml\n")


def files_of_page() -> Mapping[str, str]:
    """The YAML of the page, by `KIND/NAME`."""
    blocks = [
        match["text"] for match in FENCE.finditer((CLONE / "docs/tools.md").read_text(encoding="utf-8")) if match["language"] == "yaml"
    ]
    return {match[1]: block for block in blocks if (match := _FILE.match(block))}


def tools_of_page() -> Mapping[str, DeclaredTool]:
    """By name."""
    files = {path: text for path, text in files_of_page().items() if path.startswith("tools/")}
    return {name: document.value.declared(name) for name, document in objects(files).tools.items()}
