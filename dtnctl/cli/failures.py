"""Keeps what a container that did not become ready wrote last: it may be gone when somebody looks.

A file for each service, of its last failure only, in the user's state folder on the machine that ran apply.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from dtnctl.errors import HealthTimeoutError
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Plan


@dataclass(frozen=True, slots=True)
class Failure:
    """What was seen of a service's failed container. `at` is a time with its zone, as text."""

    endpoint: str
    at: str
    reason: str
    check_output: tuple[str, ...]
    log: tuple[str, ...]


def failures_folder(environment: Mapping[str, str], site: str) -> Path:
    """Where they are kept. Source: XDG Base Directory Specification, `$XDG_STATE_HOME`."""
    base = Path(environment.get("XDG_STATE_HOME", ""))
    root = base if base.is_absolute() else Path(environment.get("HOME") or "/") / ".local" / "state"
    return root / "dtnctl" / "failures" / site


def keep_failures(folder: Path, plan: Plan, outcomes: Sequence[Outcome], at: datetime) -> None:
    """Write a file for each service whose wait failed. OSError if the folder cannot be written."""
    places = {step: (change.name, change.endpoint) for change in plan.changes if change.kind == "session" for step in change.steps}
    for outcome in outcomes:
        if outcome.error == HealthTimeoutError.exit_name and outcome.step in places:
            session, endpoint = places[outcome.step]
            failure = Failure(endpoint, at.isoformat(timespec="seconds"), outcome.reason, outcome.check_output, outcome.log)
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _replace(folder / f"{session}@{endpoint}.json", json.dumps(asdict(failure), indent=2) + "\n")


def _replace(path: Path, text: str) -> None:
    """In one step: a reader sees the old file or the new one. Readable by its owner only, since logs may hold anything."""
    beside = path.with_suffix(f".{os.getpid()}")
    beside.touch(mode=0o600)
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def kept_failures(folder: Path, session: str) -> tuple[Failure, ...]:
    """The last failure of each of the session's services, by endpoint; what is no such file is left out."""
    found = (_read(path) for path in sorted(folder.glob(f"{session}@*.json")))
    return tuple(item for item in found if item is not None)


def _read(path: Path) -> Failure | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        texts = {key: str(data[key]) for key in ("endpoint", "at", "reason")}
        return Failure(**texts, check_output=tuple(map(str, data["check_output"])), log=tuple(map(str, data["log"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None
