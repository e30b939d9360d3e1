"""One line that shows how far a transfer is."""

from __future__ import annotations

from dtnctl.render.quantities import byte_rate_text, estimate_text, size_text
from dtnctl.render.text import printable_text


def render_transfer_progress(name: str, done: int, total: int | None, rate: float | None, eta: float | None) -> str:
    """`run14  1.25 GiB of 4.00 GiB  31 %  412.3 MiB/s  ETA 7 s`; what is not known is left out.

    `done` and `total` in bytes, `rate` in bytes per second, `eta` in seconds. 100 % is only said when all bytes are there.
    """
    parts = [printable_text(name, ascii_only=False), size_text(done)]
    if total is not None:
        parts[-1] += f" of {size_text(total)}"
    if total:
        parts.append(f"{min(100, done * 100 // total)} %")
    if rate is not None:
        parts.append(byte_rate_text(rate))
    if eta is not None:
        parts.append(f"ETA {estimate_text(eta)}")
    return "  ".join(parts)
