"""`dtnctl help`: pages without a network, a pager on a terminal alone, and a hint for a word that is neither page nor command."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from dtnctl.cli.completion import candidates
from dtnctl.cli.pager import pager
from dtnctl.cli.topics import page_text, topics
from tests.runtime.program import dtnctl


def test_list_has_every_page_with_a_line(tmp_path: Path) -> None:
    ran = dtnctl(tmp_path, "help")
    assert (ran.code, ran.err) == (0, "")
    for topic in topics():
        assert f"  {topic.name} " in ran.out
        assert topic.line in ran.out
    assert (
        ran.out.index("Tutorial\n") < ran.out.index("How-to: Transfers\n") < ran.out.index("Reference\n") < ran.out.index("Explanation\n")
    )


@pytest.mark.parametrize("name", [topic.name for topic in topics()])
def test_every_page_is_shown_plain_into_a_pipe(tmp_path: Path, name: str) -> None:
    ran = dtnctl(tmp_path, "help", name)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0] == page_text(name).splitlines()[0]
    assert "\x1b" not in ran.out


def test_link_to_another_page_is_the_command_that_shows_it(tmp_path: Path) -> None:
    out = dtnctl(tmp_path, "help", "transfers").out
    assert "Next: tools of transfers (`dtnctl help transfer-tools`) · " in out
    assert ".md)" not in out


def test_colour_sets_headings_and_tables(tmp_path: Path) -> None:
    out = dtnctl(tmp_path, "help", "exit-codes", "--color", "always").out
    assert "\x1b[1" in out
    assert "| 0 | success |" not in out
    assert "stale-plan" in out


@pytest.mark.parametrize("words", [["plan"], ["sessions", "create"], ["report", "issue"], ["transfer"]])
def test_command_without_a_page_shows_its_options(tmp_path: Path, words: list[str]) -> None:
    ran = dtnctl(tmp_path, "help", *words)
    assert ran.code == 0
    assert ran.out == dtnctl(tmp_path, *words, "--help").out


@pytest.mark.parametrize(
    ("word", "hint"),
    [("transfrs", "`dtnctl help transfers`"), ("kubernets", "`dtnctl help kubernetes`"), ("plna", "`dtnctl help plan`")],
)
def test_unknown_word_leads_to_the_nearest_one(tmp_path: Path, word: str, hint: str) -> None:
    ran = dtnctl(tmp_path, "help", word)
    assert (ran.code, ran.out) == (64, "")
    assert ran.err.splitlines()[0] == f"there is no page and no command `{word}`; try {hint}"


def test_word_that_is_near_to_none_leads_to_the_list(tmp_path: Path) -> None:
    assert "try `dtnctl help`, which lists the pages" in dtnctl(tmp_path, "help", "xyzzyxyzzy").err


def on_a_terminal(folder: Path, *words: str, **environment: str) -> str:
    """What a terminal gets."""
    ours, theirs = pty.openpty()
    variables = {**os.environ, "TERM": "xterm", **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "dtnctl", *words], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=variables
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk
    except OSError:  # the last program that had the terminal is gone
        pass
    os.close(ours)
    assert process.wait() == 0, seen
    return seen.decode()


def test_readers_own_pager_gets_the_page_on_a_terminal(tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, "help", "glossary", PAGER="sh -c 'cat; echo PAGED'")
    assert shown.rstrip().endswith("PAGED")
    assert "\x1b[1" in shown, "set for a terminal"


def test_page_is_whole_on_a_terminal_without_a_pager(tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, "help", "glossary", PAGER="", NO_COLOR="1")
    assert shown.replace("\r\n", "\n").startswith("# Glossary\n")
    assert "\x1b" not in shown


def test_pager_is_the_readers_else_less_if_it_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pager({}) == []
    (tmp_path / "less").touch(mode=0o755)
    assert pager({}) == ["less"]
    (tmp_path / "most").touch(mode=0o755)
    assert pager({"PAGER": "most -s"}) == ["most", "-s"]
    assert [pager({"PAGER": "cat"}), pager({"PAGER": "nowhere"}), pager({"TERM": "dumb"})] == [[], [], []]


def test_shells_complete_pages_and_commands_with_what_they_are() -> None:
    found = dict(candidates(["help"], "s"))
    assert found["secrets"] == "references to secrets in state files, and where their values are."
    assert {"speed", "sessions", "status"} <= set(found)
    assert all(name.startswith("s") for name in found)
