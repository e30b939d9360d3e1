"""Fireflies of an xrootd transfer, as a collector beside the destination gets them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from dtnctl.model.scitags import Scitag
from tests.runtime.transfers.tools.scene import HERE, THERE, ToolScene

pytestmark = pytest.mark.lab
COLLECT = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
    collector.bind(("127.0.0.1", 10514))
    print("ready", flush=True)
    collector.settimeout(60)
    for _ in range(2):
        print(collector.recv(4096).decode(), flush=True)
"""


def test_a_collector_is_sent_when_a_flow_began_and_ended_and_whose_it_is(scene: ToolScene) -> None:
    scene.sh(HERE, "head -c 3000000 /dev/urandom > /data/marked")
    inside = scene.lab.command(THERE, [sys.executable, "-c", COLLECT])
    with subprocess.Popen(inside, stdout=subprocess.PIPE, text=True) as collector:
        assert collector.stdout is not None
        assert collector.stdout.readline() == "ready\n"
        receipt = scene.job("xrootd", "/data/marked", "/data/xrootd-marked", parallelism=1, scitag=Scitag(16, 3, "127.0.0.1")).run()
        lines = collector.stdout.read().splitlines()
    assert receipt.verdict == "succeeded", receipt
    packets = [json.loads(line[line.index("{") :]) for line in lines]
    assert {(item["context"]["experiment-id"], item["context"]["activity-id"]) for item in packets} == {(16, 3)}
    assert [item["flow-lifecycle"]["state"] for item in packets] == ["start", "end"]
    ends = {frozenset((item["flow-id"]["src-ip"], item["flow-id"]["dst-ip"])) for item in packets}
    assert ends == {frozenset(scene.lab.endpoint(name).control_ip for name in (HERE, THERE))}
