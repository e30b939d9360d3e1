"""An agent that does not answer: what needs it is blocked and left alone, everything else goes on."""

from __future__ import annotations

import pytest

from tests.planning.building import applied, change, plan
from tests.planning.dtns import STAR, after, agent, before, carry_out, dtn, endpoint, held, live, session, sessions
from tests.planning.listing import changes, details, notes, says
from tests.planning.machines import pf
from tests.properties.world import World

SILENCE = "no answer within 10 s"


def silence(made: World, endpoint_name: str = "a") -> World:
    agent(made, endpoint_name).silence = SILENCE
    return made


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ("{data_nets: [star]}", "data_nets"),
        ("{devices: [uverbs]}", "devices"),
        ("{near: any, cpus: 2}", "near"),
        ("{mgmt_net: star}", "mgmt_net"),
    ],
)
def test_sessions_that_need_it_are_blocked_with_the_field_that_does(settings: str, field: str) -> None:
    declared = dtn(STAR, session(settings=settings), session("plain", "{}"))
    made = silence(before(declared))
    says(
        details(plan(declared, made))[:3],
        f"""
        blocked session/one @ a: E0470
          because `{field}` needs the agent of endpoint a: no answer within 10 s (state/sessions/one.yaml:4)
          fix: the agent's answer; nothing of this session is touched until then
        """,
    )
    assert changes(plan(declared, made))[1:] == ["create session/plain @ a: creates container lab.plain"]
    made.apply(plan(declared, made))


def test_the_plan_says_what_is_left_alone() -> None:
    declared = dtn(session("plain", "{}"))
    made = silence(before(declared))
    says(
        notes(plan(declared, made)),
        """
        the agent of a does not answer (no answer within 10 s): virtual functions, volumes over NVMe-oF, VLANs and settings of
              the host are unknown, and left alone
        """,
    )


def test_a_running_session_with_a_function_is_not_touched_whatever_changed() -> None:
    made = silence(after(dtn(STAR, session())))
    running = live(made)
    for declared in (
        dtn(STAR, session()),
        dtn(STAR + "vlan: 9\nmtu: 9000\n", session(settings="{data_nets: [star], init: true}")),
        dtn(STAR.replace("10.2", "10.9"), session()),
    ):
        blocked = plan(declared, made)
        assert changes(blocked) == ["blocked session/one @ a: E0470"]
        assert not blocked.steps
    assert live(made) == running


def test_a_session_that_stopped_is_not_started_without_the_agent() -> None:
    declared = dtn(STAR, session())
    made = silence(after(declared))
    change(made, "a", "lab.one", state="exited")
    assert not plan(declared, made).steps


def test_a_session_across_two_endpoints_waits_for_both_agents() -> None:
    declared = dtn(STAR, session(on="a, b"), on=endpoint("a") + endpoint("b"))
    made = silence(before(declared), "b")
    assert changes(plan(declared, made)) == ["blocked session/one @ b: E0470"]
    agent(made, "b").silence = ""
    carry_out(declared, made)


def test_a_removed_session_goes_and_its_function_is_given_back_once_the_agent_answers() -> None:
    made = silence(after(dtn(STAR, sessions("one", "two"))))
    declared = dtn(STAR, sessions("two"))
    going = plan(declared, made)
    assert [step.id for step in going.steps] == ["a/stop/lab.one", "a/remove/lab.one"]
    made.apply(going)
    assert held(made) == {"one/star": "ens1f0 0", "two/star": "ens1f0 1"}
    agent(made).silence = ""
    carry_out(declared, made)
    assert held(made) == {"two/star": "ens1f0 1"}


def test_networks_of_functions_stay_while_the_agent_that_drives_them_is_silent() -> None:
    """The engine would ask it, and fail."""
    made = silence(after(dtn(STAR, session())))
    declared = dtn()
    gone = plan(declared, made)
    assert [step.id for step in gone.steps] == ["a/stop/lab.one", "a/remove/lab.one"]
    assert "network star on a is used no more but stays: its driver, the agent of a, does not answer" in gone.notes
    made.apply(gone)
    agent(made).silence = ""
    carry_out(declared, made)
    assert not made.hosts["a"].networks


def test_functions_and_vlans_are_as_many_as_they_are() -> None:
    declared = dtn(STAR, on=endpoint(more="vfs: {ens1f0: 4}\n"))
    made = silence(before(declared, pf("ens1f0", 1, vfs=0)))
    assert plan(declared, made).is_empty


def test_the_table_tells_nothing_of_hardware_then() -> None:
    made = silence(after(dtn(STAR, session())))
    (row,) = plan(dtn(STAR, session()), made).endpoints
    assert (row.vfs, row.cpus, row.silence) == (None, (), "")


def test_a_silent_endpoint_is_not_said_to_have_a_silent_agent_as_well() -> None:
    declared = dtn(STAR, session())
    made = after(declared)
    made.hosts["a"].silence = "timed out"
    agent(made).silence = SILENCE
    assert not any("agent" in note for note in plan(declared, made).notes)


def test_an_endpoint_without_an_agent_is_planned_as_before() -> None:
    declared = dtn(session("plain", "{}"))
    made = applied(declared)
    assert made.hosts["a"].agent is None
    assert plan(declared, made).notes == ()
