"""An unmount has ended when the kernel has written what the mount held: until then nothing cuts the target off."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from dtn_agent.errors import RefusedError
from dtn_agent.nvmeof.limits import Ran
from dtn_agent.protocol import Held
from dtn_agent.protocol.volumes import Queues

from tests.agent.nvmeof.kernel_initiator import MountTable
from tests.agent.nvmeof.volume_host import NQN, VolumeHost, connect, disconnect, mount, process, unmount, volume_host

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an immutable folder needs root")


def written_host(folder: Path, **queues: int) -> VolumeHost:
    host = volume_host(folder)
    host.do(connect(queues=Queues(**queues)), mount(mode="rw"))
    return host


def begun_unmount(folder: Path, monkeypatch: pytest.MonkeyPatch) -> VolumeHost:
    """A host on which umount did not end in time: the mount is still there, and its unmount is due."""

    def hang(_: MountTable, path: str, unfinished: str) -> Ran:
        raise RefusedError("failed", f"{unfinished}: umount has not ended; try again")

    host = written_host(folder)
    with monkeypatch.context() as patch:
        patch.setattr(MountTable, "_take_away", hang)
        assert host.refusal(unmount()).startswith(f"failed: {host.path} is not unmounted yet")
    assert len(host.mounted) == 1
    return host


def cut_off(host: VolumeHost) -> str:
    """An unmount during which the kernel wrote for too long; the refusal."""
    host.kernel.write_slowly()
    refusal = host.refusal(unmount())
    (host.folder / "writes-slowly").unlink()
    return refusal


def test_what_is_still_being_written_after_an_unmount_is_not_cut_off(tmp_path: Path) -> None:
    """The agent forgot an unmount that took too long: the next request ended the connection, and what was not written was lost."""
    host = written_host(tmp_path)
    process(tmp_path, 4711)
    (tmp_path / "proc/4711/cmdline").write_text(f"umount\0--no-canonicalize\0{host.path}\0")
    words = f"failed: {host.path} is unmounted, but what it held is still being written to {host.held.device} (rsync (process 4711))"
    assert cut_off(host).startswith(words)
    for request in (disconnect(), unmount(), mount(mode="rw"), connect(queues=Queues(io_queues=2))):
        assert host.refusal(request).startswith(words)
    for _ in range(2):
        host.volumes.restore()
    assert (host.held.state, host.mounted) == ("live", []), "and the agent, started again, does not mount it again"
    host.kernel.set_unwritten()
    assert host.do(unmount(), disconnect()) == [True, True]
    assert (host.traces(), host.ledger.read()) == ([], Held())


def test_an_unmount_ends_by_itself_when_all_is_written(tmp_path: Path) -> None:
    host = written_host(tmp_path)
    cut_off(host)
    assert host.held.mount is not None
    assert host.held.mount.is_being_unmounted
    host.volumes.restore()
    assert host.path.exists()
    host.kernel.set_unwritten()
    host.volumes.restore()
    assert not host.path.exists()
    assert '"mount": null' in (tmp_path / "state/ledger.json").read_text()


def test_it_can_be_mounted_once_more_when_all_is_written(tmp_path: Path) -> None:
    host = written_host(tmp_path)
    cut_off(host)
    host.kernel.set_unwritten()
    assert host.do(mount(mode="rw")) == [True]
    assert host.held.mount is not None
    assert (host.held.mount.is_being_unmounted, len(host.mounted)) == (False, 1)


def test_an_unmount_that_the_kernel_refuses_leaves_it_mounted_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = written_host(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(MountTable, "_take_away", lambda *_: Ran(32, "", "umount: target is busy."))
        assert host.refusal(unmount()) == f"conflict: {host.path} cannot be unmounted: umount: target is busy."
    host.volumes.restore()
    assert host.held.mount is not None
    assert (host.held.mount.is_being_unmounted, len(host.mounted)) == (False, 1)


def test_a_program_that_does_not_come_to_unmounting_leaves_that_to_the_next_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = begun_unmount(tmp_path, monkeypatch)
    host.volumes.restore()
    assert (host.mounted, host.held.mount) == ([], None)


def test_what_is_about_to_be_unmounted_does_not_count_as_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that was wanted again in between had an empty plan, and then lost its mount."""
    host = begun_unmount(tmp_path, monkeypatch)
    assert host.held.mount is not None
    assert (host.held.mount.is_being_unmounted, host.held.mount.is_mounted) == (True, False)
    assert host.do(mount(mode="rw")) == [True]
    host.volumes.restore()
    assert (host.held.mount.is_being_unmounted, host.held.mount.is_mounted, len(host.mounted)) == (False, True, 1)


@pytest.mark.parametrize("tried_by", ["the watch", "an unmount", "a mount"])
def test_an_unmount_that_was_begun_is_given_up_while_something_uses_the_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tried_by: str
) -> None:
    """It stayed due for ever: the mount went when its user ended, whatever was wanted by then."""
    host = begun_unmount(tmp_path, monkeypatch)
    process(tmp_path, 4711, cwd=str(host.path))
    in_use = f"conflict: {host.path} is in use: rsync (process 4711)"
    if tried_by == "the watch":
        host.volumes.restore()
    else:
        assert host.refusal(unmount() if tried_by == "an unmount" else mount(mode="rw")) == in_use
    assert host.held.mount is not None
    assert (host.held.mount.is_being_unmounted, host.held.mount.is_mounted) == (False, True)
    shutil.rmtree(tmp_path / "proc/4711")
    host.volumes.restore()
    assert len(host.mounted) == 1


def test_a_device_that_the_kernel_uses_otherwise_is_not_disconnected(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    host.do(connect())
    host.kernel.set_unwritten(host.kernel.number(host.held.device))
    assert host.refusal(disconnect()) == "conflict: scratch is in use: the kernel has a file system or another device on it"


# --- a target that does not answer --------------------------------------------------------------------------------------


def with_clock(host: VolumeHost, monkeypatch: pytest.MonkeyPatch, after: Sequence[str] = ()) -> list[float]:
    """A clock that goes on while programs wait; how long each unmount was waited for is appended to it. `after`: `come_back` then."""
    clock, usual = [1000.0], MountTable._run

    def waiting(self: MountTable, words: Sequence[str], seconds: float, unfinished: str, *, on_host: bool = True) -> Ran:
        if words[0] != "umount":
            return usual(self, words, seconds, unfinished, on_host=on_host)
        try:
            return usual(self, words, seconds, unfinished, on_host=on_host)
        except RefusedError:
            clock.append(seconds)
            if "come_back" in after:
                host.kernel.come_back(NQN)
                return Ran(0, "", "")
            raise

    monkeypatch.setattr(MountTable, "_run", waiting)
    return clock


def test_what_is_not_written_yet_waits_for_a_silent_target_for_all_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection was ended at once: what a target that was away for a moment had not got yet was lost."""
    host = written_host(tmp_path)
    clock, volumes = with_clock(host, monkeypatch), host.volumes
    volumes.now = lambda: clock[0]
    host.kernel.lose(NQN)
    volumes.restore()
    clock[0] += 20
    assert "its target does not answer: what was not written to it yet is lost" in volumes.perform(unmount()).detail
    assert clock[1:] == [50.0], "the rest of 60 s, and some grace"
    assert (host.held.state, host.held.mount) == ("gone", None)


def test_nothing_is_lost_of_a_target_that_comes_back_while_it_is_unmounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = written_host(tmp_path)
    with_clock(host, monkeypatch, ["come_back"])
    host.kernel.lose(NQN)
    assert host.volumes.perform(unmount()).detail == "scratch is mounted no more"
    assert (host.held.state, host.held.mount) == ("live", None)


def test_a_target_with_more_time_than_a_request_keeps_it_and_nothing_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = written_host(tmp_path, ctrl_loss=600)
    clock = with_clock(host, monkeypatch)
    host.kernel.lose(NQN)
    text = f"failed: {host.path} is unmounted, but its target does not answer; what was not written to it yet waits for it for up to 490 s"
    assert host.refusal(unmount()).startswith(text)
    assert clock[1:] == [120.0]
    host.volumes.restore()
    assert (host.held.state, host.mounted) == ("connecting", [])
    host.kernel.come_back(NQN)
    host.volumes.restore()
    assert (host.held.state, host.held.mount) == ("live", None)


def test_nothing_waits_for_a_silent_target_that_was_only_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = volume_host(tmp_path)
    host.do(connect(), mount())
    clock = with_clock(host, monkeypatch)
    host.kernel.lose(NQN)
    assert host.volumes.perform(unmount()).detail == "scratch is mounted no more; its target does not answer"
    assert (clock[1:], host.held.state) == ([], "gone")
