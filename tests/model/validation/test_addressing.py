"""Addresses and the subnets that they are said to be in, with the very lines that people get to see."""

from __future__ import annotations

import pytest

from tests.model.sites import DATA, problems

SESSION = "endpoints: [a, b]\nimage: x\n"

CASES: list[tuple[str, dict[str, str], list[str]]] = [
    (
        "gateway and pool outside the subnet",
        {"networks/data": ("driver: macvlan\nsubnet: 10.0.0.0/24\ngateway: 10.0.1.1\naddresses: [10.0.0.5-10.0.1.5, 10.9.9.9, fd00::1]\n")},
        [
            "networks/data.yaml:3:10: E0401: 10.0.1.1 is outside the subnet 10.0.0.0/24; try 10.0.0.1 to 10.0.0.254",
            "networks/data.yaml:4:13: E0401: 10.0.1.5 is outside the subnet 10.0.0.0/24; try 10.0.0.1 to 10.0.0.254",
            "networks/data.yaml:4:32: E0401: 10.9.9.9 is outside the subnet 10.0.0.0/24; try 10.0.0.1 to 10.0.0.254",
            "networks/data.yaml:4:42: E0401: fd00::1 is outside the subnet 10.0.0.0/24; try 10.0.0.1 to 10.0.0.254",
        ],
    ),
    (
        "gateways that nobody can have",
        {
            "networks/data": "driver: macvlan\nsubnet: 10.0.0.0/24\ngateway: 10.0.0.0\n",
            "networks/d2": "driver: macvlan\nsubnet: 10.0.0.0/24\ngateway: 10.0.0.255\n",
        },
        [
            "networks/d2.yaml:3:10: E0402: 10.0.0.255 is the broadcast address of 10.0.0.0/24; try 10.0.0.1 to 10.0.0.254",
            "networks/data.yaml:3:10: E0402: 10.0.0.0 is the network address of 10.0.0.0/24; try 10.0.0.1 to 10.0.0.254",
        ],
    ),
    (
        "gateway and pool without subnet",
        {"networks/data": DATA + "gateway6: fd00::1\naddresses6: fd00::5\n"},
        [
            "networks/data.yaml:4:11: E0403: `gateway6` without `subnet6`; try `subnet6: …`",
            "networks/data.yaml:5:13: E0403: `addresses6` without `subnet6`; try `subnet6: …`",
        ],
    ),
    (
        "IPv6 has no broadcast, and its pools have subnets too",
        {"networks/data": DATA + 'subnet6: fd00::/64\ngateway6: "fd00::"\naddresses6: [fd00::5, fd01::5]\n'},
        [
            "networks/data.yaml:6:23: E0401: fd01::5 is outside the subnet fd00::/64; try fd00::1 to fd00::ffff:ffff:ffff:fffe",
        ],
    ),
    (
        "fixed addresses that cannot be given",
        {
            "sessions/s": (
                "endpoints: [a]\nimage: x\nsettings: {data_nets: [{name: data, ipv4: [10.0.1.5, 10.0.0.0, 10.0.0.1,"
                " 10.0.0.255, 10.0.0.9], ipv6: fd00::1}]}\n"
            )
        },
        [
            "sessions/s.yaml:3:44: E0401: 10.0.1.5 is outside the subnet 10.0.0.0/24; try 10.0.0.1 to 10.0.0.254",
            "sessions/s.yaml:3:54: E0402: 10.0.0.0 cannot be given: it is the network address; try another address",
            "sessions/s.yaml:3:64: E0402: 10.0.0.1 cannot be given: it is the gateway; try another address",
            "sessions/s.yaml:3:74: E0402: 10.0.0.255 cannot be given: it is the broadcast address; try another address",
            "sessions/s.yaml:3:103: E0403: network `data` has no `subnet6` for a fixed address; try `subnet6: …` in networks/data.yaml",
        ],
    ),
    (
        "the first address where no gateway is declared",
        {
            "networks/data": "driver: macvlan\nsubnet: 10.0.0.0/24\n",
            "sessions/s": "endpoints: [a]\nimage: x\nsettings: {data_nets: [{name: data, ipv4: 10.0.0.1}]}\n",
        },
        [
            "sessions/s.yaml:3:43: E0402: 10.0.0.1 cannot be given: it is taken by the engine where no gateway is declared"
            "; try another address",
        ],
    ),
    (
        "a fixed address on the engine's bridge",
        {"sessions/s": "endpoints: [a]\nimage: x\nsettings: {mgmt_net: {name: bridge, ipv4: 10.0.0.1}}\n"},
        [
            "sessions/s.yaml:3:43: E0403: the engine's own network `bridge` takes no fixed addresses"
            "; try a network of your own with a subnet",
        ],
    ),
]


@pytest.mark.parametrize(("files", "lines"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_address_is_checked_against_its_subnet(files: dict[str, str], lines: list[str]) -> None:
    assert problems(files) == lines
