"""A connection that breaks in the middle: the next try goes on, sends less, and all is compared as ever."""

from __future__ import annotations

import re

import pytest

from tests.runtime.transfers.tools.scene import HERE, THERE, Job, ToolScene

pytestmark = pytest.mark.lab
SIZE, ENOUGH = 12_000_000, 4_000_000
# Ends the sessions of sshd, as a broken connection does; their programs see the end of their input.
BREAK = "for p in /proc/[0-9]*; do [ $(stat -c %U $p) = dtnaas ] && [ $(cat $p/comm) = sshd ] && kill -9 ${p#/proc/}; done; true"


def wait_until_enough_arrived(scene: ToolScene, job: Job) -> None:
    for chunk in scene.engines[HERE].logs(job.container, follow=True):
        if any(int(found.replace(b",", b"")) > ENOUGH for found in re.findall(rb"([\d,]{5,}) +\d+%", chunk)):
            return
    raise AssertionError("it ended before that")


def sent_bytes(scene: ToolScene) -> int:
    return int(scene.sh(HERE, "cat /sys/class/net/eth0/statistics/tx_bytes"))


def test_rsync_sends_what_the_broken_try_had_not_copied(scene: ToolScene) -> None:
    scene.sh(HERE, f"head -c {SIZE} /dev/urandom > /data/broken")
    scene.sh(THERE, "mkdir -p /data/resumed")
    job = scene.job("rsync", "/data/broken", "/data/resumed/it", retries=1, backoff=0.1, algorithm="sha256")
    with scene.slow():
        job.start()
        wait_until_enough_arrived(scene, job)
        scene.sh(THERE, BREAK, user="root")
        job.wait_for_end()
    before = sent_bytes(scene)
    receipt = job.finish()
    assert (receipt.verdict, receipt.attempt, receipt.verified) == ("succeeded", 2, "sha256 of 1 file equal at both ends"), receipt
    assert receipt.resumed > ENOUGH / 2
    assert sent_bytes(scene) - before < SIZE - ENOUGH / 2
    assert scene.sh(THERE, "ls -A /data/resumed") == "it\n"
    assert scene.sh(THERE, "sha256sum < /data/resumed/it") == scene.sh(HERE, "sha256sum < /data/broken")
    job.leaves_nothing()
