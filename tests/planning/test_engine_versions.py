"""Plans name engines that are older than dtnctl works with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.resources import Snapshot
from tests.planning.building import plan, site, world

SESSION = "# sessions/one\nendpoints: [a]\nimage: dtn:1\n"


def notes_with(version: str, backend: str) -> tuple[str, ...]:
    declared = site(SESSION)
    seen = world(declared).observe().endpoints
    return plan(declared, Snapshot({**seen, "a": replace(seen["a"], engine_version=version, backend=backend)})).notes


@pytest.mark.parametrize(
    ("version", "backend", "oldest"), [("19.03.15", "Docker", "20.10"), ("4.3.1", "Podman", "5.0"), ("4.9.3-dev", "Podman", "5.0")]
)
def test_an_engine_that_is_too_old_is_named_in_the_plan(version: str, backend: str, oldest: str) -> None:
    (note,) = notes_with(version, backend)
    assert note.startswith(f"a runs {backend} {version}, and dtnctl works with {oldest} or newer: what it shows and does may differ")


@pytest.mark.parametrize(
    ("version", "backend"), [("20.10.24", "Docker"), ("28.5.1", "Docker"), ("5.0.0", "Podman"), ("", "Docker"), ("dev", "Podman")]
)
def test_one_that_is_new_enough_or_shows_no_version_is_not(version: str, backend: str) -> None:
    assert notes_with(version, backend) == ()
