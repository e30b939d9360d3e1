"""What lists show of volumes over NVMe-oF: a row for each end of each. Frozen values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """One end of a volume: its target, or a host that has it or should have it.

    `state` of a target: `exported`, `faulty`, `not exported`, `external`, `unknown`. Of a host: `mounted`, `connected` (as a block device),
    `not mounted`, `connecting`, `gone`, `missing`, `unknown`. `words` say more. `endpoint` is empty where the target is external.
    `place` is what is exported, where it is mounted, or its block device.
    """

    name: str
    endpoint: str
    role: Literal["target", "host"]
    state: str
    transport: str
    portal: str = ""
    place: str = ""
    mode: str = ""
    sessions: tuple[str, ...] = ()
    words: str = ""
