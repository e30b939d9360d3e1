"""What a step of a plan does to a path between sites: one call of its provider, or waiting for what the provider does. Values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dtnctl.model.paths import PathSpec

# settled: nothing is under way, whatever came of it. deactivated: it carries nothing.
Awaited = Literal["reserved", "active", "settled", "deactivated", "released"]


@dataclass(frozen=True, slots=True)
class RequestPath:
    """Ask for it. One of ours of that name that is there already is taken as it is, and compared by the next plan."""

    path: PathSpec


@dataclass(frozen=True, slots=True)
class ActivatePath:
    path: PathSpec


@dataclass(frozen=True, slots=True)
class ModifyPath:
    """Change it in place to what `path` says."""

    path: PathSpec


@dataclass(frozen=True, slots=True)
class DeactivatePath:
    """Take it out of service, if it is in service; the reservation stays. `id` guards against a namesake, as in ReleasePath."""

    path: PathSpec
    id: str


@dataclass(frozen=True, slots=True)
class ReleasePath:
    path: PathSpec
    id: str


@dataclass(frozen=True, slots=True)
class WaitPath:
    """Wait until its provider reports that it is so, at most `timeout` seconds; the next apply waits again.

    `id`: of the one that goes, which may have a namesake that stays; empty: the one of that name.
    """

    path: PathSpec
    until: Awaited
    timeout: float
    id: str = ""


PathAction = RequestPath | ActivatePath | ModifyPath | DeactivatePath | ReleasePath | WaitPath
