"""What a service can do on its networks."""

from __future__ import annotations

from typing import Any

import pytest

from dtnctl.model.networking import attachments, carries_default_route, is_publishing, published_ranges, reserved_addresses
from dtnctl.model.profile import ProfileFields
from dtnctl.model.site import Document, Network


def _network(**value: Any) -> Network:
    return Network.model_validate({"driver": "macvlan", "subnet": "10.0.0.0/24", **value})


_VALUES: dict[str, dict[str, Any]] = {
    "lan": {},
    "ghost-net": {},
    "wide": {"driver": "bridge"},
    "inside": {"driver": "bridge", "internal": True},
}
NETWORKS = {name: Document(name, f"{name}.yaml", _network(**value), {}) for name, value in _VALUES.items()}


@pytest.mark.parametrize(
    ("profile", "names"),
    [
        ({}, ["bridge"]),
        ({"data_nets": ["lan"]}, ["lan", "bridge"]),
        ({"mgmt_net": None, "data_nets": ["lan"]}, ["lan"]),
        ({"mgmt_net": "none"}, []),
        ({"mgmt_net": "host"}, []),
        ({"mgmt_net": "ghost-net"}, ["ghost-net"]),
    ],
)
def test_primary_network_comes_first_and_the_host_has_none(profile: dict[str, Any], names: list[str]) -> None:
    assert [net.name for net in attachments(ProfileFields.model_validate(profile))] == names


def test_only_bridges_to_the_outside_publish_ports() -> None:
    assert [name for name in ("bridge", "host", "none", *NETWORKS) if is_publishing(NETWORKS, name)] == ["bridge", "wide"]


@pytest.mark.parametrize(
    ("profile", "ranges"),
    [
        ({}, []),
        ({"data_port_range": [5, 9], "exposed_ports": ["7/udp"]}, [(5, 9, "tcp", "data_port_range"), (7, 7, "udp", "exposed_ports")]),
        ({"data_port_range": [5, 9], "data_nets": ["lan"], "exposed_ports": 7}, [(7, 7, "tcp", "exposed_ports")]),
        ({"data_port_range": [5, 9], "mgmt_net": "host"}, [(5, 9, "tcp", "data_port_range")]),
        ({"exposed_ports": 7, "mgmt_net": "inside"}, []),
        ({"exposed_ports": 7, "mgmt_net": None, "data_nets": ["lan"]}, []),
    ],
)
def test_data_ports_are_published_where_there_is_no_data_network(profile: dict[str, Any], ranges: list[Any]) -> None:
    assert list(published_ranges(NETWORKS, ProfileFields.model_validate(profile))) == ranges


@pytest.mark.parametrize(
    ("network", "carries"),
    [
        ({"driver": "bridge"}, True),
        ({"driver": "bridge", "internal": True}, False),
        ({"driver": "bridge", "default_route": False}, False),
        ({}, False),
        ({"gateway": "10.0.0.1"}, True),
        ({"subnet6": "fd00::/64", "gateway6": "fd00::1"}, True),
        ({"driver": "ipvlan", "mode": "l3"}, True),
        ({"driver": "ipvlan", "mode": "l2"}, False),
        ({"default_route": True}, True),
    ],
)
def test_default_route_goes_where_it_can(network: dict[str, Any], carries: bool) -> None:
    assert carries_default_route(_network(**network)) is carries


@pytest.mark.parametrize(
    ("network", "reserved"),
    [
        (
            {"gateway": "10.0.0.254", "subnet6": "fd00::/64"},
            {
                "10.0.0.0": "the network address",
                "10.0.0.255": "the broadcast address",
                "10.0.0.254": "the gateway",
                "fd00::": "the network address",
                "fd00::1": "taken by the engine where no gateway is declared",
            },
        ),
        ({"subnet": "255.255.255.255/32"}, {"255.255.255.255": "the broadcast address"}),
        ({"driver": "bridge", "subnet": None}, {}),
    ],
)
def test_addresses_that_nobody_can_have(network: dict[str, Any], reserved: dict[str, str]) -> None:
    assert reserved_addresses(_network(**network)) == reserved
