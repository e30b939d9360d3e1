"""A read whose kept connection turns out to be dropped is sent once more."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPException, IncompleteRead
from typing import TypeVar

from dtnctl.providers.docker.errors import causes

T = TypeVar("T")


def once_more(ask: Callable[[], T]) -> T:
    """What a read asks for; it is asked again if a kept connection turns out to be dropped."""
    try:
        return ask()
    except (OSError, HTTPException) as error:  # errors of requests are OSErrors
        if not _was_dropped(error):
            raise
        return ask()


def _was_dropped(error: BaseException) -> bool:
    """A TimeoutError among the causes is no drop: the engine has the request."""
    found = list(causes(error))
    if any(isinstance(cause, TimeoutError) for cause in found):
        return False
    return any(isinstance(cause, (ConnectionResetError, BrokenPipeError, IncompleteRead)) for cause in found)
