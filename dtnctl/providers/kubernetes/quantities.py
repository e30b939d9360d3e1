"""Amounts as a cluster writes them: `1500m` CPUs, `64Mi` of memory. Pure."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

MILLI = 1000
FACTORS = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    **{prefix: Decimal(1000) ** power for power, prefix in enumerate("kMGTPE", 1)},
    **{f"{prefix}i": Decimal(1024) ** power for power, prefix in enumerate("KMGTPE", 1)},
}
_FORM = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)")


def amount(text: object) -> Decimal:
    """The number; 0 for what is none, which a server would not have taken."""
    found = _FORM.fullmatch(str(text))
    return Decimal(found[1]) * FACTORS.get(found[2], Decimal(1)) if found else Decimal(0)


def cpu_text(cpus: float) -> str:
    """CPUs in the form that a server keeps: whole ones as such, others in thousandths, rounded up."""
    thousandths = int((Decimal(repr(cpus)) * MILLI).to_integral_value(ROUND_CEILING))
    return str(thousandths // MILLI) if thousandths % MILLI == 0 else f"{thousandths}m"


def byte_count(text: object) -> int:
    return int(amount(text))
