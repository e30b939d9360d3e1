"""The contract of a provider for leases, files, logs, commands and ends of containers."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.errors import ConflictError, NotFoundError
from dtnctl.model.ledger import RECORDS, Attempt, LedgerSeen, encode_attempt, record_path
from dtnctl.model.resources import (
    Wanted,
    ledger_name,
)
from dtnctl.providers.base import FileEntry
from dtnctl.providers.docker.calls import EMPTY_IMAGE
from dtnctl.providers.docker.engine import DockerEngine
from tests.engine_choice import every_engine, real_engines_only
from tests.providers.backends import SESSION, SITE, Backend, labels_of
from tests.providers.contract import create, owners, running

pytestmark = every_engine


# --- hands --------------------------------------------------------------------------------------------------


def test_of_eight_who_ask_at_once_exactly_one_gets_the_hand(backend: Backend) -> None:
    engines = [backend.engine() for _ in range(8)]
    start = threading.Barrier(len(engines))

    def ask(engine: DockerEngine) -> str:
        start.wait()
        try:
            return engine.create_placeholder("lock", labels_of("lock", kind="lease"))
        except ConflictError:
            return ""

    with ThreadPoolExecutor(len(engines)) as pool:
        answers = list(pool.map(ask, engines))
    (winner,) = filter(None, answers)
    assert engines[0].inspect("lock").id == winner


def test_the_empty_image_is_made_when_it_is_missing(engine: DockerEngine) -> None:
    reference = ":".join(EMPTY_IMAGE)
    assert engine.observe(Wanted(images=frozenset({reference}))).images == {reference: None}
    engine.create_placeholder("lock", ())
    assert engine.observe(Wanted(images=frozenset({reference}))).images[reference] is not None


def test_a_hand_takes_and_gives_files_and_never_runs(engine: DockerEngine) -> None:
    hand = engine.create_placeholder("hand", labels_of("hand", kind="lease"))
    engine.write_files(hand, (FileEntry("/lease/beat", b"1"), FileEntry("/lease/deep/er", b"2")))
    engine.write_files(hand, (FileEntry("/lease/beat", b"3"),))
    assert engine.read_files(hand, "/lease/beat") == {"/lease/beat": b"3"}
    assert engine.read_files(hand, "/lease") == {"/lease/beat": b"3", "/lease/deep/er": b"2"}
    assert engine.file_size(hand, "/lease/beat") == 1
    assert [engine.file_size(*asked) for asked in ((hand, "/lease/deep"), (hand, "/lease/none"), ("nobody", "/lease/beat"))] == [None] * 3
    assert engine.inspect(hand).started_at == ""


@real_engines_only
def test_the_ledger_outlives_its_container_and_every_prune(backend: Backend, engine: DockerEngine, tmp_path: Path) -> None:
    name, folder = ledger_name(SITE), backend.folder(tmp_path.name)
    wanted = Wanted(ledger=True)
    record = Attempt("sc20", 1, 1, "abc", "2026-01-01T00:00:00Z", verdict="succeeded", bytes=5)
    assert engine.observe(wanted).ledger == LedgerSeen(readable=False)
    engine.create_placeholder(name, labels_of(name, kind="ledger"), binds=((folder, "/ledger"),))
    assert engine.observe(wanted).ledger == LedgerSeen(readable=True)
    engine.write_files(name, (FileEntry(record_path("sc20", 1, 1), encode_attempt(record)),))
    assert engine.observe(wanted).ledger == LedgerSeen(True, (record,))
    backend.post("/containers/prune")
    backend.post("/volumes/prune")
    assert engine.observe(wanted).ledger == LedgerSeen(readable=False)
    engine.create_placeholder(name, labels_of(name, kind="ledger"), binds=((folder, "/ledger"),))
    assert engine.observe(wanted).ledger == LedgerSeen(True, (record,))


def test_a_foreign_container_with_the_ledgers_name_is_not_read(backend: Backend, engine: DockerEngine) -> None:
    other = backend.create_other(ledger_name(SITE))
    engine.write_files(other, (FileEntry(f"{RECORDS}/sc20.g1a1.json", json.dumps({"transfer": "sc20"}).encode()),))
    assert engine.observe(Wanted(ledger=True)).ledger == LedgerSeen(readable=False)


# --- files, logs, commands, ends ----------------------------------------------------------------------------


def test_files_have_the_owner_and_mode_asked_for_and_so_have_new_folders(backend: Backend, engine: DockerEngine) -> None:
    container = create(engine)
    engine.write_files(container, (FileEntry("/home/ann/.ssh/id", b"key", mode=0o600, uid=1000, gid=1001, folder_mode=0o700),))
    _, stat = backend.others.get_archive(container, "/home/ann/.ssh/id")
    assert stat["mode"] & 0o777 == 0o600
    assert owners(backend, container, "/home/ann") == {
        "ann": (1000, 1001, 0o700),
        "ann/.ssh": (1000, 1001, 0o700),
        "ann/.ssh/id": (1000, 1001, 0o600),
    }


def test_folders_that_exist_keep_their_owner_and_mode(backend: Backend, engine: DockerEngine) -> None:
    container = create(engine)
    engine.write_files(container, (FileEntry("/keep/a", b"", folder_mode=0o711),))
    engine.write_files(container, (FileEntry("/keep/b", b"", uid=7, gid=7, folder_mode=0o700),))
    assert owners(backend, container, "/keep") == {"keep": (0, 0, 0o711), "keep/a": (0, 0, 0o644), "keep/b": (7, 7, 0o644)}


def test_writing_no_files_is_nothing(engine: DockerEngine) -> None:
    engine.write_files("nobody", ())


def test_reading_a_file_that_is_not_there_says_so(engine: DockerEngine) -> None:
    container = create(engine)
    with pytest.raises(NotFoundError, match=r"/nothing|no such file"):
        engine.read_files(container, "/nothing")
    with pytest.raises(NotFoundError):
        engine.read_files("nobody", "/")


@pytest.mark.parametrize("tty", [False, True], ids=["two streams", "terminal"])
def test_logs_are_what_was_written(backend: Backend, engine: DockerEngine, tty: bool) -> None:
    spec = backend.program(SESSION, stdout="one\ntwo\n", exit_code=0)
    running(engine, spec=replace(spec, tty=tty))
    engine.wait(SESSION, 20)
    text = b"".join(backend.observer().logs(SESSION)).replace(b"\r\n", b"\n")
    assert text == b"one\ntwo\n"
    assert b"".join(engine.logs(SESSION, tail=1)).replace(b"\r\n", b"\n") == b"two\n"


def test_logs_hold_both_streams(backend: Backend, engine: DockerEngine) -> None:
    running(engine, spec=backend.program(SESSION, stdout="out\n", stderr="err\n", exit_code=0))
    engine.wait(SESSION, 20)
    assert sorted(b"".join(engine.logs(SESSION)).splitlines()) == [b"err", b"out"]


def test_followed_logs_end_when_the_container_does(backend: Backend, engine: DockerEngine) -> None:
    container = running(engine, spec=backend.program(SESSION, stdout="begun\n"))
    lines = engine.logs(SESSION, follow=True)
    assert next(lines) == b"begun\n"
    engine.stop(container, 10)
    assert list(lines) == []


def test_logs_of_nobody_are_an_error_at_once(engine: DockerEngine) -> None:
    with pytest.raises(NotFoundError):
        engine.logs("nobody")


def test_a_command_gives_its_output_and_its_code(backend: Backend, engine: DockerEngine) -> None:
    running(engine, spec=backend.program(SESSION))
    said = engine.run(SESSION, ("echo", "hello", "there"))
    assert (said.exit_code, said.stdout, said.stderr) == (0, b"hello there\n", b"")
    failed = engine.run(SESSION, ("cat", "/nothing"), user="root")
    assert (failed.exit_code, failed.stdout) == (1, b"")
    assert b"/nothing" in failed.stderr


def test_a_command_that_is_not_there_gives_126_or_127(backend: Backend, engine: DockerEngine) -> None:
    running(engine, spec=backend.program(SESSION))
    assert engine.run(SESSION, ("no-such-program",)).exit_code in (126, 127)


def test_a_command_in_a_container_that_does_not_run_is_a_conflict(engine: DockerEngine) -> None:
    create(engine)
    with pytest.raises(ConflictError, match=r"not running|only create exec sessions on running"):
        engine.run(SESSION, ("true",))


def test_a_large_output_comes_whole(backend: Backend, engine: DockerEngine) -> None:
    content = bytes(range(32, 127)) * 20_000
    running(engine, spec=backend.program(SESSION))
    engine.write_files(SESSION, (FileEntry("/big", content),))
    assert engine.run(SESSION, ("cat", "/big")).stdout == content


def test_waiting_gives_up_after_its_time(backend: Backend, engine: DockerEngine) -> None:
    running(engine, spec=backend.program(SESSION))
    assert engine.wait(SESSION, 0.2) is None


def test_waiting_for_one_that_ended_gives_its_code_at_once(backend: Backend, engine: DockerEngine) -> None:
    running(engine, spec=backend.program(SESSION, exit_code=7))
    assert [engine.wait(SESSION, 20) for _ in range(2)] == [7, 7]


def test_waiting_for_one_that_never_ran_is_no_success(engine: DockerEngine) -> None:
    create(engine)
    with pytest.raises(ConflictError, match="never started"):
        engine.wait(SESSION, 1)
