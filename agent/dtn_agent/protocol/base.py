"""What every message between dtnctl and the agent has in common: two base classes, and the forms of names."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

# 2: unknown settings of VFs are null; SetQos replaces another network's. 3: `vlan_priority`, `pf` (before: `qos`, `interface`)
PROTOCOL_VERSION = 3
ANY_MAC = r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$"
INTERFACE_NAME = r"^[A-Za-z0-9_.:@-]{1,15}$"  # what the kernel takes; no slash, so no path
ONE_LINE = r"^[\t\x20-\x7e]*$"
STATE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"


class Reported(BaseModel):
    """Base of everything that the agent reports. Unknown keys are ignored: a newer agent may report more."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Requested(BaseModel):
    """Base of everything that the agent is asked to do. Unknown keys are refused: what it does not understand it must not do."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)
