"""How far a transfer is: one line for a log, or the cells of a table on a terminal."""

from __future__ import annotations

from dtnctl.model.progress import Measured
from dtnctl.render.quantities import byte_rate_text, estimate_text, size_text
from dtnctl.render.text import plural, printable_text


def render_transfer_progress(measured: Measured) -> str:
    """`run14  1.25 GiB of 4.00 GiB  31 %  412.3 MiB/s, average 398.0 MiB/s  ETA 7 s`; what is not known is left out."""
    return "  ".join(cell for cell in progress_cells(measured) if cell)


def progress_cells(measured: Measured) -> tuple[str, str, str, str, str]:
    """Name, size, share, rates, and what is left, or since when nothing moves. 100 % is only said when all bytes are there."""
    share = ""
    if measured.total:
        share = f"{min(100, measured.bytes * 100 // measured.total)} %"
    name = printable_text(measured.transfer, ascii_only=False)
    return name, _size(measured), share, _rates(measured), _rest(measured)


def _size(measured: Measured) -> str:
    size = size_text(measured.bytes)
    if measured.total is not None:
        size += f" of {size_text(measured.total)}"
    if measured.files is not None and (measured.total_files or 0) > 1:
        size += f", {measured.files:,} of {plural(measured.total_files or 0, 'file')}"
    return size


def _rates(measured: Measured) -> str:
    if measured.still:
        return ""
    now = byte_rate_text(measured.rate) if measured.rate is not None else ""
    average = f"average {byte_rate_text(measured.average)}" if measured.average is not None else ""
    return ", ".join(text for text in (now, average) if text)


def _rest(measured: Measured) -> str:
    if measured.still:
        return f"nothing moved for {estimate_text(measured.still)}"
    return f"ETA {estimate_text(measured.eta)}" if measured.eta is not None else ""
