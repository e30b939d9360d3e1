"""Traps of OESS: refusals that look like success, edits that empty what they leave out, and circuits that wait for a person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtnctl.errors import EngineError
from tests.fakes.paths.double import Circuit
from tests.fakes.paths.oess import OessDouble
from tests.providers.paths.converge import converge
from tests.providers.paths.doubles import observer, service, spec


@pytest.fixture
def oess() -> Iterator[OessDouble]:
    with OessDouble(pace=0) as found:
        yield found


def made(oess: OessDouble, **fields: object) -> Circuit:
    before = set(oess.circuits)
    converge(service(oess), spec(oess, **fields), oess.kind, keep=True)
    (name,) = set(oess.circuits) - before
    return oess.circuits[name]


def test_refusal_with_status_200_is_one(oess: OessDouble) -> None:
    oess.add("LHC primary", None, 1790)
    with pytest.raises(EngineError, match=r"anagram answers: .*VLAN 1790 is not available on mx960-1.example.net:xe-7/0/2"):
        service(oess).request(spec(oess))
    assert len(oess.living) == 1


def test_second_circuit_of_a_path_is_not_asked_for_although_oess_would_make_it(oess: OessDouble) -> None:
    first = made(oess)
    with pytest.raises(EngineError, match=f"has path a2b already, as {first.id}: active"):
        service(oess).request(spec(oess, vlan=1800))
    assert oess.living == [first]


def test_edit_keeps_endpoints_description_and_identifier(oess: OessDouble) -> None:
    circuit = made(oess, mtu=9000)
    before = circuit.body
    (seen,) = observer(oess).observe().paths
    service(oess).modify(seen, spec(oess, bandwidth=20_000_000))
    assert circuit.body == {**before, "endpoints": [{**end, "bandwidth": 20_000} for end in before["endpoints"]]}
    assert {end["mtu"] for end in circuit.body["endpoints"]} == {9000}


def test_edit_of_a_circuit_that_is_gone_makes_none(oess: OessDouble) -> None:
    made(oess)
    (seen,) = observer(oess).observe().paths
    converge(service(oess), spec(oess), oess.kind, keep=False)
    with pytest.raises(EngineError, match="is no circuit of anagram any more"):
        service(oess).modify(seen, spec(oess))
    assert oess.living == []


def test_circuit_in_review_says_who_has_to_approve_it_and_can_be_released(oess: OessDouble) -> None:
    oess.in_review, oess.pace = True, 1_000_000
    service(oess).request(spec(oess))
    (seen,) = observer(oess).observe().paths
    assert seen.state == "reserved"
    assert seen.words == "in review: an administrator of OESS is to approve mx960-1.example.net:xe-7/0/2, mx960-2.example.net:ae0"
    assert converge(service(oess), spec(oess), oess.kind, keep=False) == ["anagram/release-path/a2b", "anagram/wait-released-path/a2b"]
    assert oess.living == []


def test_circuit_in_review_is_waited_for(oess: OessDouble) -> None:
    oess.in_review, oess.pace = True, 3
    made(oess)
    (seen,) = observer(oess).observe().paths
    assert (seen.state, seen.words) == ("active", "active")


def test_only_what_is_beyond_the_standard_mtu_is_asked_for_as_jumbo(oess: OessDouble) -> None:
    for vlan, mtu, asked in ((1790, 0, {None}), (1791, 1500, {0}), (1792, 9000, {1})):
        circuit = made(oess, vlan=vlan, mtu=mtu)
        assert {end.get("jumbo") for end in circuit.body["endpoints"]} == asked
        converge(service(oess), spec(oess), oess.kind, keep=False)


def test_path_with_three_ends_is_one_circuit(oess: OessDouble) -> None:
    third = "mx960-3.example.net:xe-0/0/1"
    oess.ports = (*oess.ports, third)  # type: ignore[assignment]  # one more than the contract needs
    assert len(made(oess).body["endpoints"]) == 3
    (seen,) = observer(oess).observe().paths
    assert third in seen.spec.ends


def test_state_that_is_not_known_is_silence(oess: OessDouble) -> None:
    circuit = made(oess)
    circuit.body["state"] = "painted"
    assert observer(oess).observe().silence == f"anagram: circuit {circuit.id} is painted, which dtnctl does not know"
