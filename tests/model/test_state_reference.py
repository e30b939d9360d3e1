"""docs/state-reference.md is made from the models and up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from hack import state_reference


def test_page_is_up_to_date() -> None:
    assert state_reference.PAGE.read_text() == state_reference.render_page(), "run: python hack/state_reference.py"


def test_stale_page_is_found_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("old\n")
    monkeypatch.setattr(state_reference, "PAGE", page)
    assert state_reference.main(["--check"]) == 1
    assert capsys.readouterr().err == f"{page} is stale; run: python hack/state_reference.py\n"
    assert state_reference.main([]) == 0
    assert state_reference.main(["--check"]) == 0


def test_every_key_of_every_kind_is_on_the_page() -> None:
    rows = [line.split("|")[1].strip() for line in state_reference.render_page().splitlines() if line.startswith("| `")]
    for key in ("`name`", "`docker`", "`driver`", "`data_nets`", "`overrides`", "`from`", "`stall_timeout`", "`soft`", "`password_env`"):
        assert key in rows


def test_schema_of_an_unknown_type_is_a_mistake_and_not_an_empty_cell() -> None:
    with pytest.raises(ValueError, match="no word for fraction"):
        state_reference._simple_kind({"type": "fraction"})
