"""Every check finds its planted fault, and no other check is misled by it."""

from __future__ import annotations

import pytest

from dtnctl.model.checks import CHECKS
from dtnctl.model.findings import Finding
from tests.planning.doctor.faults import FAULTS, Fault
from tests.planning.doctor.scene import Scene, lines


def test_well_tuned_host_has_no_faults() -> None:
    scene = Scene()
    examination = scene.examine()
    assert lines(scene.faults()) == []
    assert examination.checked > 100
    assert (examination.nic, examination.speed) == ("ens1f0", 100_000)


def test_every_item_of_a_well_tuned_host_is_known() -> None:
    assert Scene().examine().counts["unknown"] == 0


def found(fault: Fault) -> Finding:
    scene = Scene()
    fault.spoil(scene)
    faults = scene.faults()
    assert lines(faults) == [fault.finding]
    return faults[0]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.sentence)
def test_planted_fault_is_found_and_nothing_else(fault: Fault) -> None:
    finding = found(fault)
    assert finding.actual, "what is wrong is told"
    assert finding.fix, "and what to do"
    assert "\n" not in finding.fix
    assert finding.expected
    assert finding.place.startswith("state/")
    assert finding.why.startswith(finding.about.why)
    assert "https://" in finding.why


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_has_a_fault_that_it_finds(check: str) -> None:
    assert check in {fault.finding.split()[1] for fault in FAULTS}


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_is_made_on_a_well_tuned_host(check: str) -> None:
    """A check that never says ok would never be missed. Pause frames are not judged where a service uses RDMA."""
    scene = Scene()
    if check == "nic.pause":
        scene.spec["devices"] = ()
    assert "ok" in {finding.severity for finding in scene.examine().findings if finding.check == check}
