"""Which interfaces of a host that no file declares carry data."""

from __future__ import annotations

import pytest
from dtn_agent.protocol import Facts

from dtnctl.errors import UsageError
from dtnctl.model.audit import Carried
from dtnctl.planning.audit import carried_by, host_name
from dtnctl.planning.audit.carriers import carried, data_nics, name_of
from tests.planning.audit.undeclared import interface, read, tuned, with_interfaces
from tests.planning.doctor.hosts import Data

BOND = interface("bond0", kind="bond", speed=50_000, addresses=["fe80::1/64", "2001:db8::7/64"])
MEMBERS = [interface(name, speed=25_000, master="bond0", pci=f"0000:0{number}:00.0") for number, name in enumerate(("ens2f0", "ens2f1"))]


def nics(*interfaces: Data, wanted: tuple[str, ...] = ()) -> list[str]:
    return [item.name for item in data_nics(Facts.model_validate(with_interfaces(*interfaces)), wanted)]


def all_carried(*interfaces: Data) -> list[Carried]:
    facts = Facts.model_validate(with_interfaces(*interfaces))
    return list(carried(facts, data_nics(facts)))


def test_data_is_expected_on_fast_nics_and_not_on_one_for_management() -> None:
    assert nics(interface("eno1", speed=1000), interface("ens1f0", speed=100_000), interface("ens1f1", speed=25_000)) == [
        "ens1f0",
        "ens1f1",
    ]


def test_nics_of_which_no_speed_is_known_all_count() -> None:
    assert nics(interface("ens3"), interface("ens4"), interface("down0", is_up=False, carrier=None), interface("cut0", carrier=False)) == [
        "ens3",
        "ens4",
    ]


def test_bond_stands_for_its_members() -> None:
    assert nics(BOND, *MEMBERS) == ["bond0"]


def test_virtual_function_beside_its_card_is_no_nic_of_its_own_and_one_in_a_machine_is() -> None:
    function = interface("ens1f0v0", speed=100_000, pci="0000:41:00.2", physfn="0000:41:00.0")
    assert nics(interface("ens1f0", speed=100_000, pci="0000:41:00.0"), function) == ["ens1f0"]
    assert nics(function) == ["ens1f0v0"]


def test_where_nothing_is_hardware_interfaces_with_an_address_count_but_not_those_that_stay_inside() -> None:
    bridge = interface("docker0", kind="bridge", addresses=["172.17.0.1/16"])
    assert nics(bridge, interface("eth0", kind="veth", addresses=["10.0.0.1/24"]), interface("veth1", kind="veth")) == ["eth0"]


def test_nics_that_were_named_count_whatever_they_are() -> None:
    assert nics(interface("eno1", speed=1000), interface("ens1f0", speed=100_000), wanted=("eno1",)) == ["eno1"]


def test_interface_that_no_host_has_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="there is no such interface; there are bond0, "):
        carried_by([read(tuned())], ["ens1f0", "ens9"])
    with pytest.raises(UsageError, match="there are none"):
        carried_by([read(with_interfaces())], ["ens9"])


def test_vlans_are_networks_and_a_nic_without_an_address_below_them_is_none() -> None:
    nic = interface("ens1f0", speed=100_000, mtu=9000)
    vlan = interface("ens1f0.222", kind="vlan", parent="ens1f0", vlan=222, mtu=9000, addresses=["10.2.0.7/24"])
    idle = interface("ens1f0.333", kind="vlan", parent="ens1f0", vlan=333)
    down = interface("ens1f0.444", kind="vlan", parent="ens1f0", vlan=444) | {"is_up": False}
    assert all_carried(nic, vlan, idle, down) == [
        Carried("net-10-2-0-0-24", "ens1f0.222", "ens1f0", 222, "10.2.0.0/24", "10.2.0.7/24", 9000, 100_000),
        Carried("vlan333", "ens1f0.333", "ens1f0", 333, "", "", 1500, 100_000),
    ]
    own = {**nic, "addresses": ["10.1.0.7/24"]}
    assert [item.interface for item in all_carried(own, vlan, idle)] == ["ens1f0", "ens1f0.222", "ens1f0.333"]


def test_nic_in_a_bridge_has_the_bridges_address() -> None:
    bridge = interface("br0", kind="bridge", addresses=["10.1.0.7/24"])
    (item,) = all_carried(interface("ens3", master="br0"), bridge)
    assert (item.interface, item.address) == ("ens3", "10.1.0.7/24")


def test_ipv4_goes_before_ipv6_and_link_local_counts_for_nothing() -> None:
    (bond,) = all_carried(BOND, *MEMBERS)
    assert (bond.network, bond.subnet, bond.address) == ("net-2001-db8-64", "2001:db8::/64", "2001:db8::7/64")
    (both,) = all_carried(interface("ens3", addresses=["169.254.0.1/16", "2001:db8::7/64", "10.1.0.7/24"]))
    assert both.subnet == "10.1.0.0/24"


def test_nic_without_an_address_carries_a_network_of_its_own_name() -> None:
    (item,) = all_carried(interface("enP2s1F0"))
    assert (item.network, item.subnet, item.address) == ("enp2s1f0", "", "")


def test_two_interfaces_in_one_subnet_are_two_networks() -> None:
    found = all_carried(*(interface(name, addresses=[f"10.1.0.{number}/24"]) for number, name in ((1, "ens3"), (2, "ens4"))))
    assert [item.network for item in found] == ["net-10-1-0-0-24", "net-10-1-0-0-24-ens4"]


@pytest.mark.parametrize(
    ("host", "taken", "name"),
    [
        ("dtn1.example.net", (), "dtn1"),
        ("DTN_1", (), "dtn-1"),
        ("192.0.2.7", (), "own"),
        ("dtn1", ("dtn1",), "dtn1-2"),
        ("x" * 60, (), "x" * 40),
    ],
)
def test_host_is_called_as_it_was_reached_or_by_an_address_what_it_calls_itself(host: str, taken: tuple[str, ...], name: str) -> None:
    assert host_name(host, "own.example.net", taken) == name


def test_name_without_a_letter_is_still_one() -> None:
    assert name_of("...") == "host"
