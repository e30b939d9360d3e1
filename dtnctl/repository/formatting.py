"""`dtnctl fmt`: every file in its standard text, with the model's order of keys. Never changes what a file says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from dtnctl.errors import ConfigError, Problem, UsageError
from dtnctl.model.layout import fields_at
from dtnctl.model.site import KINDS
from dtnctl.model.site_settings import SiteSettings
from dtnctl.model.source import Source
from dtnctl.model.written import Written
from dtnctl.repository.load import SITE_FILE, SUFFIXES
from dtnctl.repository.source_file import read_source
from dtnctl.repository.write import write_atomically
from dtnctl.repository.yaml_source import parse_source
from dtnctl.repository.yaml_text import Comment, comments_of, format_yaml


def format_files(root: Path, folder: str, paths: Sequence[str], *, write: bool) -> list[str]:
    """Names of the files whose text is not the standard one; with `write` they are rewritten.

    Raises ConfigError, and writes nothing, if a file is not YAML that we read, or would lose something.
    """
    problems: list[Problem] = []
    changed: dict[Path, tuple[str, str]] = {}
    for path in _files(root, folder, paths):
        source = read_source(path, _shown(path, root))
        before = "" if source.problems else path.read_bytes().decode()
        after = before if source.problems else _formatted(before, model_of(path), source)
        problems += source.problems
        if after != before:
            changed[path] = source.file, after
    if problems:
        raise ConfigError(problems)
    if write:
        for path, (_, after) in changed.items():
            write_atomically(path, after)
    return [name for name, _ in changed.values()]


def format_text(text: str, model: type[Written] | None) -> str:
    """The standard text of a readable file; without a model the keys stay in their order."""
    return format_yaml(text, lambda location: list(fields_at(model, location)) if model is not None else [])


def standard_text(text: str, path: Path, file: str) -> str:
    """The standard text of one file. ConfigError if it is not YAML that we read, or would lose something."""
    source = Source(file)
    parse_source(text.encode(), source)
    after = text if source.problems else _formatted(text, model_of(path), source)
    if source.problems:
        raise ConfigError(source.problems)
    return after


def _formatted(before: str, model: type[Written] | None, source: Source) -> str:
    """The standard text, looked at again: should it lose or change anything, that is a problem of the source."""
    after = format_text(before, model)
    again = Source(source.file)
    parse_source(after.encode(), again)
    for comment in _lost(before, after):
        hint = "to move it to a line of its own"
        source.problems.append(Problem(source.file, comment.line + 1, comment.column + 1, "E0123", "this comment cannot be kept", hint))
    if again.problems or again.value != source.value:
        source.problems.append(Problem(source.file, 1, 1, "E0123", "formatting would change what the file says", "a simpler layout"))
    return after


def _lost(before: str, after: str) -> list[Comment]:
    kept = Counter(comment.text for comment in comments_of(after))
    lost = []
    for comment in comments_of(before):
        kept[comment.text] -= 1
        lost += [comment] if kept[comment.text] < 0 else []
    return lost


def _files(root: Path, folder: str, paths: Sequence[str]) -> Iterator[Path]:
    for given in paths or [folder]:
        path = root / given
        if path.is_dir():
            inside = [found for found in sorted(path.rglob("*")) if found.suffix in SUFFIXES and found.is_file()]
            yield from (found for found in inside if not any(part.startswith(".") for part in found.relative_to(path).parts))
        elif path.exists():
            yield path
        else:
            raise UsageError(f"there is no file or folder {given}")


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def model_of(path: Path) -> type[Written] | None:
    """What the file is about, by its folder; a file of no kind keeps its order of keys."""
    if path.name == SITE_FILE and path.parent.name not in KINDS:
        return SiteSettings
    return KINDS.get(path.parent.name)
