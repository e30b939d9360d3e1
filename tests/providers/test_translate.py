"""What engines of all ages write for the same thing is read as the same thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dtnctl.errors import EngineError
from dtnctl.model.actions import UpdateContainer
from dtnctl.model.resources import (
    Attachment,
    ContainerSeen,
    ContainerSpec,
    Device,
    Health,
    ImageSeen,
    Mount,
    NetworkSpec,
    PortBinding,
    Subnet,
    Ulimit,
)
from dtnctl.providers.docker.translate import (
    container_seen,
    create_body,
    env_pairs,
    foreign_seen,
    health_seen,
    image_seen,
    listed_name,
    update_body,
)
from dtnctl.providers.docker.translate_networks import network_body, network_seen

ID = "0123456789abcdef" * 4


def inspection(
    *, config: dict[str, Any] | None = None, host: dict[str, Any] | None = None, state: dict[str, Any] | None = None, **top: Any
) -> dict[str, Any]:
    """The least that an engine says of a container."""
    return {
        "Id": ID,
        "Name": "/web",
        "Image": "sha256:1",
        "State": {"Status": "created"} | (state or {}),
        "Config": {"Image": "tiny:1", "Hostname": ID[:12], "Labels": None} | (config or {}),
        "HostConfig": {"NetworkMode": "bridge"} | (host or {}),
        "NetworkSettings": {"Networks": {"bridge": {"IPAMConfig": None}}},
    } | top


def seen(**parts: Any) -> ContainerSeen:
    return container_seen(inspection(**parts))


PLAIN = ContainerSpec(image="tiny:1", command=(), entrypoint=(), attachments=(Attachment("bridge"),))


# --- containers, from the engine ----------------------------------------------------------------------------


def test_what_is_missing_counts_as_the_engines_default() -> None:
    assert container_seen(inspection()) == ContainerSeen("web", ID, {}, PLAIN, "sha256:1", "created")


def test_null_and_empty_count_like_missing() -> None:
    config = dict.fromkeys(["Cmd", "Entrypoint", "Env", "Tty", "StopSignal", "StopTimeout", "Healthcheck"])
    names = ["Init", "Privileged", "RestartPolicy", "Memory", "NanoCpus", "CpuQuota", "CpuPeriod", "CpusetCpus", "CpusetMems", "ShmSize"]
    names += ["Mounts", "Binds", "Tmpfs", "Devices", "Ulimits", "CapAdd", "CapDrop", "Sysctls", "Dns", "PortBindings"]
    assert seen(config=config, host=dict.fromkeys(names), state={"Health": None}).spec == PLAIN
    empty: dict[str, Any] = {
        "RestartPolicy": {"Name": ""},
        "Mounts": [],
        "Tmpfs": {},
        "CapAdd": [],
        "Sysctls": {},
        "PortBindings": {"80/tcp": None},
    }
    assert seen(config={"Env": [], "Healthcheck": {}}, host=empty, NetworkSettings={"Networks": None}).spec.attachments == ()
    assert seen(config={"Env": [], "Healthcheck": {}}, host=empty).spec == PLAIN


@pytest.mark.parametrize(
    ("hostname", "mode", "host_name", "expected"),
    [
        (ID[:12], "bridge", "", ""),
        ("dtn-1", "bridge", "dtn-1", "dtn-1"),
        ("metal", "host", "metal", ""),
        ("dtn-1", "host", "metal", "dtn-1"),
        ("other", f"container:{ID}", "", ""),
    ],
)
def test_a_hostname_that_the_engine_filled_in_is_none(hostname: str, mode: str, host_name: str, expected: str) -> None:
    raw = inspection(config={"Hostname": hostname}, host={"NetworkMode": mode})
    assert container_seen(raw, host_name=host_name).spec.hostname == expected


@pytest.mark.parametrize(("mode", "network"), [("default", "bridge"), ("", "bridge"), ("net1", "net1"), ("none", "none")])
def test_the_default_network_has_one_name(mode: str, network: str) -> None:
    assert seen(host={"NetworkMode": mode}).spec.network == network


@pytest.mark.parametrize("mode", ["host", "none", f"container:{ID}"])
def test_host_none_and_foreign_networks_are_no_attachments(mode: str) -> None:
    networks = {"Networks": {mode: {"IPAMConfig": None}}}
    assert seen(host={"NetworkMode": mode}, NetworkSettings=networks).spec.attachments == ()


def test_addresses_are_compressed_and_sorted_by_network() -> None:
    networks = {
        "zeta": {"IPAMConfig": {"IPv6Address": "FD00:0:0::5"}, "GlobalIPv6Address": "fd00:0::5", "IPAddress": ""},
        "alpha": {"IPAMConfig": {"IPv4Address": "10.0.0.9"}, "IPAddress": "10.0.0.9"},
        "beta": {},
    }
    container = seen(NetworkSettings={"Networks": networks})
    assert container.spec.attachments == (
        Attachment("alpha", "10.0.0.9"),
        Attachment("beta"),
        Attachment("zeta", "", "fd00::5"),
    )
    assert container.addresses == (Attachment("alpha", "10.0.0.9"), Attachment("zeta", "", "fd00::5"))


def test_of_two_values_of_a_variable_the_last_counts() -> None:
    assert env_pairs(["B=2", "A=1", "A=3=x", "BARE"]) == (("A", "3=x"), ("B", "2"), ("BARE", ""))
    assert env_pairs(None) == ()


@pytest.mark.parametrize("raw", [None, {}, {"Test": []}, {"Test": None}, {"Test": ["NONE"]}])
def test_no_health_check_has_many_forms(raw: dict[str, Any] | None) -> None:
    assert health_seen(raw) is None


def test_times_of_a_health_check_that_are_not_said_are_zero() -> None:
    assert health_seen({"Test": ["CMD", "true"]}) == Health(("CMD", "true"), 0.0, 0.0, 0, 0.0)


@pytest.mark.parametrize(
    ("policy", "restart"),
    [
        ({"Name": "", "MaximumRetryCount": 0}, "no"),
        ({"Name": "no"}, "no"),
        ({"Name": "always", "MaximumRetryCount": 0}, "always"),
        ({"Name": "on-failure"}, "on-failure:0"),
        ({"Name": "on-failure", "MaximumRetryCount": 4}, "on-failure:4"),
    ],
)
def test_restart_policies(policy: dict[str, Any], restart: str) -> None:
    assert seen(host={"RestartPolicy": policy}).spec.restart == restart


@pytest.mark.parametrize(
    ("host", "cpus"),
    [
        ({"NanoCpus": 1_500_000_000}, 1.5),
        ({"CpuQuota": 50_000}, 0.5),
        ({"CpuQuota": 50_000, "CpuPeriod": 25_000}, 2.0),
        ({"CpuQuota": -1}, 0.0),
    ],
)
def test_a_cpu_limit_by_quota_is_seen_as_well(host: dict[str, Any], cpus: float) -> None:
    assert seen(host=host).spec.cpus == cpus


def test_mounts_in_every_form_that_others_use() -> None:
    host = {
        "Mounts": [
            {"Type": "bind", "Source": "/data", "Target": "/a"},
            {"Type": "volume", "Source": "v", "Target": "/b", "VolumeOptions": {"DriverConfig": None}},
            {"Type": "volume", "Target": "/c", "VolumeOptions": {"DriverConfig": {"Name": "nfs", "Options": None}}},
            {"Type": "tmpfs", "Target": "/d", "TmpfsOptions": None},
            {"Type": "npipe", "Target": "/never"},
        ],
        "Binds": ["/data:/e", "/data:/f:z,ro", "vol:/g:rw"],
        "Tmpfs": {"/h": "", "/i": "rw,size=64m", "/j": "ro,size=2G", "/k": "size=512", "/l": "size=50%"},
    }
    assert seen(host=host).spec.mounts == (
        Mount("/a", "bind", "/data"),
        Mount("/b", "volume", "v"),
        Mount("/c", "volume", driver="nfs"),
        Mount("/d", "tmpfs"),
        Mount("/e", "bind", "/data"),
        Mount("/f", "bind", "/data", read_only=True),
        Mount("/g", "volume", "vol"),
        Mount("/h", "tmpfs"),
        Mount("/i", "tmpfs", size=64 * 2**20),
        Mount("/j", "tmpfs", read_only=True, size=2 * 2**30),
        Mount("/k", "tmpfs", size=512),
        Mount("/l", "tmpfs"),
    )


def test_capabilities_have_one_spelling() -> None:
    spec = seen(host={"CapAdd": ["CAP_NET_ADMIN", "net_admin", "ipc_lock"], "CapDrop": ["ALL"]}).spec
    assert (spec.cap_add, spec.cap_drop) == (("IPC_LOCK", "NET_ADMIN"), ("ALL",))


def test_devices_and_ulimits_are_sorted() -> None:
    host = {
        "Devices": [
            {"PathOnHost": "/dev/z", "PathInContainer": "/dev/z"},
            {"PathOnHost": "/dev/a", "PathInContainer": "/x", "CgroupPermissions": "r"},
        ],
        "Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}, {"Name": "core", "Soft": 0, "Hard": 0}],
    }
    spec = seen(host=host).spec
    assert spec.devices == (Device("/dev/a", "/x", "r"), Device("/dev/z", "/dev/z", "rwm"))
    assert spec.ulimits == (Ulimit("core", 0, 0), Ulimit("nofile", 1, 2))


def test_ports_that_others_bind_oddly() -> None:
    bindings: dict[str, Any] = {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}, {"HostPort": "8081-8089"}],
        "90": [{"HostPort": ""}],
        "91/udp": [{}],
        "92/tcp": [],
    }
    assert seen(host={"PortBindings": bindings}).spec.ports == (
        PortBinding(0, 90),
        PortBinding(0, 91, "udp"),
        PortBinding(8080, 80),
        PortBinding(8081, 80),
    )


def test_the_life_of_a_container_is_told() -> None:
    state = {
        "Status": "exited",
        "ExitCode": 137,
        "Error": "boom",
        "OOMKilled": True,
        "StartedAt": "2026-01-01T00:00:00Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {"Status": "none"},
    }
    container = seen(state=state, RestartCount=3)
    assert (container.state, container.exit_code, container.error, container.oom_killed) == ("exited", 137, "boom", True)
    assert (container.started_at, container.finished_at, container.restart_count) == ("2026-01-01T00:00:00Z", "", 3)
    assert container.health == ""
    assert seen(state={"Health": {"Status": "unhealthy"}}).health == "unhealthy"


# --- lines of the list --------------------------------------------------------------------------------------


def test_the_name_of_a_container_is_not_one_that_a_link_gives_it() -> None:
    assert listed_name({"Names": ["/other/alias", "/web"]}) == "web"
    assert listed_name({"Names": None}) == ""


def test_a_foreign_container_with_nothing_takes_nothing() -> None:
    assert foreign_seen({"Id": ID, "Names": ["/x"]}).host_ports == ()
    listed = {
        "Id": ID,
        "Names": ["/x"],
        "Ports": [
            {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
            {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
            {"PrivatePort": 99, "Type": "tcp"},
        ],
        "NetworkSettings": {"Networks": {"n": {"IPAddress": "10.0.0.4", "IPAMConfig": {"IPv6Address": "fd00::9"}}, "m": {}}},
    }
    assert foreign_seen(listed).host_ports == ((8080, "tcp"),)
    assert foreign_seen(listed).addresses == (Attachment("n", "10.0.0.4", "fd00::9"),)


# --- images and networks ------------------------------------------------------------------------------------


def test_an_image_without_settings_gives_nothing() -> None:
    assert image_seen({"Id": "sha256:1"}) == ImageSeen("sha256:1")
    assert image_seen({"Id": "sha256:1", "Config": None, "RepoDigests": None}) == ImageSeen("sha256:1")


def test_an_image_hands_on_what_it_has() -> None:
    config = {"Env": ["B=2", "A=1"], "Cmd": ["x"], "Entrypoint": ["e"], "StopSignal": "SIGINT", "Healthcheck": {"Test": ["CMD", "h"]}}
    assert image_seen({"Id": "sha256:1", "RepoDigests": ["b@sha256:2", "a@sha256:2"], "Config": config}) == ImageSeen(
        "sha256:1", ("a@sha256:2", "b@sha256:2"), (("A", "1"), ("B", "2")), ("x",), ("e",), "SIGINT", Health(("CMD", "h"), 0.0, 0.0, 0, 0.0)
    )


def test_a_network_tells_what_was_declared_and_keeps_what_it_does_not_know() -> None:
    raw = {
        "Name": "n",
        "Id": "1",
        "Driver": "macvlan",
        "Options": {"parent": "eth1", "strange": "x", "com.docker.network.enable_ipv4": "true"},
        "IPAM": {"Config": [{"Subnet": "fd00::/64"}, {"Subnet": "10.0.0.0/24", "Gateway": "10.0.0.1/24"}, {"Gateway": "10.9.0.1"}]},
    }
    network = network_seen(raw)
    assert network.labels == {}
    assert network.spec == NetworkSpec(
        "macvlan", subnets=(Subnet("10.0.0.0/24", "10.0.0.1"), Subnet("fd00::/64")), parent="eth1", others=(("strange", "x"),)
    )
    assert network_seen({"Name": "host", "Id": "2", "Driver": "host", "IPAM": None, "Options": None, "Labels": None}).spec == NetworkSpec(
        "host"
    )


@pytest.mark.parametrize(("routes", "text"), [(True, "yes"), (False, "no")])
def test_a_network_of_virtual_functions_has_the_agents_driver_at_the_engine(routes: bool, text: str) -> None:
    spec = NetworkSpec("sriov", subnets=(Subnet("10.0.0.0/24"),), default_route=routes, pf="pf0")
    body = network_body("n", spec, ())
    assert (body["Driver"], body["Options"]) == ("dtnctl", {"dtnctl.default_route": text, "dtnctl.pf": "pf0"})
    assert network_seen(body | {"Id": "1"}).spec == spec


def test_an_option_with_a_value_that_dtnctl_would_not_write_is_kept_as_the_engine_has_it() -> None:
    raw = {"Name": "n", "Id": "1", "Driver": "dtnctl", "Options": {"dtnctl.pf": "pf0", "dtnctl.mtu": "09", "dtnctl.default_route": "maybe"}}
    assert network_seen(raw).spec == NetworkSpec("sriov", pf="pf0", others=(("dtnctl.default_route", "maybe"), ("dtnctl.mtu", "09")))


def test_a_driver_of_another_program_keeps_its_name_and_what_all_drivers_have() -> None:
    options = {"parent": "eth1", "com.docker.network.driver.mtu": "9000", "color": "blue"}
    assert network_seen({"Name": "n", "Id": "1", "Driver": "weave", "Options": options}).spec == NetworkSpec(
        "weave", parent="eth1", mtu=9000, others=(("color", "blue"),)
    )


def test_a_subnet_that_the_engine_chose_is_not_one_that_was_declared() -> None:
    body = network_body("n", NetworkSpec("bridge"), ())
    answer = body | {"Id": "1", "IPAM": {"Config": [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}]}}
    assert network_seen(answer).spec == NetworkSpec("bridge")
    theirs = answer | {"Labels": None}
    assert network_seen(theirs).spec.subnets == (Subnet("172.18.0.0/16", "172.18.0.1"),)


def test_the_ipv4_subnet_that_an_engine_adds_to_one_with_ipv6_alone_is_not_one_that_was_declared() -> None:
    spec = NetworkSpec("bridge", ipv6=True, subnets=(Subnet("fd00:77::/64"),))
    added = {"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}
    body = network_body("n", spec, ())
    answer = body | {"Id": "1", "IPAM": {"Config": [added, *body["IPAM"]["Config"]]}}
    assert network_seen(answer).spec == spec
    declared = network_body("n", replace(spec, subnets=(Subnet("172.18.0.0/16", "172.18.0.1"), *spec.subnets)), ())
    assert network_seen(answer | {"Labels": declared["Labels"]}).spec.subnets[0] == Subnet("172.18.0.0/16", "172.18.0.1")


def test_options_and_limits_that_an_engine_adds_are_not_read_and_those_of_other_creators_are() -> None:
    asked_for = NetworkSpec("macvlan", parent="eth1")
    body = network_body("n", asked_for, ())
    answer = body | {"Id": "1", "Options": {"parent": "eth2", "com.docker.network.driver.mtu": "1450", "strange": "x"}}
    assert network_seen(answer).spec == replace(asked_for, parent="eth2")
    assert network_seen(answer | {"Labels": None}).spec == replace(asked_for, parent="eth2", mtu=1450, others=(("strange", "x"),))
    limits = {"Ulimits": [{"Name": "memlock", "Soft": -1, "Hard": -1}, {"Name": "nofile", "Soft": 1, "Hard": 2}]}
    asked = create_body(ContainerSpec("tiny:1", ulimits=(Ulimit("nofile", 9, 9),)), ())["Labels"]
    none = create_body(ContainerSpec("tiny:1"), ())["Labels"]
    assert seen(host=limits, config={"Labels": asked}).spec.ulimits == (Ulimit("nofile", 1, 2),)
    assert seen(host=limits, config={"Labels": none}).spec.ulimits == ()
    assert seen(host=limits).spec.ulimits == (Ulimit("memlock", -1, -1), Ulimit("nofile", 1, 2))


# --- to the engine ------------------------------------------------------------------------------------------


def test_what_the_spec_leaves_to_the_image_is_not_said() -> None:
    body = create_body(ContainerSpec(image="tiny:1"), ())
    assert {"Cmd", "Entrypoint", "StopSignal", "Healthcheck", "NetworkingConfig"}.isdisjoint(body)


def test_only_the_primary_network_is_said_at_creation() -> None:
    spec = ContainerSpec("tiny:1", network="a", attachments=(Attachment("a", "10.0.0.9", "fd00::9"), Attachment("b", "10.1.0.9")))
    endpoints = create_body(spec, ())["NetworkingConfig"]["EndpointsConfig"]
    assert endpoints == {"a": {"IPAMConfig": {"IPv4Address": "10.0.0.9", "IPv6Address": "fd00::9"}}}
    assert create_body(ContainerSpec("tiny:1", attachments=(Attachment("bridge"),)), ())["NetworkingConfig"] == {
        "EndpointsConfig": {"bridge": {}}
    }


def test_an_update_says_only_what_changes() -> None:
    assert update_body(UpdateContainer("web")) == {}
    assert update_body(UpdateContainer("web", memory=8, restart="on-failure:2")) == {
        "Memory": 8,
        "MemorySwap": 16,
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2},
    }


@pytest.mark.parametrize(
    ("update", "name"),
    [
        (UpdateContainer("web", memory=0), "memory"),
        (UpdateContainer("web", cpus=0.0), "cpus"),
        (UpdateContainer("web", cpu_set=""), "cpu_set"),
        (UpdateContainer("web", memory_nodes=""), "memory_nodes"),
    ],
)
def test_no_limit_is_lifted_by_an_update(update: UpdateContainer, name: str) -> None:
    with pytest.raises(EngineError, match=f"the limit {name} "):
        update_body(update)


# Everything that an engine is told of a container. User namespaces, security options, PID and IPC modes, runtimes, cgroup parents,
# cgroup rules and requests for devices, links and others' volumes are not among it, so no `allow:` has to rule them.
TOLD = {
    *("Binds", "Mounts", "NetworkMode", "PortBindings", "RestartPolicy", "Init", "Privileged", "Memory", "NanoCpus", "CpusetCpus"),
    *("CpusetMems", "ShmSize", "Devices", "Ulimits", "CapAdd", "CapDrop", "Sysctls", "Dns"),
}
TOLD_OF_A_MOUNT = frozenset({"Type", "Target", "ReadOnly", "Source", "VolumeOptions", "TmpfsOptions"})


def test_an_engine_is_told_nothing_of_a_container_that_owners_do_not_rule() -> None:
    mounts = (
        Mount("/b", "bind", "/nvme", read_only=True),
        Mount("/v", "volume", "vol", driver="local", driver_opts=(("type", "tmpfs"),)),
        Mount("/t", "tmpfs", size=1),
    )
    body = create_body(ContainerSpec("tiny:1", privileged=True, network="host", mounts=mounts), ())["HostConfig"]
    assert body.keys() == TOLD
    assert body["Binds"] == []
    assert frozenset().union(*body["Mounts"]) == TOLD_OF_A_MOUNT
    assert [item.get("VolumeOptions", {}).keys() - {"DriverConfig"} for item in body["Mounts"]] == [set()] * 3
