"""Why the agent refuses a request, as the caller reads it."""

from __future__ import annotations

from typing import Literal, TypeAlias

Code: TypeAlias = Literal["bad-request", "not-found", "conflict", "unsupported", "failed"]


class RefusedError(Exception):
    """A request that is not carried out; nothing was changed, or what was is in the ledger. `code` is for programs."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code = code
