"""Files that would declare what was found on hosts: their texts, and writing those that are not there yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dtnctl.errors import UsageError
from dtnctl.model.audit import Draft
from dtnctl.model.site import KINDS
from dtnctl.repository.edit import Repository
from dtnctl.repository.formatting import format_text
from dtnctl.repository.write import write_atomically
from dtnctl.repository.yaml_text import render_scalar


def draft_text(draft: Draft) -> str:
    """The file as `fmt` leaves it, with its notes above."""
    lines = [f"# {note}" for note in draft.notes] + list(_lines(draft.fields, ""))
    return format_text("\n".join(lines) + "\n", KINDS[draft.kind])


def draft_file(draft: Draft, folder: str) -> str:
    """Its name below the repository's root."""
    return f"{folder}/{draft.kind}/{draft.name}.yaml"


def write_drafts(repository: Repository, drafts: Sequence[Draft]) -> tuple[str, ...]:
    """Write all of them, and return their names; none is written if one is there already, or if the site would not be valid with them."""
    names = tuple(draft_file(draft, repository.folder) for draft in drafts)
    paths = [repository.root / name for name in names]
    if there := [name for name, path in zip(names, paths, strict=True) if path.exists()]:
        raise UsageError(f"not written, since {there[0]} is there already; compare it with what is shown above, and edit it")
    written: list[Path] = []
    try:
        for path, draft in zip(paths, drafts, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            written.append(path)
            write_atomically(path, draft_text(draft))
        repository.site()
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return names


def _lines(fields: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in fields.items():
        if isinstance(value, Mapping):
            yield f"{indent}{render_scalar(key)}:"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{render_scalar(key)}: {render_scalar(value)}"
