"""What an offline plan says that it cannot know, and what its inventory is asked for so that this is little."""

from __future__ import annotations

import pytest

from dtnctl.model.inventory import Age
from dtnctl.model.resources import Wanted
from dtnctl.planning.declared_texts import declared_texts
from dtnctl.planning.offline import GENERAL, age_text, everything_wanted, offline_notes
from tests.planning.building import NOW, site, world

LAB = site(
    """
    # profiles/default
    env: {FOO: bar}
    volumes: [data:/data]
    pull: always
    # sessions/one
    endpoints: [a]
    image: dtn:1
    # sessions/two
    endpoints: [b]
    image: dtn:2
    """
)


def test_every_endpoint_is_asked_for_all_that_any_session_needs() -> None:
    wanted = everything_wanted(LAB, NOW)
    assert set(wanted) == {"a", "b"}
    for asked in wanted.values():
        assert asked.images == asked.remote_images == {"dtn:1", "dtn:2"}
        assert asked.volumes == {"data"}
        assert asked.ledger
        assert asked.cpus


def test_what_was_not_asked_for_is_said_with_what_is_assumed() -> None:
    notes = offline_notes(LAB, {"a": Wanted(), "b": everything_wanted(LAB, NOW)["b"]}, (Age("a", "", 7200, "5d0e"),), NOW)
    assert GENERAL in notes
    assert "the inventory of a is 2 hours old" in notes
    assert "whether the image dtn:1 is there on a is not known: it is planned as if it were not" in notes
    assert "whether there is a volume data on a is not known: it is planned as if there were none" in notes
    assert not [note for note in notes if " on b " in note]


def test_endpoint_without_an_inventory_is_silent_and_needs_no_further_note() -> None:
    assert offline_notes(LAB, {}, (), NOW) == (GENERAL,)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "less than a minute"), (60, "1 minute"), (41 * 60, "41 minutes"), (7300, "2 hours"), (2 * 86_400, "2 days")]
)
def test_age_is_said_in_its_largest_unit(seconds: int, text: str) -> None:
    assert age_text(seconds) == text


def test_texts_of_profiles_and_of_wanted_containers_are_those_that_are_declared() -> None:
    texts = declared_texts(LAB, world(LAB, images=("dtn:1", "dtn:2")).observe(), NOW)
    assert {"bar", "dtn:1", "dtn:2", "data", "/data"} <= texts
    assert "/usr/bin" not in texts
