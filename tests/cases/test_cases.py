"""Each folder here is one intent: its plan must read, byte for byte, as its plan.txt does."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.cases.cases import folders, plan_text
from tests.cases.seen import read_seen


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_the_plan_reads_as_it_was_reviewed(folder: Path) -> None:
    assert plan_text(folder) == (folder / "plan.txt").read_text(encoding="utf-8"), (
        "`python -m tests.cases --update` rewrites it, for review"
    )


@pytest.mark.parametrize("text", ["endpoints: {}", "endpoints: {a: {imges: {}}}", "endpoints: {a: {containers: {one: {ctrl_port: x}}}}"])
def test_a_case_says_only_what_the_form_knows(tmp_path: Path, text: str) -> None:
    (tmp_path / "seen.yaml").write_text(text)
    with pytest.raises(ValidationError):
        read_seen(tmp_path / "seen.yaml")
