"""Conversations with an engine that a real dockerd 20.10 and the in-memory one must answer alike.

Each scene starts on an engine that holds the image tiny:1 and nothing else of ours, with the interface eth1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fakes.raw_client import Engine
from tests.fakes.scenes_networks import addresses, making_networks, ports
from tests.fakes.scenes_storage import archives, images, volumes
from tests.fakes.stage import NETWORKING, create, settle


def basics(engine: Engine) -> None:
    for path in ("/_ping", "/images/json", "/images/tiny:1/json", "/images/none/json", "/networks/bridge", "/networks/host"):
        engine.say("GET", path)
    for path in ("/networks/none-such", "/containers/none/json", "/volumes", "/volumes/none", "/no-such-page"):
        engine.say("GET", path)
    engine.say("GET", "/containers/json", filters='{"bogus":["x"]}')
    engine.say("GET", "/containers/json", filters='{"status":["bogus"]}')
    engine.say("GET", "/networks", filters='{"type":["custom"]}')
    for what in ("containers", "networks", "volumes", "images"):
        engine.say("POST", f"/{what}/prune")


def one_life(engine: Engine) -> None:
    engine.say("POST", "/containers/create", {"Image": "tiny:1"}, name="first")
    engine.look("first")
    engine.look_in_list("first")
    engine.say("POST", "/containers/first/wait")
    engine.say("POST", "/containers/first/start")
    engine.look("first")
    engine.look_in_list("first")
    engine.say("POST", "/containers/first/start")
    engine.say("DELETE", "/containers/first")
    settle(engine, "first")
    engine.say("POST", "/containers/first/stop", t=5)
    engine.say("POST", "/containers/first/stop", t=5)
    engine.look("first", "State", "NetworkSettings", "RestartCount", "ResolvConfPath", "HostnamePath")
    engine.look_in_list("first")
    engine.say("POST", "/containers/first/kill")
    engine.say("POST", "/containers/first/restart", t=0)
    engine.say("POST", "/containers/first/kill", signal="BOGUS")
    engine.say("POST", "/containers/first/kill", signal="KILL")
    engine.say("POST", "/containers/first/wait")
    engine.look("first", "State")
    engine.say("POST", "/containers/prune")
    engine.say("DELETE", "/containers/first")


def names(engine: Engine) -> None:
    for name in ("one", "two", "one", "x", ".dot", "a b", "/three"):
        create(engine, name)
    for old, new in (("one", "two"), ("one", "one"), ("one", ""), ("one", ".dot"), ("one", "four"), ("none", "five")):
        engine.say("POST", f"/containers/{old}/rename", name=new)
    engine.say("GET", "/containers/one/json")
    engine.look("four", "Name")
    engine.say("POST", "/containers/create", {}, name="six")
    engine.say("POST", "/containers/create", {"Image": "none"}, name="six")
    engine.say("POST", "/containers/create", {"Image": "none:3"}, name="six")
    engine.say("POST", "/containers/create", {"Image": "tiny:1", "Cmd": [], "Entrypoint": [""]}, name="six")
    engine.look("six", "Config.Cmd", "Config.Entrypoint")


def every_field(engine: Engine) -> None:
    engine.say("POST", "/networks/create", {"Name": "mgmt", "IPAM": {"Config": [{"Subnet": "10.77.0.0/24"}]}})
    create(
        engine,
        "full",
        {
            "NetworkMode": "mgmt",
            "PortBindings": {"30007/tcp": [{"HostPort": "30007"}], "30008/udp": [{"HostIp": "127.0.0.1", "HostPort": "30008"}]},
            "Binds": ["/tmp/ours:/data", "named:/named:ro"],
            "Mounts": [
                {"Type": "tmpfs", "Target": "/fast"},
                {"Type": "volume", "Source": "second", "Target": "/second"},
                {"Type": "bind", "Source": "/tmp", "Target": "/host", "ReadOnly": True},
            ],
            "Tmpfs": {"/scratch": "size=1m"},
            "Memory": 10**8,
            "NanoCpus": 5 * 10**8,
            "CpusetCpus": "0",
            "CpusetMems": "0",
            "Init": False,
            "IpcMode": "host",
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2},
            "CapAdd": ["NET_ADMIN"],
            "CapDrop": ["MKNOD"],
            "Ulimits": [{"Name": "nofile", "Soft": 100, "Hard": 200}],
            "Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/own", "CgroupPermissions": "rwm"}],
            "Dns": ["192.0.2.1"],
            "Sysctls": {"net.ipv4.tcp_mtu_probing": "1"},
            "ShmSize": 10**6,
            "PidsLimit": 100,
        },
        Env=["A=1", "PATH=/bin"],
        Labels={"owner": "nobody"},
        Hostname="named-host",
        User="0:0",
        WorkingDir="/tmp/../etc/",
        StopSignal="SIGKILL",
        StopTimeout=0,
        ExposedPorts={"5201/tcp": {}, "30007/tcp": {}, "30008/udp": {}},
        Healthcheck={"Test": ["CMD", "true"], "Interval": 10**12, "Timeout": 2 * 10**9, "Retries": 3},
        Volumes={"/anonymous": {}},
        NetworkingConfig={"EndpointsConfig": {"mgmt": {"IPAMConfig": {"IPv4Address": "10.77.0.50"}, "Aliases": ["other"]}}},
    )
    engine.look("full")
    engine.say("POST", "/containers/full/start")
    engine.look("full", "State.Health", "Mounts", "HostConfig", *NETWORKING)
    engine.look_in_list("full", "Ports", "Mounts", "NetworkSettings")
    engine.say("GET", "/networks/mgmt")
    engine.say("GET", "/volumes/named")
    engine.say("DELETE", "/volumes/named")
    engine.say("DELETE", "/networks/mgmt")
    engine.say("POST", "/containers/full/stop")
    engine.look("full", "State", "NetworkSettings")
    engine.say("DELETE", "/networks/mgmt")
    engine.say("POST", "/networks/create", {"Name": "mgmt", "IPAM": {"Config": [{"Subnet": "10.77.0.0/24"}]}})
    engine.say("POST", "/containers/full/start")
    engine.look("full", "State", "NetworkSettings.Networks")
    engine.say("DELETE", "/containers/full", v=1)
    engine.say("GET", "/volumes")


def refusals(engine: Engine) -> None:
    bad_hosts: list[dict[str, Any]] = [
        {"CpusetCpus": "0-99"},
        {"CpusetCpus": "a"},
        {"CpusetMems": "9"},
        {"NanoCpus": 999 * 10**9},
        {"NanoCpus": 10**9, "CpuQuota": 1000},
        {"Memory": 1000},
        {"Memory": 10**8, "MemorySwap": 1000},
        {"MemorySwap": 10**8},
        {"ShmSize": -1},
        {"RestartPolicy": {"Name": "bogus"}},
        {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 3}},
        {"AutoRemove": True, "RestartPolicy": {"Name": "always"}},
        {"CapAdd": ["BOGUS"]},
        {"Runtime": "bogus"},
        {"ExtraHosts": ["bad"]},
        {"Links": ["none:x"]},
        {"Mounts": [{"Type": "bind", "Source": "/tmp/none-such", "Target": "/x"}]},
        {"Mounts": [{"Type": "bogus", "Source": "/tmp", "Target": "/x"}]},
        {"Binds": ["/tmp:/x", "/etc:/x"]},
        {"Binds": ["/tmp:relative"]},
        {"Binds": ["/tmp:/x:bogus"]},
        {"Binds": ["v:/x"]},
        {"NetworkMode": "container:x", "PortBindings": {"80/tcp": [{"HostPort": "80"}]}},
    ]
    for host in bad_hosts:
        create(engine, "refused", host)
    bad_configs: list[dict[str, Any]] = [
        {"Env": ["=x"]},
        {"StopSignal": "SIGBOGUS"},
        {"WorkingDir": "relative"},
        {"Healthcheck": {"Test": ["CMD", "true"], "Interval": 1}},
        {"NetworkingConfig": {"EndpointsConfig": {"a": {}, "b": {}}}},
    ]
    for config in bad_configs:
        create(engine, "refused", **config)
    create(engine, "warned", {"NetworkMode": "host", "PortBindings": {"80/tcp": [{"HostPort": "80"}]}})
    for name, host in (
        ("device", {"Devices": [{"PathOnHost": "/dev/none-such", "PathInContainer": "/dev/x", "CgroupPermissions": "rwm"}]}),
        ("sysctl", {"NetworkMode": "host", "Sysctls": {"net.ipv4.tcp_mtu_probing": "1"}}),
    ):
        create(engine, name, host)
        engine.say("POST", f"/containers/{name}/start")
        engine.look(name, "State", "NetworkSettings.Networks")


def updates(engine: Engine) -> None:
    create(engine, "box", {"Memory": 10**8})
    for change in (
        {"Memory": 15 * 10**7},
        {"Memory": 3 * 10**8},
        {"Memory": 3 * 10**8, "MemorySwap": 4 * 10**8},
        {"NanoCpus": 10**9},
        {"CpuQuota": 5000},
        {"CpusetCpus": "0"},
        {"CpusetCpus": "99"},
        {"CpusetCpus": ""},
        {"NanoCpus": 0, "Memory": 0},
        {"RestartPolicy": {"Name": "always"}},
        {"RestartPolicy": {"Name": "bogus"}},
        {"PidsLimit": 50},
        {"PidsLimit": 0},
        {"Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 1}]},
        {},
    ):
        engine.say("POST", "/containers/box/update", change)
    engine.look("box", "HostConfig")
    engine.say("POST", "/containers/nobody/update", {})


def execs(engine: Engine) -> None:
    create(engine, "box")
    engine.say("POST", "/containers/box/exec", {"Cmd": ["true"]})
    engine.say("GET", "/containers/box/logs")
    engine.say("POST", "/containers/box/start")
    for command in (["true"], ["false"], ["echo", "words"], ["none-such"]):
        asked = {"Cmd": command, "AttachStdout": True, "AttachStderr": True, "Env": ["A=1"], "User": "0"}
        exec_id = engine.say("POST", "/containers/box/exec", asked)["Id"]
        engine.say("POST", f"/exec/{exec_id}/start", {"Detach": False, "Tty": False})
        engine.say("GET", f"/exec/{exec_id}/json")
        engine.say("POST", f"/exec/{exec_id}/start", {"Detach": False, "Tty": False})
    engine.say("POST", "/containers/box/exec", {})
    engine.say("GET", "/exec/none/json")
    engine.look("box", "ExecIDs")


SCENES: dict[str, Callable[[Engine], None]] = {
    scene.__name__: scene
    for scene in (
        basics,
        one_life,
        names,
        every_field,
        making_networks,
        ports,
        addresses,
        archives,
        refusals,
        updates,
        volumes,
        images,
        execs,
    )
}
