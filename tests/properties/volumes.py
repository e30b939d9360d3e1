"""A pure in-memory model of volumes over NVMe-oF on all hosts: what the agents' requests do, and what they or the kernel would refuse.

Made after the words of dtn_agent/protocol/volumes.py. What must never happen is an AssertionError: a target that is taken from under a
host, two hosts of which one writes, a service that starts on an empty folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dtn_agent.protocol.volumes import (
    ConnectVolume,
    DisconnectVolume,
    ExportVolume,
    HeldExport,
    HeldMount,
    HeldVolume,
    MountVolume,
    UnmountVolume,
    WithdrawVolume,
    mount_point,
)

from dtnctl.model.resources import ContainerSpec
from tests.properties.agent import Agent, AgentRefusedError
from tests.properties.host import Host

VolumeRequests = ExportVolume | WithdrawVolume | ConnectVolume | MountVolume | UnmountVolume | DisconnectVolume
FOLDER = mount_point("", "").rstrip("/")
DEVICE = "/dev/disk/by-id/nvme-uuid."


def perform_volume(hosts: Iterable[Host], host: Host, request: VolumeRequests, effect: Callable[[], None]) -> None:
    """Carry it out; `effect` is called before each write."""
    assert host.agent is not None
    model = _Volumes([item.agent for item in hosts if item.agent is not None], host, host.agent)
    effect()
    match request:
        case ExportVolume():
            model.export(request)
        case WithdrawVolume():
            model.withdraw(request)
        case ConnectVolume():
            model.connect(request)
        case MountVolume():
            model.mount(request)
        case UnmountVolume():
            model.unmount(request.volume)
        case DisconnectVolume():
            model.disconnect(request.volume)


def check_started(host: Host, spec: ContainerSpec) -> None:
    """A service that starts has its volumes."""
    held = host.agent.machine.held.volumes if host.agent is not None else ()
    mounted = {item.mount.path for item in held if item.mount is not None and item.mount.is_mounted and item.state == "live"}
    for mount in spec.mounts:
        assert not mount.source.startswith(FOLDER) or mount.source in mounted, f"it starts on the empty folder {mount.source}"
    devices = {DEVICE + item.uuid for item in held if item.state == "live"}
    for device in spec.devices:
        assert not device.host.startswith(DEVICE) or device.host in devices, f"it starts without {device.host}"


def _nqn(agent: Agent) -> str:
    assert agent.machine.facts.nvme is not None
    return agent.machine.facts.nvme.host_nqn


class _Volumes:
    def __init__(self, agents: list[Agent], host: Host, agent: Agent) -> None:
        self.agents, self.host, self.agent = agents, host, agent

    # --- the target ---

    def export(self, request: ExportVolume) -> None:
        held = next((item for item in self.agent.machine.held.exports if item.volume == request.volume), None)
        for name in ("nqn", "uuid", "serial", "backing", "portal"):
            is_same = held is None or getattr(held, name) == getattr(request, name)
            assert is_same or not list(self._connected(request.nqn, held)), f"{name} of {request.volume} changes under a host"
        lost = set(held.hosts if held is not None else ()) - set(request.hosts)
        assert not lost & {nqn for nqn, _ in self._connected(request.nqn, held)}, f"{lost} has {request.volume} connected"
        values = request.model_dump(exclude={"do", "host_key", "controller_key"})
        others = [item for item in self.agent.machine.held.exports if item.volume != request.volume]
        self._note(exports=(*others, HeldExport.model_validate(values)))

    def withdraw(self, request: WithdrawVolume) -> None:
        held = [item for item in self.agent.machine.held.exports if item.volume == request.volume]
        for item in held:
            assert not list(self._connected(item.nqn, item)), f"{request.volume} is withdrawn from under a host"
        self._note(exports=tuple(item for item in self.agent.machine.held.exports if item not in held))

    def _connected(self, nqn: str, export: HeldExport | None = None) -> Iterator[tuple[str, HeldVolume]]:
        """Who has it, by host NQN; at this export, if one is given."""
        for agent in self.agents:
            found = (item for item in agent.machine.held.volumes if item.nqn == nqn and (export is None or item.portal == export.portal))
            yield from ((_nqn(agent), item) for item in found)

    # --- the host that uses it ---

    def connect(self, request: ConnectVolume) -> None:
        held = self._held(request.volume)
        exports = [item for agent in self.agents for item in agent.machine.held.exports if item.nqn == request.nqn]
        nqn = _nqn(self.agent)
        if not any(item.portal == request.portal and nqn in item.hosts and not item.fault for item in exports):
            raise AgentRefusedError(f"{request.portal} has no {request.nqn} for {nqn}")
        if held is not None and (held.portal, held.queues, held.nqn) != (request.portal, request.queues, request.nqn):
            raise AgentRefusedError(f"{request.volume} is connected otherwise")
        values = request.model_dump(exclude={"do", "host_key", "controller_key"})
        mount = held.mount if held is not None else None
        self._put(HeldVolume.model_validate({**values, "state": "live", "device": "/dev/nvme1n1", "mount": mount}))

    def mount(self, request: MountVolume) -> None:
        held = self._held(request.volume)
        if held is None or held.state != "live":
            raise AgentRefusedError(f"{request.volume} is not connected")
        for nqn, other in self._connected(held.nqn):
            if nqn != _nqn(self.agent) and other.mount is not None:
                assert "rw" not in (other.mount.mode, request.mode), f"{request.volume} is mounted by {nqn}, and one of the two writes"
        path = mount_point(request.site, request.volume)
        mount = HeldMount(path=path, file_system=request.file_system, mode=request.mode, is_mounted=True)
        self._put(held.model_copy(update={"mount": mount}))

    def unmount(self, name: str) -> None:
        held = self._held(name)
        if held is None or held.mount is None:
            return
        users = [item.name for item in self.host.active if any(mount.source == held.mount.path for mount in item.spec.mounts)]
        if users:
            raise AgentRefusedError(f"{held.mount.path} is in use by {users}")
        self._put(held.model_copy(update={"mount": None}))

    def disconnect(self, name: str) -> None:
        held = self._held(name)
        if held is None:
            return
        users = [item.name for item in self.host.active if any(device.host == DEVICE + held.uuid for device in item.spec.devices)]
        if users or held.mount is not None:
            raise AgentRefusedError(f"{name} is in use by {users or held.mount}")
        self._note(volumes=tuple(item for item in self.agent.machine.held.volumes if item.volume != name))

    def _held(self, name: str) -> HeldVolume | None:
        return next((item for item in self.agent.machine.held.volumes if item.volume == name), None)

    def _put(self, entry: HeldVolume) -> None:
        others = [item for item in self.agent.machine.held.volumes if item.volume != entry.volume]
        self._note(volumes=(*others, entry))

    def _note(self, **lists: Any) -> None:
        machine = self.agent.machine
        self.agent.machine = machine.model_copy(update={"held": machine.held.model_copy(update=lists)})
