"""Why something that is asked for cannot be, and what to do. Pure."""

from __future__ import annotations

from dtnctl.model.plan import Cause
from dtnctl.values import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a service cannot be, and what to do. `cause` points at the line that asked, or the owner's line that says no."""

    code: str
    cause: Cause
    fix: str = ""
