"""All state files at one moment, and taking a change back."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtnctl.errors import UsageError
from dtnctl.repository.state_files import StateChange, change_between, read_contents, restore
from tests.repository.state_folder import write_state

FIRST = "state/sessions/s.yaml"


def changed(root: Path, files: dict[str, str | None]) -> StateChange:
    """Write or remove the files."""
    before = read_contents(root, "state")
    for name, text in files.items():
        if text is None:
            (root / name).unlink()
        else:
            (root / name).write_text(text)
    change = change_between("edit", before, read_contents(root, "state"))
    assert change is not None
    return change


def test_what_was_written_and_removed_is_restored_byte_by_byte(tmp_path: Path) -> None:
    write_state(tmp_path, {"sessions/s.yaml": b"# gr\xc3\xbc\xc3\x9fe\r\nendpoints: [a]\r\n"})
    before = read_contents(tmp_path, "state")
    change = changed(tmp_path, {FIRST: "endpoints: [b]\n", "state/sessions/new.yaml": "endpoints: [a]\n", "state/transfers/t.yaml": None})
    assert change.files == ("state/sessions/new.yaml", FIRST, "state/transfers/t.yaml")
    restore(tmp_path, "state", change)
    assert read_contents(tmp_path, "state") == before


def test_a_file_that_somebody_changed_since_keeps_all_of_them_as_they_are(tmp_path: Path) -> None:
    write_state(tmp_path)
    change = changed(tmp_path, {FIRST: "endpoints: [b]\n", "state/sessions/new.yaml": "endpoints: [a]\n"})
    (tmp_path / FIRST).write_text("endpoints: [b]  # mine\n")
    now = read_contents(tmp_path, "state")
    with pytest.raises(UsageError, match=r"state/sessions/s\.yaml changed since `edit`; nothing was restored"):
        restore(tmp_path, "state", change)
    assert read_contents(tmp_path, "state") == now


def test_what_others_changed_in_other_files_stays(tmp_path: Path) -> None:
    write_state(tmp_path)
    change = changed(tmp_path, {FIRST: "endpoints: [b]\n"})
    (tmp_path / "state/profiles/p.yaml").write_text("init: true\n")
    restore(tmp_path, "state", change)
    assert (tmp_path / "state/profiles/p.yaml").read_text() == "init: true\n"


def test_nothing_changed_is_no_change_and_other_files_are_no_state(tmp_path: Path) -> None:
    write_state(tmp_path)
    before = read_contents(tmp_path, "state")
    (tmp_path / "state/sessions/.s.yaml.swp").write_text("an editor's")
    (tmp_path / "state/notes.txt").write_text("somebody's")
    assert change_between("x", before, read_contents(tmp_path, "state")) is None
