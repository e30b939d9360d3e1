"""`-o github`, `-o sarif` and `-o junit` of plan and validate, and where they are refused."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.small_site import two_engines
from tests.runtime.program import dtnctl

FORMS = ("github", "sarif", "junit")


def broken(root: Path) -> None:
    (root / "state/sessions/s.yaml").write_text("endpoints: [a, b]\nimage: app:1\nprofile: q\n")


@pytest.mark.parametrize("command", ["validate", "plan", "drift"])
def test_wrong_line_is_marked_by_whatever_command_meets_it(command: str, tmp_path: Path) -> None:
    with two_engines(tmp_path):
        broken(tmp_path)
        ran = {form: dtnctl(tmp_path, command, "-o", form) for form in FORMS}
    assert {result.code for result in ran.values()} == {65}
    assert ran["github"].out.startswith("::error file=state/sessions/s.yaml,line=3,col=")
    (result,) = json.loads(ran["sarif"].out)["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 3
    (case,) = ElementTree.fromstring(ran["junit"].out).iterfind(".//failure")
    assert "state/sessions/s.yaml:3" in (case.text or "")


def test_files_that_are_right_have_no_mark(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        ran = {form: dtnctl(tmp_path, "validate", "-o", form) for form in FORMS}
    assert {result.code for result in ran.values()} == {0}
    assert ran["github"].out == ""
    assert json.loads(ran["sarif"].out)["runs"][0]["results"] == []
    assert ElementTree.fromstring(ran["junit"].out).find(".//failure") is None


def test_plan_is_written_in_the_form_that_the_files_name_asks_for(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        assert dtnctl(tmp_path, "plan", "--out", "plan.sarif").code == 0
        assert dtnctl(tmp_path, "plan", "--out", "plan.xml").code == 0
    assert json.loads((tmp_path / "plan.sarif").read_text())["version"] == "2.1.0"
    assert [suite.get("name") for suite in ElementTree.fromstring((tmp_path / "plan.xml").read_text())] == ["a", "b"]


def test_apply_has_no_marks_and_says_who_has(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        result = dtnctl(tmp_path, "apply", "--yes", "-o", "sarif")
        assert result.code == 64
        assert "try `dtnctl plan -o sarif`" in result.err
        assert dtnctl(tmp_path, "apply", "--dry-run", "-o", "sarif").code == 0
