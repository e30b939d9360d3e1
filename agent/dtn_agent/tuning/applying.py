"""One setting, made live or restored, with every refusal as a RefusedError."""

from __future__ import annotations

from dtn_agent.errors import RefusedError
from dtn_agent.protocol.tuning import HeldTuning
from dtn_agent.tuning.setting import Setting


def found_value(key: str, setting: Setting) -> str | None:
    """What the setting is now, for `restore_found`."""
    try:
        return setting.found()
    except (ValueError, OSError) as error:
        raise RefusedError("unsupported", f"{key}: {error}") from None


def make_live(key: str, setting: Setting, wanted: str) -> None:
    """Write and read back: some of the kernel's files take a value, and keep another."""
    try:
        setting.write(wanted)
    except OSError as error:
        raise RefusedError("failed", f"{key}: the host does not take `{wanted}`: {error.strerror or error}") from None
    if not setting.is_as(wanted):
        raise RefusedError("failed", f"{key}: `{wanted}` was written, and the host has `{setting.read()}`")


def restore_found(setting: Setting, entry: HeldTuning) -> None:
    """What is as it was is not written: a driver that refuses every change refuses this one, too."""
    try:
        if not _is_as_found(setting, entry):
            setting.restore(entry.found)
    except OSError as error:
        raise RefusedError("failed", f"{entry.key}: the host does not take back `{entry.found}`: {error.strerror or error}") from None


def _is_as_found(setting: Setting, entry: HeldTuning) -> bool:
    try:
        return setting.found() == entry.found
    except ValueError:  # what stands there now is nothing that could be restored itself
        return False
