"""Volumes over NVMe-oF between the guests' own kernels, by requests to their agents: over TCP and over RDMA, lost and found, removed.

dtn2 exports, dtn1 connects. A target and a connection that somebody else made are there all the time, and stay as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

import pytest
from dtn_agent import protocol as p
from dtn_agent.protocol.volumes import (
    Backing,
    ConnectVolume,
    DisconnectVolume,
    ExportVolume,
    HeldVolume,
    MountVolume,
    Portal,
    Queues,
    Transport,
    UnmountVolume,
    WithdrawVolume,
    mount_point,
)

from dtnctl.errors import DtnctlError
from dtnctl.model.site import Endpoint
from dtnctl.providers.agent.client import AgentClient, connect_agent
from dtnctl.providers.timeouts import Timeouts
from lab.hardware import NEAR_NIC, Guests
from tests.hardware.crashes import crash_agent
from tests.hardware.scene import BOTH, Scene
from tests.hardware.volume_hosts import ADDRESSES, assert_nothing_left, data_wire, prepare

UUID = "66666666-7777-4888-9999-00000000000{}"
NQN = "nqn.2014-08.org.nvmexpress:uuid:11111111-2222-4333-8444-55555555555{}"
SIZE = 400 << 20  # mkfs.xfs makes nothing below 300 MiB
PATIENCE = 120.0


class Volumes:
    """Requests to both agents, and what their kernels show."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.agents = {name: client_of(scene.guests, name) for name in BOTH}
        self.over("tcp")

    def over(self, transport: Transport) -> None:
        """Ask for this transport from now on."""
        self.portal = Portal(transport=transport, address=ADDRESSES["dtn2"], port={"tcp": 4420, "rdma": 4421}[transport])
        self.number = {"tcp": 1, "rdma": 2}[transport]

    def host(self, name: str) -> p.Host:
        return self.agents[name].host()

    def export(self) -> p.Done:
        backing = Backing(file=f"/srv/volume{self.number}.img", size=SIZE)
        request = ExportVolume(
            site="virtual",
            volume="scratch",
            nqn=NQN.format(self.number),
            uuid=UUID.format(self.number),
            serial=f"SN{self.number}",
            backing=backing,
            portal=self.portal,
            hosts=(self.host_nqn,),
        )
        return self.agents["dtn2"].perform(request)

    @cached_property
    def host_nqn(self) -> str:
        facts = self.host("dtn1").facts.nvme
        assert facts is not None
        return facts.host_nqn

    def connect(self, ctrl_loss: int = 60) -> p.Done:
        queues = Queues(keep_alive=5, ctrl_loss=ctrl_loss)
        nqn, uuid = NQN.format(self.number), UUID.format(self.number)
        request = ConnectVolume(site="virtual", volume="scratch", nqn=nqn, uuid=uuid, portal=self.portal, queues=queues)
        return self.agents["dtn1"].perform(request)

    def mount(self, mode: str = "rw") -> p.Done:
        request = {"site": "virtual", "volume": "scratch", "file_system": "xfs", "mode": mode, "format": True}
        return self.agents["dtn1"].perform(MountVolume.model_validate(request))

    def unmount(self) -> p.Done:
        return self.agents["dtn1"].perform(UnmountVolume(site="virtual", volume="scratch"))

    def disconnect(self) -> p.Done:
        return self.agents["dtn1"].perform(DisconnectVolume(site="virtual", volume="scratch"))

    def withdraw(self) -> p.Done:
        return self.agents["dtn2"].perform(WithdrawVolume(site="virtual", volume="scratch"))

    def remove(self) -> None:
        """All of it, in order; the backing is removed, too."""
        self.unmount()
        self.disconnect()
        self.withdraw()
        self.scene.on("dtn2", "rm -f /srv/volume*.img")

    @property
    def path(self) -> str:
        return mount_point("virtual", "scratch")

    @property
    def held(self) -> HeldVolume:
        (found,) = self.host("dtn1").held.volumes
        return found

    def wait(self, holds: Callable[[HeldVolume], bool]) -> HeldVolume:
        """Until dtn1's agent reports it so."""
        until = time.monotonic() + PATIENCE
        while not holds(found := self.held):
            assert time.monotonic() < until, found
            time.sleep(1)
        return found

    def is_up(self, found: HeldVolume) -> bool:
        return found.state == "live" and found.mount is not None and f" {self.path} " in self.scene.on("dtn1", "cat /proc/mounts")


def client_of(guests: Guests, name: str) -> AgentClient:
    endpoint = Endpoint.model_validate(guests.guest(name).state)
    return connect_agent(name, endpoint, read_only=False, root=Path("/"), timeouts=Timeouts(connect=60, answer=60, write=150))


@pytest.fixture(scope="module")
def network(scene: Scene) -> Iterator[Scene]:
    with data_wire(scene):
        yield scene


@pytest.fixture
def volumes(network: Scene) -> Iterator[Volumes]:
    """Nothing of a volume is there before and after."""
    found = Volumes(network)
    yield found
    found.remove()
    for agent in found.agents.values():
        agent.close()
    assert_nothing_left(network, found.path)


@pytest.fixture
def mounted(volumes: Volumes) -> Volumes:
    volumes.export()
    volumes.connect()
    volumes.mount()
    return volumes


@pytest.mark.parametrize("transport", ["tcp", "rdma"])
def test_what_is_written_through_a_volume_is_read_through_it(volumes: Volumes, transport: Transport) -> None:
    volumes.over(transport)
    scene = volumes.scene
    assert (volumes.export().changed, volumes.export().changed) == (True, False)
    assert (volumes.connect().changed, volumes.connect().changed) == (True, False)
    assert (volumes.mount().changed, volumes.mount().changed) == (True, False)
    assert (volumes.held.state, volumes.held.portal.transport) == ("live", transport)
    written = scene.on("dtn1", f"head -c 20000000 /dev/urandom >{volumes.path}/data; md5sum <{volumes.path}/data")
    volumes.unmount()
    volumes.mount("ro")
    assert scene.on("dtn1", f"echo 3 >/proc/sys/vm/drop_caches; md5sum <{volumes.path}/data") == written
    assert "Read-only" in scene.guests.remote("dtn1").finish(f"touch {volumes.path}/x").err
    assert scene.on("dtn1", "cat /run/nvme/registry/nvme*/owner") == "dtnctl\n"


def test_what_is_in_use_is_refused_with_who_uses_it(mounted: Volumes) -> None:
    with mounted.scene.guests.remote("dtn1").start(f"cd {mounted.path}; exec sleep 60", seconds=60) as holding:
        time.sleep(5)
        with pytest.raises(DtnctlError, match="is in use: sleep"):
            mounted.unmount()
        holding.kill()
    mounted.scene.on("dtn1", "pkill -x sleep || true")
    with pytest.raises(DtnctlError, match="unmount it first"):
        mounted.disconnect()


def test_a_target_that_is_away_for_a_while_is_waited_for(mounted: Volumes) -> None:
    scene = mounted.scene
    scene.on("dtn1", f"echo before >{mounted.path}/file; sync")
    scene.on("dtn2", f"ip link set {NEAR_NIC} down")
    mounted.wait(lambda found: found.state == "connecting")
    prepare(scene, "dtn2")
    mounted.wait(mounted.is_up)
    assert scene.on("dtn1", f"cat {mounted.path}/file") == "before\n"


def test_a_target_that_was_given_up_is_mounted_again_when_it_is_back(mounted: Volumes) -> None:
    scene = mounted.scene
    mounted.connect(ctrl_loss=5)
    scene.on("dtn1", f"echo before >{mounted.path}/file; sync")
    scene.on("dtn2", f"ip link set {NEAR_NIC} down")
    mounted.wait(lambda found: found.state == "gone")
    prepare(scene, "dtn2")
    mounted.wait(mounted.is_up)
    assert scene.on("dtn1", f"cat {mounted.path}/file", seconds=60) == "before\n"


def test_it_is_removed_while_the_target_is_dead(mounted: Volumes) -> None:
    scene = mounted.scene
    scene.on("dtn2", f"ip link set {NEAR_NIC} down")
    mounted.wait(lambda found: found.state == "connecting")
    assert "does not answer" in mounted.unmount().detail
    mounted.disconnect()
    prepare(scene, "dtn2")
    assert mounted.host("dtn1").held.volumes == ()


def test_a_killed_agent_finds_what_it_has_made(mounted: Volumes) -> None:
    for name in BOTH:
        crash_agent(mounted.scene, name)
    assert mounted.is_up(mounted.held)
    assert (mounted.export().changed, mounted.connect().changed, mounted.mount().changed) == (False, False, False)
