"""Paths whose window has not begun: reserved now, waited for and used when it begins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dtnctl.model.paths import PathState
from dtnctl.model.plan import Plan
from dtnctl.planning.planner import make_plan
from tests.planning.building import NOW, plan, world
from tests.planning.paths.scene import ASKED, PORTS, SITE, STATIC, declared, look, provider, seen

PLACES = ("r1:1/1", "r2:1/1")
SETTINGS = SITE.replace(
    "kind: nsi, url: 'https://nsi.example.net', options: {requester: r, aggregator: g}",
    "kind: oscars, url: 'https://oscars.example.net', token: {secret: 'env:T'}",
)
LATER = NOW + timedelta(days=1)
WINDOW = f"window: {{from: '{LATER:%Y-%m-%dT%H:%M:%SZ}'}}\n"
EARLY = ASKED.replace(PORTS[0], PLACES[0]).replace(PORTS[1], PLACES[1]) + WINDOW
REASON = f"path a2b: its window begins at {LATER:%Y-%m-%dT%H:%M:%SZ}"


def planned(state: PathState | None, days: int = 0, **there: Any) -> Plan:
    text = declared(path=EARLY, settings=SETTINGS)
    paths = [] if state is None else [seen(state, ends=PLACES, **there)]
    return make_plan(text, look(world(text), provider(*paths)), now=NOW + timedelta(days=days))


def verbs(found: Plan) -> list[str]:
    return [step.id.split("/")[1] for step in found.steps if step.endpoint == "anagram"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, ["request-path", "wait-reserved-path"]),
        ("asked", ["wait-reserved-path"]),
        ("reserved", []),
        ("released", ["request-path", "wait-reserved-path"]),
    ],
)
def test_path_is_reserved_before_its_window_and_not_waited_for(state: PathState | None, expected: list[str]) -> None:
    """Each apply waited a quarter of an hour for it to be active, and failed."""
    found = planned(state)
    assert verbs(found) == expected
    assert [(item.kind, item.code, item.cause.text) for item in found.blocked] == [("session", "E0545", REASON)] * 2


def test_path_is_waited_for_and_used_once_its_window_has_begun() -> None:
    found = planned("reserved", days=2)
    assert verbs(found) == ["wait-active-path"]
    assert found.blocked == ()
    assert "a/network/wan" in {step.id for step in found.steps}


def test_path_is_changed_in_place_before_its_window() -> None:
    assert verbs(planned("reserved", bandwidth=1_000_000)) == ["modify-path", "wait-reserved-path"]
    assert verbs(planned("reserved", days=2, bandwidth=1_000_000)) == ["modify-path", "wait-active-path"]


def test_path_that_failed_before_its_window_is_released_and_reserved_again() -> None:
    assert verbs(planned("failed"))[-2:] == ["request-path", "wait-reserved-path"]


def test_path_that_others_made_carries_no_network_before_its_window() -> None:
    text = declared(path=STATIC + WINDOW)
    assert [(item.kind, item.code, item.cause.text) for item in plan(text, world(text)).blocked] == [("session", "E0545", REASON)] * 2
