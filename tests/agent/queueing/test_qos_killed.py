"""An agent that is killed at any call while it shapes a container."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dtn_agent.protocol import ClearQos, SetQos
from dtn_agent.queueing.qos import ContainerQos
from dtn_agent.queueing.wire import ROOT, Queue

from tests.agent.engine_stand_in import EngineStandIn
from tests.agent.namespace_host import needs_root
from tests.agent.queueing.shaped import NAME, change, clear, kinds, need, queues, request

pytestmark = [pytest.mark.lab, needs_root]

REPOSITORY = Path(__file__).parents[3]


PROGRAM = """
import os, signal, sys, threading
from pathlib import Path
from dtn_agent.ledger import Ledger
from dtn_agent.protocol import ClearQos, SetQos
from dtn_agent.queueing.qos import ContainerQos

folder, request, last = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
calls = 0

def killed_at_the_last(frame, event, argument):
    global calls
    if event == "call" and (frame.f_code.co_name, os.path.basename(frame.f_code.co_filename)) in (
        ("_ask", "wire.py"), ("write", "ledger.py"), ("_sync_folder", "ledger.py")
    ):
        calls += 1
        if calls > last:
            os.kill(os.getpid(), signal.SIGKILL)

qos = ContainerQos(Ledger(folder / "ledger.json"), folder / "engine.sock")
import dtn_agent.queueing.qos
asked = SetQos.model_validate_json(request) if "set-qos" in request else ClearQos.model_validate_json(request)
abilities = dtn_agent.queueing.qos.queueing_abilities()  # not of interest here
threading.setprofile(killed_at_the_last)
sys.setprofile(killed_at_the_last)
qos.set(asked) if isinstance(asked, SetQos) else qos.clear(asked)
"""


def run_until(folder: Path, asked: SetQos | ClearQos, last: int) -> bool:
    """Whether the request ended within so many calls to the kernel and to the ledger; else it was killed there."""
    environment = {"PYTHONPATH": f"{REPOSITORY / 'agent'}"}
    command = [sys.executable, "-c", PROGRAM, str(folder), asked.model_dump_json(), str(last)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode in (0, -signal.SIGKILL), ran.stderr
    return ran.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("asked", [request(rate=1000), ClearQos(site="scinet", container=NAME)], ids=["set", "clear"])
def test_agent_killed_anywhere_finds_its_way(engine: EngineStandIn, qos: ContainerQos, tmp_path: Path, asked: SetQos | ClearQos) -> None:
    """The next start makes what is in the ledger, and clearing brings back what somebody had set up before us."""
    need("tbf")
    container = engine.run(NAME)
    change(container, lambda wire, link: wire.replace(link, Queue("pfifo", 0, ROOT, (77).to_bytes(4, "little"))))
    ended, last = False, 0
    while not ended:
        if isinstance(asked, ClearQos):
            qos.set(request(rate=1000))
        ended = run_until(tmp_path, asked, last)
        qos.shape_all()
        assert kinds(container) == (["tbf"] if qos.held() else ["pfifo"])
        clear(qos)
        assert [(queue.kind, queue.options) for queue in queues(container)] == [("pfifo", (77).to_bytes(4, "little"))]
        last += 1
    assert last > 5
