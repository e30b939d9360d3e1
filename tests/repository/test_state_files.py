"""Taking a change of state files back, and what a command has written while others write, too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dtnctl.errors import UsageError
from dtnctl.repository.state_files import StateChange, changed_since, is_state_file, restore
from dtnctl.repository.write import put
from dtnctl.repository.written import Written, noted_writes
from tests.repository.state_folder import write_state

FIRST, NEW, OTHER = "state/sessions/s.yaml", "state/sessions/new.yaml", "state/transfers/t.yaml"


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in (root / "state").rglob("*.yaml")}


def changed(root: Path, files: dict[str, str | None]) -> StateChange:
    """Write or remove the files."""
    before = contents(root)
    for name, text in files.items():
        put(root / name, text)
    return StateChange("edit", {name: before.get(name) for name in files}, {name: contents(root).get(name) for name in files})


def test_what_was_written_and_removed_is_restored_byte_by_byte(tmp_path: Path) -> None:
    write_state(tmp_path, {"sessions/s.yaml": b"# gr\xc3\xbc\xc3\x9fe\r\nendpoints: [a]\r\n"})
    before = contents(tmp_path)
    change = changed(tmp_path, {FIRST: "endpoints: [b]\n", NEW: "endpoints: [a]\n", OTHER: None})
    assert change.files == (NEW, FIRST, OTHER)
    restore(tmp_path, change)
    assert contents(tmp_path) == before


def test_a_file_that_somebody_changed_since_keeps_all_of_them_as_they_are(tmp_path: Path) -> None:
    write_state(tmp_path)
    change = changed(tmp_path, {FIRST: "endpoints: [b]\n", NEW: "endpoints: [a]\n"})
    (tmp_path / FIRST).write_text("endpoints: [b]  # mine\n")
    now = contents(tmp_path)
    assert changed_since(tmp_path, change) == (FIRST,)
    with pytest.raises(UsageError, match=r"state/sessions/s\.yaml changed since `edit`; nothing was restored"):
        restore(tmp_path, change)
    assert contents(tmp_path) == now


def test_what_others_changed_in_other_files_stays(tmp_path: Path) -> None:
    write_state(tmp_path)
    change = changed(tmp_path, {FIRST: "endpoints: [b]\n"})
    (tmp_path / "state/profiles/p.yaml").write_text("init: true\n")
    restore(tmp_path, change)
    assert (tmp_path / "state/profiles/p.yaml").read_text() == "init: true\n"


def test_files_of_editors_and_others_are_no_state() -> None:
    names = ("state/site.yaml", FIRST, "state/sessions/.s.yaml.swp", "state/.draft/s.yaml", "state/notes.txt", "notes/site.yaml")
    assert [name for name in names if is_state_file(name, "state")] == ["state/site.yaml", FIRST]


# --- what is written ----------------------------------------------------------------------------------------


def test_what_a_process_and_the_ones_it_starts_write_is_noted_and_nothing_else(tmp_path: Path) -> None:
    write_state(tmp_path)
    session, transfer, before = tmp_path / FIRST, tmp_path / OTHER, contents(tmp_path)
    program = f"from pathlib import Path; from dtnctl.repository.write import put; put(Path({str(transfer)!r}), None)"
    with noted_writes() as found:
        put(session, "first\n")
        put(session, "second\n")
        subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
        (tmp_path / "state/profiles/p.yaml").write_text("of another program\n")
    put(session, "later\n")
    assert found == {session: Written(before[FIRST], b"second\n"), transfer: Written(before[OTHER], None)}


def test_what_is_written_and_restored_is_no_change(tmp_path: Path) -> None:
    with noted_writes() as found:
        put(tmp_path / "new.yaml", "text\n")
        put(tmp_path / "new.yaml", None)
    assert found == {}


def test_what_somebody_wrote_between_two_writes_is_what_the_last_one_found(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    with noted_writes() as found:
        put(file, "first\n")
        file.write_text("of another program\n")
        put(file, "second\n")
    assert found == {file: Written(b"of another program\n", b"second\n")}
