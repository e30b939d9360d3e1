"""What the tests of random services draw: every field that people may write, or a reason why not."""

from __future__ import annotations

from random import Random
from typing import Any

from dtnctl.model.profile import ProfileFields
from dtnctl.model.site import Network, Session
from tests.engines.random_site import State
from tests.engines.random_values import LEFT_OUT


def drawn() -> dict[str, list[dict[str, Any]]]:
    """The files of some rounds, by folder; what profiles, settings and overrides say is under `fields`."""
    state = State(Random(1), 75)
    found: dict[str, list[dict[str, Any]]] = {"networks": [], "profiles": [], "sessions": []}
    for _ in range(4):
        state.draw_networks()
        state.draw_profiles()
        state.draw_sessions()
        for path, file in state.files.items():
            found[path.partition("/")[0]].append(file)
    sessions = found["sessions"]
    found["fields"] = [
        *found["profiles"],
        *(item["settings"] for item in sessions),
        *(item.get("overrides", {}).get("dtn1", {}) for item in sessions),
    ]
    return found


def test_every_field_is_drawn_or_has_a_reason() -> None:
    found = drawn()
    for folder, model in (("networks", Network), ("sessions", Session), ("fields", ProfileFields)):
        names = {name for file in found[folder] for name in file}
        assert model.model_fields.keys() - names == set(LEFT_OUT[folder])


def test_the_same_seed_draws_the_same() -> None:
    assert drawn() == drawn()
