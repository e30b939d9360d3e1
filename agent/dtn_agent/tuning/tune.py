"""Sets what the host is tuned to, and restores what it was. Each change is in the ledger before it is made."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never, get_args

from dtn_agent.audit import SILENT, Audit
from dtn_agent.errors import RefusedError
from dtn_agent.host_resource import HostResource
from dtn_agent.ledger import Ledger
from dtn_agent.protocol import Ability, Done, Facts
from dtn_agent.protocol.tuning import HeldTuning, Tune, TuneRequest, Untune
from dtn_agent.tuning.applying import found_value, make_live, restore_found
from dtn_agent.tuning.irqbalance import Services, Systemd
from dtn_agent.tuning.key import apply_order, device_of, reset_with, setting_of, spelled_out
from dtn_agent.tuning.setting import Root, Setting

DEVICE_SECONDS = 10.0  # for all devices together to appear while the host starts
RETRY_SECONDS = 5.0
LONGEST_PAUSE = 720  # retries: an hour
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Failed:
    """A setting of ours that could not be restored. `left` retries until the next try, and then `pause` of them."""

    reason: str = ""
    pause: int = 1
    left: int = 1


@dataclass(frozen=True, slots=True)
class LiveRoot:
    """This host."""

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")


class HostTuning(HostResource[TuneRequest]):
    """The settings of one host. One request at a time. Reading takes no lock."""

    name = "tuning"
    requests = get_args(TuneRequest)
    entry = HeldTuning

    def __init__(
        self,
        ledger: Ledger,
        root: Root | None = None,
        services: Services | None = None,
        device_seconds: float = DEVICE_SECONDS,
        audit: Audit = SILENT,
    ) -> None:
        self.ledger = ledger
        self.entries = ledger.section(HeldTuning)
        self.root: Root = LiveRoot() if root is None else root
        self.services: Services = Systemd() if services is None else services
        self.device_seconds = device_seconds
        self.audit = audit
        self._failed: dict[str, Failed] = {}
        self._one_at_a_time = threading.Lock()

    def perform(self, request: TuneRequest) -> Done:
        match request:
            case Tune():
                return self.tune(request)
            case Untune():
                return self.untune(request)
            case _:
                assert_never(request)

    def tune(self, request: Tune) -> Done:
        """Make the setting so. What it was is remembered the first time; RefusedError leaves everything as it was."""
        setting = self._setting(request.key)
        wanted = _normal(request, setting)
        with self._one_at_a_time:
            before = self.entries.get(request.key)
            if before is not None and before.site != request.site:
                raise RefusedError("conflict", f"{request.key} is tuned by site {before.site}")
            if before is not None and before.wanted == wanted and setting.is_as(wanted):
                return Done(changed=False, detail=f"{request.key} is {wanted}")
            entry = self._claim(request, wanted, setting, before)
            try:
                make_live(request.key, setting, wanted)
            except RefusedError:
                self._go_back(setting, entry, before)
                raise
            finally:
                self._follow(request.key)
            return Done(changed=True, detail=f"{request.key} is {wanted}; it was {entry.found or 'not set'}")

    def untune(self, request: Untune) -> Done:
        """Restore what it was, and forget it. What is not ours is success; what is gone by now needs no restoring."""
        with self._one_at_a_time:
            entry = self.entries.get(request.key)
            if entry is None:
                return Done(changed=False, detail=f"{request.key} is not tuned")
            if entry.site != request.site:
                raise RefusedError("conflict", f"{request.key} is tuned by site {entry.site}")
            setting = self._setting(request.key)
            if setting.read() is not None:
                restore_found(setting, entry)
                self._follow(request.key)
            self.entries.drop(request.key)
            return Done(changed=True, detail=f"{request.key} is {setting.read()} again")

    def readings(self, keys: Collection[str], facts: Facts) -> dict[str, str | None]:
        """As `read`, for each block device of this host that fits a pattern, too."""
        return self.read(spelled_out(keys, [device.name for device in facts.block_devices]))

    def read(self, keys: Iterable[str]) -> dict[str, str | None]:
        """The live value of each; what was asked for where that is so. None: no such thing here, or no key that we know."""
        ours = {entry.key: entry.wanted for entry in self.entries.all()}
        return {key: self._read(key, ours.get(key)) for key in sorted(set(keys))}

    def held(self) -> tuple[HeldTuning, ...]:
        """What is ours, with the live values."""
        entries = self.entries.all()
        return tuple(entry.model_copy(update={"now": self._read(entry.key, entry.wanted)}) for entry in entries)

    def abilities(self, facts: Facts) -> tuple[Ability, ...]:
        """`tune`, if the kernel's parameters can be written here."""
        del facts
        is_writable = os.access(self.root.proc / "sys/net/ipv4/tcp_rmem", os.W_OK)
        return (Ability(name="tune", lacks="" if is_writable else "the agent may not write to /proc/sys here"),)

    def restore(self) -> None:
        """Make everything live again that is ours, after a reboot or a crash. What fails is logged, the rest goes on, `retry` tries again.

        Devices that are not there yet are waited for. VLANs and virtual functions that the agent has yet to make are left to `retry`.
        """
        keys, held = self._keys(), self.ledger.read()
        late = {vlan.name for vlan in held.vlans} | {vf.interface.name for vf in held.vfs if vf.interface}
        self._await_devices({device_of(key) for key in keys if device_of(key)[1] not in late})
        for key in keys:
            if device_of(key)[1] in late:
                self._failed[key] = Failed()
            else:
                self._restore(key)

    def restore_rest(self) -> None:
        self.retry()

    def retry(self) -> None:
        """Try again what could not be restored: what is not there each time, what is refused ever more rarely, for a try may restart a NIC.

        What of a device follows a setting that now is as it should be is looked at, too: it may have been undone.
        """
        touched: set[tuple[str, str]] = set()
        for key in self._keys():
            if (self._is_due(key) or device_of(key) in touched) and self._restore(key) and device_of(key)[1]:
                touched.add(device_of(key))

    def watch(self, stop: threading.Event) -> None:
        """Until `stop`: what could not be restored is tried again. A NIC's driver may come late, and its interrupts when it is up."""
        while not stop.wait(RETRY_SECONDS):
            self.retry()

    def _keys(self) -> list[str]:
        return sorted((entry.key for entry in self.entries.all()), key=apply_order)

    def _await_devices(self, devices: Iterable[tuple[str, str]]) -> None:
        folders = {"interface": self.root.sys / "class/net", "block": self.root.sys / "block"}
        paths = [folders[kind] / name for kind, name in devices if name]
        until = time.monotonic() + self.device_seconds
        while not all(path.exists() for path in paths) and time.monotonic() < until:
            time.sleep(0.1)

    def _is_due(self, key: str) -> bool:
        failed = self._failed.get(key)
        if failed is None:
            return False
        failed.left -= 1
        return failed.left <= 0

    def _restore(self, key: str) -> bool:
        """Whether it had to be made live, and is. Why it is not is logged once."""
        before = self._failed.pop(key, None)
        try:
            with self._one_at_a_time:
                changed = self._make_again(key)
        except (RefusedError, OSError, ValueError) as error:
            pause = 1 if before is None or self._read(key, None) is None else min(2 * before.pause, LONGEST_PAUSE)
            self._failed[key] = Failed(str(error), pause, pause)
            if before is None or before.reason != str(error):
                logger.warning("not restored: %s", error)
                self._refused(key, error)
            return False
        if changed and before is not None and before.reason:
            logger.warning("restored after all: %s", key)
        return changed

    def _make_again(self, key: str) -> bool:
        """Make it live if it is ours; whether it was not."""
        entry = self.entries.get(key)
        if entry is None:
            return False
        setting = self._setting(key)
        if setting.read() is None:
            raise _absent(key, setting)
        if setting.is_as(entry.wanted):
            return False
        was = setting.read()
        make_live(key, setting, entry.wanted)
        self.audit.done(_audit_words(entry), f"{key} is {entry.wanted} again; it was {was}")
        return True

    def _follow(self, key: str) -> None:
        """Set again what the kernel resets with this setting. What fails is logged, for what was asked for is done."""
        try:
            self._make_again(reset_with(key))
        except (RefusedError, OSError) as error:
            logger.warning("not set again: %s", error)
            self._refused(reset_with(key), error)

    def _refused(self, key: str, error: Exception) -> None:
        entry = self.entries.get(key)
        if entry is not None:
            self.audit.refused(_audit_words(entry), error)

    def _setting(self, key: str) -> Setting:
        return setting_of(self.root, self.services, key)

    def _read(self, key: str, wanted: str | None) -> str | None:
        try:
            setting = self._setting(key)
            return wanted if wanted is not None and setting.is_as(wanted) else setting.read()
        except (RefusedError, OSError):
            return None

    def _claim(self, request: Tune, wanted: str, setting: Setting, before: HeldTuning | None) -> HeldTuning:
        """Written down before anything is changed."""
        found = found_value(request.key, setting) if before is None else before.found
        entry = HeldTuning(key=request.key, found=found, wanted=wanted, now=None, site=request.site)
        self.entries.put(entry)
        return entry

    def _go_back(self, setting: Setting, entry: HeldTuning, before: HeldTuning | None) -> None:
        """As it was before a refused request. If even that fails, the entry stays, so that Untune can try again."""
        try:
            if before is None:
                restore_found(setting, entry)
            else:
                setting.write(before.wanted)
        except (RefusedError, OSError) as error:
            logger.warning("%s: could not be restored: %s", entry.key, error)
            return
        if before is None:
            self.entries.drop(entry.key)
        else:
            self.entries.put(before)


def _normal(request: Tune, setting: Setting) -> str:
    """The value in normal form, if there is such a setting here."""
    if setting.read() is None:
        raise _absent(request.key, setting)
    try:
        return setting.normal(request.value)
    except ValueError as error:
        raise RefusedError("bad-request", f"{request.key}: {error}") from None


def _audit_words(entry: HeldTuning) -> Mapping[str, object]:
    return {"do": "tune", **entry.model_dump(include={"site", "key"}), "value": entry.wanted}


def _absent(key: str, setting: Setting) -> RefusedError:
    return RefusedError("not-found", f"{key}: {setting.absence}" if setting.absence else f"there is no {key} here")
