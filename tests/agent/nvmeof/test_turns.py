"""What may wait for a silent target is waited for by nothing else that the agent is asked for."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from dtn_agent.protocol import Facts, Request
from dtn_agent.protocol.facts import Cpus, Memory, System
from dtn_agent.work import Work

from tests.agent.nvmeof.kernel_initiator import KernelInitiator, RemoteTarget
from tests.agent.nvmeof.target_host import TargetHost, export, target_host
from tests.agent.nvmeof.volume_host import HOST, NQN, PORTAL, UUID, connect, disconnect, mount, unmount, volume_host

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an immutable folder needs root")
OTHER_NQN, OTHER_UUID = f"{NQN}-other", UUID.replace("6666", "7777")
FACTS = Facts(system=System(hostname="dtn1", kernel="6.12"), cpus=Cpus(), memory=Memory(total=1, available=1))


@dataclass(frozen=True)
class Silent:
    """An agent that ends the connection to a target that is gone, for as long as the kernel takes."""

    work: Work
    target: TargetHost
    began: threading.Event
    may_end: threading.Event


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Silent]:
    (tmp_path / "initiator").mkdir()
    (tmp_path / "target").mkdir()
    host, usual = volume_host(tmp_path / "initiator"), KernelInitiator.write
    host.kernel.offer(RemoteTarget(OTHER_NQN, PORTAL, (OTHER_UUID,), content="xfs", hosts=(HOST,)))
    began, may_end = threading.Event(), threading.Event()

    def slow(self: KernelInitiator, path: Path, text: str) -> None:
        if path.name == "delete_controller":
            began.set()
            may_end.wait()
        usual(self, path, text)

    target = target_host(tmp_path / "target")
    work = Work(host.ledger, lambda held: FACTS, (host.volumes, target.exports), lambda: True)
    work.perform(connect())
    work.perform(mount())
    host.kernel.lose(NQN)
    monkeypatch.setattr(KernelInitiator, "write", slow)
    yield Silent(work, target, began, may_end)
    may_end.set()


def test_other_volumes_and_exports_are_made_while_the_kernel_ends_a_connection(silent: Silent) -> None:
    """Requests of all kinds stood behind it, over RDMA for minutes, until dtnctl gave them up."""
    others: list[Request] = [connect(volume="other", nqn=OTHER_NQN, uuid=OTHER_UUID), export(silent.target)]
    with ThreadPoolExecutor(3) as pool:
        ending = pool.submit(silent.work.perform, unmount())
        assert silent.began.wait(60)
        assert [pool.submit(silent.work.perform, request).result(60).changed for request in others] == [True, True]
        assert not ending.done()
        silent.may_end.set()
        assert "its target does not answer" in ending.result(60).detail


def test_requests_for_the_same_volume_come_one_after_the_other(silent: Silent) -> None:
    with ThreadPoolExecutor(2) as pool:
        ending = pool.submit(silent.work.perform, unmount())
        assert silent.began.wait(60)
        after = pool.submit(silent.work.perform, disconnect())
        silent.may_end.set()
        assert (ending.result(60).changed, after.result(60).changed) == (True, True)
