"""What merged settings say of hosts, networks and routes: each with the very lines that people get to see."""

from __future__ import annotations

import pytest

from tests.model.sites import DATA, problems

SESSION = "endpoints: [a, b]\nimage: x\n"

CASES: list[tuple[str, dict[str, str], dict[str, set[str]], list[str]]] = [
    ("a device that needs the agent, unused", {"profiles/p": "devices: [uverbs]\n"}, {}, []),
    (
        "a device that needs the agent",
        {
            "profiles/p": "devices: [uverbs]\n",
            "sessions/s": SESSION + "profile: p\n",
            "endpoints/b": "docker: unix:///run/docker.sock\nhost: b\n",
        },
        {},
        [
            "profiles/p.yaml:1:1: E0405: device `uverbs` needs an agent on endpoint a, and its file names none"
            "; try `agent: ssh` in endpoints/a.yaml; `dtnctl endpoints add` installs one",
            "profiles/p.yaml:1:1: E0405: device `uverbs` needs an agent on endpoint b, and its file names none"
            "; try `agent: https://…:5050` in endpoints/b.yaml; `dtnctl endpoints add` installs one",
        ],
    ),
    (
        "a network that needs the agent, unused",
        {"networks/v": "driver: sriov\nsubnet: 10.1.0.0/24\n", "profiles/p": "data_nets: [v]\n"},
        {},
        [],
    ),
    (
        "a network that needs the agent, and an interface",
        {"networks/v": "driver: sriov\nsubnet: 10.1.0.0/24\n", "profiles/p": "data_nets: [v]\n", "sessions/s": SESSION + "profile: p\n"},
        {},
        [
            "endpoints/a.yaml:2:1: E0307: no interface carries network `v` here, and session s uses it"
            "; try `interfaces: {v: eth1}` with the name of the interface",
            "endpoints/b.yaml:2:1: E0307: no interface carries network `v` here, and session s uses it"
            "; try `interfaces: {v: eth1}` with the name of the interface",
            "profiles/p.yaml:1:1: E0405: network `v` (sriov) needs an agent on endpoint a, and its file names none"
            "; try `agent: ssh` in endpoints/a.yaml; `dtnctl endpoints add` installs one",
            "profiles/p.yaml:1:1: E0405: network `v` (sriov) needs an agent on endpoint b, and its file names none"
            "; try `agent: ssh` in endpoints/b.yaml; `dtnctl endpoints add` installs one",
        ],
    ),
    (
        "pinned CPUs without a number, an agent and a data network",
        {"profiles/p": "near: data_net\n", "sessions/s": SESSION + "profile: p\n"},
        {},
        [
            "profiles/p.yaml:1:7: E0405: `near` needs an agent on endpoint a, and its file names none"
            "; try `agent: ssh` in endpoints/a.yaml; `dtnctl endpoints add` installs one",
            "profiles/p.yaml:1:7: E0405: `near` needs an agent on endpoint b, and its file names none"
            "; try `agent: ssh` in endpoints/b.yaml; `dtnctl endpoints add` installs one",
            "profiles/p.yaml:1:7: E0416: `near: data_net` without a data network; try `near: any`, or `data_nets: […]`",
            "profiles/p.yaml:1:7: E0416: `near` pins whole CPUs, and `cpus` does not say how many; try `cpus: 4`",
        ],
    ),
    (
        "pinned CPUs of a fraction",
        {"profiles/p": "near: any\ncpus: 1.5\n"},
        {},
        [
            "profiles/p.yaml:1:7: E0416: `near` pins whole CPUs, and `cpus` does not say how many; try `cpus: 4`",
        ],
    ),
    (
        "pinned CPUs that a session names as well",
        {
            "profiles/p": "near: any\ncpus: 2\n",
            "sessions/s": "endpoints: [a]\nimage: x\nprofile: p\nsettings: {cpu_set: 0-1}\n",
            "endpoints/a": "docker: ssh://dtn@h.example.net\nagent: https://h.example.net:5050\nagent_token_env: T\n",
        },
        {},
        [
            "profiles/p.yaml:1:7: E0416: `near` chooses CPUs and `cpu_set` names them (sessions/s.yaml:4); try to remove one of them",
        ],
    ),
    (
        "whole pinned CPUs near the interface of the host's network, in an unused profile",
        {"profiles/p": "near: data_net\ncpus: 4\nmgmt_net: host\n"},
        {},
        [],
    ),
    (
        "data networks beside the host's, in an unused profile",
        {"profiles/p": "mgmt_net: host\ndata_nets: [data]\n"},
        {},
        [
            "profiles/p.yaml:2:1: E0404: data networks do not go with `mgmt_net: host` (profiles/p.yaml:1)"
            "; try `mgmt_net: bridge`, or `data_nets: []`",
        ],
    ),
    (
        "data networks beside the host's, from two files",
        {"profiles/p": "mgmt_net: host\n", "sessions/s": SESSION + "profile: p\nsettings: {data_nets: [data]}\n"},
        {},
        [
            "sessions/s.yaml:4:12: E0404: data networks do not go with `mgmt_net: host` (profiles/p.yaml:1)"
            "; try `mgmt_net: bridge`, or `data_nets: []`",
        ],
    ),
    (
        "a network attached twice",
        {"sessions/s": SESSION + "settings: {mgmt_net: data, data_nets: [data]}\n"},
        {},
        [
            "sessions/s.yaml:3:28: E0410: network `data` is attached twice; try to remove one",
        ],
    ),
    (
        "privileged and more, from two files",
        {
            "profiles/p": "privileged: true\n",
            "sessions/s": SESSION + "profile: p\nsettings: {capabilities: {add: [NET_RAW]}}\n",
            "sessions/t": SESSION + "profile: p\nsettings: {devices: [/dev/x]}\n",
        },
        {},
        [
            "profiles/p.yaml:1:13: E0411: `privileged` already gives all capabilities; these are written in sessions/s.yaml:4"
            "; try to remove one of them",
            "profiles/p.yaml:1:13: E0411: `privileged` already gives all devices; these are written in sessions/t.yaml:4"
            "; try to remove one of them",
        ],
    ),
    (
        "qos where it would shape the whole host, and where nobody could set it",
        {
            "endpoints/a": "docker: ssh://dtn@h.example.net\nagent: https://h.example.net:5050\nagent_token_env: T\n",
            "profiles/p": "mgmt_net: host\n",
            "sessions/s": "endpoints: [a]\nimage: x\nprofile: p\nsettings: {qos: {loss: 1%}}\n",
            "sessions/t": "endpoints: [a, b]\nimage: x\nsettings: {qos: {loss: 1%}}\n",
        },
        {},
        [
            "sessions/s.yaml:4:12: E0417: `qos` on the host's network (profiles/p.yaml:1) would shape everything that the host sends"
            "; try to remove `qos`, or `mgmt_net: bridge`",
            "sessions/t.yaml:3:12: E0405: `qos` needs an agent on endpoint b, and its file names none"
            "; try `agent: ssh` in endpoints/b.yaml; `dtnctl endpoints add` installs one",
        ],
    ),
    (
        "default route of another network",
        {"sessions/s": SESSION + "settings: {default_route: data}\n"},
        {},
        [
            "sessions/s.yaml:3:27: E0312: `data` is not among the networks; try one of bridge",
        ],
    ),
    (
        "default route without networks",
        {"sessions/s": SESSION + "settings: {mgmt_net: null, default_route: data}\n"},
        {},
        [
            "sessions/s.yaml:3:43: E0312: `data` is not among the networks; try to remove `default_route`",
        ],
    ),
    (
        "default route on the host's network",
        {"sessions/s": SESSION + "settings: {mgmt_net: host, default_route: data}\n"},
        {},
        [
            "sessions/s.yaml:3:43: E0312: the host's network brings its own default route; try to remove `default_route`",
        ],
    ),
    (
        "default route without gateway",
        {
            "networks/data": "driver: macvlan\nsubnet: 10.0.0.0/24\n",
            "sessions/s": SESSION + "settings: {data_nets: [data], default_route: data}\n",
        },
        {},
        [
            "sessions/s.yaml:3:46: E0313: network `data` carries no default route: it has no gateway; try another network",
        ],
    ),
    (
        "default route of an internal network",
        {"networks/data": DATA + "internal: true\n", "sessions/s": SESSION + "settings: {data_nets: [data], default_route: data}\n"},
        {},
        [
            "sessions/s.yaml:3:46: E0313: network `data` carries no default route: it is internal; try another network",
        ],
    ),
    (
        "default route of a network that says no",
        {"networks/data": DATA + "default_route: false\n", "sessions/s": SESSION + "settings: {data_nets: [data], default_route: data}\n"},
        {},
        [
            "sessions/s.yaml:3:46: E0313: network `data` carries no default route: it says `default_route: false`; try another network",
        ],
    ),
    ("default route of the engine's bridge", {"sessions/s": SESSION + "settings: {data_nets: [data], default_route: bridge}\n"}, {}, []),
    (
        "default route in an unused profile",
        {"profiles/p": "data_nets: [data]\ndefault_route: bridge\nmgmt_net: null\n"},
        {},
        [
            "profiles/p.yaml:2:16: E0312: `bridge` is not among the networks; try one of data",
        ],
    ),
    ("a parent may be half a profile", {"profiles/p": "default_route: data\n", "profiles/q": "extends: p\ndata_nets: [data]\n"}, {}, []),
    (
        "an internal network that promises a default route",
        {"networks/data": DATA + "internal: true\ndefault_route: true\n"},
        {},
        [
            "networks/data.yaml:5:16: E0313: an internal network has no default route; try false, or to remove `internal`",
        ],
    ),
    (
        "a network without gateway that promises a default route",
        {"networks/data": "driver: macvlan\nsubnet: 10.0.0.0/24\ndefault_route: true\n"},
        {},
        [
            "networks/data.yaml:3:16: E0313: there is no default route without a gateway; try `gateway: …`",
        ],
    ),
    ("nothing is said about settings from a broken profile", {"sessions/s": "endpoints: [a]\nprofile: p\n"}, {"profiles": {"p"}}, []),
    (
        "nothing is said about settings from a broken parent",
        {"sessions/s": "endpoints: [a]\nprofile: p\n", "profiles/p": "extends: q\n"},
        {"profiles": {"q"}},
        [],
    ),
    ("nothing is said about settings from a broken default", {"sessions/s": "endpoints: [a]\n"}, {"profiles": {"default"}}, []),
    (
        "nothing is said about a broken network",
        {
            "sessions/s": SESSION + "settings: {data_nets: [{name: n, ipv4: 10.0.0.1}], ctrl_port_range: 5000}\n",
            "sessions/t": SESSION + "settings: {data_nets: [n], ctrl_port_range: 5000}\n",
        },
        {"networks": {"n"}},
        [],
    ),
    (
        "nothing is said about a broken endpoint",
        {"sessions/s": "endpoints: [a, c]\nimage: x\nsettings: {data_nets: [data]}\n"},
        {"endpoints": {"c"}},
        [],
    ),
]


@pytest.mark.parametrize(("files", "broken", "lines"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_what_merged_settings_say_is_checked(files: dict[str, str], broken: dict[str, set[str]], lines: list[str]) -> None:
    assert problems(files, **broken) == lines
