"""What is asked of Podman in Docker's words comes back in them; the answers are in the form of Podman 5.4 and 5.8."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dtnctl.model.actions import UpdateContainer
from dtnctl.model.resources import Attachment, ContainerSpec, Device, Health, Mount, NetworkSpec, Subnet, Ulimit
from dtnctl.providers.docker import translate, translate_networks
from dtnctl.providers.podman import containers, networks
from dtnctl.providers.podman.dialect import PodmanDialect, why_rootless_is_refused, why_too_old
from dtnctl.providers.podman.notes import ANNOTATION, noted

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
DIALECT = PodmanDialect(lambda: {"ID": "another one each time", "Name": "dtn1"}, lambda: NOW)
IMAGE = {"Config": {"Env": ["PATH=/bin"]}}
SPEC = ContainerSpec(image="tiny:1", command=("sleep", "100"), entrypoint=(), env=(("PATH", "/bin"),), attachments=(Attachment("bridge"),))
ID = "ab" * 32


def sent(spec: ContainerSpec, image: Any = IMAGE) -> Any:
    return DIALECT.container_body(translate.create_body(spec, ()), image)


def answered(body: Any, *, running: bool = False, **more: Any) -> dict[str, Any]:
    """libpod's inspection of what was made from the body: what it leaves out and renames."""
    host = body["HostConfig"]
    own = {"container": "podman", **({"HOME": "/root", "HOSTNAME": ID[:12]} if running else {})}
    env = [*body["Env"], *(f"{name}={value}" for name, value in own.items() if f"{name}=" not in "\n".join(body["Env"]))]
    attached = body.get("NetworkingConfig", {}).get("EndpointsConfig", {"podman": {}})
    binds = [f"{m['Source']}:{m['Target']}:{'ro' if m['ReadOnly'] else 'rw'},rprivate,rbind" for m in host["Mounts"]]
    limits = [{**item, "Name": f"RLIMIT_{item['Name'].upper()}"} for item in host["Ulimits"]]
    return {
        "Id": ID,
        "Name": "c1",
        "Image": "cd" * 32,
        "ImageName": f"localhost/{body['Image']}",
        "RestartCount": 0,
        "Config": {
            "Hostname": body["Hostname"] or ID[:12],
            "Env": env,
            "Cmd": body.get("Cmd"),
            "Entrypoint": body.get("Entrypoint") or None,
            "Image": f"localhost/{body['Image']}",
            "Labels": body["Labels"],
            "Annotations": {**host["Annotations"], "io.container.manager": "libpod"},
            "StopSignal": body.get("StopSignal", "SIGTERM"),
            "StopTimeout": body["StopTimeout"],
            "Healthcheck": body.get("Healthcheck"),
            "Tty": body["Tty"],
        },
        "HostConfig": {
            "Binds": binds,
            "NetworkMode": "bridge" if attached else host["NetworkMode"],
            "RestartPolicy": host["RestartPolicy"],
            "Privileged": host["Privileged"],
            "Memory": host["Memory"],
            "NanoCpus": host["NanoCpus"],
            "ShmSize": host["ShmSize"],
            "Devices": [{**item, "CgroupPermissions": ""} for item in host["Devices"]],
            "Ulimits": [*limits, *([{"Name": "RLIMIT_NPROC", "Soft": 9, "Hard": 9}] if running else [])],
            "CapAdd": [],
            "CapDrop": [],
            "Dns": host["Dns"],
            "Tmpfs": {target: f"{options},rprivate,nosuid,nodev,tmpcopyup" for target, options in host["Tmpfs"].items()},
            "PortBindings": host["PortBindings"],
        },
        "NetworkSettings": {"Networks": {name: {"Aliases": [ID[:12], *(item.get("Aliases") or ())]} for name, item in attached.items()}},
        "State": {"Status": "running" if running else "created", "StartedAt": "0001-01-01T00:00:00Z", "Health": {"Status": ""}, **more},
    }


def seen(raw: Any) -> Any:
    return translate.container_seen(DIALECT.answer("/containers/{}/json", raw))


SPECS = {
    "nothing": SPEC,
    "env that Podman adds": replace(SPEC, env=(("HOME", "/home/x"), ("PATH", "/bin"), ("TERM", "vt100"))),
    "capabilities": replace(SPEC, cap_add=("NET_ADMIN",), cap_drop=("CHOWN", "MKNOD")),
    "sysctls": replace(SPEC, sysctls=(("net.core.somaxconn", "2048"),)),
    "devices": replace(SPEC, devices=(Device("/dev/zero", "/dev/other", "mr"),)),
    "ulimits": replace(SPEC, ulimits=(Ulimit("nofile", 1, 2),)),
    "stop signal": replace(SPEC, stop_signal="SIGRTMIN+3"),
    "init": replace(SPEC, init=True),
    "words with blanks": replace(SPEC, health=Health(("CMD", "true", "a b"), 1.5, 0.25, 4, 0.0)),
    "health in a shell": replace(SPEC, health=Health(("CMD-SHELL", "true"), 1.5, 0.25, 4, 0.0)),
    "tmpfs": replace(SPEC, mounts=(Mount("/t", "tmpfs"), Mount("/u", "tmpfs", read_only=True, size=4096))),
    "mounts": replace(
        SPEC,
        mounts=(Mount("/d", "bind", "/data", True), Mount("/v", "volume", "v1", False, "local", (("type", "tmpfs"),))),
    ),
    "fixed addresses": replace(SPEC, network="net1", attachments=(Attachment("net1", "10.77.0.9", "fd00:77::9"),)),
    "host network": replace(SPEC, network="host", attachments=()),
}


@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_a_container_is_read_back_as_it_was_asked_for(spec: ContainerSpec, running: bool) -> None:
    body = sent(spec)
    if spec.network == "host":
        body["NetworkingConfig"] = {"EndpointsConfig": {}}
    assert seen(answered(body, running=running)).spec == spec


def test_what_is_sent_is_what_podman_understands() -> None:
    body = sent(replace(SPECS["tmpfs"], health=SPECS["words with blanks"].health))
    assert body["HostConfig"]["Tmpfs"] == {"/t": "rw,mode=1777", "/u": "ro,mode=1777,size=4096"}
    assert body["HostConfig"]["Mounts"] == []
    assert body["HostConfig"]["NetworkMode"] == "podman"
    assert body["NetworkingConfig"] == {"EndpointsConfig": {"podman": {}}}
    assert body["Healthcheck"]["Test"] == ["CMD-SHELL", "true 'a b'"]
    assert "NetworkingConfig" not in sent(replace(SPEC, network="none", attachments=()), {})


@pytest.mark.parametrize("shown", [["/dev/infiniband/rdma_cm", "/dev/infiniband/uverbs0"], []], ids=["what is in it", "privileged"])
def test_a_folder_of_devices_is_read_back_as_it_was_asked_for(shown: list[str]) -> None:
    """Podman shows each device in the folder, and none at all of a privileged container."""
    spec = replace(SPEC, privileged=not shown, devices=(Device("/dev/infiniband", "/dev/infiniband", "rwm"),))
    raw = answered(sent(spec))
    raw["HostConfig"]["Devices"] = [{"PathOnHost": path, "PathInContainer": path, "CgroupPermissions": ""} for path in shown]
    assert seen(raw).spec == spec


def test_a_container_that_was_made_again_by_hand_shows_what_it_lost() -> None:
    raw = answered(sent(replace(SPECS["sysctls"], stop_signal="SIGINT", cap_drop=("CHOWN",))))
    raw["Config"]["Annotations"] = None
    spec = seen(raw).spec
    assert (spec.sysctls, spec.cap_drop, spec.image, spec.network) == ((), (), "tiny:1", "bridge")
    raw["Config"]["Annotations"] = {ANNOTATION: "[]"}
    raw["ImageName"] = "quay.io/x/y:1"
    assert seen(raw).spec.image == "quay.io/x/y:1"


def test_a_health_check_that_was_changed_by_hand_is_shown_as_it_is() -> None:
    raw = answered(sent(SPECS["health in a shell"]))
    raw["Config"]["Healthcheck"] = {**raw["Config"]["Healthcheck"], "Test": ["CMD", "false"]}
    assert seen(raw).spec.health.test == ("CMD", "false")


OF_IMAGE = {"Test": ["CMD", "a b"], "Interval": 5 * 10**9, "Retries": 2}


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (None, Health(("CMD", "a b"), 5.0, 0.0, 2, 0.0)),
        (Health(("CMD", "c"), 0.0, 1.0, 0, 0.0), Health(("CMD", "c"), 5.0, 1.0, 2, 0.0)),
        (Health(("NONE",), 0.0, 0.0, 0, 0.0), None),
    ],
    ids=["the image's", "filled in from the image", "switched off"],
)
def test_a_health_check_is_shown_as_docker_would_have_made_it_of_the_images(own: Health | None, expected: Health | None) -> None:
    """Podman takes nothing from the image's where there is one, fills in values of its own, and splits words."""
    image = DIALECT.answer("/images/{}/json", {"Id": ID, "Config": {"Env": []}, "Healthcheck": OF_IMAGE})
    body = sent(replace(SPEC, health=own), image)
    raw = answered({**body, "Healthcheck": body.get("Healthcheck") or {**OF_IMAGE, "Test": ["CMD", "a b"]}})
    filled = raw["Config"]["Healthcheck"]
    usual = {"Interval": 30 * 10**9, "Timeout": 30 * 10**9, "Retries": 3}
    raw["Config"]["Healthcheck"] = {**filled, **{name: filled.get(name) or value for name, value in usual.items()}}
    if own is None:
        raw["Config"]["Healthcheck"]["Test"] = ["CMD-SHELL", "'a b'"]
    assert seen(raw).spec.health == expected


def test_an_entry_point_of_nothing_is_one_empty_word_to_podman_and_keeps_the_images_command() -> None:
    image = {"Config": {"Env": [], "Cmd": ["run"], "Entrypoint": ["start"]}}
    body = sent(ContainerSpec(image="tiny:1", entrypoint=()), image)
    assert (body["Entrypoint"], body["Cmd"]) == ([""], ["run"])
    assert sent(ContainerSpec(image="tiny:1", entrypoint=(), command=()), image)["Cmd"] == ["run"]
    assert sent(ContainerSpec(image="tiny:1", entrypoint=(), command=("x",)), image)["Cmd"] == ["x"]
    assert "Entrypoint" not in sent(ContainerSpec(image="tiny:1"), image)
    assert (seen(answered(body)).spec.entrypoint, seen(answered(body)).spec.command) == ((), ("run",))


def test_an_image_has_dockers_form_with_the_health_check_that_podmans_docker_api_hides() -> None:
    raw = {"Id": ID, "RepoDigests": ["localhost/x@sha256:1"], "Config": {"Env": ["A=1"], "Labels": {"a": "b"}}, "Healthcheck": OF_IMAGE}
    image = translate.image_seen(DIALECT.answer("/images/{}/json", raw))
    assert (image.id, image.env, image.labels) == (f"sha256:{ID}", (("A", "1"),), (("a", "b"),))
    assert image.health == Health(("CMD", "a b"), 5.0, 0.0, 2, 0.0)


def test_variables_of_strangers_count_but_for_those_that_podman_adds() -> None:
    raw = answered(sent(SPEC), running=True)
    raw["Config"] |= {"Annotations": None, "Env": ["A=1", "container=oci", "TERM=xterm", "HOME=/root", f"HOSTNAME={ID[:12]}"]}
    assert seen(raw).spec.env == (("A", "1"), ("container", "oci"))


def test_volumes_without_a_name_are_no_mounts_of_the_spec() -> None:
    raw = answered(sent(SPEC))
    raw["HostConfig"]["Binds"] = [f"{'9' * 64}:/x:rw"]
    raw["Mounts"] = [{"Type": "volume", "Name": "9" * 64, "Destination": "/x"}]
    found = seen(raw)
    assert (found.spec.mounts, found.anonymous_volumes) == ((), ("/x",))


def test_states_and_times_are_in_dockers_words() -> None:
    raw = answered(sent(SPEC), StartedAt="2026-11-30T03:00:00.5+01:00", FinishedAt="2026-11-30T02:24:18.017398944Z", Error="old")
    raw["State"]["Status"] = "stopped"
    found = seen(raw)
    assert (found.state, found.started_at, found.error) == ("exited", "2026-11-30T02:00:00.500000Z", "old")
    assert found.finished_at == "2026-11-30T02:24:18.017398944Z"
    assert seen(answered(sent(SPEC), running=True, Error="container is running")).error == ""


def test_a_listed_container_has_its_network_mode() -> None:
    attached = {"podman": {"Aliases": ["x", "ip4.10.88.0.9.dtnctl", "ip9.x.dtnctl"]}}
    listed = DIALECT.answer(
        "/containers/json?all=1", [{"NetworkSettings": {"Networks": attached}}, {"NetworkSettings": {"Networks": {"host": {}}}}, {}]
    )
    assert [item["HostConfig"]["NetworkMode"] for item in listed] == ["bridge", "host", "bridge"]
    assert listed[0]["NetworkSettings"]["Networks"]["bridge"]["IPAMConfig"] == {"IPv4Address": "10.88.0.9"}


def test_an_update_says_cpus_as_quota_and_a_connection_notes_its_address() -> None:
    body = DIALECT.body("/containers/{}/update", translate.update_body(UpdateContainer("c", cpus=0.5, memory=1 << 20)))
    assert body == {"Memory": 1 << 20, "MemorySwap": 2 << 20, "CpuPeriod": 100_000, "CpuQuota": 50_000}
    assert DIALECT.body("/containers/{}/update", {"Memory": 1}) == {"Memory": 1}
    connection = {"Container": "c", "EndpointConfig": {"IPAMConfig": {"IPv6Address": "fd00::9"}}}
    assert DIALECT.body("/networks/{}/connect", connection)["EndpointConfig"]["Aliases"] == ["ip6.fd00--9.dtnctl"]
    assert DIALECT.body("/networks/{}/connect", {"Container": "c"})["EndpointConfig"] == {}
    assert DIALECT.body("/volumes/create", {"Name": "v"}) == {"Name": "v"}


NETWORKS = {
    "bridge": NetworkSpec("bridge"),
    "internal": NetworkSpec("bridge", internal=True),
    "two families": NetworkSpec("bridge", ipv6=True, subnets=(Subnet("10.78.0.0/24"), Subnet("fd00:78::/64", "fd00:78::1")), mtu=9000),
    "options that are dtnctl's otherwise": NetworkSpec("bridge", others=(("isolate", "true"), ("metric", "7"))),
    "macvlan": NetworkSpec("macvlan", subnets=(Subnet("10.79.0.0/24"),), mode="bridge", parent="eth1"),
    "ipvlan": NetworkSpec("ipvlan", subnets=(Subnet("10.79.0.0/24", "10.79.0.1"),), mode="l3", parent="eth1"),
}


@pytest.mark.parametrize("spec", NETWORKS.values(), ids=NETWORKS.keys())
def test_a_network_is_read_back_as_it_was_asked_for(spec: NetworkSpec) -> None:
    body = DIALECT.body("/networks/create", translate_networks.network_body("net1", spec, (("a", "b"),)))
    made = {**body, "id": "12", "subnets": [{"gateway": f"{item['subnet'].partition('/')[0]}1", **item} for item in body["subnets"]]}
    if spec.driver == "bridge":
        made["network_interface"] = "podman1"
    (found,) = DIALECT.answer("/networks", [made])
    assert translate_networks.network_seen(found).spec == spec
    assert ("metric" in body["options"]) is not spec.internal


def test_the_default_network_has_dockers_name_and_shows_no_id() -> None:
    raw = {"name": "podman", "id": "2f259bab93aa", "driver": "bridge", "subnets": [{"subnet": "10.88.0.0/16", "gateway": "10.88.0.1"}]}
    found = networks.network_seen(raw)
    assert (found["Name"], found["Id"]) == ("bridge", "")
    assert found["IPAM"]["Config"] == [{"Subnet": "10.88.0.0/16", "Gateway": "10.88.0.1"}]
    assert DIALECT.names("/networks/{}/connect", ["bridge"]) == ("podman",)
    assert DIALECT.names("/containers/{}/json", ["bridge"]) == ("bridge",)


def test_calls_go_where_podman_guards_and_tells() -> None:
    assert DIALECT.path("GET", "/containers/{}/json", "1.41") == "/v5.0.0/libpod/containers/{}/json"
    assert DIALECT.path("POST", "/containers/{}/start", "1.41") == "/v1.41/containers/{}/start"
    assert DIALECT.params("DELETE", {"force": 1}) == {"force": 1, "timeout": 0}
    assert DIALECT.params("DELETE", {"force": 0}) == {"force": 0}
    assert DIALECT.known("/info") == {"ID": "", "Name": "dtn1"}
    assert DIALECT.known("/networks") is None
    assert DIALECT.answer("/exec/{}/json", {"ID": "x"}) == {"ID": "x"}
    assert DIALECT.answer("/volumes/{}", {"Options": {"SIZE": "1m", "o": "size=1m"}}) == {"Options": {"o": "size=1m"}}
    assert containers.volume_seen({"Options": None}) == {"Options": {}}


def test_a_note_of_nobody_is_none() -> None:
    assert [noted(item) for item in (None, {}, {ANNOTATION: "{"}, {ANNOTATION: "3"})] == [{}, {}, {}, {}]
    assert noted({ANNOTATION: json.dumps({"image": "x"})}) == {"image": "x"}


def test_old_and_rootless_podmans_are_refused_with_what_to_do() -> None:
    assert (why_too_old("5.0.0"), why_rootless_is_refused({"SecurityOptions": ["name=seccomp"]})) == ("", "")
    assert why_too_old("4.3.1").startswith("Podman 4.3.1 answers there; dtnctl needs Podman 5 or newer")
    assert "update it" in why_too_old("")
    assert "systemctl enable --now podman.socket" in why_rootless_is_refused({"SecurityOptions": ["name=rootless"]})


CHECK = {"Test": ["CMD", "true"], "Interval": 30 * 10**9, "Timeout": 10 * 10**9}


def checked(status: str, *, started: float, ran: float | None, state: str = "running") -> Any:
    """A container whose check has this status; seconds since its start and since its last check."""
    raw = answered(sent(SPEC), running=True)
    log = [] if ran is None else [{"End": (NOW - timedelta(seconds=ran)).isoformat(), "ExitCode": 0, "Output": ""}]
    raw["State"] |= {
        "Status": state,
        "StartedAt": (NOW - timedelta(seconds=started)).isoformat(),
        "Health": {"Status": status, "Log": log or None},
    }
    raw["Config"]["Healthcheck"] = CHECK
    return raw


@pytest.mark.parametrize(
    ("raw", "health", "is_due"),
    [
        (checked("starting", started=5, ran=None), "starting", False),
        (checked("starting", started=33, ran=None), "starting", True),  # no timer ran it after its interval
        (checked("healthy", started=500, ran=5), "healthy", False),
        (checked("healthy", started=5, ran=500), "healthy", False),  # before its last start
        (checked("healthy", started=500, ran=71), "healthy", True),
        (checked("healthy", started=500, ran=73), "", True),
        (checked("starting", started=500, ran=None), "", True),
        (checked("unhealthy", started=500, ran=73), "unhealthy", True),  # nothing has shown otherwise
        (checked("healthy", started=500, ran=73, state="exited"), "healthy", False),
    ],
)
def test_a_verdict_that_no_check_confirms_is_none_and_a_check_that_no_timer_runs_is_due(raw: Any, health: str, is_due: bool) -> None:
    assert seen(raw).health == health
    assert DIALECT.check_is_due(DIALECT.answer("/containers/{}/json", raw)) is is_due


def test_without_a_check_none_is_due() -> None:
    raw = answered(sent(SPEC), running=True, StartedAt="2026-11-30T07:00:00Z")
    assert not DIALECT.check_is_due(DIALECT.answer("/containers/{}/json", raw))
