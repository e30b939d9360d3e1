"""What happens to containers behind our back is found, and put right, and nothing else is touched."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.playground import Playground
from tests.engine_choice import every_engine, usual_engines

pytestmark = pytest.mark.lab

FULL_PROFILE = {
    "arguments": ["sleep", "100000"],
    "env": {"COLOUR": "blue", "EMPTY": None},
    "user": "alice",
    "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFXQ alice@example"],
    "dns": ["10.10.0.254"],
    "init": True,
    "tty": True,
    "memory": "128MiB",
    "cpus": 0.5,
    "cpu_set": "0-1",
    "memory_nodes": "0",
    "shm_size": "32MiB",
    "sysctls": {"net.ipv4.tcp_slow_start_after_idle": 0},
    "restart": "on-failure:3",
    "stop_timeout": "2s",
    "health_check": {"test": ["true"], "interval": "1s", "timeout": "2s", "retries": 2, "start_period": "1s"},
    "volumes": [
        {"source": "/data", "target": "/data", "mode": "ro"},
        {"type": "tmpfs", "target": "/scratch", "size": "8MiB"},
        {"source": "named", "target": "/named", "driver": "local"},
    ],
    "devices": ["/dev/fuse"],
    "limits": {"nofile": {"soft": 512, "hard": 1024}},
    "capabilities": {"add": ["NET_ADMIN"], "drop": ["MKNOD"]},
    "ctrl_port_range": [31000, 31010],
    "internal_port": 22,
    "serv_port_range": [32000, 32010],
    "exposed_ports": [8080, "9000-9001/udp"],
    "mgmt_net": "bridge",
    "data_nets": ["data"],
    "data_port_range": [50100, 50110],
}


@pytest.fixture
def full(play: Playground) -> Playground:
    """A running session that sets every field."""
    play.data_network()
    play.write("profiles/full", FULL_PROFILE)
    play.session("run", profile="full")
    play.converge()
    return play


@usual_engines
def test_every_field_applied_then_the_plan_is_empty(full: Playground) -> None:
    full.assert_nothing_to_do()
    before = full.container("run")
    full.apply().expect(0)
    assert full.container("run")["Id"] == before["Id"]
    full.engines["dtn1"].remove_container("play.run", force=True)
    full.engines["dtn1"].remove_volume("named")


@every_engine
def test_what_is_changed_by_hand_after_an_update_in_place_is_shown_by_drift(play: Playground) -> None:
    """The label is that of the creation: it says nothing of what was applied since."""
    play.profile("small", memory="64MiB", restart="no", arguments=["sleep", "100000"])
    play.session("run", profile="small")
    play.converge()
    play.profile("small", memory="96MiB", restart="no", arguments=["sleep", "100000"])
    made = play.container("run")["Id"]
    play.converge()
    assert play.container("run")["Id"] == made, "it was changed in place"
    assert play.run("drift", "--detailed-exitcode").expect(0).out.startswith("VERDICT  No drift.")
    play.engines["dtn1"].update_container("play.run", mem_limit=128 * 1024**2, memswap_limit=256 * 1024**2)
    shown = play.run("drift", "--detailed-exitcode").expect(2).out
    assert "memory" in shown
    assert "changed in place since it was made" in shown
    play.converge()
    play.engines["dtn1"].kill("play.run")
    play.run("drift", "--detailed-exitcode").expect(2)


def replace_by_hand(play: Playground, mutate: Callable[[dict[str, Any]], None]) -> str:
    """Make the session's container anew by hand with one thing changed, as people do with a web interface; returns its id."""
    engine = play.engines["dtn1"]
    seen = play.container("run")
    networks = {name: {"IPAMConfig": item["IPAMConfig"]} for name, item in seen["NetworkSettings"]["Networks"].items()}
    body = {**copy.deepcopy(seen["Config"]), "HostConfig": copy.deepcopy(seen["HostConfig"])}
    primary = seen["HostConfig"]["NetworkMode"]
    body["NetworkingConfig"] = {"EndpointsConfig": {primary: networks[primary]}}
    mutate(body)
    engine.remove_container("play.run", force=True)
    created = engine.create_container_from_config(body, name="play.run")
    for name, config in networks.items():
        if name != primary:
            engine.connect_container_to_network(created["Id"], name, ipv4_address=(config["IPAMConfig"] or {}).get("IPv4Address"))
    engine.start(created["Id"])
    return str(created["Id"])


def host(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda body: body["HostConfig"].__setitem__(name, value)


def config(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda body: body.__setitem__(name, value)


MUTATIONS = {
    "command": config("Cmd", ["sleep", "5000"]),
    "entrypoint": config("Entrypoint", ["/bin/sh", "-c", "sleep 5000"]),
    "env": lambda body: body["Env"].append("DEBUG=1"),
    "env.removed": lambda body: body.__setitem__("Env", [item for item in body["Env"] if not item.startswith("COLOUR=")]),
    "hostname": config("Hostname", "elsewhere"),
    "tty": config("Tty", False),
    "stop_signal": config("StopSignal", "SIGINT"),
    "stop_timeout": config("StopTimeout", 9),
    "health": lambda body: body["Healthcheck"].__setitem__("Retries", 9),
    "init": host("Init", False),
    "privileged": lambda body: body["HostConfig"].update(Privileged=True, CapAdd=None, Devices=None),
    "restart": host("RestartPolicy", {"Name": "always", "MaximumRetryCount": 0}),
    "memory": lambda body: body["HostConfig"].update(Memory=64 * 1024**2, MemorySwap=128 * 1024**2),
    "cpus": host("NanoCpus", 250_000_000),
    "cpu_set": host("CpusetCpus", "0"),
    "memory_nodes": host("CpusetMems", ""),
    "shm_size": host("ShmSize", 64 * 1024**2),
    "mounts": lambda body: body["HostConfig"]["Mounts"][0].__setitem__("ReadOnly", not body["HostConfig"]["Mounts"][0].get("ReadOnly")),
    "mounts.removed": lambda body: body["HostConfig"].__setitem__("Mounts", body["HostConfig"]["Mounts"][:1]),
    "mounts.bind": host("Binds", ["/data:/sneaked-in"]),
    "devices": host("Devices", []),
    "ulimits": host("Ulimits", []),
    "cap_add": host("CapAdd", ["NET_ADMIN", "SYS_TIME"]),
    "cap_drop": host("CapDrop", []),
    "sysctls": host("Sysctls", {}),
    "dns": host("Dns", ["10.10.0.253"]),
    "ports": lambda body: body["HostConfig"]["PortBindings"].pop("8080/tcp"),
    "image": config("Image", "other:1"),
    "network": lambda body: (
        body["HostConfig"].__setitem__("NetworkMode", "bridge"),
        body["NetworkingConfig"].__setitem__("EndpointsConfig", {"bridge": {}}),
    ),
}


@usual_engines
def test_drift_of_every_field_that_we_set_is_found(full: Playground) -> None:
    """Also when whoever changed it copied our labels and our name."""
    pristine = full.container("run")
    engine = full.engines["dtn1"]
    made = engine.create_container("tiny:1", ["true"])
    engine.commit(made["Id"], repository="other", tag="1")
    engine.remove_container(made["Id"])
    missed = []
    for field, mutate in MUTATIONS.items():
        changed = create_by_hand(full, pristine, mutate)
        found = {item.field.partition(".")[0] for change in full.plan_here().changes for item in change.fields}
        if field.partition(".")[0] not in found:
            missed.append((field, found))
        assert full.container("run")["Id"] == changed
    assert missed == []
    full.converge()
    engine.remove_image("other:1", force=True)


def create_by_hand(play: Playground, pristine: dict[str, Any], mutate: Callable[[dict[str, Any]], None]) -> str:
    """As above; created but not started, because not everything that can be made wrong can run."""
    engine = play.engines["dtn1"]
    body = {**copy.deepcopy(pristine["Config"]), "HostConfig": copy.deepcopy(pristine["HostConfig"])}
    primary = pristine["HostConfig"]["NetworkMode"]
    body["NetworkingConfig"] = {
        "EndpointsConfig": {primary: {"IPAMConfig": pristine["NetworkSettings"]["Networks"][primary]["IPAMConfig"]}}
    }
    mutate(body)
    engine.remove_container("play.run", force=True)
    return str(engine.create_container_from_config(body, name="play.run")["Id"])


@pytest.mark.parametrize("field", ["env", "memory", "ports", "mounts"])
def test_a_container_made_anew_by_hand_is_replaced_by_the_declared_one(full: Playground, field: str) -> None:
    changed = replace_by_hand(full, MUTATIONS[field])
    drift = full.run("drift", "--detailed-exitcode")
    assert drift.code == 2, drift.out
    full.converge()
    if field != "memory":
        assert full.container("run")["Id"] != changed


@every_engine
def test_limits_changed_by_docker_update_are_taken_back_in_place_without_a_restart(full: Playground) -> None:
    engine = full.engines["dtn1"]
    before = full.container("run")
    engine.update_container(
        "play.run", mem_limit=64 * 1024**2, memswap_limit=128 * 1024**2, cpuset_cpus="0", restart_policy={"Name": "always"}
    )
    assert full.changes() == [("update", "run", "dtn1")]
    full.converge()
    after = full.container("run")
    assert after["HostConfig"]["Memory"] == 128 * 1024**2
    assert after["HostConfig"]["CpusetCpus"] == "0-1"
    assert (after["Id"], after["State"]["StartedAt"]) == (before["Id"], before["State"]["StartedAt"])


@every_engine
def test_a_network_detached_by_hand_is_attached_again_in_place(full: Playground) -> None:
    before = full.container("run")["Id"]
    full.engines["dtn1"].disconnect_container_from_network("play.run", "bridge")
    assert full.changes() == [("update", "run", "dtn1")]
    full.converge()
    assert full.container("run")["Id"] == before
    assert set(full.container("run")["NetworkSettings"]["Networks"]) == {"bridge", "data"}


def test_killed_stopped_and_removed_containers_come_back_with_their_ports_and_addresses(play: Playground) -> None:
    play.data_network()
    play.profile("tiny", data_nets=["data"], restart="no")
    for name in ("one", "two", "three"):
        play.session(name)
    play.converge()
    kept = {name: play.container(name) for name in ("one", "two", "three")}
    engine = play.engines["dtn1"]
    engine.kill("play.one")
    engine.remove_container("play.two", force=True)
    assert sorted(play.changes()) == [("create", "two", "dtn1"), ("update", "one", "dtn1")]
    play.converge()
    for name, before in kept.items():
        after = play.container(name)
        assert after["NetworkSettings"]["Networks"]["data"]["IPAddress"] == before["NetworkSettings"]["Networks"]["data"]["IPAddress"]
        assert after["HostConfig"]["PortBindings"] == before["HostConfig"]["PortBindings"]
    assert play.container("three")["State"]["StartedAt"] == kept["three"]["State"]["StartedAt"], "the healthy one got no write"


def test_foreign_containers_and_networks_are_never_touched(play: Playground) -> None:
    stranger = play.foreign("stranger")
    net = play.engines["dtn1"].create_network("strange-net", labels={"dtnctl.site": "other"})["Id"]
    play.data_network()
    play.profile("tiny", data_nets=["data"])
    play.session("run")
    play.converge()
    play.remove("sessions/run")
    play.converge()
    play.run("destroy", "--yes", "--confirm=play").expect(0)
    assert play.engines["dtn1"].inspect_container(stranger)["State"]["Running"]
    assert play.engines["dtn1"].inspect_network(net)["Name"] == "strange-net"


@every_engine
def test_a_container_of_a_committed_image_that_inherits_our_labels_is_not_ours(play: Playground) -> None:
    play.session("run")
    play.converge()
    engine = play.engines["dtn1"]
    engine.commit("play.run", repository="inherits", tag="1")
    made = engine.create_container("inherits:1", ["sleep", "1000"], name="copy", host_config=engine.create_host_config(init=True))
    engine.start(made["Id"])
    assert engine.inspect_container("copy")["Config"]["Labels"]["dtnctl.site"] == "play"
    play.assert_nothing_to_do()
    play.remove("sessions/run")
    play.converge()
    play.run("destroy", "--yes", "--confirm=play")
    assert engine.inspect_container("copy")["State"]["Running"]
    engine.remove_container("copy", force=True)
    engine.remove_image("inherits:1", force=True)


def test_a_name_that_somebody_else_holds_is_an_error_not_an_adoption(play: Playground) -> None:
    stranger = play.foreign("play.run")
    play.session("run")
    ran = play.apply().expect(4)
    assert "E0420" in ran.out
    assert play.container("run")["Id"] == stranger


def test_commands_that_look_write_nothing(play: Playground) -> None:
    play.data_network()
    play.profile("tiny", data_nets=["data"])
    play.session("run", endpoints=["dtn1", "dtn2"])
    play.session("gone")
    play.converge()
    play.remove("sessions/gone")
    play.engines["dtn1"].stop("play.run", timeout=1)
    before = [play.dump(name) for name in play.engines]
    for command in (["plan"], ["drift"], ["status"], ["sessions", "list"], ["endpoints", "list"], ["transfers", "list"], ["validate"]):
        play.run(*command).expect(0)
    assert [play.dump(name) for name in play.engines] == before
