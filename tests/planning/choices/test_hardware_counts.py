"""How many virtual functions an interface has: made as declared, never in anybody's way, given back as it was found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dtn_agent.protocol.vfs import SetVfCount

from dtnctl.model.actions import HostRequest
from tests.planning.building import change, plan
from tests.planning.choices.function_counts import NONE_YET, count, on, ours
from tests.planning.dtns import (
    STAR,
    after,
    agent,
    before,
    carry_out,
    configured,
    dtn,
    endpoint,
    held,
    live,
    requests,
    session,
    sessions,
)
from tests.planning.listing import changes, details, notes, says, steps
from tests.planning.machines import machine, pf, verbs
from tests.properties.world import World

# --- making them --------------------------------------------------------------------------------------------


def test_declared_functions_are_made_and_their_addresses_known_before() -> None:
    declared = dtn(STAR, session(), on=on(4))
    made = before(declared, NONE_YET)
    first = plan(declared, made)
    says(
        details(first)[6:],
        """
        create session/one @ a: creates container lab.one
          because declared, not there (state/sessions/one.yaml:1)
          image = dtn:1
          ctrl_port = 30000
          star = 10.2.0.2
          star vf = 0000:b1:00.2 (ens1f0 vf 0, node 1)
          star mac = 02:e1:30:ea:34:dc
          memory = 8 GiB
        create vfs/ens1f0 @ a: makes 4 virtual functions on ens1f0
          because declared, not there (state/endpoints/a.yaml:6)
          virtual functions: 0 -> 4 (state/endpoints/a.yaml:6)
        """,
    )
    says(
        steps(first),
        """
        a/vfs/ens1f0
        a/vf.star/lab.one <- a/vfs/ens1f0
        a/network/star
        a/create/lab.one <- a/vf.star/lab.one, a/network/star
        a/start/lab.one <- a/create/lab.one
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    carry_out(declared, made)
    assert (count(made), agent(made).machine.held.pfs) == (4, ours(4).pfs)


def test_the_address_of_a_function_may_be_on_the_next_bus() -> None:
    card = pf("ens1f0", 1, vfs=0, total=255)
    assert card.sriov is not None
    far = card.model_copy(update={"sriov": card.sriov.model_copy(update={"offset": 254, "stride": 2})})
    declared = dtn(STAR, sessions("a", "b"), on=on(2))
    made = before(declared, far)
    made_plan = plan(declared, made)
    assert configured(made_plan).keys() == {"a/star", "b/star"}
    subjects = [step.action.subject for step in made_plan.steps if isinstance(step.action, HostRequest) and "/vf." in step.id]
    assert subjects == ["virtual function 0000:b1:1f.6", "virtual function 0000:b2:00.0"]
    carry_out(declared, made)


def test_they_are_made_without_any_session() -> None:
    declared = dtn(STAR, on=on(8))
    made = before(declared, NONE_YET)
    assert changes(carry_out(declared, made)) == ["create vfs/ens1f0 @ a: makes 8 virtual functions on ens1f0"]


def test_sessions_that_find_none_are_not_blocked_where_they_are_declared() -> None:
    declared = dtn(STAR, sessions("a", "b", "c"), on=on(2))
    made = before(declared, NONE_YET)
    (blocked,) = plan(declared, made).blocked
    assert blocked.cause.text == "no free virtual function on ens1f0 of a: it has 2; held are 0 by session a, 1 by session b"


def test_without_a_declared_number_those_that_there_are_serve() -> None:
    made = before(dtn(STAR, session()), pf("ens1f0", 1, vfs=2))
    assert not any(isinstance(request, SetVfCount) for request in requests(carry_out(dtn(STAR, session()), made)))


@pytest.mark.parametrize("vfs", [4, 6])
def test_others_functions_serve_if_they_are_as_many_as_declared_or_more(vfs: int) -> None:
    declared = dtn(STAR, session(), on=on(4))
    made = before(declared, pf("ens1f0", 1, vfs=vfs))
    carry_out(declared, made)
    assert count(made) == vfs
    assert agent(made).machine.held.pfs == ()


def test_a_service_with_verbs_waits_for_a_second_apply_since_nobody_knows_their_number_before() -> None:
    declared = dtn(STAR, session(settings="{data_nets: [star], mgmt_net: null, devices: [uverbs]}"), on=on(2))
    made = before(declared, told=machine(NONE_YET, rdma=verbs(NONE_YET)))
    first = plan(declared, made)
    says(
        details(first),
        """
        blocked session/one @ a: E0474
          because virtual function 0000:b1:00.2 on a has no verbs device before it exists (state/sessions/one.yaml:4)
          fix: this apply to make it, then another one
        create vfs/ens1f0 @ a: makes 2 virtual functions on ens1f0
          because declared, not there (state/endpoints/a.yaml:6)
          virtual functions: 0 -> 2 (state/endpoints/a.yaml:6)
        """,
    )
    made.apply(first)
    carry_out(declared, made)
    assert [device.host for device in live(made).spec.devices] == ["/dev/infiniband/uverbs0"]


# --- another number -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("declared_count", "why"), [(6, "declared, not there"), (2, "fewer are declared")])
def test_our_own_functions_are_made_anew_while_nobody_has_one(declared_count: int, why: str) -> None:
    made = after(dtn(STAR, on=on(4)), NONE_YET)
    declared = dtn(STAR, session(), on=on(declared_count))
    (resize,) = (item for item in plan(declared, made).changes if item.kind == "vfs")
    assert (resize.mark, resize.cause.text, resize.is_drift) == ("update", why, False)
    carry_out(declared, made)
    assert (count(made), held(made)) == (declared_count, {"one/star": "ens1f0 0"})
    assert agent(made).machine.held.pfs[0].found == 0


def test_functions_in_use_are_not_made_anew_and_the_plan_says_so() -> None:
    made = after(dtn(STAR, session(), on=on(4)), NONE_YET)
    blocked = plan(dtn(STAR, sessions("one", "two"), on=on(6)), made)
    says(
        details(blocked)[:4],
        """
        blocked vfs/ens1f0 @ a: E0475
          because interface ens1f0 of a has 4 virtual functions, `vfs:` says 6: those that are there would have to go first, and
              held are 0 by session one (state/endpoints/a.yaml:6)
          fix: `vfs: {ens1f0: 4}` in the endpoint's file; it can have 8
        """,
    )
    assert configured(blocked)["two/star"].index == 1


def test_another_number_waits_until_those_that_go_have_given_theirs_back() -> None:
    made = after(dtn(STAR, sessions("one", "two"), on=on(4)), NONE_YET)
    declared = dtn(STAR, session("new"), on=on(6))
    says(
        steps(plan(declared, made))[5:],
        """
        a/release/0000:b1:00.3 <- a/remove/lab.two
        a/vfs/ens1f0 <- a/release/0000:b1:00.2, a/release/0000:b1:00.3
        a/vf.star/lab.new <- a/vfs/ens1f0
        a/create/lab.new <- a/vf.star/lab.new
        a/start/lab.new <- a/create/lab.new
        a/wait/lab.new <- a/start/lab.new
        """,
    )
    carry_out(declared, made)
    assert (count(made), held(made)) == (6, {"new/star": "ens1f0 0"})


def test_another_number_also_waits_for_sessions_that_stay_and_need_none_any_more() -> None:
    made = after(dtn(STAR, session(), on=on(4)), NONE_YET)
    declared = dtn(STAR, session("new"), session("one", "{}"), on=on(6))
    assert "a/vfs/ens1f0 <- a/release/0000:b1:00.2" in steps(plan(declared, made))
    carry_out(declared, made)
    assert (count(made), held(made)) == (6, {"new/star": "ens1f0 0"})
    excluded = plan(dtn(STAR, session("new", "{}"), session("one", "{}"), on=on(4)), made, excludes=("session/new",))
    assert not excluded.steps


def test_fewer_than_are_in_use_are_a_note() -> None:
    made = after(dtn(STAR, session(), on=on(4)), NONE_YET)
    declared = dtn(STAR, session(), on=on(2))
    fewer = plan(declared, made)
    assert fewer.is_empty
    says(
        notes(fewer),
        """
        interface ens1f0 of a has 4 virtual functions, `vfs:` says 2: those that are there would have to go first, and held are
              0 by session one
        """,
    )


def used_by_a_machine(made: World) -> None:
    agent(made).change_vf("ens1f0", 3, driver="vfio-pci", netdev="")


def in_another_namespace(made: World) -> None:
    agent(made).change_vf("ens1f0", 3, netdev="")


@pytest.mark.parametrize("happens", [used_by_a_machine, in_another_namespace])
def test_our_own_functions_that_somebody_else_uses_are_not_made_anew_nor_given_back(happens: Callable[[World], None]) -> None:
    made = after(dtn(STAR, on=on(4)), NONE_YET)
    happens(made)
    assert changes(plan(dtn(STAR, on=on(6)), made)) == ["blocked vfs/ens1f0 @ a: E0475"]
    assert plan(dtn(STAR, on=on(None)), made).is_empty


def test_functions_without_a_driver_are_in_nobodys_way() -> None:
    made = after(dtn(STAR, on=on(4)), NONE_YET)
    agent(made).change_vf("ens1f0", 3, driver="", netdev="")
    carry_out(dtn(STAR, on=on(6)), made)
    carry_out(dtn(STAR, on=on(None)), made)
    assert count(made) == 0


@pytest.mark.parametrize("told", [machine(pf("ens1f0", 1, vfs=2)), machine(pf("ens1f0", 1, vfs=2), held=ours(2, "nersc"))])
def test_more_than_others_made_cannot_be_and_what_there_is_serves_on(told: object) -> None:
    declared = dtn(STAR, session(), on=on(4))
    made = before(declared, told=told)  # type: ignore[arg-type]  # a machine
    blocked = plan(declared, made)
    (only,) = blocked.blocked
    assert (only.kind, only.code) == ("vfs", "E0475")
    assert only.cause.text.endswith("those that are there would have to go first, and they were made by somebody else")
    made.apply(blocked)
    assert held(made) == {"one/star": "ens1f0 0"}


def test_more_than_the_card_can_have_cannot_be() -> None:
    declared = dtn(STAR, session(), on=on(9))
    says(
        details(plan(declared, before(declared, NONE_YET))),
        """
        blocked session/one @ a: E0471
          because interface ens1f0 of a has 0 virtual functions, `vfs:` says 9, and it can have 8 (state/sessions/one.yaml:4)
          fix: `vfs: {ens1f0: 8}` in the endpoint's file; it can have 8
        blocked vfs/ens1f0 @ a: E0475
          because interface ens1f0 of a has 0 virtual functions, `vfs:` says 9, and it can have 8 (state/endpoints/a.yaml:6)
          fix: `vfs: {ens1f0: 8}` in the endpoint's file; it can have 8
        """,
    )


def test_an_interface_that_is_declared_but_not_there_is_blocked() -> None:
    declared = dtn(STAR, on=endpoint(more="vfs: {ens1f0: 4, ens9: 2}\n"))
    made = before(declared)
    says(
        details(plan(declared, made)),
        """
        blocked vfs/ens9 @ a: E0471
          because interface ens9 of a is not there (state/endpoints/a.yaml:6)
          fix: an interface that has it: ens1f0
        """,
    )
    assert plan(declared, made, excludes=("vfs/ens9",)).is_empty
    assert plan(declared, made, targets=("session/*",)).is_empty


# --- drift --------------------------------------------------------------------------------------------------


def test_functions_that_somebody_took_away_are_drift_and_everybody_gets_his_own_again() -> None:
    declared = dtn(STAR, sessions("one", "two"), on=on(4))
    made = after(declared, NONE_YET)
    for name in ("lab.one", "lab.two"):
        change(made, "a", name, state="exited")
    agent(made).boot(restores=False)
    repair = plan(declared, made)
    assert sorted((item.kind, item.name, item.is_drift) for item in repair.changes) == [
        ("session", "one", True),
        ("session", "two", True),
        ("vfs", "ens1f0", True),
    ]
    says(
        [step for step in steps(repair) if "two" not in step],
        """
        a/vfs/ens1f0
        a/vf.star/lab.one <- a/vfs/ens1f0
        a/start/lab.one <- a/vf.star/lab.one
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    carry_out(declared, made)
    assert held(made) == {"one/star": "ens1f0 0", "two/star": "ens1f0 1"}


def test_after_a_reboot_that_the_agent_was_there_for_only_the_containers_are_missing() -> None:
    declared = dtn(STAR + "vlan: 7\n", sessions("one"), on=on(4))
    made = after(declared, NONE_YET)
    change(made, "a", "lab.one", state="exited")
    agent(made).boot(restores=True)
    assert steps(plan(declared, made)) == ["a/start/lab.one", "a/wait/lab.one <- a/start/lab.one"]


# --- the table ----------------------------------------------------------------------------------------------


def test_the_table_counts_functions_before_and_after_of_how_many() -> None:
    declared = dtn(STAR, sessions("one", "two"), on=on(4))
    made = before(declared, NONE_YET)
    (row,) = plan(declared, made).endpoints
    assert row.vfs is not None
    assert (row.vfs.before, row.vfs.after, row.vfs.total) == (0, 2, 4)
    carry_out(declared, made)
    (row,) = plan(dtn(STAR, sessions("two"), on=on(4)), made).endpoints
    assert row.vfs is not None
    assert (row.vfs.before, row.vfs.after, row.vfs.total) == (2, 1, 4)


def test_the_table_also_counts_functions_of_interfaces_that_nobody_uses_any_more() -> None:
    made = after(dtn(STAR, sessions("one")))
    (row,) = plan(dtn(), made).endpoints
    assert row.vfs is not None
    assert (row.vfs.before, row.vfs.after, row.vfs.total) == (1, 0, 4)
    pulled = agent(made)
    pulled.take_away("ens1f0")
    (row,) = plan(dtn(), made).endpoints
    assert row.vfs is not None
    assert row.vfs.total == 0


def test_without_any_function_in_use_or_declared_the_table_is_empty_there() -> None:
    declared = dtn(STAR, session(settings="{}"))
    (row,) = plan(declared, before(declared)).endpoints
    assert (row.vfs, row.cpus) == (None, ())
