"""Virtual functions that are given back: with the last session, after a session vanished, and only by a run that is about them."""

from __future__ import annotations

import pytest
from dtn_agent.protocol import Held

from tests.planning.building import drop, plan
from tests.planning.choices.function_counts import NONE_YET, count, on, ours
from tests.planning.dtns import (
    STAR,
    after,
    agent,
    before,
    carry_out,
    dtn,
    endpoint,
    held,
    session,
    sessions,
)
from tests.planning.listing import changes, details, says, steps
from tests.planning.machines import machine, pf

# --- giving them back ---------------------------------------------------------------------------------------


def test_an_interface_is_given_back_when_nothing_declares_functions_any_more() -> None:
    made = after(dtn(STAR, session(), on=on(4)), NONE_YET)
    says(
        details(plan(dtn(STAR, on=on(None)), made)),
        """
        destroy network/star @ a: removes network star
          because no service here uses it
        destroy session/one @ a: removes container lab.one, running
          because no file state/sessions/one.yaml any more
          note virtual function 0000:b1:00.2 of ens1f0 is released and restored as it was found
          interrupts: one on a ends
        destroy vfs/ens1f0 @ a: restores ens1f0 with 0 virtual functions, as it was found
          because nothing asks for them any more, and none is in use
          virtual functions: 4 -> 0
        """,
    )
    says(
        steps(plan(dtn(STAR, on=on(None)), made)),
        """
        a/stop/lab.one
        a/remove/lab.one <- a/stop/lab.one
        a/release/0000:b1:00.2 <- a/remove/lab.one
        a/remove-network/star <- a/remove/lab.one
        a/vfs/ens1f0 <- a/release/0000:b1:00.2
        """,
    )
    carry_out(dtn(STAR, on=on(None)), made)
    assert (count(made), agent(made).machine.held) == (0, Held())


def test_functions_stay_while_a_session_has_one_although_none_are_declared() -> None:
    made = after(dtn(STAR, sessions("one", "two"), on=on(4)), NONE_YET)
    carry_out(dtn(STAR, sessions("one"), on=on(None)), made)
    assert (count(made), held(made)) == (4, {"one/star": "ens1f0 0"})


def test_functions_stay_while_another_site_has_one() -> None:
    theirs = after(dtn(STAR, session(), on=on(4)), NONE_YET)
    entry = agent(theirs).machine.held.vfs[0]
    foreign = entry.model_copy(update={"owner": entry.owner.model_copy(update={"site": "nersc"})})
    declared = dtn(STAR, on=on(None))
    made = before(declared, told=machine(pf("ens1f0", 1), held=ours(4).model_copy(update={"vfs": (foreign,)})))
    assert plan(declared, made).is_empty


@pytest.mark.parametrize("told", [machine(pf("ens1f0", 1)), machine(pf("ens1f0", 1), held=ours(4, "nersc"))])
def test_functions_that_others_made_are_never_given_back(told: object) -> None:
    declared = dtn(STAR, on=on(None))
    assert plan(declared, before(declared, told=told)).is_empty  # type: ignore[arg-type]  # a machine


def test_an_interface_of_which_nothing_is_left_is_given_back_in_the_ledger() -> None:
    """The card was pulled."""
    declared = dtn(STAR, on=on(None))
    made = before(declared, told=machine(pf("ens2f0", 0), held=ours(4)))
    assert steps(plan(declared, made)) == ["a/vfs/ens1f0"]


def test_destroy_gives_everything_back_and_makes_nothing() -> None:
    declared = dtn(STAR, session(), on=on(4))
    made = before(declared, NONE_YET)
    assert plan(declared, made, destroy=True).is_empty
    carry_out(declared, made)
    made.apply(plan(declared, made, destroy=True))
    assert (count(made), agent(made).machine.held, made.hosts["a"].containers) == (0, Held(), {})


def test_destroy_of_a_half_done_replacement_gives_the_function_back_after_both_containers() -> None:
    made = after(dtn(STAR, session(), on=on(4)), NONE_YET)
    replacing = plan(dtn(STAR, session(settings="{data_nets: [star], mgmt_net: null, init: true}"), on=on(4)), made)
    for step in replacing.steps[:5]:
        made.perform(step)
    says(
        steps(plan(dtn(STAR, on=on(None)), made)),
        """
        a/stop/lab.one
        a/remove/lab.one <- a/stop/lab.one
        a/remove/lab.one..old
        a/release/0000:b1:00.2 <- a/remove/lab.one, a/remove/lab.one..old
        a/remove-network/star <- a/remove/lab.one, a/remove/lab.one..old
        a/vfs/ens1f0 <- a/release/0000:b1:00.2
        """,
    )
    carry_out(dtn(STAR, on=on(None)), made)


def test_with_only_the_retired_container_left_its_function_is_given_back_too() -> None:
    made = after(dtn(STAR, session()))
    replacing = plan(dtn(STAR, session(settings="{data_nets: [star], mgmt_net: null, init: true}")), made)
    for step in replacing.steps[:3]:
        made.perform(step)
    carry_out(dtn(STAR), made)
    assert held(made) == {}


# --- sessions that vanished ---------------------------------------------------------------------------------


def test_what_is_held_for_a_session_that_vanished_with_its_container_is_given_back() -> None:
    made = after(dtn(STAR, sessions("one", "two")))
    drop(made, "a", "lab.one")
    gone = plan(dtn(STAR, sessions("two")), made)
    says(
        details(gone),
        """
        destroy vfs/ens1f0 @ a: releases virtual function 0000:b1:00.2 of ens1f0 and restores it as it was found
          because it is held for session one, which is not here any more
        """,
    )
    assert steps(gone) == ["a/release/0000:b1:00.2"]
    carry_out(dtn(STAR, sessions("two")), made)
    assert held(made) == {"two/star": "ens1f0 1"}


def test_a_session_that_comes_may_have_the_function_of_one_that_vanished() -> None:
    made = after(dtn(STAR, sessions("one")), pf("ens1f0", 1, vfs=1))
    drop(made, "a", "lab.one")
    declared = dtn(STAR, sessions("two"))
    assert steps(plan(declared, made))[:2] == ["a/release/0000:b1:00.2", "a/vf.star/lab.two <- a/release/0000:b1:00.2"]
    carry_out(declared, made)


def test_over_the_prune_budget_nothing_is_taken_away() -> None:
    """A wrong folder must not empty a host."""
    made = after(dtn(STAR, sessions("one", "two", "three"), on=on(4)), NONE_YET)
    drop(made, "a", "lab.three")
    empty = plan(dtn(STAR, on=on(None)), made, prune=1)
    assert [item.mark for item in empty.changes] == ["blocked", "blocked"]
    assert not empty.steps


# --- what a run is about ------------------------------------------------------------------------------------


def test_a_targeted_session_gets_the_functions_that_it_waits_for_made() -> None:
    declared = dtn(STAR, sessions("one", "two"), on=endpoint(more="vfs: {ens1f0: 4, ens2f0: 4}\n"))
    made = before(declared, NONE_YET, pf("ens2f0", 0, vfs=0))
    targeted = plan(declared, made, targets=("session/two",))
    says(
        changes(targeted),
        """
        create network/star @ a: creates network star
        create session/two @ a: creates container lab.two
        create vfs/ens1f0 @ a: makes 4 virtual functions on ens1f0
        """,
    )
    made.apply(targeted)
    made.check()
    assert changes(plan(declared, made, targets=("vfs/*",))) == ["create vfs/ens2f0 @ a: makes 4 virtual functions on ens2f0"]


def test_a_run_with_targets_gives_back_only_what_it_is_about() -> None:
    made = after(dtn(STAR, sessions("one", "two", "three"), on=on(4)), NONE_YET)
    drop(made, "a", "lab.one")
    declared = dtn(STAR, sessions("two"), on=on(None))
    assert plan(declared, made, targets=("session/two",)).is_empty
    assert steps(plan(declared, made, targets=("session/one",))) == ["a/release/0000:b1:00.2"]
    assert steps(plan(declared, made, targets=("session/three",)))[-1] == "a/release/0000:b1:00.3 <- a/remove/lab.three"


def test_an_excluded_interface_keeps_its_number_and_what_needs_another_one_is_blocked() -> None:
    declared = dtn(STAR, session(), on=on(4))
    made = before(declared, NONE_YET)
    says(
        details(plan(declared, made, excludes=("vfs/ens1f0",))),
        """
        blocked session/one @ a: E0471
          because interface ens1f0 of a has 0 virtual functions, `vfs:` says 4, and it is excluded from this run
              (state/sessions/one.yaml:4)
          fix: a run that does not exclude it
        """,
    )
    carry_out(declared, made)
    carry_out(dtn(STAR, on=on(4)), made)
    assert plan(dtn(STAR, on=on(None)), made, excludes=("vfs/ens1f0",)).is_empty
    assert plan(dtn(STAR, on=on(6)), made, excludes=("vfs/*",)).is_empty


def test_an_excluded_session_that_vanished_keeps_what_is_held_for_it() -> None:
    made = after(dtn(STAR, sessions("one", "two")))
    drop(made, "a", "lab.one")
    assert plan(dtn(STAR, sessions("two")), made, excludes=("session/one",)).is_empty
