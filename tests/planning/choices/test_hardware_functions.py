"""Which virtual function a service gets: sticky, the lowest free one, never one that somebody else has."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dtn_agent.protocol import Held, Interface, Owner
from dtn_agent.protocol.vfs import HeldVf, VfSettings

from dtnctl.planning.choices.virtual_functions import stable_mac
from tests.planning.building import change, drop, plan
from tests.planning.dtns import STAR, after, agent, before, carry_out, configured, dtn, endpoint, entry, held, live, session, sessions
from tests.planning.listing import changes, details, says, steps
from tests.planning.machines import machine, pf
from tests.properties.world import World


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
