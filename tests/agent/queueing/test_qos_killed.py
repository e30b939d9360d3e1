"""An agent that is killed at any call while it shapes a container."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import pytest
from dtn_agent.ledger import Ledger
from dtn_agent.protocol.qos import ClearQos, SetQos
from dtn_agent.queueing.qos import ContainerQos
from dtn_agent.queueing.wire import ROOT, Queue

from tests.agent.engine_stand_in import EngineStandIn
from tests.agent.forked import ends_in_a_fork
from tests.agent.namespace_host import needs_root
from tests.agent.queueing.shaped import NAME, change, clear, kinds, need, queues, request

pytestmark = [pytest.mark.lab, needs_root]

CALLS = (("_ask", "wire.py"), ("write", "ledger.py"), ("_sync_folder", "ledger.py"))


def run_until(folder: Path, asked: SetQos | ClearQos, last: int) -> bool:
    """Whether the request ended within so many calls to the kernel and to the ledger; else it was killed there."""
    calls = 0

    def killed_at_the_last(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        del argument
        if event == "call" and (frame.f_code.co_name, Path(frame.f_code.co_filename).name) in CALLS:
            calls += 1
            if calls > last:
                os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        qos = ContainerQos(Ledger(folder / "ledger.json"), folder / "engine.sock")
        threading.setprofile(killed_at_the_last)
        sys.setprofile(killed_at_the_last)
        qos.set(asked) if isinstance(asked, SetQos) else qos.clear(asked)

    return ends_in_a_fork(work)


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
