"""iperf3 between two services: what it measures."""

from __future__ import annotations

import pytest

from tests.runtime.transfers.tools.scene import ToolScene

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("own", [{}, {"reverse": True}, {"bidirectional": True}])
def test_bytes_are_counted_by_the_server(scene: ToolScene, own: dict[str, object]) -> None:
    scene.progress.clear()
    job = scene.job("iperf3", own={"seconds": 2, **own}, parallelism=2)
    receipt = job.run()
    assert receipt.verdict == "succeeded", receipt
    assert receipt.bytes > 1_000_000
    assert any(progress.rate for progress in scene.progress)
    job.leaves_nothing()
