"""One service that checks itself, and a replacement of it that was cut off."""

from __future__ import annotations

import pytest

from tests.planning.building import applied, plan, site
from tests.properties.world import KilledError, World


def session(settings: str = "{}", state: str = "started", on: str = "a") -> str:
    return f"# sessions/one\nendpoints: [{on}]\nimage: dtn:1\nstate: {state}\nsettings: {settings}\n"


CHECK = "{health_check: {test: [check], interval: 2s, timeout: 1s, retries: 3, start_period: 20s}}"


def cut_off(settings: str = "{init: true}", effects: int = 0) -> World:
    """A replacement that was killed after so many effects: create, stop, retire, promote, start, and last the old one's removal."""
    made = applied(site(session()))
    made.budget = effects
    with pytest.raises(KilledError):
        made.apply(plan(site(session(settings)), made))
    made.budget = None
    return made


def names(made: World) -> dict[str, str]:
    return {item.name: item.state for item in made.hosts["a"].containers.values()}
