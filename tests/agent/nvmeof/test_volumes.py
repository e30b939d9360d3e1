"""A volume is connected, mounted, unmounted and disconnected; what is not ours, in use, or not empty is left alone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dtn_agent.errors import RefusedError
from dtn_agent.nvmeof.limits import Ran
from dtn_agent.nvmeof.mounts import HostMounts
from dtn_agent.protocol import Facts, Held
from dtn_agent.protocol.facts import Cpus, Memory, System
from dtn_agent.protocol.volumes import HeldMount, Portal, Queues

from tests.agent.nvmeof.kernel_initiator import KernelInitiator, MountTable, RemoteTarget
from tests.agent.nvmeof.volume_host import HOST, NQN, PORTAL, UUID, VolumeHost, connect, disconnect, mount, process, unmount, volume_host

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an immutable folder needs root")
KEY = "DHHC-1:00:a2V5:"


def test_a_volume_is_connected_mounted_and_given_back_without_a_trace(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    assert host.do(connect(), connect(), mount(), mount()) == [True, False, True, False]
    held = host.held
    assert (held.state, Path(held.device).name, held.uuid) == ("live", "nvme1n1", UUID)
    assert held.mount is not None
    assert (held.mount.path, held.mount.is_mounted, held.mount.mode) == (str(host.path), True, "ro")
    assert host.mounted == [("ro,norecovery,nouuid,nosuid,nodev,_netdev", held.device)]
    assert host.do(unmount(), unmount(), disconnect(), disconnect()) == [True, False, True, False]
    assert (host.traces(), host.ledger.read()) == ([], Held())


def test_the_kernel_is_asked_with_what_was_asked_for(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    queues = Queues(io_queues=8, queue_size=256, data_digest=True)
    host.do(connect(queues=queues, host_address="10.0.0.1", host_key=KEY))
    names = host.options().split(",")
    assert {"nr_io_queues", "queue_size", "data_digest", "host_traddr", "dhchap_secret", "keep_alive_tmo", "hostnqn", "hostid"} <= {*names}
    assert [name for name in ("hdr_digest", "dhchap_ctrl_secret", "duplicate_connect") if name in names] == []
    assert KEY not in (tmp_path / "state/ledger.json").read_text()
    assert modes_of_keys(tmp_path) == [0o600, 0o600]


def modes_of_keys(folder: Path) -> list[int]:
    return [stat.S_IMODE(path.stat().st_mode) for path in (folder / "sys/class/nvme").glob("*/dhchap_*secret")]


def test_keys_are_hidden_while_the_kernel_still_tries_to_connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel shows them from its first try on, which may take longer than the agent waits."""
    host, usual, seen = volume_host(tmp_path), KernelInitiator.ask_for, list[int]()

    def slow(self: KernelInitiator, line: str) -> None:
        usual(self, line)
        (tmp_path / "sys/class/nvme/nvme1/subsysnqn").rename(tmp_path / "unknown")
        for _ in range(500):
            if set(modes_of_keys(tmp_path)) == {0o600}:
                break
            threading.Event().wait(0.01)
        seen.extend(modes_of_keys(tmp_path))
        (tmp_path / "unknown").rename(tmp_path / "sys/class/nvme/nvme1/subsysnqn")

    monkeypatch.setattr(KernelInitiator, "ask_for", slow)
    host.do(connect(host_key=KEY, controller_key="DHHC-1:00:b3RoZXI=:"))
    assert seen == [0o600, 0o600]


def test_keys_that_an_agent_that_was_killed_left_readable_are_hidden(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    host.do(connect(host_key=KEY))
    for path in (tmp_path / "sys/class/nvme").glob("*/dhchap_*secret"):
        path.chmod(0o644)
    host.volumes.restore()
    assert modes_of_keys(tmp_path) == [0o600, 0o600]


def test_times_change_while_it_is_connected_and_all_else_connects_it_again(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    host.do(connect(), mount())
    assert host.do(connect(queues=Queues(ctrl_loss=30))) == [True]
    assert (tmp_path / "sys/class/nvme/nvme1/ctrl_loss_tmo").read_text() == "30"
    assert "is mounted at" in host.refusal(connect(queues=Queues(io_queues=2)))
    host.do(unmount())
    assert host.do(connect(queues=Queues(io_queues=2))) == [True]
    assert "nr_io_queues" in host.options()


def test_the_owner_stands_in_nvme_clis_registry(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    host.do(connect())
    entry = tmp_path / "run/nvme/registry/nvme1"
    assert ((entry / "owner").read_text(), (entry / "seqnum").read_text()) == ("dtnctl\n", "0\n")
    assert entry.stat().st_mode & 0o777 == 0o755
    host.do(disconnect())
    assert not entry.exists()


def test_the_hosts_name_is_made_once_where_it_has_none(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    host.kernel.offer(RemoteTarget(NQN, PORTAL, (UUID,), content="xfs"))
    (tmp_path / "etc/nvme/hostnqn").unlink()
    host.do(connect())
    name = (tmp_path / "state/hostnqn").read_text()
    host.do(disconnect(), connect())
    assert (tmp_path / "state/hostnqn").read_text() == name
    assert name.strip().endswith((tmp_path / "state/hostid").read_text().strip())


# --- what is not ours ---------------------------------------------------------------------------------------------------


def test_what_somebody_else_has_connected_is_left(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    host.kernel.ask_for(f"nqn={NQN},transport=tcp,traddr=10.0.0.2,trsvcid=4420,hostnqn={HOST},ctrl_loss_tmo=-1,reconnect_delay=10")
    before = host.traces()
    assert host.refusal(connect()) == f"conflict: {NQN} is connected already, as nvme1 by another program; it is left as it is"
    assert host.do(disconnect(), unmount()) == [False, False]
    assert (host.traces(), host.ledger.read()) == (before, Held())


def test_a_connection_that_another_owner_took_is_not_touched(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    host.do(connect())
    (tmp_path / "run/nvme/registry/nvme1/owner").write_text("stas\n")
    assert "as nvme1 by stas" in host.refusal(connect())


def test_another_sites_volume_stays(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    host.do(connect(), mount())
    assert host.do(unmount("other"), disconnect("other")) == [False, False]
    assert "is connected as the volume scratch of site play" in host.refusal(connect(site="other"))
    assert host.held.state == "live"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"answers": False}, "it is not reached"),
        ({"listens": False}, "nothing listens there"),
        ({"hosts": ()}, "such as a host that is not allowed"),
        ({"uuids": ("00000000-7777-4888-9999-000000000000",)}, f"has no namespace with the UUID {UUID}"),
    ],
)
def test_a_target_that_cannot_be_connected_is_named_and_nothing_is_left(tmp_path: Path, target: dict[str, object], words: str) -> None:
    host = volume_host(tmp_path)
    found = host.kernel.target(NQN)
    assert found is not None
    host.kernel.offer(replace(found, **target))  # type: ignore[arg-type]
    assert words in host.refusal(connect())
    assert (host.traces(), host.ledger.read()) == ([], Held())


def test_a_kernel_without_the_transport_is_named(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    assert "run `modprobe -a nvme_rdma`" in host.refusal(connect(portal=Portal(transport="rdma", address="10.0.0.2", port=4420)))


# --- file systems -------------------------------------------------------------------------------------------------------


def test_a_file_system_is_made_only_where_provably_nothing_is(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    target = RemoteTarget(NQN, PORTAL, (UUID,))
    host.kernel.offer(target)
    host.do(connect())
    assert "`format: if-empty` makes one" in host.refusal(mount())
    host.kernel.offer(replace(target, content="ext4"))
    assert "has ext4 on it, and no xfs" in host.refusal(mount(format=True))
    for place in (0, (16 << 20) - 1, (63 << 20), (64 << 20) - 1):
        host.kernel.offer(replace(target, data_at=place))
        assert "is not empty either" in host.refusal(mount(format=True))
    assert (host.mounted, host.held.mount, host.path.exists()) == ([], None, False)
    host.kernel.offer(target)
    assert host.do(mount(format=True, mode="rw")) == [True]
    assert host.mounted[0][0].startswith("rw,nouuid")
    assert host.do(unmount(), mount(format=True, mode="rw")) == [True, True], "and never a second time"


def being_made(host: VolumeHost, kind: str, **found: Any) -> None:
    """The agent was killed while it made a file system; this is what is on the namespace by now."""
    host.do(connect())
    path = str(host.path)
    host.volumes.entries.put(host.held.model_copy(update={"mount": HeldMount(path=path, file_system=kind, mode="rw", is_being_made=True)}))
    target = host.kernel.target(NQN)
    assert target is not None
    host.kernel.offer(replace(target, **found))
    host.reboot()
    host.volumes.restore()
    assert host.mounted == [], "nothing is formatted without a request"


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("xfs", {"content": ""}),
        ("xfs", {"content": "xfs", "is_begun": True, "files": True}),
        ("ext4", {"content": "ext4", "is_begun": True}),
    ],
)
def test_a_file_system_whose_making_was_interrupted_is_made_again_on_request(tmp_path: Path, kind: str, found: dict[str, Any]) -> None:
    host = volume_host(tmp_path)
    being_made(host, kind, **found)
    assert host.do(mount(format=True, mode="rw", file_system=kind)) == [True]
    assert host.held.mount is not None
    assert not host.held.mount.is_being_made
    target = host.kernel.target(NQN)
    assert target is not None
    assert (target.content, target.is_begun, target.files) == (kind, False, False)


@pytest.mark.parametrize("kind", ["xfs", "ext4"])
def test_a_file_system_that_another_host_has_used_since_is_not_made_once_more(tmp_path: Path, kind: str) -> None:
    """This host lost power while it made one, the session moved, and moved back: all that was written meanwhile was lost."""
    host = volume_host(tmp_path)
    being_made(host, kind, content=kind, files=True)
    assert host.do(mount(format=True, mode="rw", file_system=kind)) == [True]
    target = host.kernel.target(NQN)
    assert target is not None
    assert target.files
    assert host.held.mount is not None
    assert (len(host.mounted), host.held.mount.is_being_made) == (1, False)


def test_what_another_host_has_put_there_since_is_left_as_it_is(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    being_made(host, "xfs", content="ext4", files=True)
    assert "has ext4 on it, and no xfs; it is left as it is" in host.refusal(mount(format=True, mode="rw"))


@pytest.mark.skipif(shutil.which("dumpe2fs") is None, reason="e2fsprogs has its own word for a file system that was mounted")
def test_whether_ext4_was_ever_mounted_is_read_off_a_real_one(tmp_path: Path) -> None:
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-qF", str(image)], check=True)
    assert HostMounts().have_file_system(str(image), "ext4", is_ours=True, may_make=True)
    subprocess.run(["debugfs", "-w", "-R", "ssv mtime 20261130", str(image)], check=True, capture_output=True)
    assert not HostMounts().have_file_system(str(image), "ext4", is_ours=True, may_make=True)


def test_no_service_can_write_where_nothing_is_mounted(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    host.do(connect(), mount())
    with pytest.raises(PermissionError):
        (host.path / "file").touch()
    host.do(unmount())


def test_another_mode_is_mounted_instead(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    host.do(connect(), mount())
    assert host.do(mount(mode="rw")) == [True]
    assert [options.split(",")[0] for options, _ in host.mounted] == ["rw"]


def test_a_mount_that_took_too_long_and_came_all_the_same_is_not_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but a person could unmount it: no request knew of it."""
    host, usual = volume_host(tmp_path), MountTable._add

    def late(self: MountTable, kind: str, options: str, device: str, path: str) -> Ran:
        usual(self, kind, options, device, path)
        raise RefusedError("failed", f"{device} is not mounted yet: mount has not ended; try again")

    host.do(connect())
    with monkeypatch.context() as patch:
        patch.setattr(MountTable, "_add", late)
        assert "is not mounted yet" in host.refusal(mount())
    assert host.held.mount is not None
    assert host.held.mount.is_mounted
    assert host.do(unmount(), disconnect()) == [True, True]
    assert (host.traces(), host.ledger.read()) == ([], Held())


def test_what_is_mounted_at_its_place_without_an_entry_is_unmounted_first(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    host.do(connect(), mount(mode="rw"))
    host.volumes.entries.change("play", "scratch", mount=None)
    assert host.do(mount()) == [True]
    assert [options.split(",")[0] for options, _ in host.mounted] == ["ro"]


def test_a_volume_must_be_connected_to_be_mounted(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    assert host.refusal(mount()) == "not-found: scratch is not connected on this host"


# --- in use -------------------------------------------------------------------------------------------------------------


def test_a_mount_in_use_names_the_program_and_stays(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    host.do(connect(), mount())
    assert "unmount it first" in host.refusal(disconnect())
    process(tmp_path, 4711, fd3=f"{host.path}/data/file")
    assert host.refusal(unmount()) == f"conflict: {host.path} is in use: rsync (process 4711)"
    assert host.held.mount is not None
    assert len(host.mounted) == 1


def test_a_container_that_has_it_mounted_keeps_it(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    host.do(connect(), mount())
    number = host.kernel.number(host.held.device)
    seen = f"7 1 {number} / /data ro - xfs /dev/nvme1n1 ro\n"
    process(tmp_path, 77, namespace="mnt:[2]", mountinfo=seen, cgroup=f"0::/system.slice/docker-{'a' * 64}.scope\n")
    assert host.refusal(unmount()) == f"conflict: {host.path} is in use: container {'a' * 12}"
    (tmp_path / "proc/77/mountinfo").write_text(f"7 1 {number} / {host.path} ro - xfs /dev/nvme1n1 ro\n")
    assert host.do(unmount()) == [True], "a service's own view of the host's mounts goes with the host's"


@pytest.mark.parametrize("kind", ["nfs4", "fuse.sshfs"])
def test_files_of_a_server_that_may_be_gone_are_not_asked_about(tmp_path: Path, kind: str) -> None:
    """To ask for the kind of a file on a server that is gone never ends: no request for a volume did any more."""
    host = volume_host(tmp_path)
    host.do(connect())
    node = device_node(host)
    mounts = f"33 1 0:99 / {tmp_path} rw - {kind} server:/ rw\n35 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
    process(tmp_path, 4711, mountinfo=mounts, fd3=str(node), fd4="socket:[7]")
    opened = tmp_path / "proc/4711/fdinfo/3"
    opened.write_text("pos:\t0\nflags:\t0100000\nmnt_id:\t35\nino:\t7\n")
    assert host.refusal(disconnect()) == "conflict: scratch is in use: rsync (process 4711)"
    opened.write_text("pos:\t0\nflags:\t0100000\nmnt_id:\t33\nino:\t7\n")
    assert host.do(disconnect()) == [True]


def device_node(host: VolumeHost) -> Path:
    """A file of the volume's device."""
    node = host.folder / "node"
    os.mknod(node, 0o060600, os.makedev(*map(int, host.kernel.number(host.held.device).split(":"))))
    return node


def test_a_device_that_a_program_has_open_is_not_disconnected(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    host.do(connect())
    process(tmp_path, 4711, fd5=str(device_node(host)))
    assert host.refusal(disconnect()) == "conflict: scratch is in use: rsync (process 4711)"


# --- abilities ----------------------------------------------------------------------------------------------------------


def test_abilities_are_those_of_the_kernel(tmp_path: Path) -> None:
    host = volume_host(tmp_path)
    facts = Facts(system=System(hostname="dtn1", kernel="6.12"), cpus=Cpus(), memory=Memory(total=1, available=1))
    lacking = {ability.name for ability in host.volumes.abilities(facts) if ability.lacks}
    assert lacking == {"connect-tcp", "connect-rdma", "mount-ext4", "mount-xfs"}
