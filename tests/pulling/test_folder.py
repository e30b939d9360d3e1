"""The loop's folder: held by one loop and what it started, with a journal that is whole whenever the machine stops."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dtnctl.errors import LockError, UsageError
from dtnctl.pulling.folder import held_folder
from dtnctl.pulling.journal import Journal
from dtnctl.runtime.clock import SystemClock


@dataclass
class SlowClock:
    """Time that passes only while somebody sleeps."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


def test_second_loop_is_refused_with_the_process_of_the_first(tmp_path: Path) -> None:
    clock = SlowClock()
    with (
        held_folder(tmp_path / "loop", clock),
        pytest.raises(LockError, match=f"process {os.getpid()}"),
        held_folder(tmp_path / "loop", clock),
    ):
        pass
    assert clock.seconds >= 10.0
    with held_folder(tmp_path / "loop", clock):
        pass


def test_folder_is_private(tmp_path: Path) -> None:
    with held_folder(tmp_path / "a" / "loop", SystemClock()) as folder:
        assert folder.path.stat().st_mode & 0o777 == 0o700


def test_what_the_loop_started_holds_the_folder_after_the_loop_is_gone(tmp_path: Path) -> None:
    with held_folder(tmp_path / "loop", SystemClock()) as folder:
        left = subprocess.Popen(["sleep", "1000"], pass_fds=(folder.lock,))
    with pytest.raises(LockError), held_folder(tmp_path / "loop", SlowClock()):
        pass
    left.kill()
    left.wait()
    with held_folder(tmp_path / "loop", SystemClock()):
        pass


def test_journal_survives_and_a_part_that_was_not_finished_does_not_count(tmp_path: Path) -> None:
    journal = Journal(repository="r", branch="main", good="a" * 40)
    with held_folder(tmp_path, SystemClock()) as folder:
        assert folder.read_journal() == (Journal(), "")
        folder.write_journal(journal)
        (tmp_path / "journal.part").write_bytes(b'{"good": "bbbb')
        assert folder.read_journal() == (journal, "")
        folder.write_journal(replace(journal, good="c" * 40))
        assert folder.read_journal()[0].good == "c" * 40


def test_journal_that_cannot_be_read_is_kept_and_a_new_one_begins(tmp_path: Path) -> None:
    (tmp_path / "journal.json").write_text("{")
    with held_folder(tmp_path, SystemClock()) as folder:
        journal, trouble = folder.read_journal()
        assert journal == Journal()
        assert "it is kept as" in trouble
        assert (tmp_path / "journal.broken").read_text() == "{"
        assert folder.read_journal() == (Journal(), "")


def test_folder_that_cannot_be_made_is_an_error_of_usage(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="--state-dir"), held_folder(tmp_path / "file" / "loop", SystemClock()):
        pass
