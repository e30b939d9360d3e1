"""rclone's own servers between two services: who may write to them, and which image has them."""

from __future__ import annotations

import pytest

from dtnctl.errors import TransferError
from tests.runtime.transfers.tools.scene import HERE, SERVER_PORT, SERVICE, THERE, USER, ToolScene

pytestmark = pytest.mark.lab


def test_without_the_password_of_the_attempt_nothing_is_written_by_webdav(scene: ToolScene) -> None:
    scene.sh(HERE, "head -c 20000000 /dev/urandom > /data/kept")
    job = scene.job("rclone-webdav", "/data/kept", "/data/rclone-kept/x")
    url = f"http://{scene.lab.endpoint(THERE).control_ip}:{SERVER_PORT}"
    options = ("--config", "", "--webdav-url", url, "--retries=1", "--low-level-retries=1")
    stranger = ("rclone", "copyto", *options, "/etc/hostname", ":webdav:stranger")
    with scene.slow():
        job.start()
        job.wait_until_it_moves()
        ran = scene.engines[HERE].run(SERVICE, stranger, user=USER)
        receipt = job.finish()
    assert (ran.exit_code != 0, b"401" in ran.stderr) == (True, True), ran
    assert receipt.verdict == "succeeded", receipt
    assert scene.sh(THERE, "ls /data/rclone-kept") == "x\n"
    job.leaves_nothing()


def test_an_image_whose_rclone_has_no_s3_server_is_refused_before_anything_starts(scene: ToolScene) -> None:
    scene.sh(HERE, "echo x > /data/x")
    job = scene.job("rclone", "/data/x", "/data/rclone-s3", own={"protocol": "s3"})
    with pytest.raises(TransferError, match=r"the image of lab\.demo on dtn2 has no rclone 1\.65 or newer, which `protocol: s3` needs"):
        job.start()
    job.leaves_nothing()
