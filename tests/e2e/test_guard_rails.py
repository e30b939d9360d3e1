"""Guard rails on a real engine: what was applied last holds against the commit that takes it away."""

from __future__ import annotations

import pytest

from tests.e2e.playground import Playground

pytestmark = pytest.mark.lab


def test_a_protected_session_outlives_its_file_until_the_protection_was_lifted_by_an_apply(play: Playground) -> None:
    """Declared after the container was made, so that a marker records it; the service is never interrupted."""
    play.session("kept")
    play.session("other")
    play.converge()
    before = play.container("kept")
    play.session("kept", protect=True)
    play.converge()
    assert play.names() == {"play.kept", "play.other", "play.kept.protection"}
    play.remove("sessions/kept")
    ran = play.apply().expect(4)
    assert "E0441" in ran.out
    play.session("kept", protect=False, settings={"env": {"NEW": "1"}})
    for _ in range(2):
        assert "E0441" in play.apply().expect(4).out, "the same commit does not get through the second time either"
    play.session("kept", protect=False)
    play.converge()
    assert play.container("kept")["State"]["StartedAt"] == before["State"]["StartedAt"]
    assert play.names() == {"play.kept", "play.other"}
    play.remove("sessions/kept")
    play.converge()
    assert play.names() == {"play.other"}
