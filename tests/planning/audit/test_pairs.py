"""Which interfaces of two hosts belong together, what is sent between them, and what is wrong with them."""

from __future__ import annotations

import pytest

from dtnctl.model.audit import Audit, Carried, Pair, PairFault, Size
from dtnctl.planning.audit.pairs import NO_ADDRESS, REFUSED, SILENT, faults_of, pairs_of, pings_of, with_answers

NEAR = Carried("data", "ens1f0", "ens1f0", None, "10.1.0.0/24", "10.1.0.1/24", 9000, 100_000)
FAR = Carried("data", "ens5", "ens5", None, "10.1.0.0/24", "10.1.0.2/24", 9000, 40_000)
OTHER = Carried("other", "ens9", "ens9", None, "10.9.0.0/24", "10.9.0.2/24", 1500, None)
IPV6 = Carried("six", "ens6", "ens6", None, "2001:db8::/64", "2001:db8::1/64", 1500, 10_000)
PAIR = Pair("10.1.0.0/24", NEAR, FAR)


def test_interfaces_in_one_subnet_are_a_pair() -> None:
    assert pairs_of([NEAR, OTHER], [FAR, IPV6]) == (PAIR,)
    assert (PAIR.speed, PAIR.way) == (40_000, "10.1.0.0/24")


def test_where_no_subnet_is_shared_the_fastest_ones_are_a_pair_behind_routers() -> None:
    assert pairs_of([OTHER, NEAR], [Carried("x", "e", "e", subnet="10.5.0.0/24", address="10.5.0.1/24")]) == (
        Pair("", NEAR, Carried("x", "e", "e", subnet="10.5.0.0/24", address="10.5.0.1/24")),
    )
    six = Carried("y", "f", "f", subnet="2001:db8:5::/64", address="2001:db8:5::1/64")
    assert pairs_of([NEAR, IPV6], [six]) == (Pair("", IPV6, six),)
    assert (Pair("", NEAR, six).speed, Pair("", NEAR, six).way) == (None, "routed")


def test_hosts_without_addresses_that_fit_have_no_pair() -> None:
    assert pairs_of([NEAR], [IPV6]) == ()
    assert pairs_of([], [FAR]) == ()


def test_vlans_of_both_hosts_are_pairs_also_without_addresses_and_nothing_is_sent_in_them() -> None:
    bare = Carried("vlan222", "ens1f0.222", "ens1f0", 222, mtu=9000)
    (pair,) = pairs_of([bare], [bare])
    assert (pair, pair.way, pings_of(pair), with_answers(pair, (), ())) == (Pair("", bare, bare, trouble=NO_ADDRESS), "VLAN 222", (), pair)
    assert pairs_of([NEAR, bare], [FAR, bare]) == (PAIR, pair)
    other = Carried("vlan223", "ens1f0.223", "ens1f0", 223)
    numbered = Carried("n", "ens1f0.222", "ens1f0", 222, "10.1.0.0/24", "10.1.0.1/24")
    assert pairs_of([bare], [other]) == ()
    assert [item.way for item in pairs_of([numbered], [numbered])] == ["10.1.0.0/24"]
    assert [item.way for item in pairs_of([numbered], [bare])] == ["VLAN 222"]


def test_packets_are_as_large_as_the_first_host_sends_and_of_the_usual_sizes() -> None:
    far = Carried("data", "ens5", "ens5", None, "10.1.0.0/24", "10.1.0.2/24", 4000)
    assert [(ping.bytes, ping.data) for ping in pings_of(Pair("10.1.0.0/24", NEAR, far))] == [
        (9000, 8972),
        (4000, 3972),
        (1500, 1472),
        (1280, 1252),
    ]
    assert {(ping.address, ping.interface) for ping in pings_of(PAIR)} == {("10.1.0.2", "ens1f0")}
    assert [ping.data for ping in pings_of(Pair("2001:db8::/64", IPV6, IPV6))] == [1452, 1232]
    assert pings_of(Pair("", Carried("a", "b", "b", mtu=20), far)) == ()


def test_largest_packet_that_comes_back_is_what_passes() -> None:
    found = with_answers(PAIR, pings_of(PAIR), [False, True, True])
    assert (found.sizes, found.passes, found.trouble) == ((Size(9000, False), Size(1500, True), Size(1280, True)), 1500, "")
    assert list(faults_of(found)) == [
        PairFault(
            found,
            "error",
            "packets of more than 1500 bytes are lost between them, and both interfaces send 9000",
            "every switch on the way to 9000 and more, or both interfaces to 1500",
        )
    ]
    assert Audit((), (found,), tuple(faults_of(found))).has_faults


def test_all_that_comes_back_is_no_fault() -> None:
    assert list(faults_of(with_answers(PAIR, pings_of(PAIR), [True, True, True]))) == []


@pytest.mark.parametrize(("answers", "trouble"), [([False] * 3, SILENT), ([None] * 3, REFUSED)])
def test_nothing_that_comes_back_is_no_measure(answers: list[bool | None], trouble: str) -> None:
    found = with_answers(PAIR, pings_of(PAIR), answers)
    assert (found.passes, found.sizes, found.trouble, list(faults_of(found))) == (None, (), trouble, [])


def test_two_vlans_in_one_subnet_are_a_warning_and_two_subnets_are_not() -> None:
    near, far = (Carried("n", "e", "e", vlan, "10.1.0.0/24", "10.1.0.1/24", 1500) for vlan in (222, 223))
    (fault,) = faults_of(Pair("10.1.0.0/24", near, far))
    assert (fault.severity, fault.found) == ("warning", "VLAN 222 at one end, VLAN 223 at the other, and one subnet")
    assert list(faults_of(Pair("", near, far))) == []
    assert list(faults_of(Pair("10.1.0.0/24", near, near))) == []
    assert list(faults_of(Pair("10.1.0.0/24", near, NEAR))) == []
