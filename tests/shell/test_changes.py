"""What a shell has changed: undone only where nobody else changed it, committed without what is others'."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtnctl.cli.shell.changes import Changes, lines_since_commit, noted
from dtnctl.errors import UsageError
from tests.repository.branching import make_main
from tests.repository.state_folder import SESSION, write_state


def test_a_file_that_another_program_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    root, changes = make_main(tmp_path / "r"), Changes()
    file = root / "state" / SESSION
    before = file.read_text()
    with noted(root, "session stop s", changes):
        file.write_text(f"{before}state: stopped\n")
    file.write_text(f"{before}state: stopped\nprotect: true\n")
    with pytest.raises(UsageError, match="changed since `session stop s`; nothing was restored"):
        changes.undo(root)
    assert file.read_text().endswith("protect: true\n")
    file.write_text(f"{before}state: stopped\n")
    assert changes.undo(root).command == "session stop s"
    assert file.read_text() == before


def test_without_a_commit_the_last_change_is_still_known(tmp_path: Path) -> None:
    write_state(tmp_path)
    with pytest.raises(UsageError, match=r"what changed since HEAD is not known: .*; `diff last` needs no commit"):
        list(lines_since_commit(tmp_path))


def test_nothing_to_commit_is_said_before_git_is_asked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this shell has changed nothing that is not committed"):
        Changes().commit(make_main(tmp_path / "r"), None)
