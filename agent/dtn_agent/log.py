"""What the agent says about itself: one JSON object a line, on one stream, for the journal and for audits."""

from __future__ import annotations

import json
import logging
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO


class Lines:
    """Writes events. Every line has `time` (UTC) and `event`; lines of several threads never mix."""

    def __init__(self, stream: TextIO, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._stream = stream
        self._now = now
        self._writing = threading.Lock()

    def write(self, event: str, **fields: Any) -> None:
        """One line, at once."""
        moment = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"time": moment, "event": event, **fields}, ensure_ascii=False, default=str)
        with self._writing:
            self._stream.write(line + "\n")
            self._stream.flush()

    def exception(self, text: str) -> None:
        """The exception that is being handled, with its traceback: for the host's own log only."""
        self.write("failed", text=text, traceback=traceback.format_exc())


class LogLines(logging.Handler):
    """Whatever libraries log, as lines of the same stream; a traceback goes there, and never to who asked."""

    def __init__(self, lines: Lines) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        trace = {"traceback": logging.Formatter().formatException(record.exc_info)} if record.exc_info else {}
        self._lines.write("log", level=record.levelname.lower(), logger=record.name, text=record.getMessage(), **trace)
