"""Conversations about networks, addresses and ports (see scenes.py)."""

from __future__ import annotations

from typing import Any

from tests.fakes.raw_client import Engine
from tests.fakes.stage import NETWORKING, create


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
