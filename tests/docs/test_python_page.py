"""docs/python.md: its examples run as they stand, and print what stands below them; its promise names what there is."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

import dtnctl
from tests.docs.example_repository import example_repository
from tests.docs.pages import CLONE, FENCE

PAGE = (CLONE / "docs/python.md").read_text()


def test_every_example_runs_and_prints_what_stands_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown, printed = "", ""
    with example_repository(tmp_path):
        for block in FENCE.finditer(PAGE):
            if block["language"] == "python":
                output = io.StringIO()
                with contextlib.redirect_stdout(output):
                    exec(compile(block["text"], "docs/python.md", "exec"), names)  # the page's own code
                printed += output.getvalue()
            elif not block["language"]:
                shown += block["text"]
    assert printed == shown
    assert printed.count("\n") > 8, "the page has examples"


def test_events_on_the_page_are_those_that_there_are() -> None:
    rows = re.findall(r"^\| `(\w+)\(", PAGE, re.MULTILINE)
    assert set(rows) == {arm.__name__ for arm in dtnctl.Event.__args__}
    assert set(rows) <= set(dtnctl.__all__)


def test_comments_of_files_that_examples_change_stay(tmp_path: Path) -> None:
    with example_repository(tmp_path):
        client = dtnctl.open_repository(tmp_path)
        client.stop_session("climate")
        with client.changes() as changes:
            changes.set("profiles/dtn", "memory", "6GiB")
    assert (tmp_path / "state/profiles/dtn.yaml").read_text().startswith("# How our data transfer nodes run.\n")
    assert (tmp_path / "state/sessions/climate.yaml").read_text().startswith("# For the climate group.\n")
