"""Traps of OSCARS: names that somebody else has, what it forgets, and the limits of its fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from dtnctl.errors import EngineError
from tests.fakes.paths.double import Circuit
from tests.fakes.paths.oscars import OscarsDouble
from tests.providers.paths.converge import converge
from tests.providers.paths.doubles import observer, service, spec


@pytest.fixture
def oscars() -> Iterator[OscarsDouble]:
    with OscarsDouble(pace=0) as found:
        yield found


def made(oscars: OscarsDouble, **fields: object) -> Circuit:
    before = set(oscars.circuits)
    converge(service(oscars), spec(oscars, **fields), oscars.kind, keep=True)
    (name,) = set(oscars.circuits) - before
    return oscars.circuits[name]


def test_name_that_somebody_has_is_not_overwritten(oscars: OscarsDouble) -> None:
    first = made(oscars)
    oscars.circuits.clear()
    theirs = oscars.add(first.id, "LHC primary")
    ours = made(oscars)
    assert ours.id != theirs.id
    assert theirs.body["meta"]["description"] == "LHC primary"


def test_name_is_used_once(oscars: OscarsDouble) -> None:
    names = []
    for _ in range(8):
        names.append(made(oscars).id)
        converge(service(oscars), spec(oscars), oscars.kind, keep=False)
    assert len(set(names)) == 8


def test_refusal_before_it_is_asked_for_has_the_words_of_oscars(oscars: OscarsDouble) -> None:
    oscars.circuits["CXA4"] = Circuit("CXA4", "DEPLOYED", {**made(oscars).body, "name": "CXA4"})
    converge(service(oscars), spec(oscars), oscars.kind, keep=False)
    with pytest.raises(EngineError, match=r"does not grant path a2b: vlan 1790 not available on kans-cr6:1/1/c17/2"):
        service(oscars).request(spec(oscars))


def test_deployment_that_fails_is_seen_as_failed(oscars: OscarsDouble) -> None:
    made(oscars).state = "DEPLOY_FAILED"
    (seen,) = observer(oscars).observe().paths
    assert (seen.state, seen.words) == ("failed", "RESERVED ACTIVE DEPLOY_FAILED")


def test_state_that_is_not_known_is_silence(oscars: OscarsDouble) -> None:
    made(oscars).state = "BEING_PAINTED"
    assert "which dtnctl does not know" in observer(oscars).observe().silence


def test_end_is_kept_and_changed_in_place(oscars: OscarsDouble) -> None:
    made(oscars, until="2027-01-01T00:00:00Z")
    (seen,) = observer(oscars).observe().paths
    assert seen.spec.until == "2027-01-01T00:00:00Z"
    service(oscars).modify(seen, spec(oscars, until="2028-01-01T00:00:00Z"))
    (seen,) = observer(oscars).observe().paths
    assert seen.spec.until == "2028-01-01T00:00:00Z"


def test_description_that_oscars_would_cut_is_refused(oscars: OscarsDouble) -> None:
    with pytest.raises(EngineError, match="keeps 80 characters of a description, and that of path a2b has 87"):
        service(oscars).request(replace(spec(oscars), endpoints=("a" * 35, "b" * 35)))
    assert oscars.circuits == {}
