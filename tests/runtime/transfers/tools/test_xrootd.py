"""xrootd between two services: who may write to its server."""

from __future__ import annotations

import pytest

from tests.runtime.transfers.tools.scene import HERE, SERVER_PORT, SERVICE, THERE, USER, ToolScene

pytestmark = pytest.mark.lab


def test_without_the_key_of_the_attempt_nothing_is_written(scene: ToolScene) -> None:
    scene.sh(HERE, "head -c 20000000 /dev/urandom > /data/kept")
    job = scene.job("xrootd", "/data/kept", "/data/xrootd-kept/x")
    url = f"root://{scene.lab.endpoint(THERE).control_ip}:{SERVER_PORT}//there/tree/stranger"
    stranger = ("env", "XRD_CONNECTIONWINDOW=60", "XRD_CONNECTIONRETRY=1", "xrdcp", "-f", "-N", "/etc/hostname", url)
    with scene.slow():
        job.start()
        job.wait_until_it_moves()
        ran = scene.engines[HERE].run(SERVICE, stranger, user=USER)
        receipt = job.finish()
    assert (ran.exit_code, b"Auth failed" in ran.stderr) == (52, True), ran
    assert receipt.verdict == "succeeded", receipt
    assert scene.sh(THERE, "ls /data/xrootd-kept") == "x\n"
    job.leaves_nothing()
