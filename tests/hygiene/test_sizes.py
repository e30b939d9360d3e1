"""A function fits on a screen, and a file can be read in one go: what grows beyond that is divided by the jobs that it does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]
PRODUCT = ("dtnctl", "agent")
LONGEST_FUNCTION = 40  # lines, from `def` to its end; decorators do not count
LONGEST_FILE = 450  # lines, of tests too


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        found = sorted((CLONE / folder).rglob("*.py"))
        assert found, f"no Python in {folder}"
        yield from found


def long_functions(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{node.name} has {lines} lines"


@pytest.mark.parametrize("head", ["def f() -> None:\n", "async def f() -> None:\n", "@wrapped\ndef f() -> None:\n"])
def test_a_function_is_long_from_its_41st_line(head: str) -> None:
    assert list(long_functions(head + "    pass\n" * 39)) == []
    assert list(long_functions(head + "    pass\n" * 40)) == ["f has 41 lines"]
    assert list(long_functions("class A:\n    " + head.replace("\n", "\n    ").rstrip(" ") + "        pass\n" * 40)) == ["f has 41 lines"]


def test_no_function_of_the_product_is_longer_than_a_screen() -> None:
    found = [f"{path.relative_to(CLONE)}: {words}" for path in python_files(*PRODUCT) for words in long_functions(path.read_text())]
    assert found == []


def test_no_file_is_too_long_to_be_read_in_one_go() -> None:
    lines = {path.relative_to(CLONE): len(path.read_text().splitlines()) for path in python_files(*PRODUCT, "lab", "hack", "tests")}
    assert {str(path): count for path, count in lines.items() if count > LONGEST_FILE} == {}
