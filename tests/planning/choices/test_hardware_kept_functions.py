"""Which virtual function a service has already, and which it cannot have."""

from __future__ import annotations

from dataclasses import replace

from dtn_agent.protocol import Held, Host, Interface

from dtnctl.model.resources import Attachment
from tests.planning.building import change, drop, plan
from tests.planning.dtns import STAR, after, agent, before, carry_out, configured, dtn, endpoint, held, live, session, sessions
from tests.planning.listing import changes, details, says, steps
from tests.planning.machines import machine, pf
from tests.properties.world import KilledError

# --- what a session has already -----------------------------------------------------------------------------


def test_a_lost_container_comes_back_with_the_function_that_the_ledger_has_for_it() -> None:
    declared = dtn(STAR, sessions("a", "b"))
    made = after(declared)
    carry_out(dtn(STAR, sessions("b")), made)
    drop(made, "a", "lab.b")
    says(
        steps(plan(dtn(STAR, sessions("b")), made)),
        """
        a/create/lab.b
        a/start/lab.b <- a/create/lab.b
        a/wait/lab.b <- a/start/lab.b
        """,
    )
    carry_out(dtn(STAR, sessions("a", "b")), made)
    assert held(made) == {"a/star": "ens1f0 0", "b/star": "ens1f0 1"}


def test_where_the_ledger_has_another_function_than_the_container_the_ledger_is_right() -> None:
    declared = dtn(STAR, session())
    made = after(declared)
    one = agent(made)
    moved = one.machine.held.vfs[0].model_copy(update={"index": 2, "pci": "0000:b1:00.4"})
    one.machine = one.machine.model_copy(update={"held": Held(vfs=(moved,))})
    repair = plan(declared, made)
    assert repair.changes[0].fields[0].field == "attachments"
    carry_out(declared, made)
    assert [item.vf for item in live(made).spec.attachments if item.network == "star"] == ["0000:b1:00.4"]


def test_an_index_that_is_not_there_any_more_is_given_up_for_one_that_is() -> None:
    """Somebody made fewer functions."""
    declared = dtn(STAR, sessions("a", "b", "c"))
    made = after(declared)
    carry_out(dtn(STAR, sessions("c")), made)
    made.hosts["a"].containers = {}
    card = agent(made).interface("ens1f0")
    agent(made)._resize(card, 2)
    carry_out(dtn(STAR, sessions("c")), made)
    assert held(made) == {"c/star": "ens1f0 0"}


def test_the_kept_one_of_two_functions_of_a_session_is_that_of_its_container() -> None:
    """A replacement that went back leaves the other one in the ledger."""
    declared = dtn(STAR, session())
    made = after(declared)
    one = agent(made)
    own = one.machine.held.vfs[0]
    spare = own.model_copy(update={"index": 1, "pci": "0000:b1:00.3"})
    for entries in ((own, spare), (spare, own)):
        one.machine = one.machine.model_copy(update={"held": Held(vfs=entries)})
        clearing = plan(declared, made)
        says(
            details(clearing),
            """
            update session/one @ a: releases virtual functions that container lab.one does not use
              because network star uses another virtual function (state/networks/star.yaml:1)
              star.vf: 0000:b1:00.3 -> released (state/networks/star.yaml:1)
            """,
        )
        assert steps(clearing) == ["a/release/0000:b1:00.3"]
    carry_out(declared, made)
    assert held(made) == {"one/star": "ens1f0 0"}


def test_without_a_container_the_lowest_of_two_functions_of_a_session_is_kept() -> None:
    declared = dtn(STAR, session())
    made = after(declared)
    one = agent(made)
    own = one.machine.held.vfs[0]
    spare = own.model_copy(update={"index": 1, "pci": "0000:b1:00.3"})
    drop(made, "a", "lab.one")
    one.machine = one.machine.model_copy(update={"held": Held(vfs=(spare, own))})
    carry_out(declared, made)
    assert held(made) == {"one/star": "ens1f0 0"}


def test_a_network_that_got_another_name_keeps_the_function() -> None:
    made = after(dtn(STAR, session()), pf("ens1f0", 1, vfs=1))
    moon = STAR.replace("star", "moon")
    declared = dtn(moon, session(settings="{data_nets: [moon]}"), on=endpoint(interfaces="{moon: ens1f0}"))
    moving = plan(declared, made)
    assert not moving.blocked
    assert ("moon.vf", "0000:b1:00.2 (for star)", "0000:b1:00.2") in [
        (item.field, item.before, item.after) for change in moving.changes for item in change.fields
    ]
    carry_out(declared, made)
    assert held(made) == {"one/moon": "ens1f0 0"}


def test_a_further_network_that_got_another_name_keeps_the_function_too() -> None:
    """It is at rest while its function gets the settings of the other network."""
    lan = "# networks/lan\ndriver: macvlan\nsubnet: 10.7.0.0/24\n"
    nets = lan + STAR + STAR.replace("star", "moon").replace("10.2", "10.3")
    on = endpoint(interfaces="{lan: eth9, star: ens1f0, moon: ens1f0}")
    made = after(dtn(nets, session(settings="{data_nets: [lan, star], mgmt_net: null}"), on=on), pf("ens1f0", 1, vfs=1))
    declared = dtn(nets, session(settings="{data_nets: [lan, moon], mgmt_net: null}"), on=on)
    says(
        steps(plan(declared, made)),
        """
        a/network/moon
        a/stop/lab.one <- a/network/moon
        a/disconnect.star/lab.one <- a/stop/lab.one
        a/vf.moon/lab.one <- a/disconnect.star/lab.one
        a/connect.moon/lab.one <- a/vf.moon/lab.one
        a/remove-network/star <- a/disconnect.star/lab.one
        a/start/lab.one <- a/connect.moon/lab.one
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    carry_out(declared, made)
    assert held(made) == {"one/moon": "ens1f0 0"}


def test_a_cut_off_replacement_goes_on_with_the_function_of_the_old_container() -> None:
    made = after(dtn(STAR, session()))
    declared = dtn(STAR, session(settings="{data_nets: [star], mgmt_net: null, init: true}"))
    for budget in range(12):
        made.budget = budget
        try:
            made.apply(plan(declared, made))
        except KilledError:
            made.check()
        made.budget = None
        assert held(made) == {"one/star": "ens1f0 0"}
    carry_out(declared, made)
    assert held(made) == {"one/star": "ens1f0 0"}


def test_a_prepared_replacement_that_never_ran_keeps_no_function_from_others() -> None:
    """It names one of before the agent's ledger was lost; what takes its place is given the first that is free."""
    made = after(dtn(STAR, sessions("one")), pf("ens1f0", 1, vfs=2))
    leftover = live(made)
    change(made, "a", "lab.one", state="exited", attachments=(Attachment("bridge"),))
    named = tuple(replace(item, vf="0000:b1:00.3") if item.vf else item for item in leftover.spec.attachments)
    prepared = replace(leftover, id="prepared", name="lab.one..new", state="created", spec=replace(leftover.spec, attachments=named))
    made.hosts["a"].containers[prepared.id] = prepared
    agent(made).lose_ledger()
    declared = dtn(STAR, sessions("one", "two"))
    assert not plan(declared, made).blocked
    carry_out(declared, made)
    assert held(made) == {"one/star": "ens1f0 0", "two/star": "ens1f0 1"}


def test_containers_that_are_not_declared_any_more_and_stay_keep_their_functions_without_a_ledger() -> None:
    """They would not start any more if somebody else got it."""
    made = after(dtn(STAR, sessions("old")), pf("ens1f0", 1, vfs=2))
    change(made, "a", "lab.old", state="exited")
    agent(made).lose_ledger()
    keeping = plan(dtn(STAR, sessions("new")), made, excludes=("session/old",))
    assert configured(keeping)["new/star"].index == 1


# --- what cannot be -----------------------------------------------------------------------------------------


def told(host: Host) -> list[str]:
    declared = dtn(STAR, session())
    return details(plan(declared, before(declared, told=host)))


def test_an_interface_without_functions_blocks_and_says_where_there_are_some() -> None:
    plain = Interface(name="ens1f0", index=2, mtu=9000)
    says(
        told(machine(plain, pf("ens2f0", 0))),
        """
        blocked session/one @ a: E0471
          because interface ens1f0 of a has no SR-IOV (state/sessions/one.yaml:4)
          fix: an interface that has it: ens2f0
        """,
    )
    says(
        told(machine(Interface(name="eth0", index=1, mtu=1500))),
        """
        blocked session/one @ a: E0471
          because interface ens1f0 of a is not there (state/sessions/one.yaml:4)
          fix: an endpoint with SR-IOV: none of its interfaces has it
        """,
    )
    says(
        told(machine(pf("ens1f0", 1, vfs=0, total=16))),
        """
        blocked session/one @ a: E0471
          because interface ens1f0 of a has no virtual functions (state/sessions/one.yaml:4)
          fix: `vfs: {ens1f0: 8}` in the endpoint's file; it can have 16
        """,
    )


def test_an_agent_whose_driver_does_not_run_blocks_with_its_reason() -> None:
    says(
        told(machine(lacks=("driver",))),
        """
        blocked session/one @ a: E0470
          because network star needs virtual functions, but the agent of a cannot provide any: no such module
              (state/sessions/one.yaml:4)
          fix: to fix that on the endpoint; its agent's log says more
        """,
    )
    declared = dtn(session(settings="{}"))
    assert not plan(declared, before(declared, told=machine(lacks=("driver",)))).blocked


def test_an_mtu_that_the_interface_does_not_have_blocks_before_anything_is_touched() -> None:
    declared = dtn(STAR + "mtu: 9001\n", session())
    says(
        details(plan(declared, before(declared))),
        """
        blocked session/one @ a: E0476
          because network star has MTU 9001, its interface ens1f0 of a has 9000 (state/sessions/one.yaml:4)
          fix: `mtu: 9000` in state/networks/star.yaml, or an MTU of 9001 on the interface
        """,
    )


def test_a_service_whose_function_was_set_when_the_interface_had_the_mtu_is_left_as_it_is() -> None:
    declared = dtn(STAR + "mtu: 9000\n", session())
    made = after(declared)
    one = agent(made)
    one._replace(one.interface("ens1f0").model_copy(update={"mtu": 1500}))
    assert plan(declared, made).is_empty


def test_half_a_session_is_of_no_use_so_all_of_it_is_blocked() -> None:
    declared = dtn(STAR, session(on="a, b"), on=endpoint("a") + endpoint("b"))
    made = before(declared)
    agent(made, "b").machine = machine(pf("ens1f0", 1, vfs=0))
    blocked = plan(declared, made)
    assert changes(blocked) == ["blocked session/one @ b: E0471"]
    assert not blocked.steps


def test_replaced_service_shows_its_function_among_what_it_keeps() -> None:
    made = after(dtn(STAR + "vlan: 5\n", session()))
    replacing = plan(dtn(STAR + "vlan: 5\n", session(settings="{data_nets: [star], mgmt_net: null, init: true}")), made)
    (only,) = replacing.changes
    assert dict(only.kept)["star vf"] == "0000:b1:00.2 (ens1f0 vf 0, node 1)"
    assert not any(label.startswith("star ") for label, _ in only.allocations)
    assert not any("vf.star" in step.id for step in replacing.steps)


def test_services_without_any_need_of_hardware_get_none_and_an_agent_changes_nothing_for_them() -> None:
    declared = dtn(session(settings="{}"))
    made = before(declared)
    alone = replace(made.hosts["a"], agent=None)
    with_agent = plan(declared, made)
    made.hosts["a"] = alone
    assert plan(declared, made).hash == with_agent.hash
