"""Names that refer to other files: each with the very lines that people get to see."""

from __future__ import annotations

import pytest

from dtnctl.model.nearest import nearest
from tests.model.sites import problems

SESSION = "endpoints: [a, b]\nimage: x\n"
VOLUME = "settings: {volumes: ['/d:/x']}\n"
TRANSFER = "from: a:/x/x\nto: b:/x/y\ntool: gridftp\n"

CASES: list[tuple[str, dict[str, str], dict[str, set[str]], list[str]]] = [
    ("a valid site", {"sessions/s": SESSION}, {}, []),
    (
        "unknown endpoints",
        {"sessions/s": "endpoints: [a, bb, c]\nimage: x\n"},
        {},
        [
            "sessions/s.yaml:1:16: E0301: there is no endpoint `bb`; try `b`",
            "sessions/s.yaml:1:20: E0301: there is no endpoint `c`; try one of a, b",
        ],
    ),
    (
        "unknown profile",
        {"sessions/s": SESSION + "profile: lbnl\n", "profiles/lbl": "init: true\n"},
        {},
        [
            "sessions/s.yaml:3:10: E0303: there is no profile `lbnl`; try `lbl`",
        ],
    ),
    ("the profile default needs no file", {"sessions/s": SESSION + "profile: default\n", "profiles/p": "extends: default\n"}, {}, []),
    (
        "a loopback host beside an endpoint on another host, in any spelling",
        {
            "endpoints/a": "docker: unix:///run/a.sock\nhost: 10.0.0.1\n",
            "endpoints/b": "docker: unix:///run/b.sock\nhost: 127.0.0.1\n",
            "endpoints/c": "docker: ssh://dtn@c.example.net\nhost: localhost\n",
            "endpoints/d": 'docker: unix:///run/d.sock\nhost: "::1"\n',
        },
        {},
        [
            "endpoints/b.yaml:2:7: E0330: `127.0.0.1` is each host's own loopback, and a (10.0.0.1) is another host, which would reach "
            "itself there; try the name or address at which the other endpoints reach b",
            "endpoints/c.yaml:2:7: E0330: `localhost` is each host's own loopback, and a (10.0.0.1) is another host, which would reach "
            "itself there; try the name or address at which the other endpoints reach c",
            "endpoints/d.yaml:2:7: E0330: `::1` is each host's own loopback, and a (10.0.0.1) is another host, which would reach "
            "itself there; try the name or address at which the other endpoints reach d",
        ],
    ),
    (
        "endpoints that are all on one machine",
        {"endpoints/a": "docker: unix:///run/a.sock\nhost: 127.0.0.1\n", "endpoints/b": "docker: unix:///run/b.sock\nhost: localhost\n"},
        {},
        [],
    ),
    (
        "engines that are reached by ssh forwards, and no `host:`",
        {"endpoints/a": "docker: ssh://root@127.0.0.1:2222\n", "endpoints/b": "docker: ssh://root@dtn+2/x\n"},
        {},
        [
            "endpoints/a.yaml:1:9: E0331: the engine is reached over this machine's own loopback (127.0.0.1), and control ports are not; "
            "try `host:` with the name or address at which the other endpoints reach it",
            "endpoints/b.yaml:1:9: E0331: `ssh://root@dtn+2/x` does not show where control ports are reached; "
            "try `host:` with the name or address at which the other endpoints reach it",
        ],
    ),
    (
        "unknown parent",
        {"profiles/p": "extends: q\n"},
        {},
        [
            "profiles/p.yaml:1:10: E0303: there is no profile `q`; try `p`",
        ],
    ),
    (
        "profiles that extend each other, and one that extends them",
        {"profiles/p": "extends: q\n", "profiles/q": "extends: p\n", "profiles/r": "extends: p\n"},
        {},
        [
            "profiles/p.yaml:1:10: E0305: profile `p` extends itself; try to remove one `extends:` of the circle",
            "profiles/q.yaml:1:10: E0305: profile `q` extends itself; try to remove one `extends:` of the circle",
        ],
    ),
    (
        "a profile that extends itself",
        {"profiles/p": "extends: p\n"},
        {},
        [
            "profiles/p.yaml:1:10: E0305: profile `p` extends itself; try to remove one `extends:` of the circle",
        ],
    ),
    (
        "networks that profiles cannot name",
        {"profiles/p": "mgmt_net: mgmt\ndata_nets: [dat, host, none]\ndefault_route: dta\n"},
        {},
        [
            "profiles/p.yaml:1:11: E0302: there is no network `mgmt`; try `data`",
            "profiles/p.yaml:2:13: E0302: there is no network `dat`; try `data`",
            "profiles/p.yaml:2:18: E0404: `host` cannot be a data network; try `mgmt_net: host`, and no data networks",
            "profiles/p.yaml:2:24: E0404: `none` cannot be a data network; try `mgmt_net: none`, and no data networks",
            "profiles/p.yaml:3:16: E0302: there is no network `dta`; try `data`",
        ],
    ),
    (
        "an interface for an unknown network",
        {"endpoints/c": "docker: ssh://x\ninterfaces: {dta: eth1}\n"},
        {},
        [
            "endpoints/c.yaml:2:19: E0302: there is no network `dta`; try `data`",
        ],
    ),
    (
        "overrides for other endpoints",
        {"sessions/s": SESSION + "overrides: {c: {init: true}, d: {data_nets: [x]}}\n"},
        {},
        [
            "sessions/s.yaml:3:13: E0306: `c` is not an endpoint of this session; try one of a, b",
            "sessions/s.yaml:3:30: E0306: `d` is not an endpoint of this session; try one of a, b",
            "sessions/s.yaml:3:46: E0302: there is no network `x`; try `data`",
        ],
    ),
    (
        "settings are checked like profiles",
        {"sessions/s": SESSION + "settings: {data_nets: [x]}\n"},
        {},
        [
            "sessions/s.yaml:3:24: E0302: there is no network `x`; try `data`",
        ],
    ),
    (
        "the first session that needs an interface is named",
        {
            "endpoints/a": "docker: ssh://x\n",
            "sessions/s": SESSION + "settings: {data_nets: [data]}\n",
            "sessions/t": SESSION + "settings: {data_nets: [data]}\n",
        },
        {},
        [
            "endpoints/a.yaml:1:1: E0307: no interface carries network `data` here, and session s uses it"
            "; try `interfaces: {data: eth1}` with the name of the interface",
        ],
    ),
    (
        "the name of a sub-interface that is too long, and those that are not",
        {
            "endpoints/a": "docker: ssh://x\ninterfaces: {far: enp65s0f0np0, near: enp65s0f0np, plain: enp65s0f0np0}\n",
            "networks/far": "driver: macvlan\nsubnet: 10.7.0.0/24\nvlan: 301\n",
            "networks/near": "driver: ipvlan\nsubnet: 10.8.0.0/24\nvlan: 301\n",
            "networks/plain": "driver: macvlan\nsubnet: 10.9.0.0/24\n",
            "sessions/s": "endpoints: [a]\nimage: x\nsettings: {data_nets: [far, near, plain]}\n",
        },
        {},
        [
            "endpoints/a.yaml:2:19: E0315: network `far` would need the interface `enp65s0f0np0.301`, "
            "whose name is longer than 15 characters (IFNAMSIZ)"
            "; try a shorter name of the interface, by a .link file of systemd; or one made otherwise, and no `vlan` in the network",
        ],
    ),
    (
        "no image",
        {"sessions/s": "endpoints: [a]\n"},
        {},
        [
            "sessions/s.yaml:1:1: E0314: neither the session nor its profile names an image; try `image: …`",
        ],
    ),
    (
        "an image for one endpoint only",
        {"sessions/s": "endpoints: [a, b]\noverrides: {a: {image: x}}\n"},
        {},
        [
            "sessions/s.yaml:1:1: E0314: neither the session nor its profile names an image; try `image: …`",
        ],
    ),
    (
        "a transfer between unknown endpoints",
        {"transfers/t": "from: c:/x\nto: d:/x\ntool: gridftp\n"},
        {},
        [
            "transfers/t.yaml:1:7: E0301: there is no endpoint `c`; try one of a, b",
            "transfers/t.yaml:2:5: E0301: there is no endpoint `d`; try one of a, b",
        ],
    ),
    (
        "a transfer to itself",
        {"transfers/t": "from: a:/x\nto: a:/y\ntool: gridftp\n"},
        {},
        [
            "transfers/t.yaml:2:5: E0311: the transfer goes from a to itself; try another endpoint",
        ],
    ),
    (
        "a transfer that no session carries",
        {"transfers/t": TRANSFER},
        {},
        [
            "transfers/t.yaml:1:7: E0309: no session has services on both a and b; try `dtnctl session create a,b image …`",
        ],
    ),
    ("a transfer that one session carries", {"transfers/t": TRANSFER, "sessions/s": SESSION + VOLUME}, {}, []),
    (
        "a transfer that two sessions carry",
        {"transfers/t": TRANSFER, "sessions/s": SESSION, "sessions/t": SESSION},
        {},
        [
            "transfers/t.yaml:1:7: E0310: several sessions have services on a and b; try `session: s` or `session: t`",
        ],
    ),
    (
        "a started session is preferred",
        {"transfers/t": TRANSFER, "sessions/s": SESSION + VOLUME, "sessions/t": SESSION + "state: stopped\n"},
        {},
        [],
    ),
    (
        "a record stays valid when its sessions expire",
        {
            "transfers/t": TRANSFER,
            "sessions/s": SESSION + "expires: 2026-05-01T00:00:00Z\n",
            "sessions/t": SESSION + "expires: 2026-05-01T00:00:00Z\n",
        },
        {},
        [],
    ),
    ("the session may be in a broken file", {"transfers/t": TRANSFER}, {"sessions": {"s"}}, []),
    (
        "unknown session",
        {"transfers/t": TRANSFER + "session: q\n", "sessions/s": SESSION},
        {},
        [
            "transfers/t.yaml:4:10: E0304: there is no session `q`; try `s`",
        ],
    ),
    ("a session in a broken file", {"transfers/t": TRANSFER + "session: q\n"}, {"sessions": {"q"}}, []),
    (
        "a session without the other end",
        {"transfers/t": TRANSFER + "session: q\n", "sessions/q": "endpoints: [a]\nimage: x\n"},
        {},
        [
            "transfers/t.yaml:4:10: E0308: session `q` has no service on b; try to add b to its `endpoints`",
        ],
    ),
    (
        "a session without the other end, where another would do",
        {"transfers/t": TRANSFER + "session: q\n", "sessions/q": "endpoints: [a]\nimage: x\n", "sessions/s": SESSION},
        {},
        [
            "transfers/t.yaml:4:10: E0308: session `q` has no service on b; try `s`",
        ],
    ),
]


@pytest.mark.parametrize(("files", "broken", "lines"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_reference_to_another_file_is_checked(files: dict[str, str], broken: dict[str, set[str]], lines: list[str]) -> None:
    assert problems(files, **broken) == lines


def test_advice_names_no_similar_one_among_very_many() -> None:
    """A comparison with each of them would cost more than it is worth."""
    assert nearest("host1", ["host2"]) == "host2"
    assert nearest("host1", [f"host{number}" for number in range(2, 1000)]) == ""
    assert nearest("h" * 100, ["h" * 99]) == ""
