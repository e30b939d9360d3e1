"""Which rows a benchmark of networks has, and the session of each."""

from __future__ import annotations

import pytest

from dtnctl.benchmarks.rows import (
    BENCH,
    Basis,
    Choices,
    Ends,
    Row,
    basis_of,
    host_address,
    network_rows,
    network_site,
    reached_at_host,
    refuse_taken_name,
    without_sessions,
)
from dtnctl.errors import UsageError
from dtnctl.model.actions import CreateContainer
from dtnctl.model.plan import Plan
from dtnctl.model.resources import ContainerSpec
from tests.planning.building import NOW, plan, site, world

ENDS = Ends("a", "b")
NETWORKS = """
    # endpoints/a
    docker: ssh://root@a.example.net
    interfaces: {data: eth1, fast: eth2}
    allow: {mounts: [/data]}
    # endpoints/b
    docker: ssh://root@b.example.net
    host: 10.0.0.2
    allow: {mounts: [/data]}
    interfaces: {data: eth1}
    # networks/data
    driver: macvlan
    subnet: 10.20.0.0/24
    # networks/fast
    driver: ipvlan
    subnet: 10.30.0.0/24
    # networks/inner
    driver: bridge
    internal: true
    # networks/outer
    driver: bridge
    # profiles/p
    image: dtn:1
    volumes: [/data]
    memory: 1GiB
    env: {A: b}
    ctrl_port_range: [30000, 30010]
    # sessions/run
    endpoints: [a, b]
    profile: p
"""


def bench_plan(text: str, row: Row) -> Plan:
    found = site(text)
    wanted = network_site(found, ENDS, row, basis_of(found, ENDS.names, NOW), Choices((5201, 5210)))
    return plan(wanted, world(wanted), targets=(f"session/{BENCH}",))


def specs(plan: Plan) -> dict[str, ContainerSpec]:
    return {step.endpoint: step.action.spec for step in plan.steps if isinstance(step.action, CreateContainer)}


def test_rows_are_what_exists_without_a_file_and_then_every_network_that_both_ends_can_have() -> None:
    rows, left = network_rows(site(NETWORKS), ENDS)
    assert [row.label for row in rows] == ["native", "host", "bridge", "macvlan data", "bridge outer"]
    assert {item.row.label: item.why for item in left} == {
        "ipvlan fast": "b does not say in `interfaces` which one carries it",
        "bridge inner": "other hosts reach nothing in it: it publishes no ports",
    }


def test_native_needs_ssh_to_both_hosts() -> None:
    text = NETWORKS.replace("docker: ssh://root@b.example.net", "docker: unix:///run/docker.sock")
    left = network_rows(site(text), ENDS)[1]
    assert left[0].why == "only `docker: ssh://…` reaches the hosts themselves, which is not how b is declared"


def test_modes_choose_rows_by_driver_or_by_network() -> None:
    rows, left = network_rows(site(NETWORKS), ENDS, ["host", "data"])
    assert ([row.label for row in rows], left) == (["host", "macvlan data"], ())


def test_a_row_is_a_container_at_each_end_on_its_network_alone_with_a_port_of_the_range() -> None:
    found = specs(bench_plan(NETWORKS, Row("macvlan", "data")))
    assert [(name, spec.network, spec.attachments[0].ipv4) for name, spec in found.items()] == [
        ("a", "data", "10.20.0.2"),
        ("b", "data", "10.20.0.3"),
    ]
    for spec in found.values():
        assert (spec.image, spec.memory, spec.restart, spec.ports) == ("dtn:1", 2**30, "no", ())
        assert dict(spec.env)["SERV_PORT"] == "5201"
        assert dict(spec.env)["A"] == "b"
        assert [(mount.target, mount.kind) for mount in spec.mounts] == [("/data", "bind"), ("/tmp", "tmpfs")]
        assert spec.entrypoint == ("sh", "-c")


def test_host_has_no_network_of_its_own_and_bridge_publishes_its_port() -> None:
    assert {spec.network for spec in specs(bench_plan(NETWORKS, Row("host", "host"))).values()} == {"host"}
    for row in (Row("bridge", "bridge"), Row("bridge", "outer")):
        spec = specs(bench_plan(NETWORKS, row))["b"]
        assert [(port.host, port.container) for port in spec.ports] == [(5201, 5201)]


def test_what_the_owner_does_not_allow_is_refused_with_the_owners_line() -> None:
    text = NETWORKS.replace(
        "host: 10.0.0.2\n    allow: {mounts: [/data]}", "host: 10.0.0.2\n    allow: {mounts: [/data], networks: [data]}"
    )
    refused = bench_plan(text, Row("host", "host"))
    assert [(change.code, change.endpoint, change.cause.place) for change in refused.blocked] == [
        ("E0506", "b", "state/endpoints/b.yaml:3")
    ]
    assert refused.steps == ()


def test_only_ends_reached_at_an_own_address_are_not_reached_at_their_host() -> None:
    found = site(NETWORKS)
    rows = [Row("native"), Row("host", "host"), Row("bridge", "bridge"), Row("bridge", "outer"), Row("macvlan", "data")]
    assert [reached_at_host(found, row) for row in rows] == [True, True, True, True, False]


def test_a_hosts_address_is_the_typed_one_then_the_declared_one_then_that_of_its_engine() -> None:
    endpoints = site(NETWORKS).endpoints
    assert host_address(endpoints["b"].value, "10.20.0.12") == "10.20.0.12"
    assert host_address(endpoints["b"].value, "") == "10.0.0.2"
    assert host_address(endpoints["a"].value, "") == "a.example.net"


def test_the_image_is_that_of_the_one_session_or_of_the_named_one_or_typed() -> None:
    found = site(NETWORKS)
    assert basis_of(found, ENDS.names, NOW).image == "dtn:1"
    assert basis_of(found, ENDS.names, NOW, session="run", image="other:2").image == "other:2"
    assert basis_of(found, ("a",), NOW).session == "run"


def test_without_one_session_an_image_must_be_typed_and_nothing_is_taken_over() -> None:
    two = f"{NETWORKS}    # sessions/second\n    endpoints: [a, b]\n    profile: p\n"
    with pytest.raises(UsageError, match="which image\\? sessions on a and b: run, second; add --session or --image"):
        basis_of(site(two), ENDS.names, NOW)
    assert basis_of(site(two), ENDS.names, NOW, image="x:1") == Basis("x:1")
    with pytest.raises(UsageError, match="no session other on a and b; there are run"):
        basis_of(site(NETWORKS), ENDS.names, NOW, session="other")
    differing = NETWORKS + "    overrides: {b: {image: dtn:2}}\n"
    with pytest.raises(UsageError, match="session run has no one image on a and b; add --image"):
        basis_of(site(differing), ENDS.names, NOW)


def test_a_bare_image_gets_no_limit_of_memory_and_a_temporary_folder_that_is_declared_stays() -> None:
    found = site(NETWORKS.replace("volumes: [/data]", "volumes: ['/fast/tmp:/tmp']"))
    bare = network_site(found, ENDS, Row("host", "host"), Basis("x:1"), Choices((5201, 5201), "0-1"))
    fields = bare.sessions[BENCH].value.overrides["a"]
    assert (fields.image, fields.memory, fields.cpu_set) == ("x:1", None, "0-1")
    like_run = network_site(found, ENDS, Row("host", "host"), basis_of(found, ENDS.names, NOW), Choices((5201, 5201)))
    assert [(volume.source, volume.target) for volume in like_run.sessions[BENCH].value.overrides["a"].volumes] == [("/fast/tmp", "/tmp")]


def test_a_declared_session_of_the_same_name_is_refused_and_a_site_without_sessions_has_none() -> None:
    taken = NETWORKS.replace("sessions/run", f"sessions/{BENCH}")
    with pytest.raises(UsageError, match=f"sessions/{BENCH}.yaml: the name {BENCH} is what"):
        refuse_taken_name(site(taken))
    refuse_taken_name(site(NETWORKS))
    assert without_sessions(site(NETWORKS)).sessions == {}
