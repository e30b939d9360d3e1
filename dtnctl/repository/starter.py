"""`dtnctl init`: a small site that validates as it is, each line explained, and the schemas that editors read."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from dtnctl.errors import UsageError
from dtnctl.model.schema import SCHEMA_KINDS, schema_of
from dtnctl.repository.write import write_atomically

SCHEMA_FOLDER = ".dtnctl/schema"
LONGEST_NAME = 40
NO_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})  # YAML 1.1 or 1.2 reads these as something else

# The files of starter_site/, a site that validates as it is: these two lines of it become the new site's own.
FILES = (
    "state/site.yaml",
    "state/endpoints/dtn1.yaml",
    "state/endpoints/dtn2.yaml",
    "state/networks/data.yaml",
    "state/profiles/dtn.yaml",
    "state/sessions/example.yaml",
    "state/transfers/example.yaml",
)
EXAMPLES = ("state/sessions/example.yaml", "state/transfers/example.yaml")
NAME_LINE, ID_LINE = "name: starter\n", "id: a00000000000\n"


def schema_text(kind: str) -> str:
    """One JSON Schema as text."""
    return json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n"


def new_identity() -> str:
    """An id for a repository, at random. A letter comes first, so that no YAML reads it as a number."""
    return secrets.choice("abcdef") + secrets.token_hex(6)[1:]


def site_name(folder: str, identity: str) -> str:
    """The folder's name as a site's: what a name may not have becomes a dash. Without one usable character, part of the id."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder).strip("-_")[:LONGEST_NAME].rstrip("-_")
    return name or f"site-{identity[:6]}"


def starter_files(name: str, identity: str) -> dict[str, str]:
    """The starter repository of a site of this name, by a repository of this id: file names and texts."""
    from importlib.resources import files  # not at start-up: plan asks this module for an id alone

    folder = files("dtnctl.repository") / "starter_site"
    texts = {file: (folder / file).read_text(encoding="utf-8") for file in FILES}
    named = texts["state/site.yaml"].replace(NAME_LINE, f"name: {_yaml_text(name)}\n")
    texts["state/site.yaml"] = named.replace(ID_LINE, f"id: {identity}\n")
    return {f"{SCHEMA_FOLDER}/{kind}.json": schema_text(kind) for kind in SCHEMA_KINDS} | texts


def _yaml_text(name: str) -> str:
    """Quoted where YAML may read something else than text."""
    is_plain = name[0].isalpha() and name.lower() not in NO_TEXT
    return name if is_plain else f'"{name}"'


def write_starter(folder: Path, identity: str, more: Mapping[str, str] | None = None) -> list[str]:
    """Writes the starter repository, and further files by name, and returns the names of all. Nothing is overwritten: UsageError instead.

    The site is named after the folder. With the files of CI it has no examples: the first push to main would start their transfer.
    """
    texts = starter_files(site_name(folder.resolve().name, identity), identity)
    kept = {name: text for name, text in texts.items() if not (more and name in EXAMPLES)}
    return write_new(folder, kept | dict(more or {}))


def write_new(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Writes these files, by name, and returns their names. All of them or, where one exists already, none: UsageError."""
    existing = [name for name in texts if (folder / name).exists()]
    if existing:
        raise UsageError(f"nothing is written, because these files exist already: {', '.join(existing)}")
    for name, text in texts.items():
        write_atomically(folder / name, text)
    return list(texts)


def write_schemas(folder: Path, kinds: list[str]) -> list[str]:
    """Writes the schemas of the kinds into the folder and returns the paths."""
    paths = {kind: folder / f"{kind}.json" for kind in kinds}
    for kind, path in paths.items():
        write_atomically(path, schema_text(kind))
    return [str(path) for path in paths.values()]
