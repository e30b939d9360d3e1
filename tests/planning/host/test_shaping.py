"""QoS of services: set once they run, compared with what is in force, taken back when it is not declared any more."""

from __future__ import annotations

import pytest
from dtn_agent.protocol.qos import ClearQos, QosSettings, SetQos

from dtnctl.model.plan import Plan
from dtnctl.model.site import Site
from tests.planning.building import plan
from tests.planning.dtns import STAR, agent, before, carry_out, dtn, live, requests, session
from tests.planning.listing import steps
from tests.planning.machines import machine
from tests.properties.world import World

SHAPED = "{data_nets: [star], mgmt_net: null, qos: {rate: 500mbit, delay: 10ms, ports: [8000]}}"


def shaped(settings: str = SHAPED, **more: str) -> Site:
    return dtn(STAR, session(settings=settings, **more))


def actions(made: Plan) -> list[SetQos | ClearQos]:
    return [request for request in requests(made) if isinstance(request, (SetQos, ClearQos))]


def ids(made: Plan) -> list[str]:
    return [step.id for step in made.steps]


def applied(declared: Site) -> World:
    made = before(declared)
    carry_out(declared, made)
    return made


def spoil(made: World, **values: object) -> None:
    """Something else than dtnctl changed what is in force."""
    (held,) = agent(made).machine.held.qos
    agent(made)._ledger(qos=(held.model_copy(update=values),))


def test_a_service_is_shaped_on_its_data_network_once_it_runs_and_the_next_plan_is_empty() -> None:
    declared = shaped()
    made = before(declared)
    wanted = plan(declared, made)
    assert ids(wanted)[-3:] == ["a/start/lab.one", "a/qos/lab.one", "a/wait/lab.one"]
    (action,) = actions(wanted)
    assert isinstance(action, SetQos)
    assert (action.network, action.address) == ("star", "10.2.0.2")
    assert (action.rate, action.delay, action.ports, action.loss) == (500_000, 10.0, (8000,), None)
    carry_out(declared, made)


def test_other_settings_are_set_in_place() -> None:
    made = applied(shaped())
    other = shaped(SHAPED.replace("500mbit", "1gbit"))
    (changing,) = plan(other, made).changes
    assert (changing.mark, changing.interrupts) == ("update", "")
    assert [(item.field, item.before, item.after) for item in changing.fields] == [("qos.rate", "500000", "1000000")]
    assert changing.fields[0].cause.field == "qos"
    assert steps(carry_out(other, made)) == ["a/qos/lab.one"]


def test_what_is_not_in_force_any_more_is_set_again() -> None:
    made = applied(shaped())
    spoil(made, now=None)
    (changing,) = plan(shaped(), made).changes
    assert [(item.field, item.before, item.after) for item in changing.fields] == [
        ("qos", "not in force", "rate 500000, delay 10, ports 8000")
    ]
    carry_out(shaped(), made)


def test_what_somebody_else_put_in_force_is_drift() -> None:
    made = applied(shaped())
    spoil(made, now=QosSettings(rate=1))
    (changing,) = plan(shaped(), made).changes
    assert changing.is_drift
    assert {item.field for item in changing.fields} == {"qos.rate", "qos.delay", "qos.ports"}
    carry_out(shaped(), made)


def test_shaping_that_is_kept_for_another_network_is_replaced_even_beside_the_right_one() -> None:
    made = applied(shaped())
    (held,) = agent(made).machine.held.qos
    old = held.model_copy(update={"owner": held.owner.model_copy(update={"network": "before"}), "address": "10.1.0.9", "now": None})
    for entries in ((old,), (old, held)):
        agent(made)._ledger(qos=entries)
        (changing,) = plan(shaped(), made).changes
        assert [(item.field, item.before, item.after) for item in changing.fields] == [("qos.network", "before", "star")]
        (action,) = actions(carry_out(shaped(), made))
        assert isinstance(action, SetQos)
        assert (action.network, action.address) == ("star", held.address)
        assert agent(made).machine.held.qos == (held,)


def test_a_new_container_is_shaped_anew() -> None:
    made = applied(shaped())
    wanted = plan(shaped(), made, replace=("one",))
    assert ids(wanted).index("a/start/lab.one") < ids(wanted).index("a/qos/lab.one")


def test_without_qos_any_more_it_is_taken_back_and_the_container_stays() -> None:
    made = applied(shaped())
    before_id = live(made).id
    plain = shaped("{data_nets: [star], mgmt_net: null}")
    assert steps(carry_out(plain, made)) == ["a/qos/lab.one"]
    assert (agent(made).machine.held.qos, live(made).id) == ((), before_id)


def test_a_service_that_does_not_run_is_shaped_when_it_starts() -> None:
    declared = shaped(state="stopped")
    made = before(declared)
    carry_out(declared, made)
    spoil(made, now=None)
    assert plan(declared, made).is_empty


def test_a_removed_session_leaves_no_shaping_behind() -> None:
    made = applied(shaped())
    wanted = carry_out(dtn(STAR), made)
    assert ids(wanted).index("a/remove/lab.one") < ids(wanted).index("a/qos/lab.one")
    assert agent(made).machine.held.qos == ()


def test_what_is_kept_for_a_session_without_a_container_is_forgotten() -> None:
    made = applied(shaped())
    host = made.hosts["a"]
    del host.containers[live(made).id]
    agent(made).inside.clear()
    wanted = carry_out(dtn(STAR), made)
    assert [(item.kind, item.name) for item in wanted.changes if "shaped" in item.summary] == [("tuning", "lab.one")]
    assert agent(made).machine.held.qos == ()


def test_anothers_shaping_is_left_alone() -> None:
    made = applied(shaped())
    (held,) = agent(made).machine.held.qos
    carry_out(dtn(STAR), made)
    other = held.model_copy(update={"container": "other.one", "owner": held.owner.model_copy(update={"site": "other"})})
    agent(made)._ledger(qos=(other,))
    assert plan(dtn(STAR), made).is_empty


@pytest.mark.parametrize(
    ("lacks", "qos", "what"),
    [
        ("netem", "{delay: 1ms}", "netem"),
        ("tbf", "{rate: 1mbit}", "tbf"),
        ("fq", "{pacing: 1mbit}", "fq"),
        ("ports", "{loss: 1%, ports: [1]}", "ports"),
    ],
)
def test_what_the_kernel_lacks_is_named_before_anything_happens(lacks: str, qos: str, what: str) -> None:
    declared = shaped(f"{{data_nets: [star], mgmt_net: null, qos: {qos}}}")
    made = before(declared, told=machine(lacks=(lacks,)))
    (blocked,) = plan(declared, made).blocked
    assert blocked.code == "E0478"
    assert what in blocked.summary


@pytest.mark.parametrize("network", ["bridge", "null"])
def test_an_address_that_only_the_engine_will_know_cannot_be_shaped(network: str) -> None:
    declared = dtn(session(settings=f"{{mgmt_net: {network}, qos: {{rate: 1mbit}}}}"))
    (blocked,) = plan(declared, before(declared)).blocked
    assert (blocked.code, blocked.cause.field) == ("E0478", "qos")
