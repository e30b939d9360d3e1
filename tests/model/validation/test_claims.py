"""What two services want and only one can have, with the very lines that people get to see."""

from __future__ import annotations

import pytest

from tests.model.sites import DATA, problems

SESSION = "endpoints: [a, b]\nimage: x\n"

CASES: list[tuple[str, dict[str, str], list[str]]] = [
    (
        "one port for two sessions, on both endpoints",
        {
            "profiles/p": "ctrl_port_range: 30000\nserv_port_range: [60000, 60000]\n",
            "sessions/s": SESSION + "profile: p\n",
            "sessions/t": SESSION + "profile: p\n",
        },
        [
            "profiles/p.yaml:1:18: E0406: session t claims port 30000/tcp on a, b and so does session s"
            " (`ctrl_port_range`, profiles/p.yaml:1)"
            "; try another `ctrl_port_range` in the `settings` of one of them",
            "profiles/p.yaml:2:1: E0406: session t claims port 60000/tcp on a, b and so does session s"
            " (`serv_port_range`, profiles/p.yaml:2)"
            "; try another `serv_port_range` in the `settings` of one of them",
        ],
    ),
    (
        "one volume, declared in two ways, on both endpoints",
        {
            "profiles/p": "volumes: ['cache:/c', '/nvme:/d', {target: /t}]\n",
            "sessions/s": SESSION + "profile: p\n",
            "sessions/t": SESSION + "settings:\n  volumes: [{source: cache, target: /c, driver_opts: {type: tmpfs, device: tmpfs}}]\n",
            "sessions/u": SESSION + "settings: {volumes: [{source: cache, target: /other, driver: local}, 'mine:/d']}\n",
        },
        [
            "sessions/t.yaml:4:3: E0350: volume cache on a, b has another driver or other options in session s (profiles/p.yaml:1)"
            "; try another name for one of the two, or the same options",
        ],
    ),
    (
        "one volume twice in a session, in two ways",
        {"sessions/t": SESSION + "settings: {volumes: ['cache:/c', {source: cache, target: /d, driver: other}]}\n"},
        [
            "sessions/t.yaml:3:12: E0350: volume cache on a, b has another driver or other options in session t (sessions/t.yaml:3)"
            "; try another name for one of the two, or the same options",
        ],
    ),
    (
        "one volume name on two endpoints is two volumes",
        {
            "sessions/s": "endpoints: [a]\nimage: x\nsettings: {volumes: ['cache:/c']}\n",
            "sessions/t": "endpoints: [b]\nimage: x\nsettings: {volumes: [{source: cache, target: /c, driver: other}]}\n",
        },
        [],
    ),
    (
        "ranges that overlap in part, on one endpoint",
        {
            "profiles/p": "data_port_range: [50000, 50100]\n",
            "sessions/s": SESSION + "profile: p\n",
            "sessions/t": "endpoints: [b]\nimage: x\nsettings: {exposed_ports: [50050-60000, 50050/udp]}\n",
        },
        [
            "sessions/t.yaml:3:12: E0406: session t claims ports 50050-50100/tcp on b and so does session s"
            " (`data_port_range`, profiles/p.yaml:1)"
            "; try another `exposed_ports` in the `settings` of one of them",
        ],
    ),
    (
        "one port twice in a session",
        {"sessions/s": "endpoints: [b]\nimage: x\nsettings: {ctrl_port_range: 8080, exposed_ports: [8080]}\n"},
        [
            "sessions/s.yaml:3:35: E0406: session s claims port 8080/tcp on b by `ctrl_port_range` and `exposed_ports`; try other ports",
        ],
    ),
    (
        "the container's port on the host's network",
        {
            "sessions/s": SESSION + "settings: {mgmt_net: host, internal_port: 22}\n",
            "sessions/t": SESSION + "settings: {mgmt_net: host, internal_port: 22, ctrl_port_range: null}\n",
        },
        [
            "sessions/t.yaml:3:43: E0406: session t claims port 22/tcp on a, b and so does session s"
            " (`internal_port`, sessions/s.yaml:3)"
            "; try another `internal_port` in the `settings` of one of them",
        ],
    ),
    (
        "ports of containers with their own addresses are their own",
        {
            "profiles/p": "mgmt_net: null\ndata_nets: [data]\nctrl_port_range: 30000\nexposed_ports: [1-9]\n",
            "sessions/s": SESSION + "profile: p\n",
            "sessions/t": SESSION + "profile: p\n",
        },
        [],
    ),
    (
        "an expired session claims nothing",
        {
            "profiles/p": "ctrl_port_range: 30000\n",
            "sessions/s": SESSION + "profile: p\n",
            "sessions/t": SESSION + "profile: p\nexpires: 2026-05-01T00:00:00Z\n",
        },
        [],
    ),
    (
        "one address for several services",
        {
            "profiles/p": "data_nets: [{name: data, ipv4: 10.0.0.9}]\n",
            "sessions/s": SESSION + "profile: p\n",
            "sessions/t": "endpoints: [a]\nimage: x\nprofile: p\n",
        },
        [
            "profiles/p.yaml:1:1: E0407: 10.0.0.9 of network `data` is claimed by session s on b and by session s on a"
            "; try one address for each endpoint, by `overrides`, or a list to choose from",
            "profiles/p.yaml:1:1: E0407: 10.0.0.9 of network `data` is claimed by session t on a and by session"
            " s on a (profiles/p.yaml:1)"
            "; try one address for each endpoint, by `overrides`, or a list to choose from",
        ],
    ),
    (
        "one address on the management network",
        {"profiles/p": "mgmt_net: {name: data, ipv4: 10.0.0.9}\n", "sessions/s": SESSION + "profile: p\n"},
        [
            "profiles/p.yaml:1:1: E0407: 10.0.0.9 of network `data` is claimed by session s on b and by session s on a"
            "; try one address for each endpoint, by `overrides`, or a list to choose from",
        ],
    ),
    (
        "a list leaves a choice",
        {"profiles/p": "data_nets: [{name: data, ipv4: [10.0.0.9, 10.0.0.10]}]\n", "sessions/s": SESSION + "profile: p\n"},
        [],
    ),
    (
        "passthru for two",
        {
            "networks/data": DATA + "mode: passthru\n",
            "profiles/p": "data_nets: [data]\n",
            "sessions/s": SESSION + "profile: p\n",
            "sessions/t": SESSION + "profile: p\n",
        },
        [
            "profiles/p.yaml:1:1: E0409: network `data` (passthru) takes one service of an endpoint, and"
            " sessions s and t both attach it on a"
            "; try `mode: bridge` in the network",
            "profiles/p.yaml:1:1: E0409: network `data` (passthru) takes one service of an endpoint, and"
            " sessions s and t both attach it on b"
            "; try `mode: bridge` in the network",
        ],
    ),
    (
        "two networks on one interface",
        {
            "endpoints/a": "docker: ssh://x\ninterfaces: {data: eth1, more: eth1}\n",
            "networks/more": "driver: ipvlan\nsubnet: 10.1.0.0/24\n",
            "sessions/s": "endpoints: [a]\nimage: x\nsettings: {data_nets: [data, more]}\n",
        },
        [
            "endpoints/a.yaml:2:32: E0408: eth1 carries network `data` already; an interface can carry one"
            "; try another interface or another `vlan`",
        ],
    ),
    (
        "two networks on one interface, unused",
        {
            "endpoints/a": "docker: ssh://x\ninterfaces: {data: eth1, more: eth1}\n",
            "networks/more": "driver: ipvlan\nsubnet: 10.1.0.0/24\n",
        },
        [],
    ),
    (
        "two networks on one VLAN",
        {
            "endpoints/a": "docker: ssh://x\ninterfaces: {data: eth1, more: eth1}\n",
            "networks/more": "driver: macvlan\nsubnet: 10.1.0.0/24\nvlan: 5\n",
            "networks/data": DATA + "vlan: 5\n",
            "sessions/s": "endpoints: [a]\nimage: x\nsettings: {data_nets: [data, more]}\n",
        },
        [
            "endpoints/a.yaml:2:32: E0408: eth1.5 carries network `data` already; an interface can carry one"
            "; try another interface or another `vlan`",
        ],
    ),
    (
        "subnets that overlap, in both families",
        {
            "networks/more": "driver: bridge\nsubnet: 10.0.0.128/25\nsubnet6: fd00::/64\n",
            "networks/y": "driver: bridge\nsubnet6: fd00::/16\n",
            "sessions/s": SESSION + "settings: {data_nets: [data, more, y]}\n",
        },
        [
            "networks/more.yaml:2:9: E0415: overlaps with network `data` (networks/data.yaml:2), and both are used on a, b"
            "; try another subnet",
            "networks/y.yaml:2:10: E0415: overlaps with network `more` (networks/more.yaml:3), and both are used on a, b"
            "; try another subnet",
        ],
    ),
    (
        "an interface itself for two",
        {
            "networks/data": DATA.replace("macvlan", "host-device"),
            "profiles/p": "data_nets: [data]\n",
            "sessions/s": SESSION + "profile: p\n",
            "sessions/t": "endpoints: [b]\nimage: x\nprofile: p\n",
        },
        [
            "profiles/p.yaml:1:1: E0409: network `data` (host-device) takes one service of an endpoint, and"
            " sessions s and t both attach it on b"
            "; try `driver: macvlan` in the network",
        ],
    ),
    (
        "passthru as management network",
        {
            "networks/data": DATA + "mode: passthru\n",
            "profiles/p": "mgmt_net: data\n",
            "sessions/s": SESSION + "profile: p\n",
            "sessions/t": "endpoints: [b]\nimage: x\nprofile: p\n",
        },
        [
            "profiles/p.yaml:1:11: E0409: network `data` (passthru) takes one service of an endpoint, and"
            " sessions s and t both attach it on b"
            "; try `mode: bridge` in the network",
        ],
    ),
]


@pytest.mark.parametrize(("files", "lines"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_what_only_one_can_have_is_given_once(files: dict[str, str], lines: list[str]) -> None:
    assert problems(files) == lines
