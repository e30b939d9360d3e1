"""Reads what the kernel tells of an md array. Changes nothing."""

from __future__ import annotations

from pathlib import Path

from dtn_agent.protocol import Raid


def raid_of(block: Path) -> Raid | None:
    """The array of a folder of /sys/block; None if it is no md array, or one that was stopped and has no level."""
    level = _text(block / "md/level")
    if not level:
        return None
    degraded = _text(block / "md/degraded")
    return Raid(level=level, action=_text(block / "md/sync_action"), degraded=int(degraded) if degraded.isdigit() else None)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
