"""What a fix tells people to declare can be read back, and names settings that the agent takes."""

from __future__ import annotations

import re

import pytest
from dtn_agent.protocol import Tune

from dtnctl.model.source import Source
from dtnctl.runtime.yaml_source import parse_source
from tests.planning.doctor.faults import FAULTS, Fault
from tests.planning.doctor.scene import Scene

# As Tune's own description lists them.
SETTINGS = re.compile(
    r"sysctl/[\w.]+|interface/\w+/(mtu|tx_queue_len|rx_ring|tx_ring|channels|qdisc|adaptive_rx|pause_rx|pause_tx|irqs)"
    r"|governor|smt|huge_pages|irqbalance|block/\w+/(scheduler|nr_requests|read_ahead_kb|rq_affinity|nomerges)"
)


def declared(text: str) -> Source:
    source = Source("state/endpoints/a.yaml")
    parse_source(text.encode(), source)
    assert source.problems == []
    return source


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.sentence)
def test_tuning_is_yaml_that_dtnctl_reads_and_the_agent_takes(fault: Fault) -> None:
    scene = Scene()
    fault.spoil(scene)
    fix = scene.faults()[0].fix
    if not fix.startswith("tuning: "):
        assert "tuning" not in fix
        return
    ((key, value),) = declared(fix).value["tuning"].items()
    assert SETTINGS.fullmatch(key)
    assert isinstance(value, (str, int))
    assert Tune(site="lab", key=key, value=str(value)).key == key


def test_most_faults_have_a_setting_that_dtnctl_can_own() -> None:
    """The test above would pass without any."""
    scenes = [Scene() for _ in FAULTS]
    for scene, fault in zip(scenes, FAULTS, strict=True):
        fault.spoil(scene)
    assert sum(scene.faults()[0].fix.startswith("tuning: ") for scene in scenes) > 30
