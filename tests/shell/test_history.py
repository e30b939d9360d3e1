"""Typed lines that are kept, and those that are not."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from dtnctl.cli.shell.history import append_history, is_worth_keeping, read_history


@pytest.mark.parametrize(
    "line",
    [
        "cd active",
        "session create a,b image dtnaas/ofed:latest profile star-rdma",
        "endpoints import portainer https://portainer.example.net:9443 --key env:PORTAINER_KEY",
    ],
)
def test_usual_lines_are_kept(line: str) -> None:
    assert is_worth_keeping(line)


@pytest.mark.parametrize(
    "line",
    [
        "",
        " session start 12",
        "endpoints import portainer https://portainer.example.net --key ptr_hunter2",
        "endpoints import portainer https://portainer.example.net --key=ptr_hunter2",
        "endpoints import portainer https://ann:hunter2@portainer.example.net --key env:KEY",
        "reconcile --repo x --webhook-secret hunter2",
        "plan --policy 'check token=hunter2'",
        "commit -m 'open",
    ],
)
def test_lines_that_may_hold_a_secret_or_begin_with_a_blank_are_not(line: str) -> None:
    assert not is_worth_keeping(line)


def test_history_is_read_by_its_user_alone_also_where_it_was_open(tmp_path: Path) -> None:
    file = tmp_path / "shell/history"
    append_history(file, "cd active")
    file.chmod(0o644)
    append_history(file, "ls")
    append_history(file, "x --token hunter2")
    append_history(file, "two\nlines")
    assert read_history(file) == ["cd active", "ls"]
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)


def test_a_machine_that_keeps_nothing_works_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    append_history(tmp_path / "file/history", "ls")
    assert read_history(tmp_path / "file/history") == []
