"""What a transfer asks of the services at its ends: data ports for its files, and paths where data may be."""

from __future__ import annotations

import pytest

from dtnctl.model.data_paths import astray, clean_data_path, first_powerful, power_of
from tests.model.sites import problems

VOLUMES = "'/nvme:/data', {target: /small}, 'scratch:/data/deep', '/in:/in:ro', '/etc:/host', '/home:/home', '/var/lib:/lib-of-host', /run"
SESSION = f"endpoints: [a, b]\nimage: x\nsettings: {{volumes: [{VOLUMES}]}}\n"
HINT = "a path below /data/… or /small/… or /data/deep/…"


def transfer(**fields: object) -> str:
    values = {"from": "a:/data/x", "to": "b:/data/x", "tool": "gridftp", **fields}
    return "".join(f"{name}: {value}\n" for name, value in values.items())


def found(carrier: str = SESSION, **fields: object) -> list[str]:
    return problems({"sessions/s": carrier, "transfers/t": transfer(**fields)})


# --- data ports ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "files", "short"),
    [
        ("", 64, []),
        ("settings: {data_port_range: [50100, 50103]}", 4, []),
        ("settings: {data_port_range: [50100, 50103]}", 5, ["a has 4: 50100-50103", "b has 4: 50100-50103"]),
        ("overrides: {a: {data_port_range: [50100, 50100]}}", 2, ["a has 1: 50100-50100"]),
        ("overrides: {b: {data_port_range: [50100, 50101]}}", 3, ["b has 2: 50100-50101"]),
    ],
)
def test_more_files_at_once_than_an_end_has_data_ports_are_refused(settings: str, files: int, short: list[str]) -> None:
    session = f"endpoints: [a, b]\nimage: x\nprofile: p\n{settings}\n"
    lines = problems({"profiles/p": "volumes: ['/d:/data']\n", "sessions/s": session, "transfers/t": transfer(concurrency=files)})
    what = f"{files} files at once need as many data ports, and session s on"
    assert [line.partition("; try")[0] for line in lines] == [
        f"transfers/t.yaml:4:14: E0332: {what} {end} (sessions/s.yaml:4)" for end in short
    ]


def test_a_session_that_has_expired_carries_nothing_and_is_not_judged() -> None:
    assert found(SESSION + "expires: 2026-05-01T00:00:00Z\n", **{"from": "a:/etc/passwd"}) == []


def test_the_only_suitable_session_is_judged_like_a_named_one() -> None:
    assert found(to="b:/tmp/x") == found(to="b:/tmp/x", session="s") != []


# --- networks -----------------------------------------------------------------------------------------------

SIX = "driver: {}\nsubnet6: fd00::/64\n"


@pytest.mark.parametrize("settings", ["data_nets: [six]", "mgmt_net: six", "mgmt_net: {name: six}, data_nets: []"])
def test_a_macvlan_network_with_ipv6_alone_carries_nothing_because_its_containers_have_one_mac_address(settings: str) -> None:
    session = f"endpoints: [a, b]\nimage: x\nsettings: {{volumes: ['/d:/data'], {settings}}}\n"
    hosts = {f"endpoints/{name}": f"docker: ssh://dtn@{name}.example.net\ninterfaces: {{data: eth1, six: eth2}}\n" for name in "ab"}
    files = {**hosts, "sessions/s": session, "transfers/t": transfer(), "transfers/u": transfer()}
    (line,) = problems({**files, "networks/six": SIX.format("macvlan")})
    assert line.startswith("networks/six.yaml:2:10: E0336: transfers arrive over network six, which has IPv6 alone")
    assert line.endswith("; try `subnet:` for six too, with `addresses:` for all its endpoints; or `driver: ipvlan`")
    assert problems({**files, "networks/six": SIX.format("ipvlan")}) == []
    both = SIX.format("macvlan") + "subnet: 10.6.0.0/24\n"
    assert problems({**files, "networks/six": both}) == []


def test_a_session_without_a_network_is_not_judged_by_one() -> None:
    assert found("endpoints: [a, b]\nimage: x\nsettings: {volumes: ['/d:/data'], mgmt_net: null}\n") == []


# --- paths --------------------------------------------------------------------------------------------------

GOOD = [
    "/data/x",
    "/data/deep/x",
    "/data//x",
    "/data/./x",
    "/small/x",
    "/in/x",
    "/home/joe/results",
    "/home/joe/a/.hidden",
    "/data/.snapshot/x",
]
GOOD += ["/run/media/disk/x", "/lib-of-host/dtn-data/x", "/data/etc/passwd", "/data/...", "/data/a..b"]


@pytest.mark.parametrize("path", GOOD)
def test_a_path_in_a_volume_a_mount_or_a_tmpfs_is_right(path: str) -> None:
    assert found(**{"from": f"a:{path}"}) == []


@pytest.mark.parametrize("path", ["/tmp/x", "/datax/x", "/database", "/x", "/opt/x", "/mnt/x", "/var/tmp/x", "/smaller", "/data2"])
def test_a_path_outside_of_all_of_them_is_refused_at_either_end(path: str) -> None:
    what = "is in no volume, mount or tmpfs of session s, so it belongs to the container and ends with it"
    assert found(**{"from": f"a:{path}"})[0].startswith(f"transfers/t.yaml:1:7: E0333: {path} on a {what}; try {HINT}")
    assert found(to=f"b:{path}") == [f"transfers/t.yaml:2:5: E0333: {path} on b {what}; try {HINT}"]


def test_all_of_a_container_is_in_no_volume() -> None:
    [line] = found(**{"from": "a:/", "to": "b:/data/", "recursive": "true"})
    assert "E0333: / on a is in no volume" in line


@pytest.mark.parametrize("path", ["/data/../etc/passwd", "/..", "/data/.."])
def test_a_path_that_goes_upward_is_refused(path: str) -> None:
    [line] = found(to=f"b:{path}")
    assert line == f"transfers/t.yaml:2:5: E0333: {path} on b goes upward by `..`; try the path that it leads to"


POWERFUL = {
    "/etc/passwd": "is in /etc, which is the system's own",
    "//etc//cron.d/x": "is in /etc, which is the system's own",
    "/root/x": "is in /root, which is the system's own",
    "/proc/sys/kernel/core_pattern": "is in /proc, which is the system's own",
    "/sys/x": "is in /sys, which is the system's own",
    "/dev/sda": "is in /dev, which is the system's own",
    "/usr/local/bin/x": "is in /usr, which is the system's own",
    "/run/docker.sock": "is in /run, which is the system's own",
    "/var/run/docker.sock": "is in /var/run, which is the system's own",
    "/var/spool/cron/root": "is in /var/spool, which is the system's own",
    "/root/.ssh/id_ed25519": "holds the keys of logins",
    "/home/dtn/.ssh/authorized_keys": "holds the keys of logins",
    "/home/dtn/.ssh": "holds the keys of logins",
    "/data/authorized_keys2": "says who may log in",
    "/home/dtn/.bashrc": "is a setting of the login whose home is /home/dtn",
    "/home/dtn/.config/systemd/user/x": "is a setting of the login whose home is /home/dtn",
    "/host/shadow": "is /etc/shadow of the host (`/host`, sessions/s.yaml:3), which is in /etc, which is the system's own",
    "/lib-of-host/docker/x": "is /var/lib/docker/x of the host (`/lib-of-host`, sessions/s.yaml:3), which is in /var/lib/docker, "
    "which is the system's own",
}


@pytest.mark.parametrize("path", POWERFUL)
def test_a_place_of_power_is_refused_also_where_it_is_mounted(path: str) -> None:
    for fields, place in ({"from": f"a:{path}"}, "1:7"), ({"to": f"b:{path}"}, "2:5"):
        [line] = found(**fields)
        where = f"{path} on {'a' if 'from' in fields else 'b'}"
        assert line.startswith(f"transfers/t.yaml:{place}: E0334: {where} {POWERFUL[path]}; transfers copy data only; try ")


def test_a_volume_that_is_read_only_can_be_read_and_not_written() -> None:
    assert found(**{"from": "a:/in/x"}) == []
    [line] = found(to="b:/in/x")
    assert line == (
        "transfers/t.yaml:2:5: E0335: /in/x on b is in a volume that is read-only (`/in`, sessions/s.yaml:3); "
        "try `mode: rw`, or another volume"
    )


def test_the_innermost_volume_decides() -> None:
    session = "endpoints: [a, b]\nimage: x\nsettings: {volumes: ['/d:/data:ro', '/e:/data/in', '/f:/data/in/fixed:ro']}\n"
    for path, is_right in {"/data/x": False, "/data/in/x": True, "/data/in/fixed/x": False, "/data/inn": False}.items():
        assert (found(session, to=f"b:{path}") == []) == is_right, path


def test_a_session_without_volumes_is_shown_how_to_declare_one() -> None:
    [first, second] = found("endpoints: [a, b]\nimage: x\n")
    assert first.endswith("; try `volumes: [{source: /data, target: /data}]` in the profile, and a path below /data")
    assert "1:7: E0333" in first
    assert "2:5: E0333" in second


# --- what links make of it ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "real", "reason"),
    [
        ("/data/x", "/data/x", ""),
        ("/data/x", "/small/x", ""),
        ("/tmp/x", "/tmp/x", ""),
        ("/data/x", "/tmp/x", "leads to /tmp/x, which is in no volume of the container"),
        ("/data/x", "/etc/passwd", "leads to /etc/passwd, which is in no volume of the container"),
        ("/data/x", "/data/.ssh/id", "leads to /data/.ssh/id, which holds the keys of logins"),
        ("/data/x", "/small/.profile", "leads to /small/.profile, which is a setting of the login whose home is /small"),
        ("/small/.profile", "/small/.profile", "is a setting of the login whose home is /small"),
        ("/small", "/small", ""),
    ],
)
def test_where_links_lead_is_judged_by_the_same_rule(path: str, real: str, reason: str) -> None:
    assert astray(path, real, ["/data", "/small"], ["/small"]) == reason


def test_names_below_a_folder_that_a_home_keeps_for_itself_are_found() -> None:
    names = {"": 1, "a/.x": 1, "dtn/.ssh/authorized_keys": 1, "dtn/.bashrc": 1}
    assert first_powerful("/home/", names, ["/home/dtn"]) == "/home/dtn/.bashrc"
    assert first_powerful("/data/", names, ["/home/dtn"]) == ""
    assert first_powerful("/home/dtn", {"": 1, "x": 1}, ["/home/dtn"]) == ""


def test_a_path_has_one_form() -> None:
    assert [clean_data_path(path) for path in ("/", "//", "/a/", "//a//./b/")] == ["/", "/", "/a", "/a/b"]
    assert power_of("/dev/shm/x") == ""


# --- tools --------------------------------------------------------------------------------------------------


def test_an_option_that_the_tool_lacks_is_reported_where_it_stands() -> None:
    place = "transfers/t.yaml:4:14: E0343"
    assert found(tool="rsync", parallelism=4) == [
        f"{place}: rsync has no `parallelism`; try to remove it, or `tool: gridftp` or `tool: iperf3` or `tool: nuttcp` "
        "or `tool: rdma_bw` or `tool: xrootd`"
    ]


def test_a_tool_with_a_server_needs_data_ports_at_the_destination() -> None:
    measured = {"from": "a", "to": "b", "tool": "iperf3"}
    assert "iperf3 listens at the destination, and session s has no data ports on b" in str(found(**measured))
    with_ports = "endpoints: [a, b]\nimage: x\nsettings: {data_port_range: [50100, 50100]}\n"
    assert found(with_ports, **measured) == []


def test_a_server_with_a_port_for_each_stream_needs_as_many_data_ports() -> None:
    measured = {"from": "a", "to": "b", "tool": "nuttcp", "parallelism": 3}
    ports = "endpoints: [a, b]\nimage: x\nsettings: {{data_port_range: [50100, {}]}}\n"
    what = "nuttcp listens on 4 ports at the destination, and session s has 3 data ports on b"
    assert what in str(found(ports.format(50102), **measured))
    assert found(ports.format(50103), **measured) == []


def test_what_runs_beside_a_service_sees_no_tmpfs_of_it() -> None:
    with_tmpfs = "endpoints: [a, b]\nimage: x\nsettings: {volumes: ['/nvme:/data', {target: /small, type: tmpfs}]}\n"
    assert found(with_tmpfs, **{"from": "a:/small/x"}) == []
    assert "is in a tmpfs, which only the service itself sees, and rsync runs beside it" in str(
        found(with_tmpfs, tool="rsync", **{"from": "a:/small/x"})
    )
    assert found(with_tmpfs, tool="rsync", to="b:/small/x") == []
