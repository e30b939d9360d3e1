"""Ends mounts of volumes. Linux takes a mount away first and writes what it held afterwards: one has ended when its device is free."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dtn_agent.errors import RefusedError
from dtn_agent.ledger import Section
from dtn_agent.nvmeof.fabrics import Fabrics
from dtn_agent.nvmeof.mounts import UNMOUNT_SECONDS, HostMounts
from dtn_agent.nvmeof.users import Users
from dtn_agent.protocol.volumes import HeldVolume

PATIENCE_SECONDS = 120.0  # for a silent target, in one request: dtnctl waits 300 s, and over RDMA the end of a connection may take 120 s


@contextmanager
def kept_on_conflict(entries: Section[HeldVolume], held: HeldVolume) -> Iterator[None]:
    """An unmount that conflicts with anything is due no more, whoever began it: the volume is mounted as before."""
    try:
        yield
    except RefusedError as error:
        if error.code == "conflict" and held.mount is not None:
            entries.change(*held.identity, mount=held.mount.model_copy(update={"is_being_unmounted": False}))
        raise


@dataclass(frozen=True, slots=True)
class Unmounts:
    """Of one host."""

    fabrics: Fabrics
    mounts: HostMounts
    users: Users

    def check_unused(self, held: HeldVolume) -> None:
        """Refused, with who it is, while anything uses the mount."""
        path = _path(held)
        mount = self.mounts.at(path)
        if mount is not None and (users := self.users.of_mount(path, mount.number)):
            raise RefusedError("conflict", f"{path} is in use: {', '.join(users)}")

    def unmount(self, held: HeldVolume, seconds_left: float) -> str:
        """Have it unmounted, and written what it held. What was lost, in words; refused while the kernel still writes.

        `seconds_left`: how long its target may still be silent. What is to be written waits for it that long, and is only then given up.
        """
        waits = self._is_silent(held) and _is_written(held)
        if self._is_silent(held) and not waits:
            self._end_connection(held)
        seconds = max(UNMOUNT_SECONDS, min(seconds_left, PATIENCE_SECONDS)) if waits else UNMOUNT_SECONDS
        try:
            self._take_away(held, seconds)
        except RefusedError as error:
            if error.code != "failed" or not self._is_silent(held):
                raise
            self._check_time(held, seconds_left - seconds)
            self._end_connection(held)
            self._take_away(held, UNMOUNT_SECONDS)
        return self._lost(held)

    def check_written(self, held: HeldVolume) -> None:
        """Refused, with who it is, while the kernel has its device for anything: for a file system until all of it is written."""
        device = self.fabrics.device(held)
        if not device or self.fabrics.wait_until_free(device):
            return
        users = {*self.users.of_device(self.fabrics.number(device)), *self.users.of_unmount(_path(held))}
        who = ", ".join(sorted(users)) or "the kernel has a file system or another device on it"
        if held.mount is None:
            raise RefusedError("conflict", f"{held.volume} is in use: {who}")
        text = f"{_path(held)} is unmounted, but what it held is still being written to {device} ({who}); try again later"
        raise RefusedError("failed", text)

    def _take_away(self, held: HeldVolume, seconds: float) -> None:
        if self.mounts.at(_path(held)) is not None:
            self.mounts.unmount(_path(held), seconds=seconds)
        self.check_written(held)

    def _check_time(self, held: HeldVolume, seconds: float) -> None:
        if seconds > 0:
            text = f"{_path(held)} is unmounted, but its target does not answer; what was not written to it yet waits for it"
            raise RefusedError("failed", f"{text} for up to {seconds:.0f} s more; try again then")

    def _end_connection(self, held: HeldVolume) -> None:
        for controller in self.fabrics.connections(held.nqn):
            self.fabrics.disconnect(controller)

    def _is_silent(self, held: HeldVolume) -> bool:
        states = [controller.state for controller in self.fabrics.connections(held.nqn)]
        return bool(states) and "live" not in states

    def _lost(self, held: HeldVolume) -> str:
        if self.fabrics.connections(held.nqn):
            return ""
        return "; its target does not answer" + (": what was not written to it yet is lost" if _is_written(held) else "")


def _is_written(held: HeldVolume) -> bool:
    return held.mount is not None and held.mount.mode == "rw"


def _path(held: HeldVolume) -> str:
    return held.mount.path if held.mount is not None else held.volume
