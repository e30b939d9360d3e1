"""A watcher of the agent runs until it is told to stop, also after it failed."""

from __future__ import annotations

import io
import json
import threading
from typing import Any, ClassVar

from dtn_agent.log import Lines
from dtn_agent.server.serve import watching


class Watcher:
    """Fails so many times; then it watches."""

    name: ClassVar[str] = "things"

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0
        self.watches = threading.Event()

    def watch(self, stop: threading.Event) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise OSError("interfaces: No buffer space available")
        self.watches.set()
        stop.wait()


def watched(resource: Any, seen: threading.Event) -> list[dict[str, Any]]:
    """What the log has of it after it was seen."""
    output = io.StringIO()
    with watching(resource, Lines(output), pause=0.01):
        assert seen.wait(60)
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_a_watcher_that_failed_begins_again_and_each_failure_is_logged() -> None:
    watcher = Watcher(failures=3)
    lines = watched(watcher, watcher.watches)
    assert [line["text"] for line in lines] == ["watching things failed; it begins again in 0 s"] * 3
    assert all("No buffer space" in line["traceback"] for line in lines)
    assert watcher.calls == 4


def test_a_watcher_with_nothing_to_watch_is_called_once() -> None:
    class Idle(Watcher):
        def watch(self, stop: threading.Event) -> None:
            self.calls += 1
            self.watches.set()

    idle = Idle(failures=0)
    assert watched(idle, idle.watches) == []
    assert idle.calls == 1
