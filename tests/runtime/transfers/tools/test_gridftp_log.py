"""GridFTP between two services: what the servers' own transfer logs bring into the record."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import pytest

from dtnctl.movers.gridftp_truth import NO_LOG
from tests.runtime.transfers.tools.scene import HERE, THERE, ToolScene

pytestmark = pytest.mark.lab
SERVED = re.compile(
    r"destination received 3 files, 6000000 bytes, 4 streams, 20\S+Z to 20\S+Z; "
    r"source sent 3 files, 6000000 bytes, 4 streams, 20\S+Z to 20\S+Z, \d+ retransmits?"
)


@contextlib.contextmanager
def sshftp_of_the_user(scene: ToolScene, script: str) -> Iterator[None]:
    """An sshftp of the destination's user, which counts before that of the image."""
    scene.sh(THERE, f"mkdir -p ~/.globus; printf '%s\\n' '#!/bin/bash' '{script}' >~/.globus/sshftp; chmod 755 ~/.globus/sshftp")
    try:
        yield
    finally:
        scene.sh(THERE, "rm ~/.globus/sshftp")


def test_the_record_has_what_both_servers_logged(scene: ToolScene) -> None:
    scene.sh(HERE, "mkdir -p /data/logged; for n in 1 2 3; do head -c 2000000 /dev/urandom > /data/logged/$n; done")
    job = scene.job("gridftp", "/data/logged/", "/data/gridftp-logged/", recursive=True)
    receipt = job.run()
    assert (receipt.verdict, receipt.streams, receipt.retransmits is not None) == ("succeeded", 4, True), receipt
    assert SERVED.fullmatch(receipt.served), receipt.served
    job.leaves_nothing()


def test_a_server_that_takes_no_options_is_no_failure_and_is_named(scene: ToolScene) -> None:
    scene.sh(HERE, "echo x > /data/x")
    with sshftp_of_the_user(scene, "exec /usr/sbin/globus-gridftp-server -ssh"):
        receipt = scene.job("gridftp", "/data/x", "/data/gridftp-silent").run()
    assert receipt.verdict == "succeeded", receipt
    assert receipt.served.startswith("source sent 1 file, 2 bytes"), receipt.served
    assert NO_LOG.startswith("no log: ")


def test_a_server_that_logs_less_than_the_client_said_is_believed_where_nothing_is_compared(scene: ToolScene) -> None:
    scene.sh(HERE, "head -c 1000 /dev/urandom > /data/counted")
    less = 'exec /etc/grid-security/sshftp "$@" 2> >(sed -u s/NBYTES=1000/NBYTES=900/ >&2)'
    with sshftp_of_the_user(scene, less):
        compared = scene.job("gridftp", "/data/counted", "/data/gridftp-counted").run()
        uncompared = scene.job("gridftp", "/data/counted", "/data/gridftp-uncounted", verify="none").run()
    assert (compared.verdict, "it differs: 1 file with 1000 bytes" in compared.served) == ("succeeded", True), compared
    assert (uncompared.verdict, uncompared.retryable) == ("failed", True), uncompared
