"""Providers of paths that an earlier commit had and the files have no more, with the paths that were asked of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dtnctl.errors import UsageError
from dtnctl.model.path_files import PathProvider
from dtnctl.repository.git_objects import run_git
from dtnctl.repository.load import SITE_FILE
from dtnctl.repository.state_at import files_at


@dataclass(frozen=True, slots=True)
class FormerProvider:
    """`entry` is its line in `path_providers` of site.yaml, as that commit has it."""

    name: str
    entry: str
    paths: tuple[str, ...]


def former_providers(
    root: Path, folder: str, commit: str, present: Mapping[str, PathProvider], networks: Collection[str]
) -> tuple[FormerProvider, ...]:
    """Those that are not `present` and of which a commit has paths below these networks; none of a commit that Git does not have.

    One that has another name now, but is asked at the same address, is present. Paths that a later commit gave to one that is present are
    left out.
    """
    prefix = run_git(root, "rev-parse", "--show-prefix")
    written = run_git(root, "show", f"{commit}:{prefix}{folder}/{SITE_FILE}", codes=(0, 128))
    entries = _mapping(_mapping(_read(written)).get("path_providers"))
    gone = {name: entry for name, entry in entries.items() if not _is_present(name, _mapping(entry), present)}
    providers = _providers(root, folder, commit, networks) if gone else {}
    lost = {path: of for path, of in providers.items() if of in gone and present.keys().isdisjoint(_later(root, folder, commit, path))}
    found = (FormerProvider(name, _line(name, gone[name]), tuple(path for path, of in lost.items() if of == name)) for name in gone)
    return tuple(item for item in found if item.paths)


def _is_present(name: str, entry: Mapping[str, Any], present: Mapping[str, PathProvider]) -> bool:
    asked = (entry.get("kind"), str(entry.get("url")).rstrip("/"))
    return name in present or any((item.kind, item.url) == asked for item in present.values())


def _later(root: Path, folder: str, commit: str, path: str) -> Iterator[str]:
    """The providers that the path had since that commit."""
    prefix, name = run_git(root, "rev-parse", "--show-prefix"), f"{folder}/paths/{path}.yaml"
    for later in run_git(root, "rev-list", f"{commit}..HEAD", "--", name).split():
        written = run_git(root, "show", f"{later}:{prefix}{name}", codes=(0, 128))  # 128: the commit that removes it
        yield str(_mapping(_read(written)).get("provider"))


def _providers(root: Path, folder: str, commit: str, networks: Collection[str]) -> dict[str, str]:
    """By path below one of these networks, its provider."""
    try:
        files = files_at(root, folder, commit)
    except UsageError:  # a partial clone
        return {}
    read = {name: _mapping(_read(content.decode(errors="replace"))) for name, content in files.items()}
    paths = {str(read.get(f"networks/{name}.yaml", {}).get("path")) for name in networks}
    return {path: str(read[f"paths/{path}.yaml"].get("provider")) for path in sorted(paths) if f"paths/{path}.yaml" in read}


def _read(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _line(name: str, entry: Any) -> str:
    return yaml.safe_dump({name: entry}, default_flow_style=True, width=10_000, sort_keys=False).strip()[1:-1]
