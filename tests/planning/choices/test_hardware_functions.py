"""Which virtual function a service gets: sticky, the lowest free one, never one that somebody else has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from dtn_agent.protocol import Held, HeldVf, Host, Interface, Owner, VfSettings

from dtnctl.model.resources import Attachment
from dtnctl.planning.choices.virtual_functions import stable_mac
from tests.planning.building import change, drop, plan
from tests.planning.dtns import STAR, after, agent, before, carry_out, configured, dtn, endpoint, entry, held, live, session, sessions
from tests.planning.listing import changes, details, says, steps
from tests.planning.machines import machine, pf
from tests.properties.world import KilledError, World


def test_the_plan_shows_the_function_with_all_that_it_gets_before_anything_happens() -> None:
    declared = dtn(STAR + "vlan: 222\nmtu: 9000\ntrust: true\n", session())
    made = before(declared)
    first = plan(declared, made)
    says(
        details(first),
        f"""
        create network/star @ a: creates network star
          because used, not there (state/networks/star.yaml:1)
          driver = sriov
          default_route = no
          interface = ens1f0
          subnet = 10.2.0.0/24
        create session/one @ a: creates container lab.one
          because declared, not there (state/sessions/one.yaml:1)
          image = dtn:1
          ctrl_port = 30000
          star = 10.2.0.2
          star vf = 0000:b1:00.2 (ens1f0 vf 0, node 1)
          star mac = {stable_mac("lab", "a", "one", "star")}
          star vlan = 222
          star mtu = 9000
          memory = 8 GiB
        """,
    )
    says(
        steps(first),
        """
        a/vf.star/lab.one
        a/network/star
        a/create/lab.one <- a/vf.star/lab.one, a/network/star
        a/start/lab.one <- a/create/lab.one
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    carry_out(declared, made)
    assert held(made) == {"one/star": "ens1f0 0"}
    assert entry(made).wanted == VfSettings(mac=stable_mac("lab", "a", "one", "star"), vlan=222, trust=True, mtu=9000)
    assert [item.vf for item in live(made).spec.attachments] == ["0000:b1:00.2"]


def test_a_function_without_a_node_and_an_address_that_nobody_tells_is_taken_by_its_index() -> None:
    card = pf("ens1f0", 1)
    assert card.sriov is not None
    nameless = card.sriov.model_copy(update={"offset": None, "stride": None})
    declared = dtn(STAR, session())
    made = before(declared, card.model_copy(update={"numa_node": None, "sriov": nameless}))
    assert dict(plan(declared, made).changes[1].allocations)["star vf"] == "0000:b1:00.2 (ens1f0 vf 0)"


def test_other_sessions_that_come_and_go_move_no_function() -> None:
    declared = dtn(STAR, sessions("k", "m"))
    made = after(declared)
    carry_out(dtn(STAR, sessions("a", "k", "m")), made)
    assert held(made) == {"k/star": "ens1f0 0", "m/star": "ens1f0 1", "a/star": "ens1f0 2"}
    carry_out(dtn(STAR, sessions("a", "m")), made)
    assert held(made) == {"m/star": "ens1f0 1", "a/star": "ens1f0 2"}
    carry_out(dtn(STAR, sessions("a", "m", "z")), made)
    assert held(made)["z/star"] == "ens1f0 0"


def test_the_mac_is_made_of_names_and_so_the_same_whichever_function_it_is() -> None:
    declared = dtn(STAR, sessions("k", "m"))
    made = after(declared)
    mac = entry(made, "m").wanted.mac
    assert mac is not None
    assert mac.startswith("02:")
    carry_out(dtn(STAR), made, allow_empty=True)
    carry_out(dtn(STAR, sessions("m")), made)
    assert (held(made), entry(made, "m").wanted.mac) == ({"m/star": "ens1f0 0"}, mac)
    assert (
        len({stable_mac(*names) for names in (("s", "e", "n", "w"), ("t", "e", "n", "w"), ("s", "f", "n", "w"), ("s", "e", "o", "w"))}) == 4
    )


def test_mac_keep_leaves_the_mac_of_the_card() -> None:
    declared = dtn(STAR + "mac: keep\n", session())
    made = after(declared)
    assert entry(made).wanted.mac is None
    assert "star mac" not in dict(plan(declared, before(declared)).changes[1].allocations)


def test_a_service_on_two_networks_of_one_interface_has_a_function_for_each() -> None:
    two = STAR + STAR.replace("star", "moon").replace("10.2", "10.3") + "vlan: 7\n"
    declared = dtn(two, session(settings="{data_nets: [star, moon]}"), on=endpoint(interfaces="{star: ens1f0, moon: ens1f0}"))
    made = after(declared)
    assert held(made) == {"one/star": "ens1f0 0", "one/moon": "ens1f0 1"}
    assert [(item.network, item.vf) for item in live(made).spec.attachments if item.vf] == [
        ("moon", "0000:b1:00.3"),
        ("star", "0000:b1:00.2"),
    ]


def test_networks_on_two_interfaces_are_independent_of_each_other() -> None:
    two = STAR + STAR.replace("star", "moon").replace("10.2", "10.3")
    declared = dtn(two, session(), session("two", "{data_nets: [moon]}"), on=endpoint(interfaces="{star: ens1f0, moon: ens2f0}"))
    made = after(declared, pf("ens1f0", 1), pf("ens2f0", 0))
    assert held(made) == {"one/star": "ens1f0 0", "two/moon": "ens2f0 0"}


# --- pools --------------------------------------------------------------------------------------------------


def test_an_exhausted_pool_blocks_and_says_who_has_what() -> None:
    declared = dtn(STAR, sessions("one", "two"))
    made = after(declared, pf("ens1f0", 1, vfs=2))
    says(
        details(plan(dtn(STAR, sessions("one", "three", "two")), made)),
        """
        blocked session/three @ a: E0472
          because no free virtual function on ens1f0 of a: it has 2; held are 0 by session one, 1 by session two
              (state/sessions/three.yaml:4)
          fix: one session less; or more of them: `vfs:` in state/endpoints/a.yaml
        """,
    )


def test_of_sessions_that_come_together_the_last_ones_by_name_are_blocked() -> None:
    declared = dtn(STAR, sessions("one", "three", "two"))
    made = before(declared, pf("ens1f0", 1, vfs=2))
    (blocked,) = plan(declared, made).blocked
    assert (blocked.name, blocked.code) == ("two", "E0472")
    assert "held are 0 by session one, 1 by session three" in blocked.cause.text


def test_a_session_that_comes_while_another_goes_gets_its_function_after_it_was_given_back() -> None:
    made = after(dtn(STAR, sessions("old")), pf("ens1f0", 1, vfs=1))
    declared = dtn(STAR, sessions("new"))
    swap = plan(declared, made)
    says(
        steps(swap),
        """
        a/stop/lab.old
        a/remove/lab.old <- a/stop/lab.old
        a/release/0000:b1:00.2 <- a/remove/lab.old
        a/vf.star/lab.new <- a/release/0000:b1:00.2
        a/create/lab.new <- a/vf.star/lab.new
        a/start/lab.new <- a/create/lab.new
        a/wait/lab.new <- a/start/lab.new
        """,
    )
    carry_out(declared, made)
    assert held(made) == {"new/star": "ens1f0 0"}


def test_a_free_function_is_preferred_to_one_that_must_be_given_back_first() -> None:
    made = after(dtn(STAR, sessions("old")), pf("ens1f0", 1, vfs=2))
    carry_out(dtn(STAR, sessions("new")), made)
    assert held(made) == {"new/star": "ens1f0 1"}


def test_what_a_session_has_that_stays_because_it_is_excluded_is_not_given_on() -> None:
    made = after(dtn(STAR, sessions("old")), pf("ens1f0", 1, vfs=1))
    made_plan = plan(dtn(STAR, sessions("new")), made, excludes=("session/old",))
    assert changes(made_plan) == ["blocked session/new @ a: E0472"]
    assert "held are 0 by session old" in made_plan.blocked[0].cause.text


LAN = "# networks/lan\ndriver: macvlan\nsubnet: 10.7.0.0/24\n"
MOON = STAR.replace("star", "moon").replace("10.2", "10.3")
ON_LAN = "{data_nets: [lan], mgmt_net: null}"
ON_MOON = "{data_nets: [moon], mgmt_net: null}"
BOTH = endpoint(interfaces="{lan: eth9, star: ens1f0}")
TWO = endpoint(interfaces="{star: ens1f0, moon: ens2f0}")
CARDS = pf("ens1f0", 1, vfs=1), pf("ens2f0", 0, vfs=1)


def test_a_function_that_a_session_gives_back_while_it_stays_is_given_on_at_the_end_of_its_steps() -> None:
    made = after(dtn(STAR, LAN, sessions("old"), on=BOTH), pf("ens1f0", 1, vfs=1))
    declared = dtn(STAR, LAN, session("new"), session("old", ON_LAN), on=BOTH)
    says(
        steps(plan(declared, made))[-8:],
        """
        a/start/lab.old <- a/promote/lab.old (or back)
        a/wait/lab.old <- a/start/lab.old (or back)
        a/remove/lab.old..old <- a/wait/lab.old
        a/release/0000:b1:00.2 <- a/remove/lab.old..old
        a/vf.star/lab.new <- a/release/0000:b1:00.2
        a/create/lab.new <- a/vf.star/lab.new
        a/start/lab.new <- a/create/lab.new
        a/wait/lab.new <- a/start/lab.new
        """,
    )
    carry_out(declared, made)
    assert held(made) == {"new/star": "ens1f0 0"}


def test_a_session_that_this_run_is_not_about_gives_nothing() -> None:
    """Its container is gone, and no step gives its function back."""
    made = after(dtn(STAR, LAN, sessions("old"), on=BOTH), pf("ens1f0", 1, vfs=1))
    drop(made, "a", "lab.old")
    declared = dtn(STAR, LAN, session("new"), session("old", ON_LAN), on=BOTH)
    assert changes(plan(declared, made, targets=("session/new",))) == ["blocked session/new @ a: E0472"]
    carry_out(declared, made)


def test_sessions_that_want_each_others_functions_are_both_blocked() -> None:
    """Neither can be without its own before it has the other's."""
    made = after(dtn(STAR, MOON, session("one"), session("two", ON_MOON), on=TWO), *CARDS)
    swap = plan(dtn(STAR, MOON, session("one", ON_MOON), session("two"), on=TWO), made)
    assert changes(swap) == ["blocked session/one @ a: E0472", "blocked session/two @ a: E0472"]
    assert not swap.steps


def test_functions_go_from_hand_to_hand_where_the_last_one_is_free() -> None:
    made = after(dtn(STAR, MOON, session("one"), on=TWO), *CARDS)
    carry_out(dtn(STAR, MOON, session("one", ON_MOON), session("two"), on=TWO), made)
    assert held(made) == {"one/moon": "ens2f0 0", "two/star": "ens1f0 0"}


# --- functions of others ------------------------------------------------------------------------------------

OTHER = Held(
    vfs=(
        HeldVf(
            pf="ens1f0",
            pf_pci="0000:b1:00.0",
            index=0,
            pci="0000:b1:00.2",
            owner=Owner(site="nersc", session="theirs", network="star"),
            found=VfSettings(),
            wanted=VfSettings(),
        ),
    )
)


def changed(**values: object) -> Callable[[World], None]:
    return lambda made: agent(made).change_vf("ens1f0", 0, **values)


def with_interface(**values: object) -> Callable[[World], None]:
    """The first function's interface is there, and used."""

    def happens(made: World) -> None:
        agent(made)._replace(Interface(name="ens1f0v0", index=50, mtu=1500, **values))

    return happens


def carries_a_vlan(made: World) -> None:
    with_interface()(made)
    agent(made)._replace(Interface(name="ens1f0v0.5", index=51, kind="vlan", parent="ens1f0v0", mtu=1500))


USED = pytest.mark.parametrize(
    ("happens", "holder"),
    [
        (changed(driver="vfio-pci", netdev=""), "vfio-pci, a virtual machine presumably"),
        (changed(netdev=""), "another namespace"),
        (changed(driver="", netdev=""), "no session, but it has no driver and so no interface"),
        (with_interface(addresses=("fe80::1/64", "10.9.9.9/24")), "the host itself (ens1f0v0: 10.9.9.9/24)"),
        (with_interface(master="br0"), "the host itself (ens1f0v0: br0)"),
        (carries_a_vlan, "the host itself (ens1f0v0: ens1f0v0.5)"),
    ],
)


@USED
def test_a_function_that_somebody_else_uses_is_not_given(happens: Callable[[World], None], holder: str) -> None:
    declared = dtn(STAR, sessions("one"))
    made = before(declared, pf("ens1f0", 1, vfs=2))
    happens(made)
    assert configured(plan(declared, made))["one/star"].index == 1
    crowded = dtn(STAR, sessions("one", "two"))
    assert f"held are 0 by {holder}, 1 by session one" in plan(crowded, made).blocked[0].cause.text
    carry_out(declared, made)
    assert held(made) == {"one/star": "ens1f0 1"}


@USED
def test_a_function_that_was_taken_from_a_service_at_rest_is_not_given_to_it_again(happens: Callable[[World], None], holder: str) -> None:
    """The agent's ledger is lost, so only the container says whose the function was."""
    declared = dtn(STAR, sessions("one"))
    made = after(declared, pf("ens1f0", 1, vfs=2))
    change(made, "a", "lab.one", state="exited")
    agent(made).lose_ledger()
    happens(made)
    assert configured(plan(declared, made))["one/star"].index == 1
    assert f"held are 0 by {holder}, 1 by session one" in plan(dtn(STAR, sessions("one", "two")), made).blocked[0].cause.text
    carry_out(declared, made)
    assert held(made) == {"one/star": "ens1f0 1"}


def test_an_interface_that_is_up_but_not_used_is_free() -> None:
    declared = dtn(STAR, sessions("one"))
    made = before(declared)
    with_interface(addresses=("FE80::1/64",))(made)
    assert configured(plan(declared, made))["one/star"].index == 0


def test_a_function_of_another_site_is_not_given_nor_given_back() -> None:
    declared = dtn(STAR, sessions("one", "two"))
    made = before(declared, told=machine(pf("ens1f0", 1, vfs=2), held=OTHER))
    assert "held are 0 by site nersc, 1 by session one" in plan(declared, made).blocked[0].cause.text
    carry_out(dtn(STAR, sessions("one")), made)
    carry_out(dtn(STAR), made)
    assert agent(made).machine.held == OTHER


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
