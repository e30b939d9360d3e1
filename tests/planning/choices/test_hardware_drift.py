"""Settings of virtual functions that somebody changed, and ledgers that were lost: drift, repaired by the next apply."""

from __future__ import annotations

import pytest

from tests.planning.building import change, plan
from tests.planning.dtns import (
    STAR,
    after,
    agent,
    carry_out,
    dtn,
    held,
    session,
    sessions,
)
from tests.planning.listing import details, says, steps
from tests.planning.machines import pf


@pytest.mark.parametrize(
    ("values", "field", "needs_rest"),
    [({"vlan": 9}, "vlan", False), ({"trust": False}, "trust", False), ({"mac": "02:00:00:00:00:01"}, "mac", True)],
)
def test_settings_that_somebody_changed_by_hand_are_drift_and_repaired(values: dict[str, object], field: str, needs_rest: bool) -> None:
    declared = dtn(STAR + "vlan: 5\ntrust: true\n", session())
    made = after(declared)
    agent(made).change_vf("ens1f0", 0, **values)
    (repair,) = plan(declared, made).changes
    assert (repair.is_drift, [item.field for item in repair.fields]) == (True, [f"star.{field}"])
    assert bool(repair.interrupts) == needs_rest
    carry_out(declared, made)


def test_settings_that_nothing_is_declared_for_are_the_hosts_own() -> None:
    declared = dtn(STAR, session())
    made = after(declared)
    agent(made).change_vf("ens1f0", 0, trust=True, vlan=9)
    assert plan(declared, made).is_empty


def test_a_change_in_git_is_no_drift_although_somebody_changed_something_by_hand_as_well() -> None:
    made = after(dtn(STAR + "vlan: 5\n", session()))
    agent(made).change_vf("ens1f0", 0, vlan=9)
    (changing,) = plan(dtn(STAR + "vlan: 6\n", session()), made).changes
    assert not changing.is_drift


def test_a_lost_ledger_is_drift_and_the_service_gets_its_own_function_again_at_rest() -> None:
    declared = dtn(STAR + "vlan: 5\n", session())
    made = after(declared)
    agent(made).lose_ledger()
    repair = plan(declared, made)
    says(
        details(repair),
        """
        drift: update session/one @ a: changes container lab.one in place, restarts it
          because network star needs a virtual function (state/networks/star.yaml:1)
          star.vf: none -> 0000:b1:00.2 (state/networks/star.yaml:1)
          interrupts: one on a is down while it restarts
        """,
    )
    says(
        steps(repair),
        """
        a/stop/lab.one (or back)
        a/vf.star/lab.one <- a/stop/lab.one (or back)
        a/start/lab.one <- a/vf.star/lab.one (or back)
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    carry_out(declared, made)
    assert held(made) == {"one/star": "ens1f0 0"}


def test_sessions_that_come_with_a_lost_ledger_take_nothing_from_those_that_live() -> None:
    made = after(dtn(STAR, sessions("m", "n")), pf("ens1f0", 1, vfs=3))
    change(made, "a", "lab.n", state="exited")
    agent(made).lose_ledger()
    declared = dtn(STAR, sessions("a", "m", "n"))
    carry_out(declared, made)
    assert held(made) == {"m/star": "ens1f0 0", "n/star": "ens1f0 1", "a/star": "ens1f0 2"}


def test_a_session_that_goes_with_a_lost_ledger_makes_room_after_it_is_gone() -> None:
    made = after(dtn(STAR, sessions("old")), pf("ens1f0", 1, vfs=1))
    agent(made).lose_ledger()
    made_plan = plan(dtn(STAR, sessions("new")), made)
    says(
        steps(made_plan),
        """
        a/stop/lab.old
        a/remove/lab.old <- a/stop/lab.old
        a/vf.star/lab.new <- a/remove/lab.old
        a/create/lab.new <- a/vf.star/lab.new
        a/start/lab.new <- a/create/lab.new
        a/wait/lab.new <- a/start/lab.new
        """,
    )
    carry_out(dtn(STAR, sessions("new")), made)
