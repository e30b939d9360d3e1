"""Settings of a host: set where they differ, put back where nothing declares them any more, in an order that none undoes."""

from __future__ import annotations

import pytest
from dtn_agent.protocol import Host

from dtnctl.model.plan import Plan
from dtnctl.model.site import Site
from tests.planning.building import plan
from tests.planning.dtns import STAR, agent, before, carry_out, dtn, endpoint, session
from tests.planning.listing import details, says, steps
from tests.planning.machines import machine, pf
from tests.properties.world import World

READINGS = {
    "sysctl/net.core.rmem_max": "212992",
    "sysctl/net.ipv4.tcp_mtu_probing": "0",
    "governor": "powersave",
    "smt": "on",
    "interface/ens1f0/mtu": "1500",
    "interface/ens1f0/channels": "4",
    "interface/ens1f0/irqs": "0-3",
    "block/nvme0n1/scheduler": "mq-deadline",
}
SYSCTL = "tuning: {sysctls: {net.core.rmem_max: 2147483647}}\n"


def told(**readings: str | None) -> Host:
    return machine().model_copy(update={"readings": {**READINGS, **readings}})


def tuned(text: str) -> Site:
    return dtn(on=endpoint(interfaces="{}", more=text))


def keys(made: Plan) -> list[str]:
    return [step.partition("/")[2] for step in steps(made)]


def test_what_differs_is_set_with_what_it_was_and_the_next_plan_is_empty() -> None:
    declared = tuned(SYSCTL)
    made = before(declared, told=told())
    wanted = plan(declared, made)
    says(
        details(wanted),
        """
        update tuning/a @ a: changes 1 setting of the host
          because net.core.rmem_max is declared (state/endpoints/a.yaml:6)
          sysctl/net.core.rmem_max: 212992 -> 2147483647 (state/endpoints/a.yaml:6)
        """,
    )
    (changing,) = wanted.changes
    assert [(item.field, item.before, item.after) for item in changing.fields] == [("sysctl/net.core.rmem_max", "212992", "2147483647")]
    carry_out(declared, made)
    (held,) = agent(made).host().held.tuning
    assert (held.found, held.wanted, held.now) == ("212992", "2147483647", "2147483647")


def test_what_is_so_already_becomes_ours_so_that_it_stays_so() -> None:
    declared = tuned("tuning: {governor: powersave}\n")
    made = before(declared, told=told())
    assert keys(plan(declared, made)) == ["tune/governor"]
    carry_out(declared, made)


def test_what_somebody_changed_by_hand_is_drift_and_repaired() -> None:
    declared = tuned(SYSCTL)
    made = before(declared, told=told())
    carry_out(declared, made)
    change(made, "sysctl/net.core.rmem_max", "1000")
    (drifted,) = plan(declared, made).changes
    assert drifted.is_drift
    carry_out(declared, made)


def change(made: World, key: str, value: str) -> None:
    agent(made)._read(key, value)


def test_another_value_in_git_is_no_drift_and_keeps_what_was_found() -> None:
    made = before(tuned(SYSCTL), told=told())
    carry_out(tuned(SYSCTL), made)
    other = tuned("tuning: {sysctls: {net.core.rmem_max: 1000000}}\n")
    assert [item.is_drift for item in plan(other, made).changes] == [False]
    carry_out(other, made)
    assert [item.found for item in agent(made).host().held.tuning] == ["212992"]


@pytest.mark.parametrize("destroys", [False, True])
def test_what_nothing_declares_any_more_is_put_back_as_it_was(destroys: bool) -> None:
    declared = tuned(SYSCTL)
    made = before(declared, told=told())
    carry_out(declared, made)
    gone = declared if destroys else tuned("")
    wanted = plan(gone, made, destroy=destroys)
    assert [(item.field, item.before, item.after) for item in wanted.changes[0].fields] == [
        ("sysctl/net.core.rmem_max", "2147483647", "212992")
    ]
    made.apply(wanted)
    assert agent(made).host().held.tuning == ()
    assert agent(made).host().readings["sysctl/net.core.rmem_max"] == "212992"


def test_what_another_site_tuned_is_left_alone() -> None:
    declared = tuned(SYSCTL)
    made = before(declared, told=told())
    carry_out(declared, made)
    (held,) = agent(made).machine.held.tuning
    agent(made)._ledger(tuning=(held.model_copy(update={"site": "other"}),))
    assert plan(tuned(""), made).is_empty


def test_a_setting_that_the_host_does_not_have_blocks_itself_and_nothing_else() -> None:
    declared = tuned("tuning: {governor: performance, sysctls: {net.core.rmem_max: 2147483647}}\n")
    made = before(declared, told=told(governor=None))
    wanted = plan(declared, made)
    (blocked,) = wanted.blocked
    assert (blocked.kind, blocked.code, blocked.cause.text) == ("tuning", "E0477", "a has no setting governor")
    assert blocked.cause.place == "state/endpoints/a.yaml:6"
    assert keys(wanted) == ["tune/sysctl/net.core.rmem_max"]


def test_settings_that_build_on_others_wait_for_them() -> None:
    text = "tuning: {smt: false, governor: performance, interfaces: {ens1f0: {mtu: 9000, channels: 8, irqs: local}}}\n"
    declared = tuned(text)
    wanted = plan(declared, before(declared, told=told()))
    needs = {step.id: step.needs for step in wanted.steps}
    assert needs["a/tune/smt"] == ()
    assert needs["a/tune/governor"] == ("a/tune/smt",)
    irqs = needs["a/tune/interface/ens1f0/irqs"]
    assert len(irqs) == 1
    assert irqs[0].startswith("a/tune/interface/ens1f0/")


def test_a_scheduler_is_set_before_the_numbers_of_its_queue_and_put_back_after_them() -> None:
    declared = tuned("tuning: {block: {nvme0n1: {nr_requests: 1023, scheduler: none}}, sysctls: {net.core.rmem_max: 2147483647}}\n")
    made = before(declared, told=told(**{"block/nvme0n1/nr_requests": "256"}))
    needs = {step.id: step.needs for step in plan(declared, made).steps}
    assert needs["a/tune/block/nvme0n1/nr_requests"] == ("a/tune/block/nvme0n1/scheduler",)
    carry_out(declared, made)
    needs = {step.id: step.needs for step in plan(tuned(""), made).steps}
    assert needs["a/untune/block/nvme0n1/scheduler"] == ("a/untune/block/nvme0n1/nr_requests",)
    assert needs["a/untune/block/nvme0n1/nr_requests"] == needs["a/untune/sysctl/net.core.rmem_max"] == ()


def test_a_pattern_stands_for_the_drives_that_fit() -> None:
    declared = tuned("tuning: {block: {nvme*n1: {scheduler: none}}}\n")
    assert keys(plan(declared, before(declared, told=told()))) == ["tune/block/nvme0n1/scheduler"]


def test_a_run_with_targets_or_excludes_leaves_tuning_alone() -> None:
    declared = tuned(SYSCTL)
    made = before(declared, told=told())
    assert plan(declared, made, excludes=("tuning/a",)).is_empty
    assert keys(plan(declared, made, targets=("tuning/a",))) == ["tune/sysctl/net.core.rmem_max"]


def test_functions_wait_for_the_mtu_of_their_interface() -> None:
    more = "tuning: {interfaces: {ens1f0: {mtu: 9000}}}\n"
    declared = dtn(STAR + "mtu: 9000\n", session(), on=endpoint(more=more))
    small = pf("ens1f0", 1).model_copy(update={"mtu": 1500})
    host = machine(small).model_copy(update={"readings": READINGS})
    wanted = plan(declared, before(declared, told=host))
    assert "a/tune/interface/ens1f0/mtu" in {step.id: step.needs for step in wanted.steps}["a/vf.star/lab.one"]
    alone = plan(declared, before(declared, told=host), excludes=("tuning/a",))
    assert {step.id: step.needs for step in alone.steps}["a/vf.star/lab.one"] == ()


def test_tuning_of_the_host_that_a_namespace_has_for_itself_goes_onto_containers() -> None:
    more = "tuning: {sysctls: {net.ipv4.tcp_mtu_probing: 1, net.core.rmem_max: 2147483647}}\n"
    bridged = session(settings="{}")
    declared = dtn(bridged, on=endpoint(interfaces="{}", more=more))
    made = before(declared, told=told())
    carry_out(declared, made)
    assert made.hosts["a"].by_name("lab.one").spec.sysctls == (("net.ipv4.tcp_mtu_probing", "1"),)  # type: ignore[union-attr]
    for settings, sysctls in (
        ("{tune_container: false}", ()),
        ("{mgmt_net: host}", ()),
        ("{sysctls: {net.ipv4.tcp_mtu_probing: 2}}", (("net.ipv4.tcp_mtu_probing", "2"),)),
    ):
        other = dtn(session(settings=settings), on=endpoint(interfaces="{}", more=more))
        made = before(other, told=told())
        carry_out(other, made)
        assert made.hosts["a"].by_name("lab.one").spec.sysctls == sysctls  # type: ignore[union-attr]
