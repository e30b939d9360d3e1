"""Sizes, times, addresses and whole objects that cannot be, each with the very lines that people get to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtnctl.model.tools import TOOLS
from tests.repository.state_folder import ENDPOINT, NETWORK, PROFILE, SESSION, SITE, TRANSFER, Case, Changes, more, own_volumes, problems

*TOOL_NAMES, LAST_TOOL = TOOLS

CASES: list[Case] = [
    (
        "not a share",
        {SITE: "name: lab\nlimits: {max_prune: half}\n"},
        [
            "state/site.yaml:2:21: E0206: `limits.max_prune`: `half` is neither a number nor a share such as 25%",
        ],
    ),
    (
        "more than all",
        {SITE: "name: lab\nlimits: {max_prune: 101%}\n"},
        [
            "state/site.yaml:2:21: E0206: `limits.max_prune`: `101%` is neither a number nor a share such as 25%",
        ],
    ),
    (
        "below the least",
        more(PROFILE, "limits: {memlock: -2}\n"),
        [
            "state/profiles/p.yaml:3:19: E0205: `limits.memlock` cannot be `-2`; try -1 or more",
        ],
    ),
    (
        "above the most",
        more(TRANSFER, "parallelism: 100\n"),
        [
            "state/transfers/t.yaml:5:14: E0205: `parallelism` cannot be `100`; try 64 or less",
        ],
    ),
    (
        "negative CPUs",
        more(PROFILE, "cpus: -0.5\n"),
        [
            "state/profiles/p.yaml:3:7: E0205: `cpus` cannot be `-0.5`; try 0 or more",
        ],
    ),
    (
        "not a size",
        more(PROFILE, "memory: 64 parsecs\n"),
        [
            "state/profiles/p.yaml:3:9: E0206: `memory`: `64 parsecs` is not a size; write a number and a unit such as 64GiB, 500MB",
        ],
    ),
    (
        "fraction of a byte",
        more(PROFILE, "shm_size: 0.5\n"),
        [
            "state/profiles/p.yaml:3:11: E0206: `shm_size`: `0.5` is not a size"
            "; write a number of bytes, or with a unit such as 64GiB, 500MB",
        ],
    ),
    (
        "negative size",
        more(PROFILE, "shm_size: -5\n"),
        [
            "state/profiles/p.yaml:3:11: E0206: `shm_size`: `-5` is not a size; write a number and a unit such as 64GiB, 500MB",
        ],
    ),
    (
        "more memory than exists",
        more(PROFILE, "memory: 99999999TiB\n"),
        [
            "state/profiles/p.yaml:3:9: E0206: `memory`: `99999999TiB` is more than any machine has",
        ],
    ),
    (
        "not a duration",
        more(PROFILE, "health_check: {test: x, interval: fast}\n"),
        [
            "state/profiles/p.yaml:3:35: E0206: `health_check.interval`: `fast` is not a duration"
            "; write a number and a unit such as 30s, 5m, 2h",
        ],
    ),
    (
        "not a moment",
        more(SESSION, "expires: tomorrow\n"),
        [
            "state/sessions/s.yaml:4:10: E0206: `expires`: `tomorrow` is not a point in time; write for example 2026-12-01T00:00:00Z",
        ],
    ),
    (
        "moment without zone",
        more(SESSION, "expires: 2026-12-01T00:00:00\n"),
        [
            "state/sessions/s.yaml:4:10: E0206: `expires`: `2026-12-01T00:00:00` has no time zone"
            "; write 2026-12-01T00:00:00Z, which is UTC, or another zone as +02:00",
        ],
    ),
    (
        "backward ports",
        more(PROFILE, "ctrl_port_range: [2000, 1000]\n"),
        [
            "state/profiles/p.yaml:3:1: E0206: `ctrl_port_range`: the range is backward: 2000 is above 1000; write [1000, 2000]",
        ],
    ),
    (
        "three ports",
        more(PROFILE, "ctrl_port_range: [1, 2, 3]\n"),
        [
            "state/profiles/p.yaml:3:1: E0206: `ctrl_port_range`: `[1, 2, 3]` is not a port range"
            "; write [low, high], two numbers, both included",
        ],
    ),
    (
        "range as text",
        more(PROFILE, "ctrl_port_range: 30000+100\n"),
        [
            "state/profiles/p.yaml:3:18: E0206: `ctrl_port_range`: `30000+100` is not a port range"
            "; write [low, high], two numbers, both included",
        ],
    ),
    (
        "port beyond the last",
        more(PROFILE, "exposed_ports: [8080, 70000]\n"),
        [
            "state/profiles/p.yaml:3:23: E0206: `exposed_ports[1]`: `70000` is beyond the ports, which go from 1 to 65535",
        ],
    ),
    (
        "port of another protocol",
        more(PROFILE, "exposed_ports: 5/sctp\n"),
        [
            "state/profiles/p.yaml:3:16: E0206: `exposed_ports`: `5/sctp` is not a port; write 8080, 8080/udp or 5000-5010/tcp",
        ],
    ),
    (
        "backward allowed ports",
        more(ENDPOINT, "allow: {ports: [[1, 2], 5, [9, 3]]}\n"),
        [
            "state/endpoints/a.yaml:4:28: E0206: `allow.ports[2]`: the range is backward: 9 is above 3; write [3, 9]",
        ],
    ),
    (
        "not a CPU list",
        more(PROFILE, "cpu_set: a-b\n"),
        [
            "state/profiles/p.yaml:3:10: E0206: `cpu_set`: `a-b` is not a CPU list; write for example 0-3,8",
        ],
    ),
    (
        "not a restart policy",
        more(PROFILE, "restart: sometimes\n"),
        [
            "state/profiles/p.yaml:3:10: E0206: `restart` cannot be `sometimes`"
            '; try "no", always, unless-stopped, on-failure or on-failure:3',
        ],
    ),
    (
        "not an address",
        more(PROFILE, "dns: [ns.example.net]\n"),
        [
            "state/profiles/p.yaml:3:7: E0206: `dns[0]`: `ns.example.net` is not an IP address",
        ],
    ),
    (
        "address with a zone",
        more(PROFILE, "dns: ['fe80::1%eth0']\n"),
        [
            "state/profiles/p.yaml:3:7: E0206: `dns[0]`: `fe80::1%eth0` is not an IPv6 address",
        ],
    ),
    (
        "open quote in a command",
        more(PROFILE, "arguments: echo 'x\n"),
        [
            "state/profiles/p.yaml:3:12: E0206: `arguments`: `echo 'x` has a quote that is never closed",
        ],
    ),
    (
        "command is a number",
        more(PROFILE, "entrypoint: 5\n"),
        [
            "state/profiles/p.yaml:3:13: E0206: `entrypoint`: `5` is not a command; write text, or a list of words in quotes",
        ],
    ),
    (
        "relative path in a container",
        own_volumes("volumes: [{target: data}]"),
        [
            "state/profiles/p.yaml:3:20: E0206: `volumes[0].target`: `data` is not an absolute path",
        ],
    ),
    (
        "volume as text without a path",
        own_volumes("volumes: [data]"),
        [
            "state/profiles/p.yaml:3:11: E0206: `volumes[0]`: `data` is not an absolute path",
        ],
    ),
    (
        "transport that nobody speaks",
        {ENDPOINT: "docker: http://x\n"},
        [
            "state/endpoints/a.yaml:1:9: E0206: `docker` cannot be `http://x`; try unix:///PATH, tcp://HOST:PORT, ssh://USER@HOST "
            "or portainer+https://HOST:PORT/ENVIRONMENT",
        ],
    ),
    (
        "tcp without tls",
        {ENDPOINT: "docker: tcp://x:1\n"},
        [
            "state/endpoints/a.yaml:1:1: E0207: tcp:// needs `tls:` (ca, cert, key)"
            "; an engine without it gives root to everyone who reaches the port",
        ],
    ),
    (
        "tls without tcp",
        more(ENDPOINT, "tls: {ca: x, cert: y, key: z}\n"),
        [
            "state/endpoints/a.yaml:1:1: E0207: `tls:` belongs to tcp:// only",
        ],
    ),
    (
        "unix without host",
        {ENDPOINT: "docker: unix:///x\n"},
        [
            "state/endpoints/a.yaml:1:1: E0207: `host:` is needed: unix:// does not show where control ports are reached",
        ],
    ),
    (
        "privileged and more",
        more(PROFILE, "privileged: true\ndevices: [/dev/fuse]\n"),
        [
            "state/profiles/p.yaml:1:1: E0207: privileged already gives all capabilities and devices; remove them or privileged",
        ],
    ),
    (
        "tmpfs with a source",
        own_volumes("volumes: [{type: tmpfs, source: /x, target: /y}]"),
        [
            "state/profiles/p.yaml:3:11: E0207: `volumes[0]`: a tmpfs has no source",
        ],
    ),
    (
        "mode of another driver",
        more(NETWORK, "mode: l2\n"),
        [
            "state/networks/data.yaml:1:1: E0207: mode `l2` does not go with driver macvlan; it knows bridge, passthru",
        ],
    ),
    (
        "VLAN on a bridge",
        {NETWORK: "driver: bridge\nvlan: 5\nsubnet: 10.0.0.0/24\n"},
        [
            "state/networks/data.yaml:1:1: E0207: a bridge network has no VLAN; use macvlan or ipvlan",
        ],
    ),
    (
        "macvlan without subnet",
        {NETWORK: "driver: macvlan\n"},
        [
            "state/networks/data.yaml:1:1: E0207: driver macvlan needs a subnet"
            ": containers get their addresses from dtnctl, there is no DHCP",
        ],
    ),
    (
        "address instead of subnet",
        {NETWORK: "driver: macvlan\nsubnet: 10.0.0.5/24\ngateway: 10.0.0.1\n"},
        [
            "state/networks/data.yaml:2:9: E0206: `subnet`: `10.0.0.5/24` is an address in a subnet; the subnet is 10.0.0.0/24",
        ],
    ),
    (
        "subnet without length",
        {NETWORK: "driver: macvlan\nsubnet: 10.0.0.0\ngateway: 10.0.0.1\n"},
        [
            "state/networks/data.yaml:2:9: E0206: `subnet`: `10.0.0.0` has no prefix length; write for example 192.168.2.0/24",
        ],
    ),
    (
        "IPv6 where IPv4 goes",
        {NETWORK: "driver: macvlan\nsubnet: fd00::/64\ngateway: 10.0.0.1\n"},
        [
            "state/networks/data.yaml:2:9: E0206: `subnet`: `fd00::/64` is not an IPv4 subnet; write for example 192.168.2.0/24",
        ],
    ),
    (
        "IPv4 where IPv6 goes",
        more(NETWORK, "subnet6: 10.1.0.0/24\n"),
        [
            "state/networks/data.yaml:4:10: E0206: `subnet6`: `10.1.0.0/24` is not an IPv6 subnet; write for example fd00:2::/64",
        ],
    ),
    (
        "backward addresses",
        more(NETWORK, "addresses: 10.0.0.9-10.0.0.5\n"),
        [
            "state/networks/data.yaml:4:12: E0206: `addresses`: the range is backward: 10.0.0.9 is above 10.0.0.5",
        ],
    ),
    (
        "mixed addresses",
        more(NETWORK, "addresses: 10.0.0.9-fd00::1\n"),
        [
            "state/networks/data.yaml:4:12: E0206: `addresses`: `10.0.0.9-fd00::1` mixes IPv4 and IPv6",
        ],
    ),
    (
        "transfer without endpoint",
        {TRANSFER: "from: /data/x\nto: b:/data/x\ntool: gridftp\nsession: s\n"},
        [
            "state/transfers/t.yaml:1:7: E0206: `from` cannot be `/data/x`; try ENDPOINT:/path",
        ],
    ),
    (
        "folder without recursive",
        {TRANSFER: "from: a:/data/\nto: b:/data/x\ntool: gridftp\nsession: s\n"},
        [
            "state/transfers/t.yaml:1:1: E0207: the source is a folder; add `recursive: true`",
        ],
    ),
    (
        "recursive without folder",
        more(TRANSFER, "recursive: true\n"),
        [
            "state/transfers/t.yaml:1:1: E0207: a recursive transfer copies a folder into a folder: both paths end in /",
        ],
    ),
    (
        "endpoint named twice",
        {SESSION: "endpoints: [a, b, a]\nimage: dtn:1\nprofile: p\n"},
        [
            "state/sessions/s.yaml:1:1: E0206: `endpoints`: `a` is named twice",
        ],
    ),
    (
        "name with a space",
        {SITE: "name: my lab\n"},
        [
            "state/site.yaml:1:7: E0206: `name`: `my lab` is not a name"
            "; write letters, digits, - and _, at most 40 characters, a letter or digit first",
        ],
    ),
    (
        "registry without password",
        {SITE: "name: lab\nregistries: {r: {username: a}}\n"},
        [
            "state/site.yaml:2:14: E0207: `registries.r`: write exactly one of password, password_env and password_file",
        ],
    ),
]


@pytest.mark.parametrize(("changes", "lines"), [pytest.param(changes, lines, id=name) for name, changes, lines in CASES])
def test_value_that_nothing_can_have_is_explained(tmp_path: Path, changes: Changes, lines: list[str]) -> None:
    assert problems(tmp_path, changes) == lines
