"""A defect ends the program with its traceback, but a message in it may have got hold of a secret: those are taken out of it."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dtnctl.providers.secrets.source import SecretSource


class Crash(Exception):  # noqa: N818  # it is no error of its own: its text is the traceback of one
    """The traceback of a defect, with no secret in it."""


@contextlib.contextmanager
def without_secrets(source: SecretSource) -> Iterator[None]:
    """What is raised within goes on as it is, unless its traceback has a secret that was looked up: then as Crash without it."""
    try:
        yield
    except Exception as error:
        text = "".join(traceback.format_exception(error))
        shown = source.hidden_in(text)
        if shown != text:
            raise Crash(shown) from None
        raise
