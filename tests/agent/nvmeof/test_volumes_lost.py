"""A target that is gone, for a while or for good, and a host that reboots: what comes back by itself, and what can still be removed."""

from __future__ import annotations

import io
import json
import os
import threading
from pathlib import Path

import pytest
from dtn_agent.audit import Audit
from dtn_agent.errors import RefusedError
from dtn_agent.log import Lines
from dtn_agent.nvmeof import fabrics
from dtn_agent.nvmeof import volumes as module
from dtn_agent.protocol import Held

from tests.agent.nvmeof.kernel_initiator import KernelInitiator
from tests.agent.nvmeof.volume_host import NQN, VolumeHost, connect, disconnect, mount, process, unmount, volume_host

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an immutable folder needs root")


def mounted_host(folder: Path) -> VolumeHost:
    host = volume_host(folder)
    host.do(connect(), mount())
    return host


def test_after_a_reboot_it_is_connected_and_mounted_again(tmp_path: Path) -> None:
    host = mounted_host(tmp_path)
    host.reboot()
    assert (host.held.state, host.held.device) == ("gone", "")
    output = io.StringIO()
    volumes = host.volumes
    volumes.audit = Audit(Lines(output), "agent")
    for _ in range(2):
        volumes.restore()
    assert (host.held.state, len(host.mounted)) == ("live", 1)
    (line,) = map(json.loads, output.getvalue().splitlines())
    assert (line["request"]["do"], line["request"]["volume"], line["result"]) == ("connect-volume", "scratch", "done")


def test_a_volume_whose_keys_are_lost_is_not_connected_without_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    host = volume_host(tmp_path)
    request = connect(host_key="DHHC-1:00:a2V5:")
    host.do(request)
    host.reboot()
    (tmp_path / "state/volume-keys.json").unlink()
    host.volumes.restore()
    assert host.held.state == "gone"
    assert "scratch: its keys are not stored on this host any more" in caplog.text
    host.do(request)
    assert "dhchap_secret" in host.options()


def test_a_target_that_comes_later_is_found_by_the_watcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = mounted_host(tmp_path)
    host.reboot()
    host.kernel.lose(NQN)
    volumes = host.volumes
    volumes.restore()
    assert host.mounted == []
    host.kernel.come_back(NQN)
    monkeypatch.setattr(module, "WATCH_SECONDS", 0.01)
    stop = threading.Event()
    watching = threading.Thread(target=volumes.watch, args=(stop,))
    watching.start()
    while not host.mounted:
        stop.wait(0.01)
    stop.set()
    watching.join()
    assert host.held.state == "live"


def test_a_target_that_the_kernel_tries_for_too_long_is_given_up_in_its_place(tmp_path: Path) -> None:
    """Over RDMA each of the kernel's tries may take 80 s, and it counts tries: 60 s became half an hour."""
    host, clock = mounted_host(tmp_path), [1000.0]
    volumes = host.volumes
    volumes.now = lambda: clock[0]
    host.kernel.lose(NQN)
    volumes.restore()
    clock[0] += 60
    volumes.restore()
    assert host.held.state == "connecting", "it is still within its time"
    clock[0] += 11
    while host.held.state != "gone":
        volumes.restore()
    host.kernel.come_back(NQN)
    while host.held.state != "live":
        volumes.restore()
    assert len(host.mounted) == 1


def test_only_its_own_requests_wait_for_a_target_that_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over RDMA the kernel may take two minutes to end it: the requests of all volumes waited."""
    host, clock, usual = mounted_host(tmp_path), [1000.0], KernelInitiator.write
    volumes, was_free = host.volumes, list[bool]()
    volumes.now = lambda: clock[0]

    def slow(self: KernelInitiator, path: Path, text: str) -> None:
        if path.name == "delete_controller":
            was_free.append(volumes.lock.acquire(timeout=10))
            if was_free[-1]:
                volumes.lock.release()
        usual(self, path, text)

    monkeypatch.setattr(KernelInitiator, "write", slow)
    host.kernel.lose(NQN)
    volumes.restore()
    clock[0] += 71
    for _ in range(3):
        volumes.restore()
    assert "its target does not answer" in volumes.perform(unmount()).detail
    assert (was_free, host.held.state) == ([True], "gone")


def test_a_target_that_came_back_in_between_has_its_whole_time_again(tmp_path: Path) -> None:
    host, clock = mounted_host(tmp_path), [1000.0]
    volumes = host.volumes
    volumes.now = lambda: clock[0]
    for _ in range(3):
        host.kernel.lose(NQN)
        volumes.restore()
        clock[0] += 50
        host.kernel.come_back(NQN)
        volumes.restore()
    assert (host.held.state, len(host.mounted)) == ("live", 1)


def test_one_try_at_a_time_and_what_comes_of_it_late_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel makes one connection after the other: tries that were left behind stood in a row, and no other volume came through."""
    host = volume_host(tmp_path)
    volumes, usual = host.volumes, KernelInitiator.ask_for
    goes_on, made = threading.Event(), threading.Event()

    def slow(self: KernelInitiator, line: str) -> None:
        goes_on.wait(60)
        usual(self, line)
        made.set()

    with monkeypatch.context() as patch:
        patch.setattr(KernelInitiator, "ask_for", slow)
        patch.setattr(fabrics, "CONNECT_SECONDS", 0.01)
        with pytest.raises(RefusedError, match="does not answer"):
            volumes.perform(connect())
        for volume in ("scratch", "other"):
            with pytest.raises(RefusedError, match="the kernel still tries to connect scratch"):
                volumes.perform(connect(volume=volume))
    goes_on.set()
    made.wait(60)
    while host.traces():
        made.wait(0.01)
    assert volumes.perform(connect()).changed


def test_a_target_that_is_away_is_reported_and_left_to_the_kernel(tmp_path: Path) -> None:
    host = mounted_host(tmp_path)
    host.kernel.lose(NQN)
    volumes = host.volumes
    volumes.restore()
    assert (host.held.state, len(host.mounted)) == ("connecting", 1)
    assert "the target tcp 10.0.0.2:4420 does not answer; the connection is connecting" in host.refusal(connect())
    host.kernel.come_back(NQN)
    assert host.held.state == "live"


def test_one_that_was_given_up_is_mounted_again_without_its_remains(tmp_path: Path) -> None:
    host = mounted_host(tmp_path)
    host.kernel.lose(NQN)
    host.kernel.expire(NQN)
    held = host.held
    assert held.mount is not None
    assert (held.state, held.device, held.mount.is_mounted) == ("gone", "", False)
    assert len(host.mounted) == 1, "the remains"
    host.kernel.come_back(NQN)
    host.volumes.restore()
    assert len(host.mounted) == 1
    assert host.held.mount is not None
    assert host.held.mount.is_mounted
    number = host.kernel.number(host.held.device)
    assert f" {number} / {host.path} " in (tmp_path / "proc/1/mountinfo").read_text()


def test_a_container_with_the_remains_is_drift_until_it_starts_again(tmp_path: Path) -> None:
    host = mounted_host(tmp_path)
    number = host.kernel.number(host.held.device)
    process(tmp_path, 77, namespace="mnt:[2]", mountinfo=f"7 1 {number} / /data ro - xfs /dev/nvme1n1 ro\n")
    assert host.held.mount is not None
    assert host.held.mount.is_mounted
    (tmp_path / "proc/1/mountinfo").write_text((tmp_path / "proc/1/mountinfo").read_text() + f"8 1 {number} / /other ro - xfs x ro\n")
    host.kernel.lose(NQN)
    host.kernel.expire(NQN)
    host.kernel.come_back(NQN)
    host.volumes.restore()
    assert (host.held.state, len(host.mounted), host.held.mount.is_mounted) == ("live", 1, False)
    for name in ("1", "77"):
        table = tmp_path / "proc" / name / "mountinfo"
        table.write_text(
            "".join(line for line in table.read_text().splitlines(keepends=True) if "/other" not in line and "/data" not in line)
        )
    assert host.held.mount.is_mounted
    assert host.do(mount()) == [False]


@pytest.mark.parametrize("given_up", [False, True])
def test_it_is_removed_though_its_target_is_gone(tmp_path: Path, given_up: bool) -> None:  # a case
    host = volume_host(tmp_path)
    host.do(connect(), mount(mode="rw"))
    host.kernel.lose(NQN)
    if given_up:
        host.kernel.expire(NQN)
    done = host.volumes.perform(unmount())
    assert "its target does not answer: what was not written to it yet is lost" in done.detail
    assert host.do(disconnect()) == [True]
    assert (host.traces(), host.ledger.read()) == ([], Held())


def test_why_it_cannot_be_restored_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    host = mounted_host(tmp_path)
    host.reboot()
    host.kernel.lose(NQN)
    volumes = host.volumes
    for _ in range(2):
        volumes.restore()
    assert [record.getMessage() for record in caplog.records] == [
        "not restored: scratch: the target tcp 10.0.0.2:4420: it is not reached: Connection timed out"
    ]


def test_a_connection_that_another_program_made_meanwhile_is_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    host = mounted_host(tmp_path)
    (tmp_path / "run/nvme/registry/nvme1/owner").write_text("stas\n")
    before = host.traces()
    host.volumes.restore()
    assert host.traces() == before
    assert "as nvme1 by stas" in caplog.text
