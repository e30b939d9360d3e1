"""One line for each change of the host: who wanted what, and what came of it. What was so already, on its own account, has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dtn_agent.errors import RefusedError
from dtn_agent.log import Lines

Words = Mapping[str, Any]  # as in POST /v1/perform: `do`, and what it is about


@dataclass(frozen=True, slots=True)
class Audit:
    """Writes lines for one `who`: a caller, `engine` for the network driver's calls, `agent` for what is done without being asked."""

    lines: Lines | None
    who: str
    address: str = ""

    def done(self, asked: Words, detail: str = "", *, changed: bool = True) -> None:
        self._write(asked, "done", changed, detail)

    def refused(self, asked: Words, error: Exception) -> None:
        """By us or by the kernel; what was changed nevertheless is in the ledger."""
        self._write(asked, error.code if isinstance(error, RefusedError) else "failed", None, str(error))

    def failed(self, asked: Words) -> None:
        """On our side; the reason is in an event `failed`."""
        self._write(asked, "failed", None, "")

    def _write(self, asked: Words, result: str, changed: bool | None, detail: str) -> None:
        if self.lines is not None:
            who = {"who": self.who, "from": self.address}
            self.lines.write("audit", **who, request=asked, result=result, changed=changed, detail=detail)


SILENT = Audit(None, "")
