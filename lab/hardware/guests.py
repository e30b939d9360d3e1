"""The two guests as one object: they come up together, can crash and come back, and vanish together."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from lab import engines, folders, keys, processes
from lab.hardware import agent, engine_images
from lab.hardware.emulator import NODES, NVME_SIZE, PROGRAM, command_line
from lab.hardware.image import RootImage, root_image
from lab.hardware.places import ADDRESS, COUNT, Guest, Ports, guest_of
from lab.hardware.remote import POLL_SECONDS, GuestSilentError, Remote
from lab.hardware.seed import write_seed
from lab.images import Progress
from lab.lab import quiet
from lab.layout import LabError, default_cache, layout_of

BOOT_SECONDS = 240.0
ENGINE_SECONDS = 300.0
SHUTDOWN_SECONDS = 120.0
Value = TypeVar("Value")
PROGRAMS = ("qemu-img", "mmdebstrap", "mke2fs", "ssh", "ssh-keygen", "openssl", "setpriv", "unshare", "docker")


def unavailable() -> str | None:
    """Why there can be no guests here, in words that a skipped test can show; None when there can."""
    if os.geteuid() != 0:
        return "making the guests' image needs root"
    if reason := engines.missing_programs(*PROGRAMS, PROGRAM):
        return f"{reason.partition(';')[0]}; run hack/system-packages.sh --hardware as root"
    return None


class Guests:
    """Two guests in a folder. In a `with` block they come up, and they end with the block, or with the process if that is sooner."""

    def __init__(self, folder: Path | str, *, cache: Path | None = None, say: Progress = quiet) -> None:
        self.layout = layout_of(folder)
        self.cache = (cache or default_cache()).resolve()
        self.say = say
        self.restarts: list[str] = []  # guests that hung or crashed and were started anew, with the reason: to be reported
        self.phases: list[tuple[str, float]] = []
        self.all: tuple[Guest, ...] = ()
        self.remotes: dict[str, Remote] = {}
        self._emulators: dict[str, subprocess.Popen[bytes]] = {}
        self._off: set[str] = set()
        self._tied = False

    @classmethod
    def open(cls, folder: Path | str) -> Self:
        """The guests that were brought up in this folder, by whatever process."""
        guests = cls(folder)
        if not guests.layout.record.exists():
            raise LabError(f"{guests.layout.folder}: no guests are here; bring them up with `python -m lab.hardware up --dir {folder}`")
        record = json.loads(guests.layout.record.read_text())
        guests.image = RootImage(Path(record["image"]))
        guests._take([Ports(**ports) for ports in record["ports"]])
        return guests

    def __enter__(self) -> Self:
        self._tied = True
        return self.up()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.down()

    def guest(self, name: str) -> Guest:
        """The guest of this name."""
        return self.remote(name).guest

    def remote(self, name: str) -> Remote:
        """The shell of the guest of this name."""
        if name not in self.remotes:
            raise LabError(f"{name}: no such guest; there are {', '.join(sorted(self.remotes))}")
        return self.remotes[name]

    def up(self) -> Self:
        """Start both and return when their engines answer, after removing what an earlier run left here; on an error leave nothing."""
        if reason := unavailable():
            raise LabError(reason)
        with self._phase("the guests' image"):
            self.image = root_image(self.cache, self.say)
        folders.fill(self.layout, self._clean, self._bring_up)
        return self

    def down(self) -> None:
        """Leave nothing: no process and no file. Also when there is none."""
        folders.clear(self.layout, self._clean)

    def is_running(self, name: str) -> bool:
        """Whether the guest's emulator runs; whether it does anything is another question."""
        return bool(processes.find_marked(self.layout.identity, name))

    def kill(self, name: str) -> None:
        """A power cut."""
        self._off.add(name)
        self.remote(name).disconnect()
        processes.end(processes.find_marked(self.layout.identity, name), signal.SIGKILL)
        if emulator := self._emulators.pop(name, None):
            emulator.wait()

    def start(self, name: str) -> None:
        """Switch a guest on again, with the disk that it had, and return when its engine answers."""
        self._launch(self.guest(name))
        self._wait(self.guest(name))

    def reboot(self, name: str) -> None:
        """Reboot a guest the orderly way and return when its engine answers. The emulator ends with the system and is started again."""
        remote = self.remote(name)
        remote.run("systemctl --no-block reboot")
        remote.disconnect()
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        while self.is_running(name):
            if time.monotonic() > deadline:
                raise GuestSilentError(f"{name}: still on {SHUTDOWN_SECONDS:.0f} s after it was told to reboot")
            time.sleep(POLL_SECONDS)
        self.kill(name)  # what is left of it here
        self.start(name)

    def silent(self) -> list[str]:
        """The guests that ought to answer and do not: they hang, or their emulator has ended by itself."""
        wanted = [guest for guest in self.all if guest.name not in self._off]
        answers = self._each(wanted, lambda guest: self.is_running(guest.name) and self.remotes[guest.name].answers())
        return [guest.name for guest, does in zip(wanted, answers, strict=True) if not does]

    def revive(self, names: Iterable[str]) -> None:
        """Start anew, with fresh disks, guests that hang or crashed; those that were switched off meanwhile are left alone."""
        lost = [guest for guest in self.all if guest.name in names and guest.name not in self._off]
        for guest in lost:
            self._start_anew(guest, "hung" if self.is_running(guest.name) else "crashed")
        if lost:
            packages = agent.packages_as_tar()
            self._each(lost, lambda guest: self._set_up(guest, packages))

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        """Time what is in the block."""
        began = time.monotonic()
        yield
        self.phases.append((name, time.monotonic() - began))

    def _take(self, ports: Iterable[Ports]) -> None:
        self.all = tuple(guest_of(self.layout, number, item) for number, item in enumerate(ports, 1))
        self.remotes = {guest.name: Remote(self.layout, guest) for guest in self.all}

    def _bring_up(self) -> None:
        self._take(_free_ports(COUNT))
        record = {"image": str(self.image.folder), "ports": [asdict(guest.ports) for guest in self.all]}
        self.layout.record.write_text(json.dumps(record, indent=2))
        for guest in self.all:
            guest.folder.mkdir(parents=True)
        keys.make_keys(self.layout, [guest.endpoint for guest in self.all])
        for guest in self.all:
            write_seed(guest)
            self._write_files(guest)
            self._launch(guest)
        self.say(f"{', '.join(guest.name for guest in self.all)} boot")
        with self._phase("boot until ssh"):
            packages = agent.packages_as_tar()
            self._wait_for_boot()
        with self._phase("agent and engine ready"):
            self._each(self.all, lambda guest: self._set_up(guest, packages))

    def _wait_for_boot(self) -> None:
        for guest in self._silent_after_boot():
            self._start_anew(guest, f"no ssh {BOOT_SECONDS:.0f} s after its start")

    def install_agent(self) -> None:
        """Bring this clone's agent, as it is now, to both guests and start it."""
        packages = agent.packages_as_tar()
        self._each(self.all, lambda guest: agent.install(self.remotes[guest.name], packages))

    def _write_files(self, guest: Guest) -> None:
        """A fresh disk over the shared image, empty drives, and the guest's ssh key as we must find it."""
        disk = guest.folder / "root.qcow2"
        disk.unlink(missing_ok=True)
        backing = ["-b", str(self.image.disk), "-F", "raw"]
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, str(disk)], check=True)
        for node in NODES:
            drive = guest.folder / f"nvme{node}.img"
            drive.unlink(missing_ok=True)
            subprocess.run(["truncate", "-s", NVME_SIZE, str(drive)], check=True)
        key = (guest.folder / "hostkey.pub").read_text()
        (guest.folder / "known_hosts").write_text(f"[{ADDRESS}]:{guest.ports.ssh} {key}")

    def _launch(self, guest: Guest) -> None:
        """Start the emulator. From the main thread, since a tied guest ends with the thread that started it."""
        self._off.discard(guest.name)
        (guest.folder / "console.log").unlink(missing_ok=True)
        command = command_line(guest, self.image)
        if self._tied:
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        with (guest.folder / "emulator.log").open("ab") as log:
            self._emulators[guest.name] = subprocess.Popen(
                command,
                cwd=self.layout.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=processes.marked_environment(self.layout.identity, guest.name),
                start_new_session=True,
            )

    def _silent_after_boot(self) -> list[Guest]:
        def is_silent(guest: Guest) -> bool:
            try:
                self.remotes[guest.name].wait_until_ready(BOOT_SECONDS)
            except GuestSilentError:
                return True
            return False

        return [guest for guest, silent in zip(self.all, self._each(self.all, is_silent), strict=True) if silent]

    def _start_anew(self, guest: Guest, reason: str) -> None:
        """Once: who hangs again is an error for whoever waits for it."""
        self.restarts.append(f"{guest.name} {reason}; started anew. The end of its console:\n{_last_lines(guest)}")
        self.say(self.restarts[-1])
        self.kill(guest.name)
        self._write_files(guest)
        self._launch(guest)

    def _set_up(self, guest: Guest, packages: bytes) -> None:
        """Return when a fresh guest has all that the tests need."""
        self.remotes[guest.name].wait_until_ready(BOOT_SECONDS)
        agent.install(self.remotes[guest.name], packages)
        self._wait(guest)
        engine_images.provide(guest)

    def _wait(self, guest: Guest) -> None:
        """Return when the guest's engine answers."""
        remote = self.remotes[guest.name]
        remote.wait_until_ready(BOOT_SECONDS)
        remote.run("systemctl start docker.service", seconds=ENGINE_SECONDS)

    def _each(self, guests: Iterable[Guest], act: Callable[[Guest], Value]) -> list[Value]:
        with ThreadPoolExecutor(COUNT) as pool:
            return list(pool.map(act, guests))

    def _clean(self) -> None:
        """Remove everything but the folder."""
        for remote in self.remotes.values():
            remote.disconnect()
        processes.end_all(self.layout.identity)
        for emulator in self._emulators.values():
            emulator.wait()
        self._emulators.clear()
        self._off.update(guest.name for guest in self.all)
        folders.empty(self.layout)


def _free_ports(count: int) -> list[Ports]:
    """Ports that nobody has just now, all different."""
    with ExitStack() as stack:
        plugs = [stack.enter_context(socket.socket()) for _ in range(3 * count)]
        for plug in plugs:
            plug.bind((ADDRESS, 0))
        numbers = [plug.getsockname()[1] for plug in plugs]
    return [Ports(*numbers[3 * index : 3 * index + 3]) for index in range(count)]


def _last_lines(guest: Guest) -> str:
    console = guest.folder / "console.log"
    lines = console.read_text(errors="replace").splitlines() if console.exists() else []
    return "\n".join(f"    {line}" for line in lines[-8:])
