"""What a main process wrote, as GET logs sends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.fakes.clock import SECOND, stamp
from tests.fakes.core import Engine
from tests.fakes.messages import Request, frame
from tests.fakes.state import Container, LogLine

WAKE_SECONDS = 0.5
"""How often a waiting stream looks whether its client is still there."""


def read_logs(engine: Engine, container: Container, request: Request) -> Iterator[bytes]:
    """The wanted lines; with `follow`, until the container has ended."""
    since = _nanoseconds(request.query.get("since") or "0")
    streams = {number for number, name in ((1, "stdout"), (2, "stderr")) if request.flag(name)}
    first = _tail_start(container, request.query.get("tail", "all"), streams)

    def show(line: LogLine) -> bytes:
        if line.stream not in streams or line.at < since:
            return b""
        text = f"{stamp(line.at)} ".encode() + line.text if request.flag("timestamps") else line.text
        return text if container.config["Tty"] else frame(line.stream, text)

    if request.flag("follow"):
        return _follow(engine, container, first, show)
    return iter([b"".join(show(line) for line in container.logs[first:])])


def _nanoseconds(text: str) -> int:
    seconds, _, fraction = text.partition(".")
    return int(seconds) * SECOND + int(fraction.ljust(9, "0"))


def _tail_start(container: Container, tail: str, streams: set[int]) -> int:
    if not tail.isdigit():
        return 0
    matching = [index for index, line in enumerate(container.logs) if line.stream in streams]
    wanted = int(tail)
    if wanted == 0:
        return len(container.logs)
    return matching[-wanted] if wanted < len(matching) else 0


def _follow(engine: Engine, container: Container, position: int, show: Callable[[LogLine], bytes]) -> Iterator[bytes]:
    epoch = engine.epoch
    while epoch == engine.epoch:
        with engine.changed:
            _await_line(engine, container, position)
            lines, ended = container.logs[position:], not container.running
        position += len(lines)
        yield b"".join(show(line) for line in lines)
        if ended and not lines:
            return


def _await_line(engine: Engine, container: Container, position: int) -> None:
    engine.changed.wait_for(lambda: len(container.logs) > position or not container.running, WAKE_SECONDS)
