"""Bridges that take away what the host reaches: by the files alone, and by what owners allow."""

from __future__ import annotations

from typing import Any

import pytest

from dtnctl.model.permission import refused_requests
from dtnctl.model.profile import ProfileFields
from dtnctl.model.site import Allow
from tests.model.sites import objects, problems

SESSION = "endpoints: [a]\nimage: x\nsettings: {mgmt_net: mgmt}\n"
HOSTS = {
    "endpoints/a": "docker: ssh://dtn@10.1.0.1\ninterfaces: {data: eth1}\n",
    "endpoints/b": "docker: ssh://dtn@b.example.net\nhost: fd00::b\ninterfaces: {data: eth1}\n",
    "sessions/one": SESSION,
}


@pytest.mark.parametrize(
    ("network", "found"),
    [
        ("subnet: 10.1.0.0/16", ["2:9: E0351: bridge mgmt would take 10.1.0.0/16 from its hosts' own network: a (10.1.0.1) is in it"]),
        ("subnet6: fd00::/64", ["2:10: E0351: bridge mgmt would take fd00::/64 from its hosts' own network: b (fd00::b) is in it"]),
        ("subnet: 10.2.0.0/16", []),
        ("subnet6: fd00:0:0:1::/64", []),
        ("internal: true", []),
    ],
)
def test_a_bridge_that_would_take_an_endpoint_from_its_hosts_is_refused(network: str, found: list[str]) -> None:
    named = [f"networks/mgmt.yaml:{text}; try a subnet that no host is in" for text in found]
    assert problems({**HOSTS, "networks/mgmt": f"driver: bridge\n{network}\n"}) == named


def test_a_portainer_is_on_no_network_of_its_endpoints() -> None:
    portainer = "docker: portainer+https://10.1.0.1:9443/a\nportainer: {key: {secret: 'env:KEY'}}\nhost: a.example.net\n"
    assert problems({**HOSTS, "endpoints/a": portainer, "networks/mgmt": "driver: bridge\nsubnet: 10.1.0.0/16\n"}) == []


def test_a_network_outside_of_the_host_may_have_the_endpoints_addresses_in_its_subnet() -> None:
    """Containers of macvlan and ipvlan are on the wire; so are the endpoints."""
    assert (
        problems({**HOSTS, "networks/mgmt": "driver: macvlan\nsubnet: 10.1.0.0/16\n", "sessions/one": SESSION.replace("mgmt}", "data}")})
        == []
    )


def test_a_bridge_that_no_service_uses_is_on_no_host() -> None:
    assert problems({**HOSTS, "networks/mgmt": "driver: bridge\nsubnet: 10.1.0.0/16\n", "sessions/one": "endpoints: [a]\nimage: x\n"}) == []


def test_a_network_whose_file_cannot_be_read_or_does_not_count_is_passed_over() -> None:
    one = {**HOSTS, "networks/bridge": "driver: bridge\nsubnet: 10.1.0.0/16\n", "sessions/one": SESSION.replace("mgmt}", "bridge}")}
    assert not any("E0351" in text for text in problems(one))
    assert problems({**HOSTS}, networks={"mgmt"}) == []


@pytest.mark.parametrize(
    ("driver", "subnet", "allow", "is_allowed"),
    [
        *[("bridge", subnet, {}, True) for subnet in ("10.9.0.0/24", "172.31.0.0/16", "192.168.0.0/16", "fd00::/8", "198.19.0.0/16")],
        *[
            ("bridge", subnet, {}, False)
            for subnet in (
                *("0.0.0.0/0", "8.8.8.0/24", "127.0.0.0/8", "169.254.169.0/24", "224.0.0.0/4", "172.0.0.0/8", "192.168.0.0/15"),
                *("::/0", "2000::/3", "fe80::/64", "ff00::/8", "100.64.0.0/10"),
            )
        ],
        ("bridge", "8.8.8.0/24", {"subnets": ["8.8.0.0/16"]}, True),
        ("bridge", "10.9.0.0/24", {"subnets": ["10.8.0.0/16", "fd00::/8"]}, False),
        ("bridge", "10.8.0.0/24", {"subnets": ["10.8.0.0/16"]}, True),
        ("bridge", "10.8.0.0/24", {"subnets": []}, False),
        ("macvlan", "8.8.8.0/24", {"subnets": []}, True),
    ],
)
def test_the_host_routes_private_subnets_only_into_bridges_or_those_that_its_owner_names(
    driver: str, subnet: str, allow: dict[str, Any], is_allowed: bool
) -> None:
    field = "subnet6" if ":" in subnet else "subnet"
    networks = objects({"networks/mgmt": f"driver: {driver}\n{field}: {subnet}\n"}).networks
    profile = ProfileFields.model_validate({"mgmt_net": {"name": "mgmt"}})
    found = [(item.code, item.key, item.what) for item in refused_requests(Allow.model_validate(allow), profile, networks)]
    assert found == ([] if is_allowed else [("E0506", "subnets", f"{subnet} for bridge mgmt")])
