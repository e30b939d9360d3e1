"""Output that is followed by asking again: nothing twice, nothing lost, whatever the times of the messages are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from dtnctl.providers.docker.logs import stamped_messages
from dtnctl.providers.docker.polled_logs import follow_by_polling
from tests.providers.canned import Answer, canned_engine

START = "2026-11-30T02:30:0"


class Engine:
    """Gives what is in its file from a time on, in the order of the file."""

    def __init__(self, *stamps: str) -> None:
        self.lines = [f"{START}{stamp}Z line {stamp}\n".encode() for stamp in stamps]

    def messages(self, query: Mapping[str, str]) -> Iterator[bytes]:
        second, _, fraction = query.get("since", "0.0").partition(".")
        since = f"{START}{int(second) % 10}.{fraction}Z".encode() if "since" in query else b""
        return (line for line in self.lines if line.partition(b" ")[0] >= since)


@pytest.mark.parametrize(
    "stamps",
    [
        ("1.000000001", "1.000000002"),
        ("1.000000002", "1.000000001"),
        ("1.000000002", "1.000000001", "1.000000002"),
    ],
    ids=["in order", "out of order", "out of order and equal"],
)
def test_each_message_is_read_once(stamps: tuple[str, ...]) -> None:
    """Engines stamp two streams out of order; while nothing new comes they are asked again."""
    engine, running = Engine(*stamps), iter([True, True, False])
    found = list(follow_by_polling(engine.messages, lambda: next(running), None, timestamps=False))
    assert found == [f"line {stamp}\n".encode() for stamp in stamps]


def test_message_that_is_written_late_with_an_earlier_time_is_read() -> None:
    """The other stream's message was stamped first and came into the engine's file after ours had been read."""
    engine, rounds = Engine("3.000000002"), iter([True, True, False])

    def is_running() -> bool:
        goes_on = next(rounds)
        if not goes_on:
            engine.lines.append(f"{START}3.000000001Z late\n".encode())
        return goes_on

    assert list(follow_by_polling(engine.messages, is_running, None, timestamps=False)) == [b"line 3.000000002\n", b"late\n"]


def test_what_is_before_the_tail_stays_unread() -> None:
    engine, running = Engine("4.000000001", "4.000000002"), iter([True, True, False])
    whole = engine.messages

    def messages(query: Mapping[str, str]) -> Iterator[bytes]:
        found = list(whole(query))
        return iter(found[-int(query["tail"]) :] if "tail" in query else found)

    assert list(follow_by_polling(messages, lambda: next(running), 1, timestamps=False)) == [b"line 4.000000002\n"]


def test_carriage_return_of_a_terminal_ends_no_message(tmp_path: Path) -> None:
    """A progress bar is one line, however often it is drawn."""
    written = f"{START}1.000000001Z 10 %\r20 %\r\n{START}2.000000001Z done\r\n".encode()
    with canned_engine(tmp_path, {"GET /containers/c/logs": Answer(written)}) as (engine, _):
        found = list(stamped_messages(engine._connected(), "c", {}, is_tty=True))
    assert [line.partition(b" ")[2] for line in found] == [b"10 %\r20 %\r\n", b"done\r\n"]
