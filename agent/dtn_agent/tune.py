"""Sets what the host is tuned to, and puts back what it was. What is ours is in the ledger before it is made."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dtn_agent.errors import RefusedError
from dtn_agent.ledger import Ledger
from dtn_agent.protocol import Ability, Done, HeldTuning, Tune, Untune
from dtn_agent.tuning.irqbalance import Services, Systemd
from dtn_agent.tuning.key import apply_order, reset_with, setting_of
from dtn_agent.tuning.setting import Root, Setting

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LiveRoot:
    """This host."""

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")


class TuneHands:
    """One request at a time. Reading takes no lock."""

    def __init__(self, ledger: Ledger, root: Root | None = None, services: Services | None = None) -> None:
        self.ledger = ledger
        self.root: Root = LiveRoot() if root is None else root
        self.services: Services = Systemd() if services is None else services
        self._one_at_a_time = threading.Lock()

    def tune(self, request: Tune) -> Done:
        """Make the setting so. What it was is remembered the first time; RefusedError leaves everything as it was."""
        setting = self._setting(request.key)
        wanted = _normal(request, setting)
        with self._one_at_a_time:
            before = self._entry(request.key)
            if before is not None and before.site != request.site:
                raise RefusedError("conflict", f"{request.key} is tuned by site {before.site}")
            if before is not None and before.wanted == wanted and setting.is_as(wanted):
                return Done(changed=False, detail=f"{request.key} is {wanted}")
            entry = self._claim(request, wanted, setting, before)
            try:
                _make(request.key, setting, wanted)
            except RefusedError:
                self._go_back(setting, entry, before)
                raise
            finally:
                self._make_again(reset_with(request.key))
            return Done(changed=True, detail=f"{request.key} is {wanted}; it was {entry.found or 'not set'}")

    def untune(self, request: Untune) -> Done:
        """Put back what it was, and forget it. What is not ours is success; what is gone by now needs nothing put back."""
        with self._one_at_a_time:
            entry = self._entry(request.key)
            if entry is None:
                return Done(changed=False, detail=f"{request.key} is not tuned")
            if entry.site != request.site:
                raise RefusedError("conflict", f"{request.key} is tuned by site {entry.site}")
            setting = self._setting(request.key)
            if setting.read() is not None:
                _put_back(setting, entry)
                self._make_again(reset_with(request.key))
            self._forget(request.key)
            return Done(changed=True, detail=f"{request.key} is {setting.read()} again")

    def read(self, keys: Iterable[str]) -> dict[str, str | None]:
        """The live value of each; what was asked for where that is so. None: no such thing here, or no key that we know."""
        ours = {entry.key: entry.wanted for entry in self.ledger.read().tuning}
        return {key: self._read(key, ours.get(key)) for key in sorted(set(keys))}

    def held(self) -> tuple[HeldTuning, ...]:
        """What is ours, with the live values."""
        entries = self.ledger.read().tuning
        return tuple(entry.model_copy(update={"now": self._read(entry.key, entry.wanted)}) for entry in entries)

    def abilities(self) -> tuple[Ability, ...]:
        """`tune`, if the kernel's parameters can be written here."""
        is_writable = os.access(self.root.proc / "sys/net/ipv4/tcp_rmem", os.W_OK)
        return (Ability(name="tune", lacks="" if is_writable else "the agent may not write to /proc/sys here"),)

    def restore(self) -> None:
        """Make everything live again that is ours, after a reboot or a crash. What fails is logged, and the rest goes on."""
        for entry in sorted(self.ledger.read().tuning, key=lambda entry: apply_order(entry.key)):
            with self._one_at_a_time:
                self._make_again(entry.key)

    def _make_again(self, key: str) -> None:
        """Make it live if it is ours. What fails is logged."""
        entry = self._entry(key)
        if entry is None:
            return
        try:
            setting = self._setting(key)
            if not setting.is_as(entry.wanted):
                _make(key, setting, entry.wanted)
        except (RefusedError, OSError, ValueError) as error:
            logger.warning("not restored: %s: %s", key, error)

    def _setting(self, key: str) -> Setting:
        return setting_of(self.root, self.services, key)

    def _read(self, key: str, wanted: str | None) -> str | None:
        try:
            setting = self._setting(key)
            return wanted if wanted is not None and setting.is_as(wanted) else setting.read()
        except (RefusedError, OSError):
            return None

    def _entry(self, key: str) -> HeldTuning | None:
        return next((entry for entry in self.ledger.read().tuning if entry.key == key), None)

    def _claim(self, request: Tune, wanted: str, setting: Setting, before: HeldTuning | None) -> HeldTuning:
        """Written down before anything is changed."""
        found = _found(request.key, setting) if before is None else before.found
        entry = HeldTuning(key=request.key, found=found, wanted=wanted, now=None, site=request.site)
        self._remember(entry)
        return entry

    def _go_back(self, setting: Setting, entry: HeldTuning, before: HeldTuning | None) -> None:
        """As it was before a refused request. If even that fails, the entry stays, so that Untune can try once more."""
        try:
            if before is None:
                _put_back(setting, entry)
            else:
                setting.write(before.wanted)
        except (RefusedError, OSError) as error:
            logger.warning("%s: could not be put back: %s", entry.key, error)
            return
        if before is None:
            self._forget(entry.key)
        else:
            self._remember(before)

    def _remember(self, entry: HeldTuning) -> None:
        others = (item for item in self.ledger.read().tuning if item.key != entry.key)
        self._write(sorted((*others, entry), key=lambda item: item.key))

    def _forget(self, key: str) -> None:
        self._write(item for item in self.ledger.read().tuning if item.key != key)

    def _write(self, entries: Iterable[HeldTuning]) -> None:
        tuning = tuple(entries)
        self.ledger.write(lambda held: held.model_copy(update={"tuning": tuning}))


def _normal(request: Tune, setting: Setting) -> str:
    """The value in normal form, if there is such a setting here."""
    if setting.read() is None:
        raise RefusedError("not-found", f"{request.key}: {setting.absence}" if setting.absence else f"there is no {request.key} here")
    try:
        return setting.normal(request.value)
    except ValueError as error:
        raise RefusedError("bad-request", f"{request.key}: {error}") from None


def _found(key: str, setting: Setting) -> str | None:
    try:
        return setting.found()
    except (ValueError, OSError) as error:
        raise RefusedError("unsupported", f"{key}: {error}") from None


def _make(key: str, setting: Setting, wanted: str) -> None:
    """Write and read back: some of the kernel's files take a value, and keep another."""
    try:
        setting.write(wanted)
    except OSError as error:
        raise RefusedError("failed", f"{key}: the host does not take `{wanted}`: {error.strerror or error}") from None
    if not setting.is_as(wanted):
        raise RefusedError("failed", f"{key}: `{wanted}` was written, and the host has `{setting.read()}`")


def _put_back(setting: Setting, entry: HeldTuning) -> None:
    """What is as it was is not written: a driver that refuses every change refuses this one, too."""
    try:
        if not _is_as_found(setting, entry):
            setting.put_back(entry.found)
    except OSError as error:
        raise RefusedError("failed", f"{entry.key}: the host does not take back `{entry.found}`: {error.strerror or error}") from None


def _is_as_found(setting: Setting, entry: HeldTuning) -> bool:
    try:
        return setting.found() == entry.found
    except ValueError:  # what stands there now is nothing that could be put back itself
        return False
