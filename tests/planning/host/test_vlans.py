"""VLAN sub-interfaces: made by the agent before the networks that sit on them, removed after, others' left as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dtn_agent.protocol import Interface

from dtnctl.model.resources import NetworkSeen, NetworkSpec
from dtnctl.model.site import Site
from dtnctl.planning.choices.parents import refuse_parent
from tests.planning.building import change, plan
from tests.planning.dtns import after, agent, before, carry_out, dtn, endpoint, live, session
from tests.planning.listing import changes, details, notes, says, steps
from tests.planning.machines import machine, pf
from tests.properties.world import World

LAB = "# networks/lab\ndriver: macvlan\nvlan: 310\nmtu: 9000\nsubnet: 10.3.0.0/24\n"
ON_LAB = "{data_nets: [lab], mgmt_net: null}"
ON = endpoint(interfaces="{lab: ens1f0}")
NAME = "ens1f0.310"


def interfaces(made: World) -> dict[str, int]:
    """The sub-interfaces, with their MTU."""
    return {item.name: item.mtu for item in agent(made).machine.facts.interfaces if item.kind == "vlan"}


def blocked(declared: Site, made: World) -> tuple[str, str, str]:
    """Code, reason and place of the one thing that is blocked; nothing is to be done."""
    refused = plan(declared, made)
    assert not refused.steps
    (found,) = refused.changes
    return found.code, found.summary, f"{found.cause.file}:{found.cause.line}"


def vlan(mtu: int = 9000) -> Interface:
    return Interface(name=NAME, index=60, kind="vlan", parent="ens1f0", vlan=310, mtu=mtu)


def test_it_is_made_before_the_network_and_shown_with_what_it_gets() -> None:
    declared = dtn(LAB, session(settings=ON_LAB), on=ON)
    made = before(declared)
    first = plan(declared, made)
    says(
        details(first)[-4:],
        """
        create vlan/ens1f0.310 @ a: makes VLAN sub-interface ens1f0.310
          because network lab uses it (state/networks/lab.yaml:2)
          vlan = 310
          mtu = 9000
        """,
    )
    says(
        steps(first),
        """
        a/vlan/ens1f0.310
        a/network/lab <- a/vlan/ens1f0.310
        a/create/lab.one <- a/vlan/ens1f0.310, a/network/lab
        a/start/lab.one <- a/create/lab.one
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    carry_out(declared, made)
    assert interfaces(made) == {NAME: 9000}


def test_without_an_mtu_it_has_that_of_its_parent() -> None:
    declared = dtn(LAB.replace("mtu: 9000\n", ""), session(settings=ON_LAB), on=ON)
    made = before(declared)
    assert dict(plan(declared, made).changes[-1].allocations) == {"vlan": "310"}
    carry_out(declared, made)
    assert interfaces(made) == {NAME: 9000}


def test_networks_without_a_vlan_and_bridges_need_none() -> None:
    plain = LAB.replace("vlan: 310\n", "")
    declared = dtn(plain, "# networks/mgmt\ndriver: bridge\n", session(settings="{data_nets: [lab], mgmt_net: mgmt}"), on=ON)
    assert not any("vlan" in step.id for step in carry_out(declared, before(declared)).steps)


def test_one_that_is_there_already_is_used_and_stays_somebody_elses() -> None:
    declared = dtn(LAB, session(settings=ON_LAB), on=ON)
    made = before(declared, pf("ens1f0", 1), vlan())
    assert not any("vlan" in step.id for step in carry_out(declared, made).steps)
    carry_out(dtn(LAB, on=ON), made)
    assert interfaces(made) == {NAME: 9000}


def test_one_of_somebody_else_is_left_as_it_is_and_its_mtu_is_the_limit() -> None:
    declared = dtn(LAB, session(settings=ON_LAB), on=ON)
    made = before(declared, pf("ens1f0", 1), vlan(1500))
    assert blocked(declared, made) == (
        "E0476",
        "network lab has MTU 9000, its interface ens1f0.310 of a has 1500",
        "state/networks/lab.yaml:3",
    )
    carry_out(dtn(LAB.replace("9000", "1500"), session(settings=ON_LAB), on=ON), made)
    assert interfaces(made) == {NAME: 1500}


def test_it_goes_after_the_network_when_nothing_sits_on_it_any_more() -> None:
    made = after(dtn(LAB, session(settings=ON_LAB), on=ON))
    declared = dtn(LAB, on=ON)
    going = plan(declared, made)
    says(
        details(going)[-2:],
        """
        destroy vlan/ens1f0.310 @ a: removes VLAN sub-interface ens1f0.310, which we made
          because no network of a session uses it
        """,
    )
    says(
        steps(going),
        """
        a/stop/lab.one
        a/remove/lab.one <- a/stop/lab.one
        a/remove-network/lab <- a/remove/lab.one
        a/remove-vlan/ens1f0.310 <- a/remove-network/lab
        """,
    )
    carry_out(declared, made)
    assert interfaces(made) == {}


def test_another_vlan_of_the_network_is_made_and_the_old_one_removed() -> None:
    made = after(dtn(LAB, session(settings=ON_LAB), on=ON))
    declared = dtn(LAB.replace("310", "311"), session(settings=ON_LAB), on=ON)
    says(
        steps(plan(declared, made)),
        """
        a/vlan/ens1f0.311
        a/stop/lab.one <- a/vlan/ens1f0.311
        a/remove/lab.one <- a/stop/lab.one
        a/remove-network/lab <- a/remove/lab.one
        a/network/lab <- a/vlan/ens1f0.311, a/remove-network/lab
        a/create/lab.one <- a/remove/lab.one, a/network/lab
        a/remove-vlan/ens1f0.310 <- a/remove-network/lab
        a/start/lab.one <- a/create/lab.one
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    carry_out(declared, made)
    assert interfaces(made) == {"ens1f0.311": 9000}


def test_another_mtu_is_set_on_ours_before_the_network_is_made_anew() -> None:
    made = after(dtn(LAB.replace("9000", "1500"), session(settings=ON_LAB), on=ON))
    declared = dtn(LAB, session(settings=ON_LAB), on=ON)
    changing = plan(declared, made)
    says(
        details(changing)[-3:],
        """
        update vlan/ens1f0.310 @ a: changes VLAN sub-interface ens1f0.310 in place
          because mtu differs (state/networks/lab.yaml:3)
          mtu: 1500 -> 9000 (state/networks/lab.yaml:3)
        """,
    )
    assert not changing.changes[-1].is_drift
    carry_out(declared, made)
    assert interfaces(made) == {NAME: 9000}


def test_an_mtu_that_somebody_changed_by_hand_is_drift() -> None:
    declared = dtn(LAB, session(settings=ON_LAB), on=ON)
    made = after(declared)
    agent(made)._replace(vlan(1500))
    repair = plan(declared, made)
    assert [(item.kind, item.mark, item.is_drift) for item in repair.changes] == [("vlan", "update", True)]
    carry_out(declared, made)


def test_on_a_frozen_endpoint_even_drift_waits() -> None:
    made = after(dtn(LAB, session(settings=ON_LAB), on=ON))
    agent(made)._replace(vlan(1500))
    frozen = endpoint(interfaces="{lab: ens1f0}", more="freeze: [{from: 2026-01-01T00:00:00Z}]\n")
    code, summary, _ = blocked(dtn(LAB, session(settings=ON_LAB), on=frozen), made)
    assert (code, summary) == ("E0442", "endpoint a is frozen without an end")


# --- somebody took it away ----------------------------------------------------------------------------------


def test_one_that_somebody_took_away_comes_back_and_so_do_the_containers_interfaces_on_it() -> None:
    """The kernel takes what sits on it away as well; only a new start gives a container its interface again."""
    declared = dtn(LAB, session(settings=ON_LAB), session("plain", "{}"), on=ON)
    made = after(declared)
    agent(made).take_away(NAME)
    repair = plan(declared, made)
    says(
        details(repair),
        """
        drift: update session/one @ a: restarts container lab.one
          because the sub-interface of network lab is gone (state/networks/lab.yaml:2)
          network lab: without its interface -> there (state/networks/lab.yaml:2)
          interrupts: one on a is down while it restarts
        drift: create vlan/ens1f0.310 @ a: makes VLAN sub-interface ens1f0.310
          because network lab uses it (state/networks/lab.yaml:2)
          vlan = 310
          mtu = 9000
        """,
    )
    says(
        steps(repair),
        """
        a/vlan/ens1f0.310
        a/stop/lab.one <- a/vlan/ens1f0.310 (or back)
        a/start/lab.one <- a/stop/lab.one (or back)
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    carry_out(declared, made)
    assert live(made).state == "running"


def test_a_service_that_does_not_run_just_waits_for_it() -> None:
    declared = dtn(LAB, session(settings=ON_LAB), on=ON)
    made = after(declared)
    change(made, "a", "lab.one", state="exited")
    agent(made).take_away(NAME)
    assert steps(plan(declared, made))[:2] == ["a/vlan/ens1f0.310", "a/start/lab.one <- a/vlan/ens1f0.310"]


def test_a_service_that_gets_the_network_now_needs_no_restart() -> None:
    nets = LAB + "# networks/lan\ndriver: bridge\nsubnet: 10.9.0.0/24\n"
    with_lab = session("two", "{data_nets: [lan, lab], mgmt_net: null}")
    made = after(dtn(nets, session(settings=ON_LAB), session("two", "{data_nets: [lan], mgmt_net: null}"), on=ON))
    agent(made).take_away(NAME)
    declared = dtn(nets, session(settings=ON_LAB), with_lab, on=ON)
    says(
        [step for step in steps(plan(declared, made)) if "two" in step],
        """
        a/connect.lab/lab.two <- a/vlan/ens1f0.310
        """,
    )
    carry_out(declared, made)


def test_a_replacement_brings_the_interface_back_by_itself() -> None:
    made = after(dtn(LAB, session(settings=ON_LAB), on=ON))
    agent(made).take_away(NAME)
    declared = dtn(LAB, session(settings=ON_LAB.replace("}", ", init: true}")), on=ON)
    replacing = plan(declared, made)
    assert [(item.mark, item.kind) for item in replacing.changes] == [("replace", "session"), ("create", "vlan")]
    assert steps(replacing)[1] == "a/create/lab.one..new <- a/vlan/ens1f0.310 (or discard)"
    carry_out(declared, made)


def test_after_a_reboot_that_the_agent_was_there_for_nothing_is_to_be_made() -> None:
    declared = dtn(LAB, session(settings=ON_LAB), on=ON)
    made = after(declared)
    agent(made).boot(restores=True)
    assert plan(declared, made).is_empty


# --- who still needs it -------------------------------------------------------------------------------------


def test_it_stays_under_a_network_that_stays() -> None:
    """Of another session, of a blocked or excluded one, or because somebody else's container is on the network."""
    made = after(dtn(LAB, session("one", ON_LAB), session("two", ON_LAB), on=ON))
    carry_out(dtn(LAB, session("two", ON_LAB), on=ON), made)
    assert interfaces(made) == {NAME: 9000}
    assert plan(dtn(LAB, on=ON), made, excludes=("session/two",)).is_empty
    assert not any("vlan" in step.id for step in plan(dtn(LAB, on=ON), made, excludes=("network/lab",)).steps)
    assert not any("vlan" in step.id for step in plan(dtn(LAB, on=ON), made, targets=("session/two",)).steps)
    blocked = dtn(LAB, session("two", ON_LAB.replace("}", ", image: dtn:9, pull: never}")), on=ON)
    assert not plan(blocked, made).steps


def test_it_stays_under_other_peoples_networks_and_interfaces() -> None:
    made = after(dtn(LAB, session(settings=ON_LAB), on=ON))
    carry_out(dtn(LAB, on=ON), made, excludes=("vlan/*",))
    host = made.hosts["a"]
    theirs = NetworkSeen("theirs", "n1", {}, NetworkSpec("macvlan", parent=NAME))
    host.foreign_networks = [theirs]
    assert plan(dtn(LAB, on=ON), made).is_empty
    host.foreign_networks = []
    agent(made)._replace(Interface(name="macvtap0", index=77, kind="macvtap", parent=NAME))
    assert plan(dtn(LAB, on=ON), made).is_empty
    agent(made).take_away("macvtap0")
    assert steps(plan(dtn(LAB, on=ON), made)) == ["a/remove-vlan/ens1f0.310"]


def test_one_that_another_site_made_is_left() -> None:
    made = after(dtn(LAB, session(settings=ON_LAB), on=ON))
    one = agent(made)
    held = tuple(item.model_copy(update={"site": "nersc"}) for item in one.machine.held.vlans)
    one.machine = one.machine.model_copy(update={"held": one.machine.held.model_copy(update={"vlans": held})})
    made.hosts["a"].containers, made.hosts["a"].networks = {}, {}
    assert plan(dtn(LAB, on=ON), made).is_empty


def test_over_the_prune_budget_it_stays() -> None:
    made = after(dtn(LAB, session("one", ON_LAB), session("two", ON_LAB), on=ON))
    assert not plan(dtn(LAB, on=ON), made, prune=1).steps


def test_destroy_takes_it_along() -> None:
    declared = dtn(LAB, session(settings=ON_LAB), on=ON)
    made = after(declared)
    made.apply(plan(declared, made, destroy=True))
    assert interfaces(made) == {}


def test_blocked_sessions_get_none_made() -> None:
    declared = dtn(LAB, session(settings=ON_LAB.replace("}", ", image: dtn:9, pull: never}")), on=ON)
    assert not plan(declared, before(declared)).steps


def test_an_excluded_one_is_not_made_so_the_engine_makes_its_own() -> None:
    declared = dtn(LAB, session(settings=ON_LAB), on=ON)
    assert steps(plan(declared, before(declared), excludes=("vlan/ens1f0.310",)))[0] == "a/network/lab"


# --- what it sits on ----------------------------------------------------------------------------------------

SLOW = machine(pf("ens1f0", 1).model_copy(update={"mtu": 1500})).model_copy(update={"readings": {"interface/ens1f0/mtu": "1500"}})
TUNED = endpoint(interfaces="{lab: ens1f0}", more="tuning: {interfaces: {ens1f0: {mtu: 9000}}}\n")


def test_a_kernel_without_vlans_is_told_before_anything_is_touched() -> None:
    declared = dtn(LAB, session(settings=ON_LAB), on=ON)
    made = before(declared, told=machine(lacks=("vlan",)))
    assert blocked(declared, made) == ("E0479", "a cannot make ens1f0.310: no such module", "state/networks/lab.yaml:2")


@pytest.mark.parametrize("driver", ["macvlan", "ipvlan"])
def test_an_interface_that_is_not_there_is_told_with_those_that_are(driver: str) -> None:
    declared = dtn(LAB.replace("macvlan", driver), session(settings=ON_LAB), on=endpoint(interfaces="{lab: ens9f9}"))
    code, text, place = blocked(declared, before(declared))
    assert (code, text) == ("E0479", "interface ens9f9 of a, which should carry network lab, is not there")
    assert place == "state/endpoints/a.yaml:4"
    assert plan(declared, before(declared)).changes[0].fix == "one that is there, by its own name: ens1f0, eth9"


def test_an_interface_that_a_running_service_has_is_not_missed() -> None:
    moved = LAB.replace("macvlan", "host-device")
    declared = dtn(moved, session(settings=ON_LAB), on=endpoint(interfaces="{lab: ens9f9}"))
    (network,) = (item for item in declared.networks.values() if item.name == "lab")
    here, host = declared.endpoints["a"], machine()
    assert refuse_parent("lab", network, here, host, is_made=False) is None
    assert refuse_parent("lab", network, here, host, is_made=True) is not None


def test_a_sub_interface_that_is_only_named_is_the_engines_to_make() -> None:
    plain = LAB.replace("vlan: 310\n", "")
    declared = dtn(plain, session(settings=ON_LAB), on=endpoint(interfaces="{lab: ens1f0.310}"))
    assert changes(plan(declared, before(declared)))[0] == "create network/lab @ a: creates network lab"


@pytest.mark.parametrize("network", [LAB, LAB.replace("vlan: 310\n", "")], ids=["vlan", "plain"])
def test_a_network_with_a_larger_mtu_than_its_interface_is_refused_before_anything_stops(network: str) -> None:
    small, one = network.replace("9000", "1500"), session(settings=ON_LAB)
    made = after(dtn(small, one, on=ON), told=SLOW)
    declared = dtn(network, one, on=ON)
    code, text, _ = blocked(declared, made)
    assert (code, text) == ("E0476", "network lab has MTU 9000, its interface ens1f0 of a has 1500")


def test_what_runs_over_an_interface_whose_mtu_was_lowered_by_hand_is_left_and_can_be_stopped() -> None:
    plain, one = LAB.replace("vlan: 310\n", ""), session(settings=ON_LAB)
    made = after(dtn(plain, one, on=ON))
    agent(made).machine = SLOW
    assert not plan(dtn(plain, one, on=ON), made).changes
    carry_out(dtn(plain, session(settings=ON_LAB, state="stopped"), on=ON), made)
    assert live(made).state == "exited"


def test_an_mtu_that_tuning_gives_back_in_this_plan_does_not_count() -> None:
    tuned = dtn(on=endpoint(interfaces="{}", more="tuning: {interfaces: {ens1f0: {mtu: 9000}}}\n"))
    made = after(tuned, told=SLOW)
    assert interface_mtu(made) == 9000
    declared = dtn(LAB, session(settings=ON_LAB), on=ON)
    refused = plan(declared, made)
    assert [(item.name, item.code) for item in refused.changes if item.mark == "blocked"] == [("one", "E0476")]
    assert [step.id for step in refused.steps] == ["a/untune/interface/ens1f0/mtu"]


def interface_mtu(made: World) -> int:
    return next(item.mtu for item in agent(made).machine.facts.interfaces if item.name == "ens1f0")


def test_what_runs_stops_only_when_the_interface_is_tuned_for_it() -> None:
    one = session(settings=ON_LAB)
    made = after(dtn(LAB.replace("9000", "1500"), one, on=ON), told=SLOW)
    declared = dtn(LAB, one, on=TUNED)
    says(
        [step for step in steps(plan(declared, made)) if "tune" not in step.partition("<-")[0]],
        """
        a/vlan/ens1f0.310 <- a/tune/interface/ens1f0/mtu
        a/stop/lab.one <- a/vlan/ens1f0.310
        a/remove/lab.one <- a/stop/lab.one
        a/remove-network/lab <- a/remove/lab.one
        a/network/lab <- a/vlan/ens1f0.310, a/remove-network/lab
        a/create/lab.one <- a/remove/lab.one, a/network/lab
        a/start/lab.one <- a/create/lab.one
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    carry_out(declared, made)
    assert interfaces(made) == {NAME: 9000}


def test_without_a_vlan_it_stops_only_then_too() -> None:
    plain, one = LAB.replace("vlan: 310\n", ""), session(settings=ON_LAB)
    made = after(dtn(plain.replace("9000", "1500"), one, on=ON), told=SLOW)
    declared = dtn(plain, one, on=TUNED)
    assert "a/stop/lab.one <- a/tune/interface/ens1f0/mtu" in steps(plan(declared, made))
    carry_out(declared, made)


# --- without an agent ------------------------------------------------------------------------------


def test_without_an_agent_the_engine_makes_them() -> None:
    declared = dtn(LAB, session(settings=ON_LAB), on=ON)
    made = before(declared)
    made.hosts["a"] = replace(made.hosts["a"], agent=None)
    assert changes(plan(declared, made)) == [
        "create network/lab @ a: creates network lab",
        "create session/one @ a: creates container lab.one",
    ]
    assert notes(plan(declared, made)) == []
