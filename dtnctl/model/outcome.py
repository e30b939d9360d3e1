"""What became of a step of a plan. Frozen values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one step. `failed` carries the reason; `skipped` names the step or the reason that held it back.

    `error` is the exit name of what failed (errors.py, docs/exit-codes.md); empty if nothing did. `seconds` is how long it took.

    `check_output` and `log` are what was seen of a container that did not become ready, a line each: of its health check, of itself.
    """

    step: str
    result: Literal["done", "failed", "skipped", "undone"]
    reason: str = ""
    seconds: float = 0.0
    error: str = ""
    detail: str = ""
    check_output: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
