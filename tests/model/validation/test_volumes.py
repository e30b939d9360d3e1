"""Volumes over NVMe-oF between files: what is named must be there, both ends need an agent, one host writes."""

from __future__ import annotations

from dtnctl.model.validation.owner_rules import find_owner_problems
from tests.model.sites import DATA, NOW, objects, problems

HOST = "docker: ssh://dtn@h.example.net\nagent: ssh\ninterfaces: {data: eth1}\n"
CLUSTER = "kubernetes: {context: c, namespace: n, node: x}\nhost: h.example.net\ninterfaces: {data: eth1}\n"
SCRATCH = "target: {endpoint: b, device: /dev/nvme1n1, network: data}\nfilesystem: xfs\n"
RAW = "target: {endpoint: b, device: /dev/nvme1n1, network: data}\n"
BASE = {"endpoints/a": HOST, "endpoints/b": HOST, "endpoints/c": HOST, "volumes/scratch": SCRATCH}


def session(*mounts: str, on: str = "a") -> str:
    listed = ", ".join(f'"{item}"' for item in mounts)
    return f"endpoints: [{on}]\nimage: dtn:1\nsettings:\n  volumes: [{listed}]\n"


def found(files: dict[str, str], **broken: set[str]) -> list[str]:
    return problems({**BASE, **files}, **broken)


def test_a_volume_and_who_reads_it() -> None:
    assert found({"sessions/s": session("nvme:scratch:/data"), "sessions/t": session("nvme:scratch:/data", on="c")}) == []


def test_names_that_have_no_file() -> None:
    files = {
        "volumes/scratch": "target: {endpoint: bb, device: /dev/x, network: dat}\n",
        "sessions/s": session("nvme:scrtch:/data"),
        "profiles/p": 'volumes: ["nvme:other:/data"]\n',
    }
    assert found(files) == [
        "profiles/p.yaml:1:11: E0390: there is no volume `other`; try `scratch`",
        "sessions/s.yaml:4:13: E0390: there is no volume `scrtch`; try `scratch`",
        "volumes/scratch.yaml:1:20: E0301: there is no endpoint `bb`; try `b`",
        "volumes/scratch.yaml:1:49: E0302: there is no network `dat`; try `data`",
    ]


def test_files_that_are_broken_are_not_reported_again() -> None:
    files = {"sessions/s": session("nvme:other:/data", on="d"), "volumes/scratch": SCRATCH.replace("endpoint: b", "endpoint: e")}
    assert found(files, volumes={"other"}, endpoints={"d", "e"}) == []
    assert found({"sessions/s": session("nvme:scratch:/data", on="d")}, endpoints={"d"}) == []


def test_both_ends_need_an_agent_and_the_network() -> None:
    files = {
        "endpoints/a": "docker: ssh://dtn@h.example.net\n",
        "endpoints/b": "docker: ssh://dtn@h.example.net\ninterfaces: {}\n",
        "sessions/s": session("nvme:scratch:/data"),
    }
    assert found(files) == [
        "endpoints/a.yaml:1:1: E0307: no interface carries network `data` here, and volume `scratch` uses it; "
        "try `interfaces: {data: eth1}` with the name of the interface",
        "endpoints/b.yaml:2:1: E0307: no interface carries network `data` here, and volume `scratch` uses it; "
        "try `interfaces: {data: eth1}` with the name of the interface",
        "sessions/s.yaml:4:13: E0391: volume `scratch` is mounted by the agent of a, and its file names none; "
        "try `agent: …` in endpoints/a.yaml",
        "volumes/scratch.yaml:1:20: E0391: volume `scratch` is exported by the agent of b, and its file names none; "
        "try `agent: …` in endpoints/b.yaml",
    ]


def test_an_address_or_a_target_of_others_needs_no_network() -> None:
    external = "{external: {address: 10.0.0.9, nqn: 'nqn.2014-08.com.example:a', uuid: 0a1b2c3d-0000-4000-8000-000000000001}}"
    files = {
        "endpoints/a": "docker: ssh://dtn@h.example.net\nagent: ssh\n",
        "volumes/scratch": f"target: {external}\nfilesystem: xfs\n",
        "volumes/other": "target: {endpoint: b, file: /x.img, address: 10.0.0.1}\n",
        "sessions/s": session("nvme:scratch:/data", "nvme:other:/dev/x"),
    }
    assert found(files) == []


def test_nodes_of_clusters_mount_none() -> None:
    (problem,) = found({"endpoints/a": CLUSTER, "sessions/s": session("nvme:scratch:/data")})
    assert "E0391: volume `scratch` cannot be mounted on a, which is a node of a cluster" in problem


def test_a_volume_is_not_mounted_over_the_network_where_its_disk_is() -> None:
    (problem,) = found({"sessions/s": session("nvme:scratch:/data", on="b")})
    assert "E0393: volume `scratch` is on b itself (volumes/scratch.yaml:1)" in problem


def test_a_device_and_a_file_system_have_their_places() -> None:
    (problem,) = found({"sessions/s": session("nvme:scratch:/dev/scratch")})
    assert "E0395: volume `scratch` has a file system (volumes/scratch.yaml:2), and `/dev/scratch` is a place for devices" in problem
    (problem,) = found({"volumes/scratch": RAW, "sessions/s": session("nvme:scratch:/data")})
    assert "E0395: volume `scratch` has no `filesystem`, so the service gets a block device" in problem


def test_one_disk_is_one_volume() -> None:
    (problem,) = found({"volumes/twin": SCRATCH})
    assert problem.startswith("volumes/twin.yaml:1:31: E0392: /dev/nvme1n1 of b is volume `scratch` already (volumes/scratch.yaml:1)")


def test_one_namespace_of_others_is_one_volume() -> None:
    """As two volumes it was mounted by two hosts that both wrote, and neither knew of the other."""
    external = "target: {{external: {{address: {}, nqn: 'nqn.2001-01.com.example:{}', uuid: 11111111-2222-4333-8444-555555555555}}}}\n"
    (problem,) = found({"volumes/array": external.format("10.0.0.9", "a"), "volumes/twin": external.format("10.0.0.10", "b")})
    assert problem.startswith("volumes/twin.yaml:1:")
    assert "E0392: the namespace 11111111-2222-4333-8444-555555555555 is volume `array` already (volumes/array.yaml:1)" in problem


def test_one_host_writes_and_then_no_other_reads() -> None:
    files = {"sessions/s": session("nvme:scratch:/data:rw"), "sessions/t": session("nvme:scratch:/data", on="a, c")}
    assert found(files) == [
        "sessions/t.yaml:4:13: E0394: volume `scratch` has one writer, session s on a (sessions/s.yaml:4), and session t on c reads it; "
        "try `mode: ro` for all of them, a volume for each, or one endpoint"
    ]
    (problem,) = found({"sessions/s": session("nvme:scratch:/data:rw", on="a, c")})
    assert "session s on a (sessions/s.yaml:4), and session s on c writes it too" in problem


def test_a_device_has_one_service_that_writes() -> None:
    files = {"volumes/scratch": RAW, "sessions/s": session("nvme:scratch:/dev/x:rw"), "sessions/t": session("nvme:scratch:/dev/x")}
    (problem,) = found(files)
    assert "session t on a reads it" in problem


def test_owners_of_both_ends_are_asked_at_the_line_that_asks() -> None:
    files = {**BASE, "networks/data": DATA, "sessions/s": session("nvme:scratch:/data")}
    assert [str(problem) for problem in find_owner_problems(objects(files), NOW, {})] == [
        "sessions/s.yaml:4:13: E0508: the owner of a does not allow volume nvme:scratch (endpoints/a.yaml:1:1); "
        "try to ask the owner to extend `allow.volumes`",
        "volumes/scratch.yaml:1:31: E0510: the owner of b does not allow the export of /dev/nvme1n1 (endpoints/b.yaml:1:1); "
        "try to ask the owner to extend `allow.exports`",
    ]
    allowed = {"endpoints/a": HOST + "allow: {volumes: [nvme]}\n", "endpoints/b": HOST + "allow: {exports: [/dev/nvme1n1]}\n"}
    assert find_owner_problems(objects({**files, **allowed}), NOW, {}) == []
    assert find_owner_problems(objects({"volumes/scratch": SCRATCH}), NOW, {}) == []


def test_volumes_that_a_host_has_of_one_target_share_their_keys() -> None:
    """The kernel of a target has one pair of keys for each host."""
    home = SCRATCH.replace("nvme1n1", "nvme2n1")
    keys = "auth: {host_key: {secret: env:KEY}}\n"
    both = session("nvme:scratch:/data", "nvme:home:/home")
    files = {"volumes/home": home + keys, "volumes/scratch": SCRATCH + keys, "sessions/s": both}
    assert found(files) == []
    (problem,) = found({**files, "volumes/scratch": SCRATCH})
    assert problem.startswith("volumes/scratch.yaml:1:1: E0396: a has volume `home` of b, too, with another `auth` (volumes/home.yaml:3)")
    apart = {"sessions/s": session("nvme:scratch:/data"), "sessions/t": session("nvme:home:/home", on="c")}
    assert found({**files, "volumes/scratch": SCRATCH, **apart}) == []
    external = "target: {external: {address: 10.0.0.9, nqn: 'nqn.2001-01.com.example:a', uuid: 11111111-2222-4333-8444-555555555555}}\n"
    assert found({**files, "volumes/scratch": external + "filesystem: xfs\n"}) == []
