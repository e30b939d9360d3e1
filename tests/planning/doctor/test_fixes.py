"""What a fix tells people to declare can be read back, and names settings that the agent takes."""

from __future__ import annotations

import pytest
from dtn_agent.protocol.tuning import Tune

from dtnctl.model.source import Source
from dtnctl.model.tuning import Tuning, tuning_items
from dtnctl.repository.yaml_source import parse_source
from tests.planning.doctor.faults import FAULTS, Fault
from tests.planning.doctor.scene import Scene

DRIVES = ("nvme0n1", "nvme1n1", "sda", "md0")


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
    items = tuning_items(Tuning.model_validate(declared(fix).value["tuning"]), DRIVES)
    assert items
    for key, value in items.items():
        assert Tune(site="lab", key=key, value=value).key == key


def test_most_faults_have_a_setting_that_dtnctl_can_own() -> None:
    """The test above would pass without any."""
    scenes = [Scene() for _ in FAULTS]
    for scene, fault in zip(scenes, FAULTS, strict=True):
        fault.spoil(scene)
    assert sum(scene.faults()[0].fix.startswith("tuning: ") for scene in scenes) > 30
