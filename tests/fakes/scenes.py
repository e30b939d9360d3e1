"""Conversations with an engine that a real dockerd 20.10 and the in-memory one must answer alike.

Each scene starts on an engine that holds the image tiny:1 and nothing else of ours, with the interface eth1.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.fakes.raw_client import Engine, tar

NETWORKING = ("NetworkSettings.Networks", "NetworkSettings.Ports", "State.Status", "State.Error", "State.ExitCode")
IMAGES = ("made:1", "made:2", "made:3", "kept:1", "kept:2", "other/name:1")


def clean(engine: Engine) -> None:
    """Take away what scenes leave."""
    for container in engine.ask("GET", "/containers/json", all=1):
        engine.ask("DELETE", f"/containers/{container['Id']}", force=1, v=1)
    engine.ask("POST", "/networks/prune")
    engine.ask("POST", "/volumes/prune")
    for volume in engine.ask("GET", "/volumes")["Volumes"]:  # those with options stay
        engine.ask("DELETE", f"/volumes/{volume['Name']}")
    for name in IMAGES:
        engine.ask("DELETE", f"/images/{name}", force=1)
    engine.ask("POST", "/images/prune")


def create(engine: Engine, name: str, host: dict[str, Any] | None = None, **config: Any) -> None:
    engine.say("POST", "/containers/create", {"Image": "tiny:1", "HostConfig": host or {}, **config}, name=name)


def settle(engine: Engine, name: str) -> None:
    """Give a real program the time to be ready for signals: that of running a command beside it."""
    exec_id = engine.ask("POST", f"/containers/{name}/exec", {"Cmd": ["true"], "AttachStdout": True})["Id"]
    engine.ask("POST", f"/exec/{exec_id}/start", {"Detach": False, "Tty": False})


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


def making_networks(engine: Engine) -> None:
    def make(name: str, *subnets: dict[str, Any], **more: Any) -> None:
        engine.say("POST", "/networks/create", {"Name": name, "CheckDuplicate": True, "IPAM": {"Config": list(subnets)}, **more})

    make("plain", {"Subnet": "10.71.0.0/24"}, Labels={"owner": "nobody"})
    engine.say("GET", "/networks/plain")
    make("plain")
    make("bridge")
    make("")
    make("overlapping", {"Subnet": "10.71.0.128/25"})
    make("host-bits", {"Subnet": "10.72.0.7/24"})
    make("nonsense", {"Subnet": "nonsense"})
    make("far-gateway", {"Subnet": "10.73.0.0/24", "Gateway": "10.74.0.1"})
    make("ranged", {"Subnet": "10.75.0.0/24", "IPRange": "10.75.0.64/27", "Gateway": "10.75.0.1"})
    make("ranged-only", {"Subnet": "10.76.0.0/24", "IPRange": "10.76.0.64/27"})
    make("both", {"Subnet": "10.78.0.0/24"}, {"Subnet": "fd00:1::/64"}, EnableIPv6=True, Internal=True, Attachable=True)
    for name in ("host-bits", "ranged", "ranged-only", "both"):
        engine.say("GET", f"/networks/{name}")
    make("second-host", Driver="host")
    make("data", {"Subnet": "10.20.0.0/24"}, Driver="macvlan", Options={"parent": "eth1"}, Internal=True)
    engine.say("GET", "/networks/data")
    make("same-parent", {"Subnet": "10.21.0.0/24"}, Driver="macvlan", Options={"parent": "eth1"})
    make("other-driver", {"Subnet": "10.22.0.0/24"}, Driver="ipvlan", Options={"parent": "eth1"})
    make("no-parent", {"Subnet": "10.23.0.0/24"}, Driver="macvlan", Options={"parent": "nope"})
    make("no-base", {"Subnet": "10.23.0.0/24"}, Driver="macvlan", Options={"parent": "nope.5"})
    make("bad-mode", {"Subnet": "10.23.0.0/24"}, Driver="macvlan", Options={"parent": "eth0", "macvlan_mode": "bogus"})
    engine.say("DELETE", "/networks/bridge")
    engine.say("DELETE", "/networks/none-such")
    engine.say("POST", "/networks/prune")


def ports(engine: Engine) -> None:
    engine.say("POST", "/networks/create", {"Name": "mgmt", "IPAM": {"Config": [{"Subnet": "10.72.0.0/24"}]}})
    engine.say("POST", "/networks/create", {"Name": "inner", "Internal": True, "IPAM": {"Config": [{"Subnet": "10.71.0.0/24"}]}})
    engine.say(
        "POST",
        "/networks/create",
        {"Name": "zdata", "Driver": "macvlan", "Options": {"parent": "eth1"}, "IPAM": {"Config": [{"Subnet": "10.20.0.0/24"}]}},
    )

    def run(name: str, network: str, *more: str, port: str = "30080", address: str = "") -> None:
        bindings = {"8080/tcp": [{"HostPort": port, "HostIp": address}]}
        create(engine, name, {"NetworkMode": network, "PortBindings": bindings}, ExposedPorts={"8080/tcp": {}, "81/tcp": {}})
        for other in more:
            engine.say("POST", f"/networks/{other}/connect", {"Container": name})
        engine.say("POST", f"/containers/{name}/start")
        engine.look(name, *NETWORKING)

    run("holder", "mgmt")
    run("refused", "mgmt")
    engine.look_in_list("refused", "NetworkSettings", "State", "Ports")
    run("local", "mgmt", port="30081", address="127.0.0.1")
    run("other-local", "mgmt", port="30081", address="127.0.0.2")
    run("everywhere", "mgmt", port="30081")
    engine.say("POST", "/containers/holder/stop", t=0)
    engine.say("POST", "/containers/refused/start")
    engine.look("refused", *NETWORKING)
    engine.say("POST", "/containers/holder/start")
    engine.say("DELETE", "/containers/refused", force=1)
    run("inner-only", "inner", port="30090")
    run("data-only", "zdata", port="30091")
    run("inner-and-mgmt", "inner", "mgmt", port="30092")
    run("mgmt-and-data", "mgmt", "zdata", port="30093")
    run("bad-port", "mgmt", port="99999")
    run("no-port", "mgmt", port="http")


def addresses(engine: Engine) -> None:
    engine.say("POST", "/networks/create", {"Name": "mgmt", "IPAM": {"Config": [{"Subnet": "10.72.0.0/24"}]}})
    engine.say("POST", "/networks/create", {"Name": "auto"})

    def run(name: str, network: str, address: str = "") -> None:
        settings = {"IPAMConfig": {"IPv4Address": address}} if address else {}
        create(engine, name, {"NetworkMode": network}, NetworkingConfig={"EndpointsConfig": {network: settings}})
        engine.say("POST", f"/containers/{name}/start")
        engine.look(name, *NETWORKING)

    def connect(name: str, network: str, address: str = "") -> None:
        settings = {"IPAMConfig": {"IPv4Address": address}} if address else {}
        engine.say("POST", f"/networks/{network}/connect", {"Container": name, "EndpointConfig": settings})

    run("first", "mgmt")
    run("fixed", "mgmt", "10.72.0.50")
    for name, address in (("taken", "10.72.0.50"), ("lowest", "10.72.0.2"), ("gateway", "10.72.0.1")):
        run(name, "mgmt", address)
    for name, address in (("edge", "10.72.0.255"), ("outside", "10.73.0.3"), ("nonsense", "bogus")):
        run(name, "mgmt", address)
    run("unconfigured", "auto", "172.30.0.9")
    run("predefined", "bridge", "172.17.0.9")
    run("no-network", "none-such")
    connect("first", "auto", "172.30.0.9")
    connect("first", "bridge", "172.17.0.9")
    connect("first", "bridge")
    connect("first", "bridge")
    connect("first", "none-such")
    connect("nobody", "mgmt")
    connect("first", "host")
    for network in ("mgmt", "mgmt", "none-such"):
        engine.say("POST", f"/networks/{network}/disconnect", {"Container": "first"})
    connect("first", "mgmt", "10.72.0.50")
    engine.look("first", *NETWORKING)
    connect("first", "mgmt", "10.72.0.60")
    engine.look("first", *NETWORKING)
    engine.say("POST", "/networks/mgmt/disconnect", {"Container": "taken"})
    engine.say("POST", "/networks/mgmt/disconnect", {"Container": "taken"})
    create(engine, "guest", {"NetworkMode": "container:taken"})
    engine.say("POST", "/containers/guest/start")
    create(engine, "guest-2", {"NetworkMode": "container:fixed"})
    engine.say("POST", "/containers/guest-2/start")
    engine.look("guest-2", "HostConfig.NetworkMode", *NETWORKING)
    connect("guest-2", "mgmt")
    create(engine, "two-at-once", {"NetworkMode": "mgmt"}, NetworkingConfig={"EndpointsConfig": {"mgmt": {}}})
    engine.say("DELETE", "/networks/mgmt")


def archives(engine: Engine) -> None:
    create(engine, "box", {"Binds": ["/tmp/ledger:/ledger", "/tmp/fixed:/fixed:ro", "volume:/volume"], "Tmpfs": {"/fast": ""}})
    content = tar({"a.txt": b"hello", "d/": b"", "d/b.txt": b"x"})

    def put(path: str, data: bytes = content, box: str = "box", **more: Any) -> None:
        engine.say("PUT", f"/containers/{box}/archive", data, path=path, **more)

    def stat(path: str, box: str = "box") -> None:
        engine.say("HEAD", f"/containers/{box}/archive", path=path)

    for path in ("/tmp", "/none/x", "/tmp/a.txt", "/ledger", "/fixed", "/volume", "/ledger/sub", "/fast", "tmp", ""):
        put(path)
    for path in ("/tmp/a.txt", "/tmp/d", "/tmp/d/", "/none", "/none/x", "/ledger/d/b.txt"):
        stat(path)
    engine.say("GET", "/containers/box/archive", path="/none")
    engine.say("GET", "/containers/nobody/archive", path="/")
    put("/tmp", b"garbage" * 100)
    put("/tmp", b"")
    put("/tmp", tar({"d": b"a file"}), noOverwriteDirNonDir=1)
    put("/tmp", tar({"d": b"a file"}))
    stat("/tmp/d")
    engine.say("POST", "/containers/box/start")
    put("/fast")
    stat("/fast/a.txt")
    put("/etc")
    stat("/etc/a.txt")
    engine.say("DELETE", "/containers/box", force=1)
    create(engine, "next", {"ReadonlyRootfs": True, "Binds": ["/tmp/ledger:/ledger"]})
    stat("/ledger/a.txt", "next")
    put("/etc", box="next")
    put("/ledger", box="next")


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


def volumes(engine: Engine) -> None:
    temporary = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
    for body in (
        {"Name": "plain", "Labels": {"a": "b"}},
        {"Name": "special", "DriverOpts": temporary},
        {"Name": "plain"},
        {"Name": "v"},
        {"Name": "a b"},
        {"Name": "wrong", "DriverOpts": {"bogus": "1"}},
        {"Name": "half", "DriverOpts": {"type": "tmpfs"}},
    ):
        engine.say("POST", "/volumes/create", body)
    driver = {"DriverConfig": {"Name": "local", "Options": temporary}}
    create(engine, "user", {"Mounts": [{"Type": "volume", "Source": "mounted", "Target": "/m", "VolumeOptions": driver}]})
    engine.look("user", "Mounts")
    engine.say("GET", "/volumes", filters='{"dangling":["true"]}')
    engine.say("DELETE", "/volumes/mounted")
    engine.say("DELETE", "/containers/user", v=1)
    engine.say("POST", "/volumes/prune")
    engine.say("GET", "/volumes")
    for name in ("special", "mounted", "none"):
        engine.say("DELETE", f"/volumes/{name}")


def images(engine: Engine) -> None:
    content = tar({"x": b"1", "tmp/": b""})
    engine.say("POST", "/images/create", content, fromSrc="-", repo="made", tag="1")
    engine.say("GET", "/images/made:1/json")
    engine.say("POST", "/images/create", content, fromSrc="-", repo="MADE", tag="1")
    engine.say("POST", "/images/create", b"garbage" * 200, fromSrc="-", repo="made", tag="9")
    engine.say("POST", "/images/create", content, fromSrc="-", repo="made", tag="2", changes='CMD ["a","b"]')
    engine.say("POST", "/containers/create", {"Image": "made:1"}, name="empty")
    labelled = {"Image": "made:1", "Cmd": ["never"], "Labels": {"own": "1"}, "Env": ["Q=1"]}
    engine.say("POST", "/containers/create", labelled, name="empty")
    engine.look("empty", "Config", "Image", "State")
    engine.say("POST", "/commit", {}, container="empty", repo="kept", tag="1")
    engine.say("GET", "/images/kept:1/json")
    inherited = {"Image": "kept:1", "Env": ["R=2"], "Labels": {"two": "2"}}
    engine.say("POST", "/containers/create", inherited, name="heir")
    engine.look("heir", "Config")
    engine.say("GET", "/containers/json", all=1, filters=json.dumps({"label": ["own=1", "two"]}))
    engine.say("POST", "/commit", {}, container="nobody", repo="kept")
    engine.say("DELETE", "/images/made:1")
    engine.say("POST", "/images/made:1/tag", repo="other/name", tag="1")
    engine.say("POST", "/images/made:1/tag", repo="OTHER", tag="1")
    engine.say("POST", "/images/none/tag", repo="other/name", tag="1")
    engine.say("DELETE", "/images/other/name:1")
    engine.say("DELETE", "/images/none")
    engine.say("POST", "/images/create", content, fromSrc="-", repo="made", tag="1")
    engine.look_in_list("empty", "Image", "ImageID")
    engine.say("DELETE", "/images/made:2")
    engine.say("POST", "/images/create", fromImage="BAD", tag="1")


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
