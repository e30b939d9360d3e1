"""What a main process wrote, as GET logs sends it, and the stream of events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from tests.fakes.clock import SECOND, read_time, stamp
from tests.fakes.core import Engine
from tests.fakes.errors import bad_request
from tests.fakes.filters import read_filters
from tests.fakes.messages import Request, frame
from tests.fakes.state import Container, LogLine

WAKE_SECONDS = 0.5
"""How often a waiting stream looks whether its client is still there."""

EVENT_FILTERS = ("container", "event", "image", "label", "network", "type", "volume")


def read_logs(engine: Engine, container: Container, request: Request) -> Iterator[bytes]:
    """The wanted lines; with `follow`, until the container has ended."""
    streams = {number for number, name in ((1, "stdout"), (2, "stderr")) if request.flag(name)}
    if not streams:
        raise bad_request("Bad parameters: you must choose at least one stream")
    since = read_time(request.query.get("since") or "0")
    until = read_time(request.query.get("until") or "0")
    first = _tail_start(container, request.query.get("tail", "all"), streams)

    def show(line: LogLine) -> bytes:
        if line.stream not in streams or line.at < since or (until and line.at > until):
            return b""
        text = f"{stamp(line.at)} ".encode() + line.text if request.flag("timestamps") else line.text
        return text if container.config["Tty"] else frame(line.stream, text)

    if request.flag("follow"):
        return _follow(engine, container, first, show)
    return iter([b"".join(show(line) for line in container.logs[first:])])


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


def read_events(engine: Engine, request: Request) -> Iterator[bytes]:
    """Events since `since` until `until`; without `until`, as long as the client listens."""
    wanted = read_filters(request.query.get("filters", ""), EVENT_FILTERS)
    since = request.query.get("since")
    until = read_time(request.query.get("until") or "0")
    position = 0 if since else len(engine.events)
    earliest = read_time(since) if since else 0
    epoch = engine.epoch
    while epoch == engine.epoch:
        with engine.changed:
            over = bool(until) and engine.clock() >= until
            if not over:
                _await_event(engine, position, until)
            new = engine.events[position:]
        position += len(new)
        yield b"".join(json.dumps(event).encode() + b"\n" for event in new if _is_wanted(event, wanted, earliest, until))
        if over:
            return


def _await_event(engine: Engine, position: int, until: int) -> None:
    limit = min(WAKE_SECONDS, (until - engine.clock()) / SECOND) if until else WAKE_SECONDS
    engine.changed.wait_for(lambda: len(engine.events) > position, limit)


def _is_wanted(event: dict[str, object], wanted: dict[str, list[str]], earliest: int, latest: int) -> bool:
    at = event["timeNano"]
    assert isinstance(at, int)
    if at < earliest or (latest and at > latest):
        return False
    return event["Type"] in wanted.get("type", [event["Type"]]) and event["Action"] in wanted.get("event", [event["Action"]])
