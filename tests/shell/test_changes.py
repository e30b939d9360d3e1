"""What a shell has changed: undone only where nobody else changed it, committed without what is others'."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtnctl.cli.shell.changes import Changes, lines_since_commit, noted
from dtnctl.errors import UsageError
from dtnctl.repository.write import put
from tests.repository.branching import commit, git, make_main
from tests.repository.state_folder import SESSION, write_state


def test_a_file_that_another_program_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    root, changes = make_main(tmp_path / "r"), Changes()
    file = root / "state" / SESSION
    before = file.read_text()
    with noted(root, "session stop s", changes):
        put(file, f"{before}state: stopped\n")
    file.write_text(f"{before}state: stopped\nprotect: true\n")
    with pytest.raises(UsageError, match="changed since `session stop s`; nothing was restored"):
        changes.undo(root)
    assert file.read_text().endswith("protect: true\n")
    file.write_text(f"{before}state: stopped\n")
    assert changes.undo(root) == "undone: session stop s (state/sessions/s.yaml)"
    assert file.read_text() == before


def test_what_other_programs_write_while_a_command_runs_is_none_of_its_changes(tmp_path: Path) -> None:
    root, changes = make_main(tmp_path / "r"), Changes()
    others, new = root / "state/transfers/t.yaml", root / "state/sessions/colleague.yaml"
    with noted(root, "session stop s", changes):
        put(root / "state" / SESSION, "mine\n")
        put(root / "notes.txt", "no state\n")
        others.write_text("of a colleague\n")
        new.write_text("of a colleague, too\n")
    assert changes.uncommitted(root) == ["state/sessions/s.yaml"]
    assert changes.undo(root) == "undone: session stop s (state/sessions/s.yaml)"
    assert (others.read_text(), new.read_text()) == ("of a colleague\n", "of a colleague, too\n")


def test_a_file_that_somebody_else_wrote_while_the_command_ran_is_in_no_commit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, changes = make_main(tmp_path / "r"), Changes()
    file = root / "state" / SESSION
    with noted(root, "session stop s", changes):
        put(file, "mine\n")
        file.write_text("mine, and a colleague's\n")
    assert "state/sessions/s.yaml: somebody changed it meanwhile" in capsys.readouterr().err
    assert changes.uncommitted(root) == []
    with pytest.raises(UsageError, match="nothing was restored"):
        changes.undo(root)


def test_what_was_committed_and_undone_is_still_to_be_committed(tmp_path: Path) -> None:
    root, changes = make_main(tmp_path / "r"), Changes()
    git(root, "config", "user.name", "ann")
    git(root, "config", "user.email", "ann@example.net")
    with noted(root, "session create n", changes):
        put(root / "state/sessions/n.yaml", "endpoints: [a]\n")
    changes.commit(root, None)
    assert changes.uncommitted(root) == []
    said = changes.undo(root)
    assert said.splitlines()[1:] == ["HEAD still has what was undone in state/sessions/n.yaml; `commit` commits the files as they are now"]
    assert changes.uncommitted(root) == ["state/sessions/n.yaml"]
    changes.commit(root, "take n back")
    assert git(root, "show", "--name-status", "--format=%s") == "take n back\n\nD\tstate/sessions/n.yaml"


def test_what_is_committed_within_a_command_is_not_listed_as_uncommitted(tmp_path: Path) -> None:
    root, changes = make_main(tmp_path / "r"), Changes()
    with noted(root, "session stop s --commit", changes):
        put(root / "state" / SESSION, "mine\n")
        commit(root, "by the command")
    assert changes.touched == set()
    (root / "state" / SESSION).write_text("of a colleague\n")
    assert changes.uncommitted(root) == []


def test_undo_after_a_run_that_a_lease_ended_says_what_it_does_not_restore(tmp_path: Path) -> None:
    root, changes = make_main(tmp_path / "r"), Changes()
    for text in ("first\n", "second\n"):
        with noted(root, "edit", changes):
            put(root / "state" / SESSION, text)
    changes.note_broken_off()
    with noted(root, "edit", changes):
        put(root / "state" / SESSION, "third\n")
    found = ["may have changed endpoints" in changes.undo(root) for _ in range(3)]
    assert found == [False, True, True]


def test_without_git_all_that_was_changed_is_listed(tmp_path: Path) -> None:
    write_state(tmp_path)
    changes = Changes()
    with noted(tmp_path, "edit", changes):
        put(tmp_path / "state" / SESSION, "mine\n")
    assert changes.uncommitted(tmp_path) == ["state/sessions/s.yaml"]
    assert changes.undo(tmp_path) == "undone: edit (state/sessions/s.yaml)"


def test_without_a_commit_the_last_change_is_still_known(tmp_path: Path) -> None:
    write_state(tmp_path)
    with pytest.raises(UsageError, match=r"what changed since HEAD is not known: .*; `diff last` needs no commit"):
        list(lines_since_commit(tmp_path))


def test_nothing_to_commit_is_said_before_git_is_asked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this shell has changed nothing that is not committed"):
        Changes().commit(make_main(tmp_path / "r"), None)
