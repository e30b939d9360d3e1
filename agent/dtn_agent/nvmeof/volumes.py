"""Volumes of targets that this host has connected, and where it mounted them: made, ended and restored, though a target may be gone."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import assert_never, get_args

from dtn_agent.audit import SILENT, Audit
from dtn_agent.errors import RefusedError
from dtn_agent.host_resource import HostResource
from dtn_agent.ledger import Ledger
from dtn_agent.nvmeof.exports import KEY_FILE
from dtn_agent.nvmeof.fabrics import Fabrics, is_at
from dtn_agent.nvmeof.host_name import have_host_name
from dtn_agent.nvmeof.keys import NO_KEYS, KeyFile, Keys
from dtn_agent.nvmeof.modules import KernelModules
from dtn_agent.nvmeof.mounts import HostMounts, drop_folder
from dtn_agent.nvmeof.registry import OURS, OwnerRegistry
from dtn_agent.nvmeof.unmounting import Unmounts, kept_on_conflict
from dtn_agent.nvmeof.users import Users
from dtn_agent.protocol import Ability, Done, Facts
from dtn_agent.protocol.volumes import (
    ConnectVolume,
    DisconnectVolume,
    FileSystem,
    HeldMount,
    HeldVolume,
    MountVolume,
    Transport,
    UnmountVolume,
    VolumeRequest,
)

WATCH_SECONDS = 5.0
GRACE_SECONDS = 10.0  # the kernel gives a target up by itself as a rule, soon after the time is over
RESTORE_SECONDS = 60.0  # for all volumes together while the agent starts; the rest is left to `watch`
log = logging.getLogger(__name__)


class ConnectedVolumes(HostResource[VolumeRequest]):
    """The volumes of one host. One request at a time; `held` waits for none, and nothing waits for a dead target without a limit."""

    name = "connected volumes"
    requests = get_args(VolumeRequest)
    entry = HeldVolume

    def __init__(
        self,
        ledger: Ledger,
        fabrics: Fabrics | None = None,
        mounts: HostMounts | None = None,
        modules: KernelModules | None = None,
        audit: Audit = SILENT,
        volumes: Path | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`volumes`: the folder of all mounts. `now`: seconds of any clock that never goes back."""
        self.entries = ledger.section(HeldVolume)
        self.keys = KeyFile(ledger.path.with_name(KEY_FILE), ledger.lock)
        self.state = ledger.path.parent
        self.volumes = volumes or self.state / "volumes"
        self.fabrics = fabrics or Fabrics()
        self.mounts = mounts or HostMounts()
        self.modules = modules or KernelModules()
        self.registry = OwnerRegistry(self.fabrics.places.run, self.fabrics.places.sys)
        self.users = Users(self.fabrics.places.proc)
        self.unmounts = Unmounts(self.fabrics, self.mounts, self.users)
        self.audit = audit
        self.lock = threading.Lock()
        self.now = now
        self._failed: dict[tuple[str, ...], str] = {}
        self._lost: dict[tuple[str, ...], float] = {}  # since when the kernel tries to reach a target again
        self._ending: dict[tuple[str, ...], threading.Thread] = {}  # the last end of each target that was given up

    def turn(self, request: VolumeRequest) -> tuple[str, ...]:
        return (self.name, request.site, request.volume)

    def perform(self, request: VolumeRequest) -> Done:
        if (ending := self._ending.get((request.site, request.volume))) is not None:
            ending.join()
        if isinstance(request, UnmountVolume):
            return self._unmount(request)  # a silent target may take minutes, which no other volume waits for
        with self.lock:
            match request:
                case ConnectVolume():
                    return self._connect(request)
                case MountVolume():
                    return self._mount(request)
                case DisconnectVolume():
                    return self._disconnect(request)
                case _:
                    assert_never(request)

    def held(self) -> tuple[HeldVolume, ...]:
        """What is connected, with what the kernel has of it now."""
        return tuple(self._now(entry) for entry in self.entries.all())

    def abilities(self, facts: Facts) -> tuple[Ability, ...]:
        """`connect-tcp`, `connect-rdma`, `mount-ext4` and `mount-xfs`, as far as the kernel has what they need."""
        nvme = facts.nvme
        can = set() if nvme is None else {*(f"connect-{kind}" for kind in nvme.initiator), *(f"mount-{kind}" for kind in nvme.file_systems)}
        lacking = {
            **{f"connect-{kind}": f"this kernel has no NVMe over {kind.upper()} (module nvme-{kind})" for kind in get_args(Transport)},
            **{f"mount-{kind}": f"this kernel does not know the file system {kind}" for kind in get_args(FileSystem)},
        }
        return tuple(Ability(name=name, lacks="" if name in can else lacks) for name, lacks in lacking.items())

    # --- connections ---

    def _connect(self, request: ConnectVolume) -> Done:
        wanted, keys = _entry(request), Keys(request.host_key, request.controller_key)
        before = self.entries.get(*wanted.identity)
        self._check_ours(wanted, before)
        if before is not None:
            wanted = wanted.model_copy(update={"mount": before.mount})
            if _must_reconnect(before, wanted):
                self._check_unused(before)
        self.keys.put("connect", *wanted.identity, keys=keys)
        self.entries.put(wanted)
        try:
            changed = self._bring_up(wanted, is_other=before is not None and _must_reconnect(before, wanted))
        except RefusedError:
            if before is None:
                self._give_up(wanted)
            raise
        return Done(changed=changed or wanted != before, detail=f"{wanted.volume} is {self.fabrics.device(wanted)}")

    def _check_ours(self, wanted: HeldVolume, before: HeldVolume | None) -> None:
        same = next((other for other in self.entries.all() if other.nqn == wanted.nqn and other.identity != wanted.identity), None)
        if same is not None:
            raise RefusedError("conflict", f"{wanted.nqn} is connected as the volume {same.volume} of site {same.site}")
        for controller in self.fabrics.connections(wanted.nqn):
            owner = controller.owner
            if before is None or owner not in ("", OURS):
                by = f"by {owner}" if owner else "by another program"
                raise RefusedError("conflict", f"{wanted.nqn} is connected already, as {controller.name} {by}; it is left as it is")

    def _bring_up(self, wanted: HeldVolume, *, is_other: bool = False) -> bool:
        """Have it connected and its device there; whether it was not. `is_other`: what is connected is not as it should be."""
        self.modules.need("nvme_fabrics", f"nvme_{wanted.portal.transport}")
        if is_other or not all(is_at(controller, wanted.portal) for controller in self.fabrics.connections(wanted.nqn)):
            self._end(wanted.nqn)
        changed = not self.fabrics.connections(wanted.nqn)
        if changed:
            if lost := self.keys.why_lost(wanted.key_print, "connect", *wanted.identity):
                raise RefusedError("failed", f"{wanted.volume}: {lost}")
            host = have_host_name(self.fabrics.places, self.state)
            self.fabrics.connect(wanted, self.keys.get("connect", *wanted.identity), host)
        for controller in self.fabrics.connections(wanted.nqn):
            self.fabrics.hide_keys(controller)
            changed |= self.registry.claim(controller.name)
            changed |= self.fabrics.set_times(controller, wanted)
        self.fabrics.wait_for_device(wanted)
        return changed

    def _give_up(self, wanted: HeldVolume) -> None:
        """A first try that failed leaves nothing; what cannot be undone stays in the ledger."""
        try:
            self._end(wanted.nqn)
        except RefusedError as error:
            log.warning("not undone, so it stays in the ledger: %s", error)
            return
        self._forget(wanted)

    def _forget(self, held: HeldVolume) -> None:
        self.entries.drop(*held.identity)
        self.keys.put("connect", *held.identity, keys=NO_KEYS)

    def _end(self, nqn: str) -> None:
        for controller in self.fabrics.connections(nqn):
            self.fabrics.disconnect(controller)
        self.registry.sweep()

    def _disconnect(self, request: DisconnectVolume) -> Done:
        held = self.entries.get(request.site, request.volume)
        if held is None:
            return Done(changed=False)
        self._check_unused(held)
        self._end(held.nqn)
        if held.mount is not None:
            drop_folder(Path(held.mount.path))
        self._forget(held)
        return Done(changed=True, detail=f"{held.volume} is disconnected")

    def _check_unused(self, held: HeldVolume) -> None:
        """Refused while it is mounted, or open, or while the kernel still writes what an earlier mount held."""
        if held.mount is not None and self.mounts.at(held.mount.path) is not None:
            raise RefusedError("conflict", f"{held.volume} is mounted at {held.mount.path}; unmount it first")
        number = self.fabrics.number(self.fabrics.device(held))
        if number and (users := self.users.of_device(number)):
            raise RefusedError("conflict", f"{held.volume} is in use: {', '.join(users)}")
        self.unmounts.check_written(held)

    # --- mounts ---

    def _mount(self, request: MountVolume) -> Done:
        held = self._connected(request)
        path = str(self.volumes / request.site / request.volume)
        wanted = HeldMount(path=path, file_system=request.file_system, mode=request.mode)
        if held.mount is not None:
            wanted = wanted.model_copy(update={"is_being_made": held.mount.is_being_made, "numbers": held.mount.numbers})
        if self._is_mounted(held) and held.mount == wanted:
            return Done(changed=False, detail=f"{held.volume} is mounted at {path}")
        if self.mounts.at(path) is not None or (held.mount is not None and held.mount.is_being_unmounted):
            self.fabrics.wait_for_device(held)
            held = self._begin_unmount(held, held.mount or wanted)
            self._take_away(held, self._seconds_left(held))
        held = self._put_mount(held, wanted)
        try:
            self._bring_mount(held, may_make=request.format)
        except RefusedError:
            if not self._is_being_made(held):
                self._drop_unless_mounted(held, path)
            raise
        return Done(changed=True, detail=f"{held.volume} is mounted at {path}")

    def _drop_unless_mounted(self, held: HeldVolume, path: str) -> None:
        """A mount that took too long may be there all the same; once its folder is gone, none comes any more."""
        drop_folder(Path(path))
        if self.mounts.at(path) is None:
            self._put_mount(held, None)

    def _is_being_made(self, held: HeldVolume) -> bool:
        """By the ledger, as it is by now: a file system that was begun is made once more by the next request."""
        entry = self.entries.get(*held.identity)
        return entry is not None and entry.mount is not None and entry.mount.is_being_made

    def _connected(self, request: MountVolume) -> HeldVolume:
        held = self.entries.get(request.site, request.volume)
        if held is None:
            raise RefusedError("not-found", f"{request.volume} is not connected on this host")
        return held

    def _put_mount(self, held: HeldVolume, mount: HeldMount | None) -> HeldVolume:
        held = held.model_copy(update={"mount": mount})
        self.entries.put(held)
        return held

    def _bring_mount(self, held: HeldVolume, *, may_make: bool = False) -> None:
        """Mount it as its entry says."""
        wanted, device = held.mount, self.fabrics.wait_for_device(held)
        assert wanted is not None
        kind = wanted.file_system
        if self.mounts.have_file_system(device, kind, is_ours=wanted.is_being_made and may_make, may_make=may_make):
            if users := self.users.of_device(self.fabrics.number(device)):
                raise RefusedError("conflict", f"{held.volume} is in use: {', '.join(users)}")
            self._put_mount(held, wanted.model_copy(update={"is_being_made": True}))
            self.mounts.make_file_system(device, kind)
        number = self.fabrics.number(device)
        numbers = {number, *(other for other in wanted.numbers if self._has_users(wanted.path, other))}
        self._put_mount(held, wanted.model_copy(update={"numbers": tuple(sorted(numbers)), "is_being_made": False}))
        self.mounts.mount(device, wanted)

    def _unmount(self, request: UnmountVolume) -> Done:
        with self.lock:
            held = self.entries.get(request.site, request.volume)
            if held is None or held.mount is None:
                return Done(changed=False)
            held = self._begin_unmount(held, held.mount)
            seconds_left = self._seconds_left(held)
        lost = self._take_away(held, seconds_left)
        with self.lock:
            self._forget_mount(held)
        return Done(changed=True, detail=f"{held.volume} is mounted no more{lost}")

    def _begin_unmount(self, held: HeldVolume, mount: HeldMount) -> HeldVolume:
        """From now on `watch` does not mount it again, but ends what is begun."""
        with kept_on_conflict(self.entries, held):
            self.unmounts.check_unused(held)
        return self._put_mount(held, mount.model_copy(update={"is_being_unmounted": True}))

    def _take_away(self, held: HeldVolume, seconds_left: float) -> str:
        """What was lost by that, in words."""
        with kept_on_conflict(self.entries, held):
            return self.unmounts.unmount(held, seconds_left)

    def _forget_mount(self, held: HeldVolume) -> None:
        """Unless it was mounted once more meanwhile, or is forgotten already."""
        entry = self.entries.get(*held.identity)
        if entry is not None and entry.mount is not None and entry.mount.is_being_unmounted:
            drop_folder(Path(entry.mount.path))
            self._put_mount(entry, None)

    def _seconds_left(self, held: HeldVolume) -> float:
        """How long its target may still be silent before it is given up."""
        since = self._lost.get(held.identity, self.now())
        return since + held.queues.ctrl_loss + GRACE_SECONDS - self.now()

    # --- what is there ---

    def _now(self, entry: HeldVolume) -> HeldVolume:
        states = [controller.state for controller in self.fabrics.connections(entry.nqn)]
        try:
            device = self.fabrics.device(entry)
        except RefusedError:
            device = ""
        is_mounted = bool(device) and self._is_mounted(entry) and not self._remains(entry)
        mount = entry.mount and entry.mount.model_copy(update={"is_mounted": is_mounted and not entry.mount.is_being_unmounted})
        state = "live" if "live" in states else states[0] if states else "gone"
        return entry.model_copy(update={"state": state, "device": device, "mount": mount})

    def _is_live(self, held: HeldVolume) -> bool:
        return any(controller.state == "live" for controller in self.fabrics.connections(held.nqn))

    def _is_mounted(self, held: HeldVolume) -> bool:
        """Whether what is mounted at its place is its device, not the remains of one that was lost."""
        mount = None if held.mount is None else self.mounts.at(held.mount.path)
        return mount is not None and mount.number == self.fabrics.number(self.fabrics.device(held))

    def _remains(self, held: HeldVolume) -> list[str]:
        """Who has an earlier mount of it that fails, because its device is gone."""
        if held.mount is None:
            return []
        gone = [number for number in held.mount.numbers if not self.fabrics.has_number(number)]
        return self.users.of_remains(held.mount.path, gone) if gone else []

    def _has_users(self, path: str, number: str) -> bool:
        return not self.fabrics.has_number(number) and bool(self.users.of_remains(path, [number]))

    # --- over time ---

    def restore(self) -> None:
        """Connect and mount again what a reboot took. Targets that do not answer cost a limited time; `watch` tries them again.

        The host gets its name if it has none: an export has to list it before the first connection.
        """
        have_host_name(self.fabrics.places, self.state)
        self.keys.forget_others("connect", [entry.identity for entry in self.entries.all()])
        until = time.monotonic() + RESTORE_SECONDS
        for entry in self.entries.all():
            if time.monotonic() < until:
                self._repair(entry.identity)

    def watch(self, stop: threading.Event) -> None:
        """Until `stop`: a connection that the kernel gave up is made again, and mounted again.

        Those whose last try took too long come after the others, which would wait for them again and again otherwise.
        """
        while not stop.wait(WATCH_SECONDS):
            for entry in sorted(self.entries.all(), key=lambda entry: entry.identity in self.fabrics.slow):
                if not stop.is_set():
                    self._repair(entry.identity)

    def _repair(self, identity: tuple[str, ...]) -> None:
        """Once more as the ledger has it. Why it cannot be is logged once."""
        with self.lock:
            entry = self.entries.get(*identity)  # as it is by now
            if entry is None:
                return
            try:
                if entry.mount is not None and entry.mount.is_being_unmounted:
                    self._end_unmount(entry, entry.mount)
                elif self._make_again(entry):
                    self.audit.done(_asked(entry), f"{entry.volume} is there again")
                self._failed.pop(identity, None)
            except (RefusedError, OSError) as error:
                self._tell_failed(entry, error)

    def _end_unmount(self, entry: HeldVolume, mount: HeldMount) -> None:
        """What a request began and did not end: the kernel still wrote, or the agent was killed. A silent target has its time first."""
        if self._give_up_late(entry) or (self.fabrics.connections(entry.nqn) and not self._is_live(entry)):
            return
        if self.mounts.at(mount.path) is not None and not self.users.of_unmount(mount.path):
            self._take_away(self._begin_unmount(entry, mount), 0)
        device = self.fabrics.device(entry)
        if self.mounts.at(mount.path) is None and not (device and self.fabrics.is_claimed(device)):
            self._forget_mount(entry)

    def _make_again(self, entry: HeldVolume) -> bool:
        """Whether anything of it had to be made. The kernel itself tries to reach a target again for as long as it was asked to."""
        self._check_ours(entry, entry)
        if self._give_up_late(entry):
            return False
        changed = False
        if not self.fabrics.connections(entry.nqn):
            changed = self._bring_up(entry)
        for controller in self.fabrics.connections(entry.nqn):
            self.fabrics.hide_keys(controller)
            changed |= self.registry.claim(controller.name)
        if entry.mount is None or entry.mount.is_being_made or not self._is_live(entry) or self._is_mounted(entry):
            return changed
        if self.mounts.at(entry.mount.path) is not None:
            self.mounts.unmount(entry.mount.path, detach=True)  # its device is gone: nothing can be read or written there
        self._bring_mount(entry)
        return True

    def _give_up_late(self, entry: HeldVolume) -> bool:
        """Whether it is being ended, as one that is tried for too long: the kernel counts tries, and over RDMA one takes up to 80 s."""
        if (ending := self._ending.get(entry.identity)) is not None and ending.is_alive():
            return True
        states = [controller.state for controller in self.fabrics.connections(entry.nqn)]
        if not states or "live" in states:
            self._lost.pop(entry.identity, None)
            return False
        since = self._lost.setdefault(entry.identity, self.now())
        if self.now() - since <= entry.queues.ctrl_loss + GRACE_SECONDS:
            return False
        log.warning("%s: its target has not answered for %d s and is given up", entry.volume, entry.queues.ctrl_loss)
        ending = threading.Thread(target=self._end_slowly, args=(entry,), name=f"ends {entry.volume}", daemon=True)
        self._ending[entry.identity] = ending
        ending.start()
        return True

    def _end_slowly(self, entry: HeldVolume) -> None:
        """The kernel may take minutes for it, which no other volume waits for."""
        try:
            for controller in self.fabrics.connections(entry.nqn):
                self.fabrics.disconnect(controller)
        except RefusedError as error:
            log.warning("%s is not given up yet: %s", entry.volume, error)
        with self.lock:
            self.registry.sweep()

    def _tell_failed(self, entry: HeldVolume, error: Exception) -> None:
        if self._failed.get(entry.identity) != str(error):
            self._failed[entry.identity] = str(error)
            log.warning("not restored: %s", error)
            self.audit.refused(_asked(entry), error)


def _entry(request: ConnectVolume) -> HeldVolume:
    return HeldVolume(
        site=request.site,
        volume=request.volume,
        nqn=request.nqn,
        uuid=request.uuid or "",
        portal=request.portal,
        host_address=request.host_address,
        queues=request.queues,
        key_print=Keys(request.host_key, request.controller_key).print,
        fingerprint=request.fingerprint,
    )


def _must_reconnect(before: HeldVolume, wanted: HeldVolume) -> bool:
    """Whether more changes than how long it tries again."""
    times = {"ctrl_loss": wanted.queues.ctrl_loss, "reconnect_delay": wanted.queues.reconnect_delay}
    same = before.model_copy(update={"queues": before.queues.model_copy(update=times), "mount": wanted.mount})
    return same != wanted


def _asked(entry: HeldVolume) -> Mapping[str, object]:
    chosen = {"site", "volume", "nqn", "portal"}
    return {"do": "connect-volume", **entry.model_dump(mode="json", include=chosen, exclude_none=True)}
