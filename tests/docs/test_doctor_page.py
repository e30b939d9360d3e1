"""docs/doctor.md lists the checks as they are."""

from __future__ import annotations

import re

import pytest

from dtnctl.model.checks import CATALOGUE, CHECKS, Check
from hack import doctor_page


def test_page_is_up_to_date() -> None:
    page = doctor_page.PAGE.read_text()
    assert page == doctor_page.render_page(page), "run: python -m hack.doctor_page"


def test_page_has_a_row_for_every_check_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z0-9_.]+)` \|", doctor_page.PAGE.read_text(), re.MULTILINE)
    assert rows == list(CHECKS)
    assert len(CATALOGUE) == len(CHECKS), "no id twice"


@pytest.mark.parametrize("check", CATALOGUE, ids=lambda check: str(check.id))
def test_reason_is_one_sentence_with_a_source(check: Check) -> None:
    assert check.why.endswith(".")
    assert ". " not in check.why
    assert check.source.startswith("https://")
    assert "|" not in check.expects
