"""Connections to targets: one line written to the kernel's file makes one, a file of sysfs ends it. No discovery, no other program."""

from __future__ import annotations

import errno
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dtn_agent.errors import RefusedError
from dtn_agent.nvmeof.keys import NO_KEYS, Keys
from dtn_agent.nvmeof.limits import TooLongError, within
from dtn_agent.nvmeof.places import HostPlaces
from dtn_agent.nvmeof.registry import OURS
from dtn_agent.probe.files import Files, HostRoot
from dtn_agent.probe.nvme import controllers
from dtn_agent.protocol.volumes import HeldVolume, NvmeController, Portal

CONNECT_SECONDS = 20.0  # the kernel's own limit is some seconds for each of its tries
DEVICE_SECONDS = 15.0  # from a live connection to its block device and udev's link to it
# a try to connect again is not broken off, and over RDMA one takes some 80 s where the target's host is silent
DELETE_SECONDS = {"tcp": 20.0, "rdma": 120.0}
CLAIM_SECONDS = 5.0
POLL_SECONDS = 0.1
log = logging.getLogger(__name__)
KEY_FILES = ("dhchap_secret", "dhchap_ctrl_secret")
NAMESPACE = re.compile(r"nvme\d+n\d+")


@dataclass(frozen=True, slots=True)
class Fabrics:
    """The initiator's side of one kernel."""

    places: HostPlaces = field(default_factory=HostPlaces)
    device_seconds: float = DEVICE_SECONDS
    slow: dict[tuple[str, ...], Future[Any]] = field(default_factory=dict)  # the last try to connect each volume, if it took too long

    def connections(self, nqn: str) -> tuple[NvmeController, ...]:
        """Those to this subsystem, whoever made them."""
        root = HostRoot(sys=self.places.sys, run=self.places.run)
        return tuple(item for item in controllers(Files(root)) if item.nqn == nqn)

    def connect(self, wanted: HeldVolume, keys: Keys, host: tuple[str, str]) -> None:
        """Make the connection. Refused with the reason, as far as the kernel gives one.

        The kernel makes one connection at a time. One more try beside one that it has not ended would wait for that, and the next for both.
        """
        self._check_unfinished(wanted)
        line = ",".join(_options(wanted, keys, host))
        try:
            within(CONNECT_SECONDS, lambda: self._ask_and_hide(line, keys))
        except TooLongError as error:
            self._leave_behind(wanted, error)
            raise RefusedError("failed", f"{_target(wanted)} does not answer: {error}") from None
        except OSError as error:
            raise _refusal(wanted, error) from None

    def _ask_and_hide(self, line: str, keys: Keys) -> None:
        """The kernel shows the keys from its first try on: they are hidden for as long as it tries, though the caller may have given up."""
        ended = threading.Event()
        if keys != NO_KEYS:
            threading.Thread(target=self._hide_until, args=(ended, keys), name="hides keys", daemon=True).start()
        try:
            self.ask_for(line)
        finally:
            ended.set()

    def _hide_until(self, ended: threading.Event, keys: Keys) -> None:
        """Found by the keys themselves: the kernel shows a connection's subsystem only once it is made."""
        while not ended.wait(POLL_SECONDS):
            with suppress(OSError):  # a try that ends at this moment; the next round has the others
                for path in (path for name in KEY_FILES for path in self.places.sys.glob(f"class/nvme/nvme*/{name}")):
                    if path.read_text().strip() in (keys.host, keys.controller):
                        path.chmod(0o600)

    def _check_unfinished(self, wanted: HeldVolume) -> None:
        waiting = ", ".join(identity[-1] for identity, came in sorted(self.slow.items()) if not came.done())
        if waiting:
            raise RefusedError("failed", f"{_target(wanted)}: the kernel still tries to connect {waiting}, and makes one at a time")
        self.slow.pop(wanted.identity, None)

    def _leave_behind(self, wanted: HeldVolume, error: TooLongError) -> None:
        """What comes of it after all is ended: whoever asked for it was refused."""
        assert error.came is not None
        self.slow[wanted.identity] = error.came
        error.came.add_done_callback(lambda _: self._end_late(wanted.nqn))

    def _end_late(self, nqn: str) -> None:
        for controller in self.connections(nqn):
            try:
                if controller.owner in ("", OURS):
                    self.disconnect(controller)
            except RefusedError as refused:
                log.warning("a connection that came late stays: %s", refused)

    def ask_for(self, line: str) -> None:
        """One connection, by the kernel's options for it. Whatever it refuses is an OSError."""
        file = os.open(self.places.dev / "nvme-fabrics", os.O_RDWR | os.O_CLOEXEC)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)

    def write(self, path: Path, text: str) -> None:
        """A file of sysfs, in one call."""
        file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(file, text.encode())
        finally:
            os.close(file)

    def disconnect(self, controller: NvmeController) -> None:
        """End it, though its target may be gone: what waits for that fails then. Refused if the kernel does not end it in time."""
        folder = self.places.sys / "class/nvme" / controller.name
        try:
            if controller.state != "live":
                self.write(folder / "ctrl_loss_tmo", "1")
            within(DELETE_SECONDS.get(controller.transport, 20.0), lambda: self.write(folder / "delete_controller", "1"))
        except TooLongError as error:
            raise RefusedError("failed", f"{controller.name} is not disconnected yet: {error}; try again") from None
        except OSError as error:
            if folder.exists() and error.errno not in (errno.ENODEV, errno.ENOENT):
                raise RefusedError("failed", f"{controller.name} cannot be disconnected: {error.strerror}") from None

    def hide_keys(self, controller: NvmeController) -> None:
        """Have only root read its keys: the kernel shows them to every user of the host."""
        for name in KEY_FILES:
            with suppress(FileNotFoundError):
                (self.places.sys / "class/nvme" / controller.name / name).chmod(0o600)

    def set_times(self, controller: NvmeController, wanted: HeldVolume) -> bool:
        """How long it tries again, which can change while it is connected. Whether it was otherwise."""
        folder = self.places.sys / "class/nvme" / controller.name
        changed = False
        for name, number in (("ctrl_loss_tmo", wanted.queues.ctrl_loss), ("reconnect_delay", wanted.queues.reconnect_delay)):
            if (folder / name).exists() and (folder / name).read_text().strip() != str(number):
                self.write(folder / name, str(number))
                changed = True
        return changed

    def device(self, volume: HeldVolume) -> str:
        """Its block device now; empty if there is none. Refused if there are several and no UUID says which."""
        found = [name for name, uuid in self._namespaces(volume.nqn) if volume.uuid in ("", uuid)]
        if len(found) > 1:
            raise RefusedError("conflict", f"{volume.nqn} has {len(found)} namespaces; a UUID must say which is meant")
        return str(self.places.dev / found[0]) if found else ""

    def number(self, device: str) -> str:
        """`major:minor` of a device's name, by the kernel; empty if there is none."""
        return Files(HostRoot(sys=self.places.sys)).value(f"{self.places.sys}/block/{os.path.basename(device)}/dev")  # noqa: PTH119  # a path as text

    def has_number(self, number: str) -> bool:
        """Whether there is a block device with this `major:minor`. A number is not given again while something has its device mounted."""
        return (self.places.sys / "dev/block" / number).exists()

    def is_claimed(self, device: str) -> bool:
        """Whether the kernel has it for a file system, or for another device: also one that is unmounted, until all of it is written."""
        try:
            within(CLAIM_SECONDS, lambda: os.close(os.open(device, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC)))
        except TooLongError:
            return True
        except OSError as error:
            return error.errno not in (errno.ENOENT, errno.ENXIO, errno.ENODEV)  # it is gone; whatever else is said is no answer
        return False

    def wait_until_free(self, device: str) -> bool:
        """Whether nothing of the kernel's has it any more, soon at the latest."""
        self._wait(lambda: not self.is_claimed(device))
        return not self.is_claimed(device)

    def wait_for_device(self, volume: HeldVolume) -> str:
        """The block device, once it and udev's link to it are there. Refused if they do not come."""
        self._wait(lambda: bool(self.device(volume)) and any(item.state == "live" for item in self.connections(volume.nqn)))
        device = self.device(volume)
        states = {item.state for item in self.connections(volume.nqn)}
        if "live" not in states:
            raise RefusedError("failed", f"{_target(volume)} does not answer; the connection is {', '.join(sorted(states)) or 'gone'}")
        if not device:
            what = f"no namespace with the UUID {volume.uuid}" if volume.uuid else "no namespace"
            raise RefusedError("failed", f"{volume.nqn} at {_portal(volume.portal)} has {what} that this host may see")
        if volume.uuid:
            link = self.places.dev / f"disk/by-id/nvme-uuid.{volume.uuid}"
            self._wait(link.exists)
        return device

    def _wait(self, holds: Callable[[], bool]) -> None:
        until = time.monotonic() + self.device_seconds
        while not holds() and time.monotonic() < until:
            time.sleep(POLL_SECONDS)

    def _namespaces(self, nqn: str) -> Iterator[tuple[str, str]]:
        """Name and UUID. With native multipath nvme1c2n1 is one path to nvme1n1 and no device to open."""
        files = Files(HostRoot(sys=self.places.sys))
        for name in files.names(f"{files.sys}/block"):
            folder = f"{files.sys}/block/{name}"
            if NAMESPACE.fullmatch(name) and files.value(f"{folder}/device/subsysnqn") == nqn:
                yield name, files.value(f"{folder}/uuid")


def is_at(controller: NvmeController, portal: Portal) -> bool:
    """Whether this connection is one to this portal."""
    words = dict(word.partition("=")[::2] for word in controller.address.split(","))
    return (controller.transport, words.get("traddr"), words.get("trsvcid")) == (portal.transport, portal.address, str(portal.port))


def _options(wanted: HeldVolume, keys: Keys, host: tuple[str, str]) -> Iterator[str]:
    """In the kernel's words."""
    portal, queues = wanted.portal, wanted.queues
    yield from (f"nqn={wanted.nqn}", f"transport={portal.transport}", f"traddr={portal.address}", f"trsvcid={portal.port}")
    yield from (f"hostnqn={host[0]}", f"hostid={host[1]}")
    yield from (f"keep_alive_tmo={queues.keep_alive}", f"reconnect_delay={queues.reconnect_delay}", f"ctrl_loss_tmo={queues.ctrl_loss}")
    pairs = {
        "host_traddr": wanted.host_address,
        "nr_io_queues": queues.io_queues,
        "queue_size": queues.queue_size,
        "dhchap_secret": keys.host,
        "dhchap_ctrl_secret": keys.controller,
    }
    yield from (f"{name}={value}" for name, value in pairs.items() if value is not None)
    if portal.transport == "tcp":
        yield from (name for name, wants in (("hdr_digest", queues.header_digest), ("data_digest", queues.data_digest)) if wants)


def _refusal(wanted: HeldVolume, error: OSError) -> RefusedError:
    target = _target(wanted)
    match error.errno:
        case errno.ECONNREFUSED:
            text = "nothing listens there"
        case errno.ETIMEDOUT | errno.EHOSTUNREACH | errno.ENETUNREACH | errno.EHOSTDOWN:
            text = f"it is not reached: {error.strerror}"
        case errno.EALREADY | errno.EEXIST:
            text = "it is connected already, and not by this agent"
        case errno.EADDRNOTAVAIL:
            text = f"this host has no address {wanted.host_address or 'for it'}"
        case errno.ENOKEY:
            text = "it asks for a key (`auth`), and this host was given none"
        case errno.EKEYREJECTED | errno.EACCES | errno.EPERM:
            text = f"it does not accept this host or its keys: {error.strerror}"
        case _:
            text = (
                f"the kernel cannot connect: {error.strerror}; its log (dmesg) has the target's answer, such as a host that is not allowed"
            )
    return RefusedError("failed", f"{target}: {text}")


def _target(volume: HeldVolume) -> str:
    return f"{volume.volume}: the target {_portal(volume.portal)}"


def _portal(portal: Portal) -> str:
    address = f"[{portal.address}]" if ":" in portal.address else portal.address
    return f"{portal.transport} {address}:{portal.port}"
