"""docs/reliability.md: every test that it names exists, and every row names one."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.pages import CLONE

PAGE = CLONE / "docs/reliability.md"
ROWS = re.findall(r"^\| (\d+) \| (.+) \| (.+) \| (.+) \|$", PAGE.read_text(), flags=re.MULTILINE)
TEST = re.compile(r"`([\w/-]+\.py)::(\w+)`")


@pytest.mark.parametrize("row", ROWS, ids=[number for number, *_ in ROWS])
def test_each_row_names_tests_that_exist(row: tuple[str, str, str, str]) -> None:
    number, _, own, siblings = row
    assert TEST.search(own), f"{number} has no test"
    for file, name in TEST.findall(own + siblings):
        path = CLONE / "tests" / file
        assert path.is_file(), f"{number}: there is no {file}"
        assert name in {item.name for item in ast.walk(ast.parse(path.read_text())) if isinstance(item, ast.FunctionDef)}, (
            f"{number}: {file}::{name}"
        )
