"""The table of plan kinds: complete, and the only list of them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import dtnctl
from dtnctl.model.kinds import KIND_OF_LABEL, PLAN_KINDS, ChangeKind

SOURCES = sorted(Path(dtnctl.__file__).parent.rglob("*.py"))
JSON_PAGE = Path(dtnctl.__file__).parents[1] / "docs" / "json.md"
LISTS = (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Subscript)


def _words(node: ast.AST) -> set[str]:
    return {str(item.value) for item in ast.walk(node) if isinstance(item, ast.Constant) and isinstance(item.value, str)}


def test_every_kind_has_a_row() -> None:
    assert set(PLAN_KINDS) == set(get_args(ChangeKind))


def test_no_other_file_lists_the_kinds_that_only_agents_make() -> None:
    found = {
        str(path.relative_to(Path(dtnctl.__file__).parent))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, LISTS) and {"vfs", "vlan", "tuning"} <= _words(node)
    }
    assert found == {"model/kinds.py"}


def test_label_of_a_container_names_one_kind() -> None:
    assert KIND_OF_LABEL == {"service": "session", "transfer": "transfer"}


def test_page_on_json_names_every_kind_and_every_count() -> None:
    page = JSON_PAGE.read_text()
    lines = [line for line in page.splitlines() if line.startswith("| `changes[].kind` |")]
    assert [kind for kind in PLAN_KINDS for line in lines[:1] if f"`{kind}`" not in line] == []
    assert all(f"`summary.{row.plural.lower()}`" in page for row in PLAN_KINDS.values() if row.counted != "not")
