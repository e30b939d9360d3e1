"""nuttcp between two services: what it measures, and what a failure says."""

from __future__ import annotations

import pytest

from tests.runtime.transfers.tools.scene import SERVER_PORT, THERE, ToolScene

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("own", [{}, {"reverse": True}])
def test_bytes_are_counted_where_they_are_received(scene: ToolScene, own: dict[str, object]) -> None:
    scene.progress.clear()
    job = scene.job("nuttcp", own={"seconds": 3, **own}, parallelism=2)
    receipt = job.run()
    assert receipt.verdict == "succeeded", receipt
    assert receipt.bytes > 1_000_000
    assert any(progress.rate for progress in scene.progress)
    job.leaves_nothing()


@pytest.mark.parametrize(("port", "cause"), [(SERVER_PORT, "the nuttcp server"), (SERVER_PORT + 1, "a data port of the nuttcp server")])
def test_a_port_that_is_refused_is_no_success(scene: ToolScene, port: int, cause: str) -> None:
    job = scene.job("nuttcp", own={"seconds": 2})
    with scene.rule("!", "-i", "lo", "-p", "tcp", "--dport", str(port), "-j", "REJECT", "--reject-with", "tcp-reset"):
        receipt = job.run()
    assert (receipt.verdict, receipt.retryable) == ("failed", True), receipt
    assert receipt.cause.startswith(f"{cause} is not reached"), receipt.cause
    job.leaves_nothing()


def test_a_server_that_is_killed_in_the_middle_is_no_success(scene: ToolScene) -> None:
    job = scene.job("nuttcp", own={"seconds": 20})
    job.start()
    job.wait_until_it_moves()
    scene.engines[THERE].stop(f"{job.container}.server", 0)
    receipt = job.finish()
    assert (receipt.verdict, receipt.retryable) == ("failed", True), receipt
    job.leaves_nothing()
