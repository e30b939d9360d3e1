"""What containers are given is in the plan: all of it, what reaches the host first, and nothing of it for a plain one."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from dtn_agent.protocol.vfs import ConfigureVf

from dtnctl.model.resources import ContainerSpec
from dtnctl.planning.choices.allocate import Allocation
from dtnctl.planning.choices.hardware import Hardware
from dtnctl.planning.choices.virtual_functions import VfChoice
from dtnctl.planning.containers.powers import SPEC_FIELDS, powers_of
from dtnctl.planning.containers.specs import container_spec
from dtnctl.planning.resolve import resolve_services
from tests.planning.building import NOW, applied, plan, site, world

# A container's field, the settings that write it, and what the plan says of it.
GIVEN = {
    "privileged": ("privileged: true", "! privileged: root on the host: all of its capabilities and devices"),
    "network": ("mgmt_net: host", "! host network: all ports of the host, and what listens on it"),
    "mounts": ("volumes: ['/nvme:/data:ro']", "! mount: /nvme → /data, read-only"),
    "devices": ("devices: ['/dev/nvme0n1:/dev/disk:r']", "! device: /dev/nvme0n1 → /dev/disk (r)"),
    "cap_add": ("capabilities: {add: [SYS_ADMIN, NET_ADMIN]}", "! capabilities: NET_ADMIN, SYS_ADMIN"),
    "ports": ("exposed_ports: [8080, 5000-5010/udp]", "! ports: 8080/tcp, 5000-5010/udp"),
    "memory": ("memory: null", "! memory: no limit"),
    "ulimits": ("limits: {memlock: -1, nofile: {soft: 9, hard: 10}}", "+ limits: memlock unlimited, nofile 9 to 10"),
    "entrypoint": ("entrypoint: [/bin/sh, -c]", "+ entry point: /bin/sh -c"),
    "command": ("arguments: [echo, 'a b']", "+ command: echo 'a b'"),
    "health": ("health_check: {test: curl evil.example.net}", "+ health check: 'curl evil.example.net'"),
    "sysctls": ("sysctls: {net.ipv4.ip_forward: '1'}", "+ sysctls: net.ipv4.ip_forward=1"),
    "env": ("env: {LD_PRELOAD: /x.so, A: b}", "+ variables: A, LD_PRELOAD"),
    "dns": ("dns: [10.0.0.53]", "+ name servers: 10.0.0.53"),
}


def given(settings: str) -> list[str]:
    """What the plan says that a new container is given; `!` reaches the host."""
    declared = site(
        f"# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {{{settings}}}\n".replace("allow: {", "allow: {limits: [rtprio], ")
    )
    (change,) = plan(declared, world(declared)).changes
    assert change.mark == "create"
    return [f"{'!' if item.is_over_host else '+'} {item.label}: {item.value}" for item in change.powers]


def test_every_field_of_a_container_is_classified() -> None:
    """A new field cannot be forgotten: it gives power, stands among the choices, or gives nothing."""
    assert set(SPEC_FIELDS) == {item.name for item in fields(ContainerSpec)}
    assert {name for name, kind in SPEC_FIELDS.items() if kind == "power"} == set(GIVEN)


@pytest.mark.parametrize("field", GIVEN)
def test_what_gives_power_is_shown(field: str) -> None:
    settings, shown = GIVEN[field]
    assert given(settings) == [shown]


def test_a_plain_container_is_given_nothing() -> None:
    assert given("cpus: 2, memory: 1GiB, tty: false, init: true, restart: 'no', capabilities: {drop: [ALL]}, shm_size: 1GiB") == []


def test_what_reaches_the_host_comes_first() -> None:
    marks = [
        line[0] for line in given("arguments: x, volumes: [/nvme, 'vol:/v'], env: {A: b}, devices: [/dev/fuse], limits: {memlock: -1}")
    ]
    assert marks == ["!", "!", "+", "+", "+", "+"]


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ("volumes: ['vol:/v']", "+ volume: vol → /v"),
        ("volumes: [{target: /t, size: 64MiB}]", "+ tmpfs: /t, 64 MiB"),
        ("volumes: [{target: /t, mode: ro}]", "+ tmpfs: /t, read-only"),
        (
            "volumes: [{source: vol, target: /v, driver_opts: {type: tmpfs, device: tmpfs, o: size=1m}}]",
            "+ volume: vol → /v, device=tmpfs, o=size=1m, type=tmpfs",
        ),
        (
            "volumes: [{source: vol, target: /v, driver_opts: {type: cifs, device: //nas/x, o: 'username=joe,password=geheim'}}]",
            "! volume: vol → /v, device=//nas/x, o=username=joe,password=…, type=cifs",
        ),
        ("volumes: [{source: vol, target: /v, driver: rexray/s3fs}]", "! volume: vol → /v, driver rexray/s3fs"),
        (
            "volumes: [{source: vol, target: /v, driver_opts: {type: none, device: /nvme, o: bind}}]",
            "! volume: vol → /v, device=/nvme, o=bind,private, type=none",
        ),
        ("devices: [rdma_cm]", "! device: /dev/infiniband/rdma_cm"),
        ("entrypoint: []", "+ entry point: none"),
        ("arguments: []", "+ command: none"),
        ('health_check: {test: ["NONE"]}', "+ health check: none, also where the image has one"),
        ("user: dtn", "+ login: dtn"),
        ("ssh_keys: [ssh-ed25519 A, ssh-ed25519 B]", "+ login: 2 public keys"),
        ("user: dtn, ssh_keys: [ssh-ed25519 A]", "+ login: dtn, 1 public key"),
    ],
)
def test_each_kind_of_it_is_shown_in_its_own_words(settings: str, shown: str) -> None:
    assert given(settings) == [shown]


def test_limits_that_take_time_from_the_host_and_functions_that_are_trusted_reach_it() -> None:
    declared = site("# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {limits: {rtprio: 9, memlock: -1}}\n")
    (service,) = resolve_services(declared, NOW)
    settings = ConfigureVf(site="lab", session="one", network="star", pf="ens1f0", index=0, trust=True, spoofchk=False)
    hardware = Hardware(vfs=(VfChoice(settings, "0000:b1:00.2", None, None, exists=True),), verbs=("/dev/infiniband/uverbs0",))
    spec = container_spec(service, Allocation(hardware=hardware))
    assert [(item.label, item.value, item.is_over_host) for item in powers_of(service, Allocation(hardware=hardware), spec)] == [
        ("device", "uverbs: the verbs device of its own function or interface", True),
        ("limits", "rtprio 9", True),
        ("star vf", "trusted: it may change its MAC and receive what is for others", True),
        ("star vf", "its source addresses are not checked", True),
        ("limits", "memlock unlimited", False),
    ]


def test_a_replacement_and_a_change_in_place_show_what_the_container_has_too() -> None:
    text = "# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {volumes: [/nvme]}\n"
    made = applied(site(text))
    for more, mark in (("init: true", "replace"), ("memory: 9GiB", "update")):
        (change,) = plan(site(text.replace("{volumes", f"{{{more}, volumes")), made).changes
        assert (change.mark, [item.value for item in change.powers]) == (mark, ["/nvme → /nvme"])


def test_a_password_among_mount_options_is_in_no_field_that_differs() -> None:
    text = "# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {volumes: [{source: vol, target: /v, driver_opts: %s}]}\n"
    made = applied(site(text % "{type: cifs, device: //nas/x, o: 'username=joe,password=geheim'}"))
    host = made.hosts["a"]
    host.volumes.clear()
    (change,) = plan(site(text % "{type: cifs, device: //nas/x, o: 'username=eve,password=geheim'}"), made).changes
    assert change.fields[0].field == "mounts"
    assert "geheim" not in repr(replace(change, steps=()))


def test_what_is_only_stopped_is_given_nothing() -> None:
    text = "# sessions/one\nendpoints: [a]\nimage: dtn:1\nstate: %s\nsettings: {volumes: [/nvme]}\n"
    made = applied(site(text % "started"))
    (stopped,) = plan(site(text % "stopped"), made).changes
    assert (stopped.mark, stopped.powers) == ("update", ())
    made.apply(plan(site(text % "stopped"), made))
    (started,) = plan(site(text % "started"), made).changes
    assert [item.value for item in started.powers] == ["/nvme → /nvme"]


@pytest.mark.parametrize(
    ("network", "shown"),
    [
        ("driver: macvlan\nmode: passthru\nsubnet: 10.0.0.0/24", ["interface: eth1, the whole of it (passthru)"]),
        ("driver: macvlan\nsubnet: 8.8.8.0/24", []),
        ("driver: bridge\nsubnet: 10.0.0.0/24", []),
        ("driver: bridge\nsubnet: 8.8.8.0/24", ["subnet: 8.8.8.0/24, not private: the host finds it in the bridge from then on"]),
        (
            "driver: bridge\nsubnet: 10.0.0.0/24\nsubnet6: 2001:4860::/64",
            ["subnet: 2001:4860::/64, not private: the host finds it in the bridge from then on"],
        ),
    ],
)
def test_what_a_network_takes_of_the_host_comes_first_too(network: str, shown: list[str]) -> None:
    text = "# networks/net\n%s\n# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {mgmt_net: null, data_nets: [net]}\n"
    owner = "# endpoints/a\ndocker: unix:///a\nhost: a\ninterfaces: {net: eth1}\nallow: {subnets: ['0.0.0.0/0', '::/0']}\n"
    declared = site(owner + text % network)
    made, _ = plan(declared, world(declared)).changes
    assert made.kind == "network"
    assert [f"{item.label}: {item.value}" for item in made.powers if item.is_over_host] == shown
    again = site(owner + text % f"{network}\nmtu: 1400")
    rebuilt = next(item for item in plan(again, applied(declared)).changes if item.kind == "network")
    assert (rebuilt.mark, rebuilt.powers) == ("replace", made.powers)
