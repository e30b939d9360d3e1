"""The Plan as a value: plain data of anything in it."""

from __future__ import annotations

from dtnctl.model.plan import AGENT_NEEDED, Cause, Change, EndpointSummary, Plan, as_data
from dtnctl.model.resources import Ulimit


def test_values_become_plain_data_and_carry_their_types_name() -> None:
    value = {"limits": (Ulimit("nofile", 1, 2),), "text": "x"}
    assert as_data(value) == {"limits": [{"type": "Ulimit", "name": "nofile", "soft": 1, "hard": 2}], "text": "x"}


def test_agents_without_an_answer_are_told_beside_endpoints_and_what_waits_for_them_is_no_guard_rails_no() -> None:
    rows = (
        EndpointSummary("a", "", "", 0, 0, 0, 0, agent_silence="no answer"),
        EndpointSummary("b", "no answer", "", 0, 0, 0, 0),
        EndpointSummary("c", "", "", 0, 0, 0, 0),
    )
    waiting = Change("blocked", "session", "one", "a", Cause("needs the agent"), "", code=AGENT_NEEDED)
    forbidden = Change("blocked", "session", "two", "a", Cause("not allowed"), "", code="E0430")
    unable = Change("blocked", "session", "three", "c", Cause("the agent cannot"), "", code=AGENT_NEEDED)
    plan = Plan("lab", (waiting, forbidden, unable), (), rows)
    assert plan.unanswered == ("b", "the agent of a")
    assert plan.waiting == (waiting,)
