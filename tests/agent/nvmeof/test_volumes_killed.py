"""kill -9 of the agent at each thing that it writes for a volume: what the ledger has is completed, and removal leaves nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from dtn_agent.protocol.volumes import VolumeRequest

from tests.agent.nvmeof.kernel_initiator import RemoteTarget
from tests.agent.nvmeof.killed import OF_INITIATOR, assert_keys_are_of, ends_before
from tests.agent.nvmeof.volume_host import HOST, NQN, PORTAL, UUID, VolumeHost, connect, disconnect, mount, unmount, volume_host

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="an immutable folder needs root")]
MAKING = mount(format=True, mode="rw")


def kill_everywhere(tmp_path: Path, before: list[VolumeRequest], request: VolumeRequest, check: Callable[[VolumeHost], None]) -> int:
    """After each place: restart, look, ask again, remove, look. The number of places."""
    ended, last = False, 0
    while not ended:
        (folder := tmp_path / str(last)).mkdir()
        host = volume_host(folder)
        host.kernel.offer(RemoteTarget(NQN, PORTAL, (UUID,), hosts=(HOST,)))
        host.do(*before)
        ended = ends_before(folder, partial(host.do, request), last, OF_INITIATOR)
        host.volumes.restore()
        assert_keys_are_of(host.volumes.held(), folder / "state")
        check(host)
        host.do(request, unmount(), disconnect())
        assert (host.traces(), host.volumes.held()) == ([], ()), last
        last += 1
    return last


def check_connected(host: VolumeHost) -> None:
    """What the ledger has is there, and what it has not is not."""
    held = host.volumes.held()
    assert [entry.state for entry in held] == ["live"] * len(held)
    assert len(host.kernel.connections(NQN)) == len(held)


def check_mounted(host: VolumeHost) -> None:
    check_connected(host)
    for entry in host.volumes.held():
        wants = entry.mount is not None and not entry.mount.is_being_made and host.kernel.target(NQN).content == "xfs"  # type: ignore[union-attr]
        assert len(host.mounted) == (1 if wants else 0)


def test_a_connection_that_is_killed_anywhere_is_made_or_was_not_begun(tmp_path: Path) -> None:
    assert kill_everywhere(tmp_path, [], connect(host_key="DHHC-1:00:a2V5:"), check_connected) > 10


def test_a_mount_that_is_killed_anywhere_is_made_or_was_not_begun(tmp_path: Path) -> None:
    assert kill_everywhere(tmp_path, [connect()], MAKING, check_mounted) > 10


def test_an_unmount_that_is_killed_anywhere_can_be_asked_for_again(tmp_path: Path) -> None:
    assert kill_everywhere(tmp_path, [connect(), MAKING], unmount(), check_mounted) > 3


def test_a_disconnection_that_is_killed_anywhere_can_be_asked_for_again(tmp_path: Path) -> None:
    assert kill_everywhere(tmp_path, [connect()], disconnect(), check_connected) > 3
