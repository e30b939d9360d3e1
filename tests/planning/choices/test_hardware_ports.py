"""Ports that processes outside of our containers hold are avoided and named; what the engine publishes is not mistaken for such."""

from __future__ import annotations

from dtn_agent.protocol import Host, Listener

from dtnctl.model.resources import ForeignSeen
from tests.planning.building import change, plan
from tests.planning.dtns import after, agent, before, carry_out, dtn, endpoint, live, session
from tests.planning.listing import details, says
from tests.planning.machines import machine
from tests.properties.world import World


def listening(*listeners: Listener) -> Host:
    host = machine()
    return host.model_copy(update={"facts": host.facts.model_copy(update={"listeners": listeners})})


def process(port: int, name: str = "iperf3", protocol: str = "tcp", container: str = "") -> Listener:
    return Listener(protocol=protocol, address="0.0.0.0", port=port, process=name, container=container)


def ctrl_port(made: World, container: str = "lab.one") -> str:
    return dict(live(made, container).spec.env)["CTRL_PORT"]


def test_a_port_that_a_process_listens_on_is_not_chosen() -> None:
    declared = dtn(session(settings="{}"))
    made = after(declared, told=listening(process(30000), process(30001, protocol="udp")))
    assert ctrl_port(made) == "30001"


def test_a_process_on_another_endpoint_is_in_nobodys_way() -> None:
    declared = dtn(session(settings="{}", on="a, b"), on=endpoint("a", interfaces="{}") + endpoint("b", interfaces="{}"))
    made = before(declared, told=machine())
    agent(made, "b").machine = listening(process(30000))
    carry_out(declared, made)
    assert (ctrl_port(made), dict(live(made, endpoint_name="b").spec.env)["CTRL_PORT"]) == ("30000", "30001")


def test_who_holds_the_only_port_is_named() -> None:
    declared = dtn(session(settings="{ctrl_port_range: [30000, 30000]}"))
    says(
        details(plan(declared, before(declared, told=listening(process(30000))))),
        """
        blocked session/one @ a: E0413
          because no free port in 30000-30000 on a: held are 30000 by process iperf3 on a, outside of containers
              (state/sessions/one.yaml:4)
          fix: ctrl_port_range: [30000, 30001]; 30001 is free on a
        """,
    )


def test_who_holds_a_port_that_must_be_published_is_named() -> None:
    declared = dtn(session(settings="{exposed_ports: 5201}"))
    blocked = plan(declared, before(declared, told=listening(process(5201, name="")))).blocked
    assert [(item.code, item.cause.text) for item in blocked] == [
        ("E0412", "port 5201/tcp is held by process of unknown name on a, outside of containers")
    ]


def test_the_services_own_process_is_not_in_its_way() -> None:
    """On the host's network it listens itself; the kernel tells which container it is of."""
    declared = dtn(session(settings="{mgmt_net: host}"))
    made = after(declared)
    one = agent(made)
    one.machine = listening(process(30000, "sshd", container=live(made).id))
    assert plan(declared, made).is_empty


def test_a_port_that_somebody_elses_container_on_the_hosts_network_listens_on_is_not_chosen() -> None:
    declared = dtn(session(settings="{ctrl_port_range: [30000, 30000]}"))
    made = before(declared, told=listening(process(30000, "nginx", container="f1")))
    made.hosts["a"].foreign = [ForeignSeen("web", "f1")]
    assert "held are 30000 by process nginx in container web on a, which is not ours" in plan(declared, made).blocked[0].cause.text


def test_a_container_that_the_engine_does_not_list_holds_its_port_too() -> None:
    """Of podman, or of a Kubernetes pod: the engine that we ask knows nothing of it."""
    declared = dtn(session(settings="{ctrl_port_range: [30000, 30000]}"))
    made = before(declared, told=listening(process(30000, "nginx", container="0123456789ab" + "c" * 52)))
    assert "by process nginx in container 0123456789ab on a, which is not ours" in plan(declared, made).blocked[0].cause.text


def test_another_container_that_took_the_port_of_a_stopped_service_moves_it_to_another_one() -> None:
    declared = dtn(session(settings="{mgmt_net: host}"))
    made = after(declared)
    change(made, "a", "lab.one", state="exited")
    agent(made).machine = listening(process(30000, "nginx", container="f1"))
    carry_out(declared, made)
    assert ctrl_port(made) == "30001"


def test_the_proxy_of_a_published_port_is_not_in_the_way_of_who_it_is_for() -> None:
    declared = dtn(session(settings="{}"))
    made = after(declared)
    agent(made).machine = listening(process(30000, "docker-proxy"))
    assert plan(declared, made).is_empty


def test_the_proxy_of_somebody_elses_container_is_named_as_that_container() -> None:
    declared = dtn(session(settings="{ctrl_port_range: [30000, 30000]}"))
    made = before(declared, told=listening(process(30000, "docker-proxy")))
    made.hosts["a"].foreign = [ForeignSeen("web", "f1", ((30000, "tcp"),))]
    assert "held are 30000 by container web on a, which is not ours" in plan(declared, made).blocked[0].cause.text


def test_a_process_that_took_the_port_of_a_stopped_container_moves_it_to_another_one() -> None:
    declared = dtn(session(settings="{}"))
    made = after(declared)
    change(made, "a", "lab.one", state="exited")
    agent(made).machine = listening(process(30000))
    moving = plan(declared, made)
    assert [item.field for item in moving.changes[0].fields] == ["env.CTRL_PORT", "ports", "state"]
    carry_out(declared, made)
    assert ctrl_port(made) == "30001"


def test_a_retired_container_publishes_nothing_either() -> None:
    made = after(dtn(session(settings="{}")))
    declared = dtn(session(settings="{init: true}"))
    for step in plan(declared, made).steps[:3]:
        made.perform(step)
    agent(made).machine = listening(process(30000))
    carry_out(declared, made)
    assert ctrl_port(made) == "30001"


def test_behind_an_address_of_its_own_a_service_has_all_ports_to_itself() -> None:
    lan = "# networks/lan\ndriver: macvlan\nsubnet: 10.7.0.0/24\n"
    declared = dtn(lan, session(settings="{data_nets: [lan], mgmt_net: null}"), on=endpoint(interfaces="{lan: eth9}"))
    assert ctrl_port(after(declared, told=listening(process(30000)))) == "30000"
