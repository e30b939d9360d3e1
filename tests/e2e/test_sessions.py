"""Sessions on real engines: each scenario is one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.playground import Playground
from tests.engine_choice import every_engine

pytestmark = pytest.mark.lab


def environment(container: dict[str, Any]) -> dict[str, str]:
    return dict(item.split("=", 1) for item in container["Config"]["Env"])


def test_a_session_comes_up_on_both_endpoints_and_the_second_plan_is_empty(play: Playground) -> None:
    play.session("run", endpoints=["dtn1", "dtn2"])
    play.converge()
    for endpoint in ("dtn1", "dtn2"):
        assert play.container("run", endpoint)["State"]["Running"]
        assert play.names(endpoint) == {"play.run"}, "no lease or other helper is left"


def test_the_default_profile_gives_what_janus_users_know(play: Playground) -> None:
    play.write("profiles/default", {})
    play.session("run", profile="default", user="alice")
    play.converge()
    container = play.container("run")
    host = container["HostConfig"]
    assert host["NetworkMode"] == "bridge"
    assert host["Memory"] == 8 * 1024**3
    assert not host["Privileged"]
    assert host["PortBindings"] == {"30000/tcp": [{"HostIp": "", "HostPort": "30000"}]}
    assert container["Config"]["StopSignal"] == "SIGTERM"
    assert container["Config"]["Tty"]
    env = environment(container)
    expected = {"HOSTNAME": "10.10.0.11", "CTRL_PORT": "30000", "USER_NAME": "alice", "PUBLIC_KEY": "", "SERV_PORT": "", "DATA_PORTS": ""}
    assert {name: env[name] for name in expected} == expected
    assert env["DATA_IFACE"] == "10.10.0.11"
    assert "None" not in env.values()


@every_engine
def test_two_endpoints_share_one_address_pool_and_talk_over_macvlan(play: Playground) -> None:
    play.data_network()
    play.profile("tiny", data_nets=["data"])
    play.session("run", endpoints=["dtn1", "dtn2"])
    play.converge()
    first, second = play.container("run"), play.container("run", "dtn2")
    assert first["HostConfig"]["NetworkMode"] == "data"
    assert first["NetworkSettings"]["Networks"]["data"]["IPAMConfig"]["IPv4Address"] == "10.20.0.100"
    assert second["NetworkSettings"]["Networks"]["data"]["IPAMConfig"]["IPv4Address"] == "10.20.0.101"
    assert environment(first)["DATA_IFACE"] == "10.20.0.100"
    assert set(first["NetworkSettings"]["Networks"]) == {"data", "bridge"}
    assert play.run_in("play.run", "ping", "-c", "1", "-W", "3", "10.20.0.101").exit_code == 0


@every_engine
def test_published_ports_answer_beside_a_data_network_without_gateway(play: Playground) -> None:
    play.data_network("aaa")
    play.profile("tiny", data_nets=["aaa"], arguments=["httpd", "-f", "-p", "30000", "-h", "/"])
    play.session("run")
    play.converge()
    answer = play.lab.exec("ctl", ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "5", "http://10.10.0.11:30000/"])
    assert answer.stdout != "000", "the published port does not answer"


@every_engine
def test_a_default_route_that_docker_would_get_wrong_is_refused_with_the_fix_and_the_fix_works(play: Playground) -> None:
    play.data_network("aaa", gateway="10.20.0.1")
    play.profile("tiny", data_nets=["aaa"])
    play.session("run")
    ran = play.apply().expect(4)
    assert "E0460" in ran.out
    assert "default_route: false" in ran.out
    assert play.names() == set()
    play.data_network("aaa", gateway="10.20.0.1", default_route=False)
    play.converge()
    assert b"default via 172.17" in play.run_in("play.run", "ip", "route").stdout


def test_host_networking_publishes_nothing_and_still_chooses_a_port_per_host(play: Playground) -> None:
    play.profile("tiny", mgmt_net="host", memory=None, cpus=None)
    play.session("one")
    play.session("two")
    play.converge()
    ports = set()
    for name in ("one", "two"):
        container = play.container(name)
        assert container["HostConfig"]["NetworkMode"] == "host"
        assert not container["HostConfig"]["PortBindings"]
        assert container["HostConfig"]["Memory"] == 0
        ports.add(environment(container)["CTRL_PORT"])
    assert ports == {"30000", "30001"}


def test_ports_map_to_an_internal_port_and_services_get_different_service_ports(play: Playground) -> None:
    play.profile("tiny", ctrl_port_range=[10000, 10100], internal_port=22, serv_port_range=[60000, 60032])
    play.session("one")
    play.session("two")
    play.converge()
    one, two = play.container("one"), play.container("two")
    assert one["HostConfig"]["PortBindings"]["22/tcp"][0]["HostPort"] == "10000"
    assert environment(one)["CTRL_PORT"] == "10000"
    assert {environment(one)["SERV_PORT"], environment(two)["SERV_PORT"]} == {"60000", "60001"}


def test_ports_of_foreign_containers_are_avoided(play: Playground) -> None:
    play.foreign("stranger", host={"port_bindings": {8080: 30000}}, ports=[8080])
    play.session("run")
    play.converge()
    assert environment(play.container("run"))["CTRL_PORT"] == "30001"


def test_a_second_session_with_the_same_published_range_is_refused_before_anything_is_called(play: Playground) -> None:
    play.profile("tiny", data_port_range=[40000, 40032])
    play.session("one")
    play.converge()
    assert len(play.container("one")["HostConfig"]["PortBindings"]) == 34
    play.session("two")
    ran = play.apply()
    assert ran.code in (4, 65)
    assert "40000" in ran.out + ran.err
    assert play.names() == {"play.one"}


@every_engine
def test_volumes_are_mounted_as_declared_and_read_only_is_honoured(play: Playground) -> None:
    play.lab.exec("dtn1", ["sh", "-c", "mkdir -p /data/in && echo hello > /data/in/file"])
    volumes = [
        {"source": "/data/in", "target": "/in", "mode": "ro"},
        {"type": "tmpfs", "target": "/scratch", "size": "16MiB"},
        {"source": "keep", "target": "/keep", "driver": "local"},
    ]
    play.profile("tiny", volumes=volumes)
    play.session("run")
    play.converge()
    engine = play.engines["dtn1"]

    def run(command: str) -> int:
        return play.run_in("play.run", "sh", "-c", command).exit_code

    assert run("cat /in/file") == 0
    assert run("echo x > /in/file") != 0
    assert run("echo x > /keep/file") == 0
    assert run("df /scratch | grep tmpfs") == 0
    play.remove("sessions/run")
    play.converge()
    assert any(item["Name"] == "keep" for item in engine.volumes()["Volumes"]), "named volumes hold data and stay"
    engine.remove_volume("keep")


@every_engine
def test_what_is_mounted_below_a_read_only_mount_is_read_only_where_the_engine_can_do_that(play: Playground) -> None:
    """Engines do it from API 1.44 on, and only for clients that speak it."""
    play.lab.exec("dtn1", ["sh", "-c", "mkdir -p /data/top/sub && mount -t tmpfs tmpfs /data/top/sub"])
    play.session("run", settings={"volumes": ["/data/top:/ro:ro", "/data/top:/rw"]})
    play.converge()
    engine = play.engines["dtn1"]
    codes = {}
    for place in ("/ro", "/ro/sub", "/rw/sub"):
        codes[place] = play.run_in("play.run", "touch", f"{place}/file").exit_code
    engine.remove_container("play.run", force=True)
    play.lab.exec("dtn1", ["umount", "/data/top/sub"])
    is_able = [int(part) for part in engine.version()["ApiVersion"].split(".")] >= [1, 44]
    assert codes == {"/ro": 1, "/ro/sub": 1 if is_able else 0, "/rw/sub": 0}


def test_sessions_are_created_stopped_and_started_as_their_state_says(play: Playground) -> None:
    play.session("run", state="initialized")
    play.converge()
    assert play.container("run")["State"]["Status"] == "created"
    play.session("run", state="started")
    play.converge()
    first = play.container("run")
    assert first["State"]["Running"]
    play.session("run", state="stopped")
    play.converge()
    assert play.container("run")["State"]["Status"] == "exited"
    assert play.container("run")["Id"] == first["Id"]


def test_removing_a_session_removes_its_containers_then_networks_that_nobody_else_uses(play: Playground) -> None:
    play.data_network()
    play.profile("tiny", data_nets=["data"])
    play.session("one", endpoints=["dtn1", "dtn2"])
    play.session("two")
    play.converge()
    play.remove("sessions/one")
    play.converge()
    assert play.names() == {"play.two"}
    assert play.networks() == {"data"}
    assert play.names("dtn2") == set()
    assert play.networks("dtn2") == set()


def test_a_fixed_address_list_serves_so_many_sessions_and_the_next_one_is_refused(play: Playground) -> None:
    play.data_network()
    play.profile("tiny", data_nets=[{"name": "data", "ipv4": ["10.20.0.20", "10.20.0.21"]}])
    play.session("one")
    play.session("two")
    play.converge()
    addresses = [play.container(name)["NetworkSettings"]["Networks"]["data"]["IPAddress"] for name in ("one", "two")]
    assert addresses == ["10.20.0.20", "10.20.0.21"]
    play.session("zzz")
    ran = play.apply()
    assert ran.code in (4, 65)
    assert "10.20.0.2" in ran.out + ran.err
    assert play.names() == {"play.one", "play.two"}


def test_what_the_owner_does_not_allow_is_blocked_with_the_owners_line(play: Playground) -> None:
    play.endpoint("dtn1", allow={"mounts": ["/data"]})
    play.profile("tiny", volumes=["/etc:/etc-of-the-host:ro"])
    play.session("run")
    ran = play.apply().expect(4)
    assert "E0503" in ran.out
    assert "state/endpoints/dtn1.yaml:" in ran.out
    assert play.names() == set()


def test_systemd_privileged_and_arguments_reach_the_container(play: Playground) -> None:
    play.profile("tiny", privileged=True, systemd=True, arguments="sh -c 'exec sleep 100000'", dns=["10.10.0.254"])
    play.session("run", settings={"arguments": ["sleep", "99999"]})
    play.converge()
    container = play.container("run")
    assert container["HostConfig"]["Privileged"]
    assert container["Config"]["StopSignal"] == "SIGRTMIN+3"
    assert container["Config"]["Cmd"] == ["sleep", "99999"]
    assert container["HostConfig"]["Dns"] == ["10.10.0.254"]
    play.remove("sessions/run")
    play.converge()


def test_status_and_lists_show_the_talks_fields(play: Playground) -> None:
    play.data_network()
    play.profile("tiny", data_nets=["data"], user="dtnaas")
    play.session("run", endpoints=["dtn1", "dtn2"])
    play.converge()
    shown = play.run("sessions", "show", "run").expect(0).out
    for field in ("data_net_name: data", "data_ipv4: 10.20.0.101", "ctrl_host: 10.10.0.12", "ctrl_port: 30000", "container_user: dtnaas"):
        assert field in shown
    assert play.container("run")["Id"] in shown
    document = play.run("status", "-o", "json").expect(0).json
    assert document["format_version"] == 1
    assert "STARTED" in play.run("sessions", "list").expect(0).out
    assert "dtn2" in play.run("endpoints", "list").expect(0).out
    assert play.run("sessions", "show", "rnu").expect(64).err.count("run")
