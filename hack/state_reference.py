"""Writes docs/state-reference.md from the models: `python hack/state_reference.py`. With `--check` it only compares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from dtnctl.model.permission import FIELD_POWERS
from dtnctl.model.schema import SCHEMA_KINDS, schema_of
from dtnctl.model.tools import COMMON_OPTIONS, FILE_OPTIONS, TOOLS, Tool
from dtnctl.model.transfer_options import TransferOptions

PAGE = Path(__file__).parents[1] / "docs" / "state-reference.md"
FILES = {"site": "state/site.yaml"} | {kind: f"state/{kind}s/NAME.yaml" for kind in SCHEMA_KINDS if kind != "site"}
ELSEWHERE = {"ProfileFields": "profile"}  # the same keys but one
HEADINGS = {"Volume": "mount"}  # of a profile; volume is a kind of file
INTRODUCTION = """\
# State reference

Every key of the state files. This page is made from the models by `hack/state_reference.py`; the same words are in the
schemas that `dtnctl schema` prints, and so in your editor.

The folder is the kind, the file's stem is the name, one object a file. Unknown keys are refused. What is wrong is listed with
its place and an [error code](error-codes.md). Sizes are numbers of bytes or `64GiB`, `500MB`; durations are seconds or `30s`,
`5m`, `2h`. Plain `yes`, `no`, `on`, `off` and numbers such as `017` or `22:22` are refused, because readers of YAML do not agree
on them: write `true`, `false`, plain digits, or quotes.

A service gets its settings from the first of these that writes them: the session's `overrides` for its endpoint, the session's
`settings`, the session's own `image` and `user`, its profile, the profile that this one `extends`, and so on, then the defaults
below. `env`, `limits` and `sysctls` are merged key by key; everything else is replaced as a whole.
"""
NEXT = "Next: [error codes](error-codes.md) · [commands](commands.md) · [how it works](how-it-works.md) · [all pages](index.md)\n"


def render_page() -> str:
    """The whole page."""
    sections = [INTRODUCTION]
    shown = set(ELSEWHERE)
    for kind in SCHEMA_KINDS:
        schema = schema_of(kind)
        sections.append(_section(kind, 2, {**schema, "description": f"`{FILES[kind]}`: {schema['description']}"}))
        for name, definition in sorted(schema.get("definitions", {}).items()):
            if name not in shown:
                shown.add(name)
                sections.append(_section(_heading(name), 3, definition))
    sections += [_tools(), _powers(), NEXT]
    return "\n".join(sections)


def _tools() -> str:
    """What each tool moves, needs and can be asked for."""
    shared = [item.name for item in fields(TransferOptions) if item.name not in (*COMMON_OPTIONS, *FILE_OPTIONS)]
    rows = (
        f"| `{row.name}` | {row.moves} | {' and '.join(row.logs_in_at) or 'no'} | {row.ports} "
        f"| {', '.join(f'`{name}`' for name in shared if row.takes(name)) or '-'} | {_own_text(row)} |\n"
        for row in TOOLS.values()
    )
    files, common = (", ".join(f"`{name}`" for name in names if name != "own") for names in (FILE_OPTIONS, COMMON_OPTIONS))
    head = "| Tool | Moves | Logs in by ssh at | Data ports | Options | Its own, under `options:` |\n|---|---|---|---|---|---|\n"
    return f"### tools and their options\n\nEvery tool has {common}; every one that copies files {files}.\n\n{head}{''.join(rows)}"


def _own_text(row: Tool) -> str:
    if row.own is None:
        return "-"
    properties = TypeAdapter(row.own).json_schema()["properties"]
    return "; ".join(f"`{name}` ({_default(field)}): {field.get('description', '')}" for name, field in properties.items())


def _powers() -> str:
    """Which key of `allow:` covers which field of a profile."""
    rows = (
        f"| `{name}` | {power.power} | {' '.join([*(f'`{key}`' for key in power.keys), power.why]).strip()} |\n"
        for name, power in FIELD_POWERS.items()
    )
    head = "| Key of a profile | Power over the host | Keys of `allow:` that cover it, or why none does |\n|---|---|---|\n"
    return f"## what a profile may ask of a host\n\n[What an owner should know](allow.md) is on a page of its own.\n\n{head}{''.join(rows)}"


def _section(title: str, level: int, schema: dict[str, Any]) -> str:
    text = f"{schema['description']}\n\n" if "description" in schema else ""
    rows = (_row(name, field, name in schema.get("required", ())) for name, field in schema["properties"].items())
    return f"{'#' * level} {title}\n\n{text}| Key | Value | Default | Meaning |\n|---|---|---|---|\n" + "".join(rows)


def _row(name: str, field: dict[str, Any], is_required: bool) -> str:
    kinds = list(dict.fromkeys(_kinds(field)))
    if field.get("default", ...) is None:  # then null is the same as leaving the key out
        kinds = [kind for kind in kinds if kind != "`null`"]
    default = "**required**" if is_required else _default(field)
    return f"| `{name}` | {' or '.join(kinds)} | {default} | {field.get('description', '')} |\n"


def _kinds(field: dict[str, Any]) -> Iterator[str]:
    """What may stand there, in words."""
    if "$comment" in field:
        yield field["$comment"]
    elif arms := field.get("anyOf") or field.get("oneOf") or field.get("allOf"):
        for arm in arms:
            yield from _kinds(arm)
    elif "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        title = ELSEWHERE.get(name, _heading(name))
        yield f"[{title}](#{title.replace(' ', '-')})"
    elif "enum" in field or "const" in field:
        yield ", ".join(f"`{_yaml(value)}`" for value in field.get("enum") or [field["const"]])
    else:
        yield _simple_kind(field)


def _simple_kind(field: dict[str, Any]) -> str:
    match field["type"]:
        case "array":
            return f"list of {_inner(field['items'])}"
        case "object":
            return f"mapping to {_inner(field['additionalProperties'])}"
        case "integer":
            return f"whole number{_bounds(field)}"
        case "number":
            return "number"
        case "boolean":
            return "`true`, `false`"
        case "null":
            return "`null`"
        case "string":
            return "text"
        case other:
            raise ValueError(f"no word for {other}")


def _inner(field: dict[str, Any]) -> str:
    kinds = list(dict.fromkeys(_kinds(field)))
    return kinds[0] if len(kinds) == 1 else f"({' or '.join(kinds)})"


def _bounds(field: dict[str, Any]) -> str:
    match field.get("minimum"), field.get("maximum"):
        case None, None:
            return ""
        case low, None:
            return f" from {low}"
        case low, high:
            return f" {low} to {high}"


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    if isinstance(value, dict):
        value = value["name"]
    if value in (None, [], {}):
        return ""
    return f"`{value:g}s`" if isinstance(value, float) else f"`{_yaml(value)}`"


def _yaml(value: object) -> str:
    match value:
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case int() if value >= 1024**2:
            return f"{value // 1024**3}GiB" if value % 1024**3 == 0 else f"{value // 1024**2}MiB"
        case _:
            return str(value)


def _heading(name: str) -> str:
    """`ProfileFields` as words: profile fields."""
    return HEADINGS.get(name) or "".join(f" {char.lower()}" if char.isupper() else char for char in name).strip()


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` tell whether it is up to date."""
    page = render_page()
    if "--check" in arguments:
        if PAGE.read_text(encoding="utf-8") == page:
            return 0
        sys.stderr.write(f"{PAGE} is stale; run: python hack/state_reference.py\n")
        return 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
