"""Counts agree with their nouns: `1 transfer failed`, `8 transfers failed`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import dtnctl
from dtnctl.printable import plural

SOURCES = sorted(Path(dtnctl.__file__).parent.rglob("*.py"))


def _trees() -> Iterator[tuple[Path, ast.AST]]:
    for path in SOURCES:
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def _counted_nouns() -> frozenset[str]:
    """What the program counts: the words that it gives to `plural`. `run` and `end` are left out: a transfer runs, and it ends."""
    calls = (node for _, tree in _trees() for node in ast.walk(tree) if isinstance(node, ast.Call) and len(node.args) == 2)
    words = (call.args[1] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "plural")
    return frozenset(str(word.value).split()[-1] for word in words if isinstance(word, ast.Constant)) - {"run", "end"}


def _fixed_plurals(tree: ast.AST, nouns: frozenset[str]) -> Iterator[str]:
    """`{count} files` in a text: wrong for one. A constant, in capitals, and a name (`{it.session} claims`) are no counts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            for value, after in zip(node.values, node.values[1:], strict=False):
                if isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant):
                    text, expression = str(after.value), ast.unparse(value.value)
                    found = re.match(r" (?:more )?(\w+)s\b", text)
                    if found and found[1] in nouns and not expression.isupper() and not expression.endswith(".session"):
                        yield f"line {node.lineno}: {{{expression}}}{text}"


def test_numbers_before_a_noun_go_through_plural() -> None:
    nouns = _counted_nouns()
    assert {"step", "transfer", "file", "session", "endpoint"} <= nouns
    assert [f"{path.name} {found}" for path, tree in _trees() for found in _fixed_plurals(tree, nouns)] == []


@pytest.mark.parametrize(("count", "text"), [(0, "0 steps"), (1, "1 step"), (2, "2 steps"), (1234, "1,234 steps")])
def test_number_decides_about_the_noun(count: int, text: str) -> None:
    assert plural(count, "step") == text
