"""Settings of virtual functions that differ: changed in place where that works, at rest where it does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dtn_agent.protocol.vfs import ReleaseVf

from dtnctl.errors import EngineError
from dtnctl.model.actions import HostRequest
from tests.planning.building import applied, drop, plan, site, world
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
from tests.planning.listing import changes, details, says, steps
from tests.planning.machines import pf
from tests.properties.world import World

BESIDE = "{data_nets: [lan, star], mgmt_net: null}"
ALONE = "{data_nets: [lan], mgmt_net: null}"
LAN = "# networks/lan\ndriver: macvlan\nsubnet: 10.7.0.0/24\n" + STAR
BOTH = endpoint(interfaces="{lan: eth9, star: ens1f0}")


@pytest.mark.parametrize(
    ("was", "declared", "field", "before_text", "after_text"),
    [
        ("vlan: 5\n", "vlan: 6\n", "vlan", "5", "6"),
        ("", "vlan: 6\n", "vlan", "none", "6"),
        ("vlan: 5\n", "", "vlan", "5", "as found"),
        ("vlan: 5\n", "vlan: 5\nvlan_priority: 3\n", "vlan_priority", "none", "3"),
        ("trust: true\n", "trust: false\n", "trust", "yes", "no"),
        ("", "spoofchk: false\n", "spoofchk", "none", "no"),
        ("min_rate: 100\n", "min_rate: 200\n", "min_rate", "100", "200"),
        ("max_rate: 1000\n", "max_rate: 0\n", "max_rate", "1000", "none"),
    ],
)
def test_what_the_card_does_is_changed_while_the_service_runs(
    was: str, declared: str, field: str, before_text: str, after_text: str
) -> None:
    made = after(dtn(STAR + was, session()))
    (changing,) = plan(dtn(STAR + declared, session()), made).changes
    assert (changing.mark, changing.is_drift, changing.interrupts) == ("update", False, "")
    assert [(item.field, item.before, item.after) for item in changing.fields] == [(f"star.{field}", before_text, after_text)]
    assert changing.fields[0].cause.field == field
    done = carry_out(dtn(STAR + declared, session()), made)
    assert steps(done) == ["a/vf.star/lab.one"]
    assert live(made).state == "running"


def test_a_changed_vlan_reads_as_what_it_is() -> None:
    made = after(dtn(STAR + "vlan: 5\n", session()))
    says(
        details(plan(dtn(STAR + "vlan: 6\n", session()), made)),
        """
        update session/one @ a: changes container lab.one in place
          because vlan of its virtual function differs (state/networks/star.yaml:3)
          star.vlan: 5 -> 6 (state/networks/star.yaml:3)
        """,
    )


@pytest.mark.parametrize(
    ("was", "declared"), [("mtu: 1500\n", "mtu: 9000\n"), ("mtu: 9000\n", ""), ("", "mac: keep\n"), ("mac: keep\n", "mac: stable\n")]
)
def test_what_the_interface_has_itself_is_changed_while_it_is_not_in_a_container(was: str, declared: str) -> None:
    made = after(dtn(STAR + was, session()))
    wanted = dtn(STAR + declared, session())
    changing = plan(wanted, made)
    says(
        steps(changing),
        """
        a/stop/lab.one (or back)
        a/vf.star/lab.one <- a/stop/lab.one (or back)
        a/start/lab.one <- a/vf.star/lab.one (or back)
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    assert changes(changing) == ["update session/one @ a: changes container lab.one in place, restarts it"]
    assert changing.changes[0].interrupts == "one on a is down while it restarts"
    carry_out(wanted, made)
    assert live(made).state == "running"


def test_a_service_that_does_not_run_is_not_started_for_it() -> None:
    made = after(dtn(STAR, session(state="stopped")))
    carry_out(dtn(STAR + "mtu: 9000\n", session(state="stopped")), made)
    assert live(made).state == "created"


def test_a_service_that_is_to_be_stopped_is_not_started_for_it_either() -> None:
    made = after(dtn(STAR, session()))
    declared = dtn(STAR + "mtu: 9000\n", session(state="stopped"))
    says(
        steps(plan(declared, made)),
        """
        a/stop/lab.one
        a/vf.star/lab.one <- a/stop/lab.one
        """,
    )
    carry_out(declared, made)
    assert live(made).state == "exited"


def test_a_restart_for_new_settings_waits_until_the_service_is_healthy() -> None:
    settings = "{data_nets: [star], mgmt_net: null, health_check: {test: [check]}}"
    made = after(dtn(STAR, session(settings=settings)))
    assert steps(plan(dtn(STAR + "mtu: 9000\n", session(settings=settings)), made))[-1] == "a/wait/lab.one <- a/start/lab.one"


def test_a_further_network_of_functions_is_connected_to_the_running_container() -> None:
    made = after(dtn(LAN, session(settings=ALONE), on=BOTH))
    declared = dtn(LAN, session(settings=BESIDE), on=BOTH)
    says(
        steps(plan(declared, made)),
        """
        a/network/star
        a/vf.star/lab.one <- a/network/star
        a/connect.star/lab.one <- a/vf.star/lab.one
        """,
    )
    carry_out(declared, made)
    assert live(made).state == "running"


def test_a_network_of_functions_that_goes_is_disconnected_and_its_function_given_back() -> None:
    made = after(dtn(LAN, session(settings=BESIDE), on=BOTH))
    declared = dtn(LAN, session(settings=ALONE), on=BOTH)
    leaving = plan(declared, made)
    says(
        details(leaving)[2:],
        """
        update session/one @ a: changes container lab.one in place
          because attachments differs (state/sessions/one.yaml:4)
          attachments: lan 10.7.0.2, star 10.2.0.2 0000:b1:00.2 -> lan 10.7.0.2 (state/sessions/one.yaml:4)
          star.vf: 0000:b1:00.2 -> released (state/sessions/one.yaml:4)
          interrupts: connections of one on a over star end
        """,
    )
    says(
        steps(leaving),
        """
        a/disconnect.star/lab.one
        a/release/0000:b1:00.2 <- a/disconnect.star/lab.one
        a/remove-network/star <- a/disconnect.star/lab.one
        """,
    )
    carry_out(declared, made)
    assert held(made) == {}


def test_another_interface_for_the_network_means_another_function_there() -> None:
    cards = pf("ens1f0", 1), pf("ens2f0", 0)
    made = after(dtn(STAR, session()), *cards)
    declared = dtn(STAR, session(), on=endpoint(interfaces="{star: ens2f0}"))
    says(
        steps(plan(declared, made)),
        """
        a/stop/lab.one
        a/remove/lab.one <- a/stop/lab.one
        a/vf.star/lab.one <- a/remove/lab.one
        a/remove-network/star <- a/remove/lab.one
        a/network/star <- a/remove-network/star
        a/create/lab.one <- a/vf.star/lab.one, a/network/star
        a/start/lab.one <- a/create/lab.one
        a/wait/lab.one <- a/start/lab.one
        a/release/0000:b1:00.2 <- a/wait/lab.one
        """,
    )
    carry_out(declared, made)
    assert held(made) == {"one/star": "ens2f0 0"}


def test_a_network_that_needs_no_functions_any_more_gives_them_back() -> None:
    made = after(dtn(STAR, session()))
    carry_out(dtn("# networks/star\ndriver: macvlan\nsubnet: 10.2.0.0/24\n", session()), made)
    assert held(made) == {}


def on_two(name: str = "one") -> str:
    return session(name, "{data_nets: [star]}", on="a, b")


def test_a_transfer_goes_on_over_services_that_a_run_leaves_as_they_are() -> None:
    """What was chosen for them is what they have, their functions included."""
    transfer = "# transfers/copy\nfrom: a:/x\nto: b:/x\ntool: gridftp\nsession: one\n"
    text = STAR + session("one", "{data_nets: [star], user: dtn, volumes: [data:/x]}", on="a, b")
    made = after(dtn(text, on=endpoint("a") + endpoint("b")))
    declared = dtn(text, transfer, on=endpoint("a") + endpoint("b"))
    starting = plan(declared, made, targets=("transfer/copy",))
    assert [item.mark for item in starting.changes if item.kind == "transfer"] == ["transfer"]


def lose(made: World) -> None:
    agent(made).lose_ledger()


def move(made: World) -> None:
    one = agent(made)
    vfs = (one.machine.held.vfs[0].model_copy(update={"index": 3, "pci": "0000:b1:00.5"}),)
    one.machine = one.machine.model_copy(update={"held": one.machine.held.model_copy(update={"vfs": vfs})})


@pytest.mark.parametrize("happens", [lose, move])
def test_an_excluded_service_whose_function_is_unclear_is_left_alone(happens: Callable[[World], None]) -> None:
    declared = dtn(STAR, session())
    made = after(declared)
    happens(made)
    assert plan(declared, made, excludes=("session/one",)).is_empty


def test_an_excluded_service_that_is_to_get_a_function_takes_none_from_others() -> None:
    made = after(dtn(STAR, session("a", "{}")), pf("ens1f0", 1, vfs=1))
    declared = dtn(STAR, session("a"), session("b"))
    made_plan = plan(declared, made, excludes=("session/a",))
    assert configured(made_plan)["b/star"].index == 0


def test_functions_are_given_back_in_one_step_each_whatever_gave_the_reason() -> None:
    made = after(dtn(STAR, sessions("one", "two", "three")))
    drop(made, "a", "lab.three")
    clearing = plan(dtn(STAR), made, allow_empty=True)
    released = [(request.pf, request.index) for request in requests(clearing) if isinstance(request, ReleaseVf)]
    assert sorted(released) == [("ens1f0", 0), ("ens1f0", 1), ("ens1f0", 2)]
    carry_out(dtn(STAR), made, allow_empty=True)


def test_without_an_agent_nothing_of_this_is_planned() -> None:
    declared = site("# sessions/one\nendpoints: [a]\nimage: dtn:1\n")
    assert plan(declared, applied(declared)).is_empty
    assert world(declared).hosts["a"].agent is None


def test_what_was_set_before_an_apply_was_cut_off_is_not_set_again() -> None:
    declared = dtn(STAR + "vlan: 5\n", sessions("one", "two"))
    made = before(declared)
    first = plan(declared, made)
    done = [step for step in first.steps if "/vf." in step.id]
    for step in done:
        made.perform(step)
    left = plan(declared, made)
    assert not configured(left)
    made.apply(left)
    made.check()


def test_an_agent_that_was_killed_between_its_ledger_and_the_card_is_asked_again() -> None:
    declared = dtn(STAR + "vlan: 5\n", session())
    made = before(declared)
    (step,) = (step for step in plan(declared, made).steps if "/vf." in step.id)

    class KilledError(EngineError):
        """The agent died."""

    calls = iter(range(9))

    def effect() -> None:
        if next(calls) == 1:
            raise KilledError("gone")

    assert isinstance(step.action, HostRequest)
    with pytest.raises(KilledError):
        agent(made).perform(step.action.request, effect)
    assert held(made) == {"one/star": "ens1f0 0"}
    assert configured(plan(declared, made))["one/star"].vlan == 5
    carry_out(declared, made)
