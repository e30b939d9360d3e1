"""`dtnctl shell` with lines from a pipe: the talk's words, files that change, plans that are shown, and where a script ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shell.scripts import ShellSite, shell_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ShellSite]:
    with shell_site(tmp_path) as made:
        yield made


def test_places_of_the_tree_are_walked_as_in_the_talk(site: ShellSite) -> None:
    ran = site.script("cd active", "ls", "cd 1", "pwd", "ls", "cd services", "ls", "cd ../../s/request", "ls", "cd", "pwd")
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[0] == "1: ABSENT       (['a', 'b'], app:1)  s, declared started"
    assert lines[1:8] == ["/active/1", "uid: small.s", "user: a", "state: ABSENT", "allocations/", "services/", "request/"]
    assert {"a/", "b/", "file: state/sessions/s.yaml", "profile: p"} <= set(lines)
    assert lines[-1] == "/"


def test_a_session_is_created_started_and_applied_by_its_number(site: ShellSite) -> None:
    ran = site.script("session create a image app:1 profile p name second", "session start 2", "apply --yes", "ls active")
    assert ran.returncode == 0, ran.stderr
    assert 'Initialized new session with id "2" (state/sessions/second.yaml)' in ran.stdout
    assert 'Starting session "2"' in ran.stdout
    assert ran.stdout.count("VERDICT") == 3, "the plan after each change, and apply's own"
    assert ran.stdout.endswith("1: STARTED      (['a', 'b'], app:1)  s\n2: STARTED      (['a'], app:1)  second\n")
    assert site.containers("a") == {"small.s", "small.second"}
    assert "state: started" in site.text("sessions/second.yaml")


def test_comments_stay_when_a_session_is_stopped(site: ShellSite) -> None:
    file = site.root / "state/sessions/s.yaml"
    file.write_text("# for the demo\nendpoints: [a, b]  # both\nimage: app:1\nprofile: p\n")
    assert site.script("session stop s").returncode == 0
    assert file.read_text() == "# for the demo\nendpoints: [a, b]  # both\nimage: app:1\nprofile: p\nstate: stopped\n"


def test_transfers_are_declared_and_listed_in_the_talks_words(site: ShellSite) -> None:
    (site.root / "state/profiles/p.yaml").write_text("pull: never\nvolumes: ['/data:/data']\n")
    ran = site.script("transfer a:/data/1T b:/data/1T rsync", "show transfers", "show transfers log 1", "pwd")
    assert "Found suitable existing session 1\n" in ran.stdout
    assert "1:      (a -> b [rsync])  1T, pending\n" in ran.stdout
    assert "session: s" in site.text("transfers/1T.yaml")
    assert "line 3 of the script failed" in ran.stderr, "it has written nothing yet"


def test_words_of_dtnctl_are_typed_without_it_and_with_it(site: ShellSite) -> None:
    ran = site.script("validate", "dtnctl validate", "sessions show 1", "plan --target session/1 --brief", "ls active -o json")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("ok: 5 files") == 2
    assert "dtnctl plan --target session/s" in ran.stdout
    assert '"kind": "listing"' in ran.stdout


# --- where a script ends ------------------------------------------------------------------------------------


def test_a_script_stops_at_the_first_line_that_fails_with_its_code(site: ShellSite) -> None:
    ran = site.script("# what follows was written for success", "", "session stop clmate", "apply --yes")
    assert ran.returncode == 64
    assert "there is no session clmate" in ran.stderr
    assert "dtnctl: line 3 of the script failed, the rest was not run: session stop clmate" in ran.stderr
    assert site.containers("a") == set()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lss", "there is no command `lss`"),
        ("cd active/7", "there is no 7 in /active; try `1`"),
        ("cd active/1/state", "/active/1/state is a field; try `ls /active/1/state`"),
        ("ls a b", "ls [PATH] takes one word; a b are 2"),
        ("pwd now", "pwd takes no words"),
        ("session start 7", "there is no session 7; there are: s"),
        ("session stop 's", "no closing quotation; close the quotes"),
        ("commit -m two words", "put quotes around a message"),
        ("diff first", "diff first is not understood; try `diff`, or `diff last`"),
        ("watch ls active", "watch needs a terminal"),
        ("undo", "nothing has been changed in this shell that could be undone"),
        ("commit", "this shell has changed nothing that is not committed"),
        ("diff last", "nothing has been changed in this shell since it began"),
        ("apply", "no terminal to ask on; pass --yes"),
    ],
)
def test_mistakes_are_explained(site: ShellSite, line: str, message: str) -> None:
    ran = site.script(line)
    assert (ran.returncode, message in ran.stderr) == (64, True), ran.stderr


def test_exit_ends_a_script_before_its_end(site: ShellSite) -> None:
    ran = site.script("pwd", "exit", "lss")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "/\n", "")


def test_a_command_never_reads_the_script(site: ShellSite) -> None:
    ran = site.script("plan --target -", "pwd")
    assert "/\n" in ran.stdout


def test_lines_are_shown_where_that_is_asked_for(site: ShellSite) -> None:
    ran = site.script("cd active", "pwd", options=("--echo",))
    assert ran.stdout == "dtnctl> cd active\ndtnctl> pwd\n/active\n"


def test_without_a_site_the_shell_says_how_to_get_one(site: ShellSite, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    ran = ShellSite(tmp_path / "nothing", site.world).script("pwd")
    assert (ran.returncode, "there is no state/site.yaml" in ran.stderr) == (65, True)


def test_it_works_from_a_folder_below_the_root(site: ShellSite) -> None:
    ran = ShellSite(site.root / "state", site.world)
    (site.root / "script").unlink(missing_ok=True)
    done = ran.script("session stop s", "diff")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("dtnctl: in ") == 1


# --- what was changed ---------------------------------------------------------------------------------------


def test_changes_are_shown_by_field_and_undone(site: ShellSite) -> None:
    before = site.text("sessions/s.yaml")
    ran = site.script("session stop 1", "diff", "diff last", "undo", "diff")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("state/sessions/s.yaml:4: state (not written) → stopped\n") == 2
    assert "undone: session stop s (state/sessions/s.yaml)\n" in ran.stdout
    assert ran.stdout.endswith("nothing differs from HEAD\n")
    assert site.text("sessions/s.yaml") == before


def test_undo_takes_back_one_change_after_the_other(site: ShellSite) -> None:
    ran = site.script("session create a image app:1 name n", "session start n", "undo", "undo", "validate", "undo")
    assert ran.returncode == 64
    assert "nothing has been changed in this shell that could be undone" in ran.stderr
    assert not (site.root / "state/sessions/n.yaml").exists()


def test_undo_after_apply_is_refused_since_endpoints_have_changed(site: ShellSite) -> None:
    ran = site.script("session stop s", "apply --yes", "undo")
    assert (ran.returncode, "apply ran after the last change" in ran.stderr) == (64, True), ran.stderr
    assert "state: stopped" in site.text("sessions/s.yaml")


def test_where_numbers_cannot_be_kept_none_moves_to_another_session(site: ShellSite) -> None:
    created = ("session create a image app:1 name zeta", "ls active", "session create a image app:1 name alpha", "session start 2")
    ran = site.script(*created, XDG_STATE_HOME="/dev/null/none")
    assert (ran.returncode, "2 is no number of one of the sessions" in ran.stderr) == (64, True), ran.stderr
    assert "use names: alpha, zeta" in ran.stderr
    assert 'Initialized new session "zeta"' in ran.stdout
    assert "zeta: ABSENT " in ran.stdout
    assert "started" not in site.text("sessions/alpha.yaml") + site.text("sessions/zeta.yaml")


def test_a_list_as_json_is_of_the_place_where_the_shell_stands(site: ShellSite) -> None:
    ran = site.script("cd active/1", "ls -o json")
    assert '"path": "/active/1"' in ran.stdout, ran.stderr


def test_files_that_others_save_while_a_command_runs_are_not_undone(site: ShellSite) -> None:
    site.git("config", "core.hooksPath", "hooks")
    hook = site.root / "hooks/pre-commit"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\necho '# of a colleague' >>state/profiles/p.yaml\n")
    hook.chmod(0o755)
    ran = site.script("session stop s --apply --yes --commit", "session start s", "undo", "commit")
    assert "HEAD still has" not in ran.stdout
    assert (ran.returncode, "this shell has changed nothing that is not committed" in ran.stderr) == (64, True), ran.stderr
    assert site.git("status", "--porcelain", "state") == "M state/profiles/p.yaml"


def test_what_was_committed_and_is_undone_is_said_and_can_be_committed(site: ShellSite) -> None:
    ran = site.script("session create a image app:1 name n --commit", "undo", "commit", "diff")
    assert ran.returncode == 0, ran.stderr
    assert "HEAD still has what was undone in state/sessions/n.yaml" in ran.stdout
    assert ran.stdout.endswith("nothing differs from HEAD\n")
    assert site.git("show", "--name-status", "--format=").split() == ["D", "state/sessions/n.yaml"]


def test_undo_stays_possible_when_apply_was_refused(site: ShellSite) -> None:
    assert site.script("session stop s", "apply --dry-run", "undo").returncode == 0
    assert "stopped" not in site.text("sessions/s.yaml")


def test_a_commit_has_what_the_shell_changed_and_nothing_else(site: ShellSite) -> None:
    (site.root / "state/profiles/p.yaml").write_text("pull: never\n# somebody else's\n")
    ran = site.script("session stop 1", "session create a image app:1 name n", "commit", "diff")
    assert ran.returncode == 0, ran.stderr
    assert "committed state/sessions/n.yaml, state/sessions/s.yaml as " in ran.stdout
    assert site.git("log", "-1", "--format=%s") == "session stop s; session create a image app:1 name n"
    assert site.git("show", "--name-only", "--format=").split() == ["state/sessions/n.yaml", "state/sessions/s.yaml"]
    assert "profiles/p.yaml" in ran.stdout.rpartition("committed")[2]


def test_a_commit_has_the_message_that_is_given(site: ShellSite) -> None:
    ran = site.script("session stop 1", "commit -m 'Stopped for the night'", "commit")
    assert site.git("log", "-1", "--format=%s") == "Stopped for the night"
    assert ran.returncode == 64


def test_what_was_created_and_undone_is_no_part_of_a_commit(site: ShellSite) -> None:
    ran = site.script("session create a image app:1 name n", "undo", "session stop s", "commit")
    assert ran.returncode == 0, ran.stderr
    assert site.git("show", "--name-only", "--format=").split() == ["state/sessions/s.yaml"]


def test_no_secret_that_was_typed_is_in_a_message_or_in_a_commit(site: ShellSite) -> None:
    line = "endpoints add new --docker ssh://ann:hunter2@new.example.net"
    failed = site.script("endpoints import portainer http://127.0.0.1:9 --key hunter2")
    done = site.script(line, "commit")
    assert (failed.returncode, "hunter2" in failed.stdout + failed.stderr) == (64, False), failed.stderr
    assert "line 1 of the script failed, the rest was not run: (not shown)" in failed.stderr
    assert "hunter2" not in done.stdout + done.stderr + site.git("log", "--format=%B")


def test_help_lists_all_commands(site: ShellSite) -> None:
    ran = site.script("help", "help session start")
    assert {"cd", "undo", "apply", "rollback"} <= {line.split()[0] for line in ran.stdout.splitlines() if line.startswith("  ")}
    assert "--commit" in ran.stdout
