"""What plans call a container or a network is read back equal from the objects that stand for it, and changes of these are seen."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.resources import (
    HERE,
    NO_HEALTH,
    ONE_POD,
    Attachment,
    ContainerSpec,
    Device,
    Health,
    Mount,
    NetworkSpec,
    PortBinding,
    Subnet,
)
from dtnctl.model.secrets import SecretVariable
from dtnctl.providers.kubernetes.networks import link_of, network_object, network_seen
from dtnctl.providers.kubernetes.place import Link
from dtnctl.providers.kubernetes.pod_template import pinned_to
from dtnctl.providers.kubernetes.workloads import deployment, job, rollout_of, spec_of
from tests.providers.kubernetes.defaulting import defaulted
from tests.providers.kubernetes.scenes import MOVER, PLACE, PLAIN, RDMA, SCENES, STAR, file_of, labels, text_of

NAME = "scinet.web"
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
WORDS = st.lists(TEXTS | st.sampled_from(("$HOME", "$$", "$(A)", "$$(A)", "")), max_size=3).map(tuple)
NAMES = st.from_regex(r"[A-Z_]{1,6}", fullmatch=True)
PATHS = st.from_regex(r"/[a-z]{1,6}(/[a-z]{1,6})?", fullmatch=True)
SECONDS = st.sampled_from((0.0, 0.25, 1.0, 2.5, 10.0, 90.0))
TESTS = st.sampled_from(
    (("CMD", "true"), ("CMD", "/bin/sh", "-c", "x"), ("CMD-SHELL", "a && b"), ("CMD-SHELL", "$A"), ("CMD", "a", "$(B)"))
)
HEALTHS = st.builds(Health, TESTS, SECONDS, SECONDS, st.integers(1, 9), SECONDS)
SIZES = st.integers(1, 2**45)
ADDRESSES = st.integers(1, 250)
CAPABILITIES = st.sets(st.sampled_from(("ALL", "IPC_LOCK", "NET_ADMIN", "SYS_NICE")), max_size=3).map(lambda names: tuple(sorted(names)))


def mounts() -> st.SearchStrategy[tuple[Mount, ...]]:
    one = (
        st.builds(Mount, PATHS, st.just("bind"), PATHS, st.booleans())
        | st.builds(Mount, PATHS, st.just("volume"), st.sampled_from(("", "scratch")), st.booleans())
        | st.builds(
            lambda path, size, read_only: Mount(path, "tmpfs", read_only=read_only, size=size), PATHS, st.just(0) | SIZES, st.booleans()
        )
    )
    return st.lists(one, max_size=4, unique_by=lambda mount: mount.target).map(lambda items: tuple(sorted(items)))


def attachments() -> st.SearchStrategy[tuple[Attachment, ...]]:
    star = st.builds(lambda last: Attachment("star222", f"192.168.2.{last}", f"2001:db8::{last}"), ADDRESSES)
    roce = st.builds(lambda last: Attachment("roce", f"192.168.3.{last}"), ADDRESSES)
    subsets = st.tuples(st.just(Attachment("bridge")) | st.none(), star | st.none(), roce | st.none())
    return subsets.map(lambda items: tuple(sorted(item for item in items if item is not None)))


@st.composite
def services(draw: st.DrawFn) -> ContainerSpec:
    """Any service of those that a cluster can carry."""
    hosted = draw(st.booleans())
    nets = () if hosted else draw(attachments())
    env = draw(st.dictionaries(NAMES, TEXTS | st.sampled_from(("$(HOME)", "$$", "$")), max_size=4))
    secrets = draw(st.sets(NAMES.filter(lambda name: name not in env), max_size=2))
    ports = draw(st.sets(st.builds(PortBinding, st.integers(1, 65535), st.integers(1, 65535), st.sampled_from(("tcp", "udp"))), max_size=3))
    devices = draw(st.sets(st.sampled_from(RDMA.devices), max_size=2))
    return ContainerSpec(
        image=draw(st.sampled_from(("a:1", "example.net:5000/b@sha256:" + "0" * 64))),
        hostname="" if hosted else draw(st.sampled_from(("", "dtn-3"))),
        command=draw(WORDS),
        entrypoint=draw(WORDS),
        env=tuple(sorted(env.items())),
        secrets=tuple(SecretVariable(name, "k1:" + "a" * 32) for name in sorted(secrets)),
        tty=draw(st.booleans()),
        init=draw(st.booleans()),
        privileged=draw(st.booleans()),
        stop_signal=draw(st.sampled_from(("", "SIGTERM", "SIGINT", "SIGRTMIN+3"))),
        stop_timeout=draw(st.integers(1, 600)),
        health=draw(HEALTHS | st.none()),
        restart=draw(st.sampled_from(("always", "unless-stopped"))),
        memory=draw(st.just(0) | SIZES),
        cpus=draw(st.sampled_from((0.0, 0.5, 1.0, 3.0, 2.0005, 1 / 3))),
        shm_size=draw(st.just(PLAIN.shm_size) | SIZES),
        mounts=draw(mounts()),
        devices=tuple(sorted(devices)),
        cap_add=draw(CAPABILITIES),
        cap_drop=draw(CAPABILITIES),
        sysctls=draw(st.sampled_from(((), (("net.core.somaxconn", "128"),)))),
        dns=draw(st.sampled_from(((), ("192.0.2.53", "2001:db8::53")))),
        network="host" if hosted else draw(st.sampled_from(("bridge", *(net.network for net in nets)))),
        attachments=nets,
        ports=() if hosted else tuple(sorted(ports)),
    )


def live(spec: ContainerSpec, name: str = NAME) -> dict[str, Any]:
    return defaulted(deployment(name, spec, labels(name), PLACE, replicas=1))


def container_of(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["spec"]["template"]["spec"]["containers"][0]
    return found


@given(services())
def test_service_is_read_back_equal(spec: ContainerSpec) -> None:
    assert spec_of(live(spec), PLACE) == spec


@given(services())
def test_service_goes_through_text_and_stays_the_same(spec: ContainerSpec) -> None:
    assert spec_of(json.loads(json.dumps(live(spec))), PLACE) == spec


def test_words_that_are_not_said_are_read_as_none() -> None:
    seen = spec_of(live(replace(PLAIN, command=None, entrypoint=None)), PLACE)
    assert (seen.command, seen.entrypoint) == ((), ())


def test_check_that_is_switched_off_is_none() -> None:
    assert spec_of(live(replace(PLAIN, health=NO_HEALTH)), PLACE).health is None


def test_check_gets_its_dollar_signs_as_written() -> None:
    spec = replace(PLAIN, health=Health(("CMD-SHELL", "test -d /proc/$$ && test $(id -u) = 0"), 10.0, 5.0, 3, 0.0))
    raw = live(spec)
    assert container_of(raw)["readinessProbe"]["exec"]["command"] == ["/bin/sh", "-c", "test -d /proc/$$$$ && test $$(id -u) = 0"]
    assert spec_of(raw, PLACE).health == spec.health


def test_transfer_is_read_back_equal() -> None:
    raw = defaulted(job("scinet.a.g1a1", MOVER, labels("scinet.a.g1a1", "transfer"), PLACE))
    assert spec_of(raw, PLACE) == replace(MOVER, secrets=())


def test_transfer_beside_a_service_on_the_hosts_network_is_on_it_too() -> None:
    place = replace(PLACE, host_networked=frozenset({MOVER.network.removeprefix("container:")}))
    raw = job("scinet.a.g1a1", MOVER, labels("scinet.a.g1a1", "transfer"), place)
    assert raw["spec"]["template"]["spec"]["hostNetwork"] is True
    assert spec_of(defaulted(raw), place) == MOVER


CHANGES: tuple[tuple[str, Any, str, Any], ...] = (
    ("image", "other:2", "image", "other:2"),
    ("args", ["other"], "command", ("other",)),
    ("command", ["other"], "entrypoint", ("other",)),
    ("tty", False, "tty", False),
    ("env", [{"name": "A", "value": "1"}], "env", (("A", "1"),)),
    ("ports", [{"containerPort": 22, "hostPort": 31000}], "ports", (PortBinding(31000, 22),)),
    ("securityContext", {"privileged": True}, "privileged", True),
    ("securityContext", {"capabilities": {"add": ["SYS_NICE"]}}, "cap_add", ("SYS_NICE",)),
    ("resources", {"limits": {"cpu": "1500m", "memory": "1Gi"}}, "cpus", 1.5),
    ("resources", {"limits": {"cpu": "2", "memory": "1Gi"}}, "memory", 1024**3),
    ("readinessProbe", {"exec": {"command": ["true"]}}, "health", Health(("CMD", "true"), 10.0, 1.0, 3, 0.0)),
    ("volumeMounts", [], "mounts", ()),
)


@pytest.mark.parametrize(("key", "value", "field", "expected"), CHANGES)
def test_change_of_the_live_container_is_seen(key: str, value: Any, field: str, expected: Any) -> None:
    raw = live(RDMA if key == "volumeMounts" else PLAIN)
    container_of(raw)[key] = value
    assert getattr(spec_of(raw, PLACE), field) == expected


def pinned(node: str) -> dict[str, Any]:
    return {"nodeAffinity": pinned_to(node)}


POD_CHANGES: tuple[tuple[str, Any, str, Any], ...] = (
    ("terminationGracePeriodSeconds", 99, "stop_timeout", 99),
    ("hostname", "other", "hostname", "other"),
    ("shareProcessNamespace", False, "init", False),
    ("securityContext", {"sysctls": [{"name": "net.a", "value": "1"}]}, "sysctls", (("net.a", "1"),)),
    ("dnsConfig", {"nameservers": ["192.0.2.1"]}, "dns", ("192.0.2.1",)),
    ("hostNetwork", True, "network", "host"),
    ("affinity", pinned("dtn-9"), "placement", "node dtn-9"),
    ("affinity", {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}, "placement", "nodes by another rule"),
    ("affinity", {}, "placement", "any node"),
)


@pytest.mark.parametrize(("key", "value", "field", "expected"), POD_CHANGES)
def test_change_of_the_live_pod_is_seen(key: str, value: Any, field: str, expected: Any) -> None:
    raw = live(replace(RDMA, dns=("192.0.2.53",)))
    raw["spec"]["template"]["spec"][key] = value
    assert getattr(spec_of(raw, PLACE), field) == expected


@pytest.mark.parametrize(
    ("changed", "seen"),
    [
        ({"replicas": 0}, ONE_POD),  # stopped
        ({"replicas": 2}, "2 replicas"),
        ({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}, "strategy RollingUpdate"),
        ({"paused": True}, "paused"),
        ({"replicas": 3, "paused": True}, "3 replicas, paused"),
    ],
)
def test_a_second_pod_or_one_that_comes_before_the_old_one_ends_is_seen(changed: dict[str, Any], seen: str) -> None:
    raw = live(PLAIN)
    assert rollout_of(raw) == ONE_POD
    raw["spec"] |= changed
    assert rollout_of(raw) == seen


def test_pod_that_is_pinned_by_a_label_may_be_on_another_node() -> None:
    raw = live(PLAIN)
    pod = raw["spec"]["template"]["spec"]
    assert spec_of(raw, PLACE).placement == HERE
    del pod["affinity"]
    pod["nodeSelector"] = {"kubernetes.io/hostname": PLACE.node}
    assert spec_of(raw, PLACE).placement == f"nodes with kubernetes.io/hostname={PLACE.node}"


def test_note_of_somebody_else_counts_for_nothing() -> None:
    raw = live(PLAIN)
    raw["spec"]["template"]["metadata"]["annotations"]["dtnctl/noted"] = '{"health": 7, "cpus": "x"}'
    seen = spec_of(raw, PLACE)
    assert (seen.health, seen.restart) == (Health(("CMD-SHELL", "nc -z localhost 30000"), 1.0, 5.0, 3, 0.0), "always")


def test_device_whose_resource_was_taken_away_is_gone() -> None:
    raw = live(RDMA)
    del container_of(raw)["resources"]
    assert spec_of(raw, PLACE).devices == ()


def test_privileged_container_has_every_device() -> None:
    device = Device("/dev/fuse", "/dev/fuse")
    assert spec_of(live(replace(PLAIN, privileged=True, devices=(device,))), PLACE).devices == (device,)


def test_what_others_add_to_a_pod_is_left_out() -> None:
    raw = live(PLAIN)
    pod = raw["spec"]["template"]["spec"]
    pod["containers"].insert(0, {"name": "sidecar", "image": "mesh:1"})
    pod["volumes"] = [{"name": "token", "projected": {}}]
    pod["containers"][1]["volumeMounts"] = [{"name": "token", "mountPath": "/var/run/secrets"}]
    assert spec_of(raw, PLACE) == replace(PLAIN, entrypoint=())


# --- networks -----------------------------------------------------------------------------------------------


@st.composite
def networks(draw: st.DrawFn) -> NetworkSpec:
    driver = draw(st.sampled_from(("macvlan", "ipvlan", "bridge", "sriov", "host-device")))
    parents = {"host-device": ("ens1f0", "ens1f0.222", "ens1f0 VLAN 222")}
    modes = {"macvlan": ("bridge", "passthru"), "ipvlan": ("l2", "l3")}
    four = Subnet("10.33.0.0/16", draw(st.sampled_from(("", "10.33.0.1"))))
    six = Subnet("2001:db8::/64", draw(st.sampled_from(("", "2001:db8::1"))))
    subnets = draw(st.sampled_from(((), (four,), (four, six), (six,))))
    return NetworkSpec(
        driver=driver,
        internal=draw(st.booleans()),
        ipv6=six in subnets,
        subnets=subnets,
        mtu=draw(st.sampled_from((0, 1500, 9000))),
        default_route=draw(st.sampled_from((None, True, False))) if driver == "sriov" else None,
        pf="ens1f0" if driver == "sriov" else "",
        mode=draw(st.sampled_from(modes[driver])) if driver in modes else "",
        parent=draw(st.sampled_from(parents.get(driver, ("ens1f0.222" if driver in modes else "",)))),
    )


@given(networks())
def test_network_is_read_back_equal(spec: NetworkSpec) -> None:
    raw = defaulted(network_object("star222", spec, labels("star222", "network"), PLACE))
    seen = network_seen(json.loads(json.dumps(raw)), PLACE)
    assert (seen.name, seen.labels, seen.spec) == ("star222", dict(labels("star222", "network")), spec)


@pytest.mark.parametrize(
    ("change", "spec"),
    [
        ({"mtu": 1500}, replace(STAR, mtu=1500)),
        ({"ipam": {"type": "dhcp"}}, NetworkSpec("macvlan", mtu=9000, mode="bridge", parent="ens1f0.222")),
    ],
)
def test_network_that_was_changed_is_read_as_it_is(change: dict[str, Any], spec: NetworkSpec) -> None:
    raw = defaulted(network_object("star222", STAR, labels("star222", "network"), PLACE))
    raw["spec"]["config"] = json.dumps(json.loads(raw["spec"]["config"]) | change)
    assert network_seen(raw, PLACE).spec == spec


@pytest.mark.parametrize(
    ("config", "spec"),
    [
        ("", NetworkSpec("")),
        ("{", NetworkSpec("")),
        (
            '{"type": "macvlan", "ipam": {"type": "whereabouts", "range": "10.1.0.0/24"}}',
            NetworkSpec("macvlan", subnets=(Subnet("10.1.0.0/24"),)),
        ),
        ('{"type": "macvlan", "ipam": {"subnet": "all"}}', NetworkSpec("macvlan")),
        (
            '{"plugins": [{"type": "ipvlan", "mode": "l2", "master": "eth1"}, {"type": "tuning"}]}',
            NetworkSpec("ipvlan", mode="l2", parent="eth1"),
        ),
    ],
)
def test_network_of_others_is_read_as_far_as_it_is_understood(config: str, spec: NetworkSpec) -> None:
    raw = {"metadata": {"name": "theirs", "uid": "1"}, "spec": {"config": config}}
    seen = network_seen(raw, PLACE)
    assert (seen.name, seen.labels, seen.spec) == ("theirs", {}, spec)


@pytest.mark.parametrize(
    ("parent", "config"),
    [
        ("ens1f0.222", {"type": "host-device", "device": "ens1f0.222"}),
        ("ens1f0 VLAN 222", {"type": "vlan", "master": "ens1f0", "vlanId": 222, "mtu": 9000}),
    ],
)
def test_an_interface_itself_and_a_vlan_of_it_are_two_plugins(parent: str, config: dict[str, Any]) -> None:
    spec = NetworkSpec("host-device", subnets=(Subnet("10.33.0.0/16"),), mtu=config.get("mtu", 0), parent=parent)
    made = json.loads(network_object("star222", spec, labels("star222", "network"), PLACE)["spec"]["config"])
    assert {key: made[key] for key in config} == config
    assert not {"device", "master", "vlanId"} - config.keys() & made.keys()


def test_link_says_what_pods_need_of_a_network() -> None:
    objects = SCENES["rdma-service"]
    assert link_of(defaulted(objects[0])) == Link(24, 64)
    assert link_of(defaulted(objects[1])) == Link(24, 0, "example.net/ens1f0", "ens1f0")


# --- scenes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scene", SCENES)
def test_scene_is_as_it_was(scene: str) -> None:
    assert text_of(scene) == file_of(scene).read_text()
