"""A record of each call for --debug: where, what, how it ended, how long. Never a body, a header or a query: those hold secrets."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

CALLS = logging.getLogger("dtnctl.calls")


@contextmanager
def recorded(address: str, method: str, path: str) -> Iterator[None]:
    """Records the call within, when somebody listens. Arguments of a record: address, method, path, how it ended, seconds."""
    if not CALLS.isEnabledFor(logging.DEBUG):
        yield
        return
    start, end = time.monotonic(), "answered"
    try:
        yield
    except Exception as error:
        end = f"{type(error).__name__}"
        raise
    finally:
        CALLS.debug("%s: %s %s: %s, %.3f s", address, method, path.partition("?")[0], end, time.monotonic() - start)
