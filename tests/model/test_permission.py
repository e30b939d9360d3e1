"""The owner's rules, key by key: what each covers, what slips past none of them, and that no field of a profile is without an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dtnctl.model.container_parts import Capabilities, Ulimit
from dtnctl.model.permission import FIELD_POWERS, refused_requests
from dtnctl.model.profile import Profile, ProfileFields
from dtnctl.model.site import Allow, Network, Session
from dtnctl.model.validation.owner_rules import find_owner_problems
from tests.model.sites import NOW, objects


def refused(allow: dict[str, Any], settings: dict[str, Any]) -> list[str]:
    """The refusals, as `code what`."""
    found = refused_requests(Allow.model_validate(allow), ProfileFields.model_validate(settings), {})
    return [f"{item.code} {item.what}" for item in found]


def volume(**options: str) -> dict[str, Any]:
    return {"volumes": [{"source": "vol", "target": "/x", "driver_opts": options}]}


# --- the table ----------------------------------------------------------------------------------------------


def test_every_field_of_a_profile_says_which_key_covers_it_or_why_none_does() -> None:
    """A new field that nobody thought about is not let through."""
    assert set(FIELD_POWERS) == set(ProfileFields.model_fields)
    assert all(power.keys or power.why for power in FIELD_POWERS.values())


def test_every_key_of_allow_covers_a_field() -> None:
    """`exports` is asked by the files of volumes, not by profiles."""
    assert {key for power in FIELD_POWERS.values() for key in power.keys} | {"exports"} == set(Allow.model_fields)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image", "evil/x:1"),
        ("volumes", ["/etc"]),
        ("limits", {"rtprio": Ulimit(soft=9, hard=9)}),
        ("devices", ["/dev/sda"]),
        ("capabilities", Capabilities(add=("SYS_ADMIN",))),
        ("privileged", True),
        ("mgmt_net", {"name": "host"}),
        ("data_nets", [{"name": "bridge"}]),
        ("data_port_range", [80, 90]),
        ("exposed_ports", [80]),
    ],
)
def test_what_a_field_asks_for_is_refused_by_a_key_that_covers_it(field: str, value: Any) -> None:
    """An owner who allows little: each field that the table gives to a key is really judged by it."""
    allow = Allow.model_validate({"images": [], "networks": [], "ports": []})
    settings = ProfileFields.model_validate({"mgmt_net": None, field: value} if field != "mgmt_net" else {field: value})
    networks: dict[str, Any] = {}
    if field in ("data_port_range", "exposed_ports"):
        settings = ProfileFields.model_validate({field: value})
    found = {item.key for item in refused_requests(allow, settings, networks) if item.field == field}
    assert found
    assert found <= set(FIELD_POWERS[field].keys)


# --- mounts and volumes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("allowed", ["/nvme", "/nvme/", "//nvme", "/"])
@pytest.mark.parametrize("source", ["/nvme", "/nvme/", "//nvme//a", "/nvme/./a"])
def test_one_folder_is_one_folder_however_it_is_written(allowed: str, source: str) -> None:
    assert refused({"mounts": [allowed]}, {"volumes": [{"source": source, "target": "/x"}]}) == []
    assert refused({"mounts": [allowed]}, volume(type="none", device=source, o="bind")) == []


@pytest.mark.parametrize("source", ["/", "/nvme2", "/nvm", "/etc/nvme", "//etc", "/nvme/../etc", "/nvme/.."])
def test_a_folder_that_is_not_below_an_allowed_one_is_refused_also_by_a_volume(source: str) -> None:
    assert refused({"mounts": ["/nvme", "/data"]}, volume(type="none", device=source, o="bind")) == [f"E0503 the mount of {source}"]


def test_volumes_of_disk_and_memory_need_no_permission() -> None:
    settings = {
        "volumes": [{"target": "/t"}, {"source": "vol", "target": "/v"}, *volume(type="tmpfs", device="tmpfs", o="size=1m")["volumes"]]
    }
    settings["volumes"][2]["target"] = "/w"
    assert refused({}, settings) == []


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        (volume(type="nfs", device=":/x", o="addr=10.0.0.1"), "nfs"),
        (volume(type="nfs4", device=":/x", o="addr=10.0.0.1"), "nfs"),
        (volume(type="cifs", device="//a/b", o="addr=10.0.0.1"), "cifs"),
        ({"volumes": [{"source": "vol", "target": "/x", "driver": "rexray/s3fs"}]}, "rexray/s3fs"),
    ],
)
def test_storage_that_the_host_itself_fetches_needs_the_owners_word(settings: dict[str, Any], word: str) -> None:
    assert refused({}, settings) == [f"E0508 a volume of {word} (vol)"]
    assert refused({"volumes": ["local", "xfs"]}, settings) == [f"E0508 a volume of {word} (vol)"]
    assert refused({"volumes": [word]}, settings) == []
    assert refused({"volumes": ["*"]}, settings) == []


EVERYTHING = {"mounts": ["/"], "volumes": ["*"], "devices": ["*"], "capabilities": ["*"], "privileged": True}


def test_a_volume_of_unknown_options_is_refused_whatever_is_allowed() -> None:
    """The owner can say what is meant: a folder."""
    (found,) = refused_requests(Allow.model_validate(EVERYTHING), ProfileFields.model_validate(volume(type="proc", device="none")), {})
    assert (found.code, found.reason) == ("E0508", "file system `proc` is none of tmpfs, nfs, cifs")
    assert found.fix.startswith("a mount that the owner makes on the host")


# --- devices, capabilities, limits --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "pattern", "is_allowed"),
    [
        ("rdma_cm", "rdma_cm", True),
        ("rdma_cm", "/dev/infiniband/*", True),
        ("/dev/infiniband/rdma_cm", "rdma_cm", True),
        ("uverbs", "uverbs", True),
        ("/dev/nvme0n1:/dev/disk:r", "/dev/nvme*", True),
        ("/dev/sda", "*", True),
        ("/dev/infiniband", "/dev/infiniband/*", False),  # the engine would give all below
        ("/dev/mapper/root", "/dev/*", False),
        ("/dev/nvme0/x", "/dev/nvme*", False),
        ("/dev/infiniband/uverbs0", "uverbs", False),
        ("/dev/SDA", "/dev/sda", False),
        ("uverbs", "rdma_cm", False),
    ],
)
def test_a_device_pattern_stands_for_one_folder_level(device: str, pattern: str, is_allowed: bool) -> None:
    assert refused({"devices": [pattern]}, {"devices": [device]}) == ([] if is_allowed else [f"E0504 device {device}"])


@pytest.mark.parametrize(
    ("name", "pattern", "is_allowed"),
    [
        ("net_admin", "CAP_NET_ADMIN", True),
        ("CAP_NET_ADMIN", "net_*", True),
        ("ALL", "ALL", True),
        ("CAP_ALL", "cap_all", True),
        ("ALL", "*", True),
        ("SYS_ADMIN", "ALL", True),
        ("ALL", "A*", False),
        ("all", "*L", False),
        ("SYS_ADMIN", "NET_*", False),
    ],
)
def test_all_capabilities_are_meant_by_their_own_word_only(name: str, pattern: str, is_allowed: bool) -> None:
    found = refused({"capabilities": [pattern]}, {"capabilities": {"add": [name]}})
    assert found == ([] if is_allowed else [f"E0505 capability {name.upper().removeprefix('CAP_')}"])


def test_limits_that_take_time_from_the_whole_host_need_the_owners_word() -> None:
    settings = {"limits": {"memlock": -1, "rtprio": 9, "nice": 40}}
    assert refused({}, settings) == ["E0500 the limit rtprio", "E0500 the limit nice"]
    assert refused({"limits": ["memlock", "rtprio", "nice"]}, settings) == []
    assert refused({"limits": []}, {"limits": {"memlock": -1}}) == ["E0500 the limit memlock"]


# --- networks and ports -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allow", "is_allowed"),
    [
        ({}, True),
        ({"networks": ["host"]}, True),
        ({"networks": ["host"], "ports": [[1024, 65535]]}, True),
        ({"networks": ["*"]}, False),
        ({"networks": ["h*"]}, False),
        ({"ports": [[1, 65535]]}, False),
    ],
)
def test_the_hosts_network_is_meant_by_its_own_name_only_and_not_where_ports_are_limited(allow: dict[str, Any], is_allowed: bool) -> None:
    assert refused(allow, {"mgmt_net": {"name": "host"}}) == ([] if is_allowed else ["E0506 network host"])


def test_a_port_that_is_used_on_the_hosts_network_is_a_port_of_the_host() -> None:
    allow = {"networks": ["host"]}
    assert refused(allow, {"mgmt_net": {"name": "host"}, "internal_port": 22}) == ["E0507 port 22/tcp"]
    assert refused({}, {"internal_port": 22}) == []


@pytest.mark.parametrize("port", ["53/udp", "53/tcp", "1023-1024/tcp", "1-65535/udp"])
def test_a_low_port_is_refused_of_either_protocol_and_within_a_range(port: str) -> None:
    low, _, protocol = port.partition("/")
    assert refused({}, {"exposed_ports": [port]}) == [f"E0507 port {low.partition('-')[0]}/{protocol}"]


@pytest.mark.parametrize(
    ("allow", "is_allowed"),
    [
        ({"ports": [[1, 100], [200, 30000]]}, True),
        ({"ports": [[30005, 30006]]}, True),
        ({"ports": [[30010, 40000]]}, True),
        ({"ports": [[1, 29999], [30011, 40000]]}, False),
        ({"ports": []}, False),
        ({}, True),
    ],
)
@pytest.mark.parametrize("field", ["ctrl_port_range", "serv_port_range"])
def test_a_range_to_choose_from_needs_one_allowed_port(field: str, allow: dict[str, Any], is_allowed: bool) -> None:
    settings = {"ctrl_port_range": None, field: [30000, 30010]}
    what = [] if is_allowed else ["E0507 any port from 30000 to 30010"]
    assert refused(allow, settings) == what
    assert refused({**allow, "networks": ["host"]}, {**settings, "mgmt_net": {"name": "host"}}) == what


def test_a_low_port_is_not_chosen_and_one_of_an_address_of_its_own_is_no_port_of_the_host() -> None:
    assert refused({}, {"ctrl_port_range": [1, 1023]}) == ["E0507 any port from 1 to 1023"]
    assert refused({}, {"ctrl_port_range": [1, 1024]}) == []
    assert refused({}, {"ctrl_port_range": [1, 1023], "mgmt_net": {"name": "none"}}) == []


# --- what validate says -------------------------------------------------------------------------------------


def test_validate_names_the_line_that_asks_and_the_line_that_refuses() -> None:
    files = {
        "endpoints/a": "docker: ssh://a\nallow:\n  mounts: [/nvme]\n  ports: [30000]\n",
        "profiles/p": "volumes:\n  - /nvme/a\n  - /etc\n",
        "sessions/one": "endpoints: [a, gone]\nimage: x:1\nprofile: p\nsettings:\n"
        "  capabilities: {add: [SYS_ADMIN]}\n  limits: {rtprio: 1}\n",
        "sessions/late": "endpoints: [a]\nimage: x:1\nexpires: 2020-01-01T00:00:00Z\nsettings: {privileged: true}\n",
        "sessions/lost": "endpoints: [a]\nimage: x:1\nsettings: {data_nets: [nowhere], privileged: true}\n",
    }
    assert [str(problem) for problem in find_owner_problems(objects(files), NOW, {"endpoints": {"gone"}})] == [
        "profiles/p.yaml:3:5: E0503: the owner of a does not allow the mount of /etc (endpoints/a.yaml:3:3); "
        "try to ask the owner to extend `allow.mounts`",
        "sessions/one.yaml:5:24: E0505: the owner of a does not allow capability SYS_ADMIN (endpoints/a.yaml:2:1); "
        "try to ask the owner to extend `allow.capabilities`",
        "sessions/one.yaml:6:20: E0500: the owner of a does not allow the limit rtprio (endpoints/a.yaml:2:1); "
        "try to ask the owner to extend `allow.limits`",
    ]


def test_what_nobody_wrote_is_named_where_the_profile_is_chosen_and_says_why() -> None:
    files = {
        "endpoints/a": "docker: ssh://a\nallow: {networks: [data]}\n",
        "sessions/one": "endpoints: [a]\nimage: x:1\nsettings:\n"
        "  volumes: [{source: vol, target: /x, driver_opts: {type: bpf, device: x}}]\n",
    }
    assert [str(problem).partition(" a mount")[0] for problem in find_owner_problems(objects(files), NOW, {})] == [
        "sessions/one.yaml:1:1: E0506: the owner of a does not allow network bridge (endpoints/a.yaml:2:9); try to ask the owner to extend "
        "`allow.networks`",
        "sessions/one.yaml:4:13: E0508: the owner of a does not allow volume vol (endpoints/a.yaml:2:1): file system `bpf` is none of "
        "tmpfs, nfs, cifs; try",
    ]


# The ways by which named volumes got past `mounts` on real engines.
WAYS = (
    *({"type": kind, "device": "/etc", "o": bind} for kind in ("tmpfs", "nfs", "cifs") for bind in ("bind", "rbind")),
    *(
        {"type": kind, "device": "none"}
        for kind in ("proc", "sysfs", "devtmpfs", "debugfs", "tracefs", "securityfs", "bpf", "cgroup2", "devpts", "mqueue")
    ),
    {"type": "tmpfs", "device": "tmpfs", "o": "remount"},
)


@pytest.mark.parametrize("options", WAYS, ids=lambda options: "-".join(options.values()))
@pytest.mark.parametrize("allow", ["{}", "{mounts: [/nvme]}", "{mounts: [/], volumes: ['*'], foreign_volumes: ['*'], privileged: true}"])
def test_validate_refuses_every_way_by_which_a_volume_got_past_the_owner(options: dict[str, str], allow: str) -> None:
    settings = json.dumps(volume(**options))
    files = {
        "endpoints/a": f"docker: ssh://a\nallow: {allow}\n",
        "sessions/one": f"endpoints: [a]\nimage: x:1\nsettings: {settings}\n",
    }
    (found,) = find_owner_problems(objects(files), NOW, {})
    assert (found.code, found.file, found.line) == ("E0508", "sessions/one.yaml", 3)
    assert "the owner of a does not allow volume vol (endpoints/a.yaml:2:" in found.message


# --- what owners read ---------------------------------------------------------------------------------------


def test_the_owners_page_has_every_key_and_every_field_of_profiles_sessions_and_networks() -> None:
    """A new field is put where owners look: by whom it is ruled, or why by nobody."""
    page = (Path(__file__).parents[2] / "docs/allow.md").read_text()
    tables = "".join(line for line in page.splitlines(keepends=True) if line.startswith("| "))
    for name in (*Allow.model_fields, *Profile.model_fields, *Session.model_fields):
        assert f"`{name}`" in tables, name


def test_what_no_key_rules_of_a_network_is_named_to_owners() -> None:
    page = (Path(__file__).parents[2] / "docs/allow.md").read_text()
    for name in ("driver", "mode", "vlan", "mtu", "trust", "spoofchk"):
        assert name in Network.model_fields
        assert f"`{name}`" in page
