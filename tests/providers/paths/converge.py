"""Makes or releases one path, as a run of dtnctl does: looks, plans its steps, carries them out."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dtnctl.model.path_files import PathProvider
from dtnctl.model.path_kinds import PATH_KINDS
from dtnctl.model.paths import GONE, PathOwner, PathSpec
from dtnctl.planning.paths.steps import making, path_steps, releasing
from dtnctl.providers.paths.base import PathAccess, PathService
from dtnctl.providers.paths.connect import path_service
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.providers.timeouts import Timeouts
from dtnctl.runtime.paths.perform import PathRun
from tests.fakes.paths.double import TOKEN, TOKEN_VARIABLE


class QuickClock:
    """Waits take no time, and half an hour of them is over soon."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds
        time.sleep(0)

    def now(self) -> datetime:
        return datetime(2026, 6, 1, tzinfo=UTC)


def converge(service: PathService, wanted: PathSpec, kind: str, *, keep: bool) -> list[str]:
    """Carry out what is left to do; returns what was done."""
    row = PATH_KINDS[kind]
    found = service.observe()
    assert not found.silence, found.silence
    seen = found.named(wanted.name)
    is_there = seen is not None and seen.state not in GONE
    if keep:
        verbs = making(row, seen.state if seen is not None and is_there else None)
    else:
        verbs = releasing(row, seen.state) if seen is not None and is_there else ()
    run = PathRun(service, QuickClock(), lambda _: None, threading.Event())
    done = []
    for step in path_steps(verbs, wanted, seen, row):
        run.perform(step.action)  # type: ignore[arg-type]  # those of a path
        done.append(step.id)
    return done


def converge_once(settings: dict[str, Any], wanted: PathSpec, *, keep: bool) -> None:
    """The same with a client of its own, for a process of its own. `settings` are those of the provider in site.yaml."""
    checked = PathProvider.model_validate(settings)
    secrets = SecretSource(environment={TOKEN_VARIABLE: TOKEN})
    access = PathAccess(wanted.provider, checked, PathOwner("lab"), Path(), Timeouts(answer=5.0), secrets)
    converge(path_service(access), wanted, checked.kind, keep=keep)
