"""Numbers of sessions: a name keeps its own, and none is given twice."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.cli.shell.kept_numbers import keep_numbers, numbers_file
from dtnctl.cli.shell.looking import Numbering
from dtnctl.cli.shell.numbers import Numbers, assign
from dtnctl.errors import UsageError
from dtnctl.repository.first_commits import FirstCommit, first_commits
from tests.planning.building import site
from tests.repository.branching import commit, git, make_main

names = st.lists(st.sampled_from("abcdefgh"), unique=True)


def test_numbers_are_places_in_the_history_and_removed_ones_leave_gaps() -> None:
    assert assign({}, ["old", "climate", "gone", "ofed"], ["climate", "ofed"]).by_name == {"old": 1, "climate": 2, "gone": 3, "ofed": 4}


def test_what_is_not_committed_comes_behind_all_that_ever_was() -> None:
    found = assign({}, ["old", "climate"], ["new", "also", "climate"])
    assert (found.by_name["also"], found.by_name["new"]) == (3, 4)


def test_a_number_that_was_shown_stays_when_others_commit_in_between() -> None:
    before = assign({}, ["climate"], ["climate", "mine"])
    after = assign(before.by_name, ["climate", "theirs", "mine"], ["climate", "theirs", "mine"])
    assert after.by_name == {"climate": 1, "mine": 2, "theirs": 4}


@given(names, names, names)
def test_no_number_is_given_twice_nor_changes(first: list[str], second: list[str], present: list[str]) -> None:
    before = assign({}, first, present)
    after = assign(before.by_name, second, present)
    assert len(set(after.by_name.values())) == len(after.by_name)
    assert before.by_name.items() <= after.by_name.items()
    assert set(after.by_name) >= {*second, *present}


# --- kept on this machine -----------------------------------------------------------------------------------


def test_numbers_are_kept_where_only_their_user_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "numbers/lab.json"
    first = {"sessions": (FirstCommit("climate", "1", "ann"),), "transfers": ()}
    keep_numbers(file, first, {"sessions": ["climate", "new"], "transfers": ["run14"]})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == {"sessions": {"climate": 1, "new": 2}, "transfers": {"run14": 1}}
    again = keep_numbers(file, {}, {"sessions": [], "transfers": []})
    assert again["sessions"].by_name == {"climate": 1, "new": 2}


def test_where_nothing_can_be_kept_the_history_alone_gives_numbers(tmp_path: Path) -> None:
    (tmp_path / "numbers").write_text("a file in the place of the folder")
    history = {"sessions": (FirstCommit("climate", "1", "ann"),)}
    found = keep_numbers(tmp_path / "numbers/lab.json", history, {"sessions": ["climate", "later", "b"]})
    assert found["sessions"].by_name == {"climate": 1}, "a session that is created next would move the others"


@pytest.mark.parametrize("content", ["", "[1]", '{"sessions": {"a": "x"}}'])
def test_damaged_numbers_are_refused_and_not_guessed(tmp_path: Path, content: str) -> None:
    (tmp_path / "lab.json").write_text(content)
    with pytest.raises(UsageError, match=r"lab\.json is damaged; remove it"):
        keep_numbers(tmp_path / "lab.json", {}, {})


def test_clones_of_one_repository_share_their_numbers_and_others_do_not(tmp_path: Path) -> None:
    with_id, without = site("# site\nname: lab\nid: a1b2c3d4e5f6\n"), site("# site\nname: lab\n")
    home = {"XDG_STATE_HOME": str(tmp_path)}
    assert numbers_file(home, with_id, Path("/one")) == numbers_file(home, with_id, Path("/other"))
    assert numbers_file(home, without, Path("/one")) != numbers_file(home, without, Path("/other"))


# --- names and numbers that are typed -----------------------------------------------------------------------


def test_a_number_means_a_name_and_a_name_itself() -> None:
    found = Numbering({"sessions": Numbers({"climate": 8}), "transfers": Numbers({"run14": 1})}, {})
    assert [found.session(word) for word in ("8", "climate", "9", "clmate")] == ["climate", "climate", "9", "clmate"]
    assert found.transfer("1") == "run14"


def test_a_number_that_is_given_to_none_is_refused_where_numbers_cannot_be_kept() -> None:
    without = {"sessions": frozenset({"later", "b", "7"})}
    found = Numbering({"sessions": Numbers({"climate": 1}), "transfers": Numbers({"run14": 1})}, {}, without)
    assert [found.session(word) for word in ("1", "b", "7", "clmate")] == ["climate", "b", "7", "clmate"]
    assert found.transfer("2") == "2"
    with pytest.raises(UsageError, match=r"2 is no number of one of the sessions: numbers cannot be kept in .*; use names: 7, b, later"):
        found.session("2")


def test_a_number_that_is_also_the_name_of_another_is_refused() -> None:
    found = Numbering({"sessions": Numbers({"climate": 8, "8": 9}), "transfers": Numbers()}, {})
    with pytest.raises(UsageError, match="8 is the name of one of the sessions and the number of climate; try climate"):
        found.session("8")
    assert Numbering({"sessions": Numbers({"8": 8}), "transfers": Numbers()}, {}).session("8") == "8"


# --- the history --------------------------------------------------------------------------------------------


def test_files_are_in_the_order_in_which_the_branch_got_them(tmp_path: Path) -> None:
    root = make_main(tmp_path / "r")  # session s, transfer t
    sessions = root / "state/sessions"
    text = (sessions / "s.yaml").read_text()
    git(root, "checkout", "--quiet", "-b", "side")
    (sessions / "merged-late.yaml").write_text(text)
    commit(root, "side")
    git(root, "checkout", "--quiet", "main")
    (sessions / "b.yaml").write_text(text)
    (sessions / "a.yaml").write_text(text)
    commit(root, "two at once")
    (sessions / "a.yaml").unlink()
    commit(root, "one goes")
    git(root, "merge", "--quiet", "--no-ff", "-m", "merge", "side")
    (sessions / "a.yaml").write_text(text)
    commit(root, "and comes back")
    found = first_commits(root, "state", ("sessions", "transfers"))
    assert [item.name for item in found["sessions"]] == ["s", "a", "b", "merged-late"]
    assert [(item.name, item.author) for item in found["transfers"]] == [("t", "a")]


def test_without_git_or_a_commit_there_is_no_history(tmp_path: Path) -> None:
    assert first_commits(tmp_path, "state", ("sessions",)) == {"sessions": ()}
    git(tmp_path, "init", "--quiet")
    assert first_commits(tmp_path, "state", ("sessions",)) == {"sessions": ()}
