"""Compares what globus-url-copy said with the transfer logs of both GridFTP servers, and takes from them what only they know. Pure.

A server counts what it read or wrote; the client adds up what servers reported. Where nothing else is compared, the server's word decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.accounted import account_for
from dtnctl.movers.base import Evidence, Judgement, Listing
from dtnctl.movers.gridftp_server_log import ServedFile, read_server_log, total_retransmits
from dtnctl.printable import plural

UNREADABLE = "the servers' log cannot be read"
NO_LOG = "no log: the images' sshftp passes no options on to globus-gridftp-server"


def with_server_log(judged: Judgement, evidence: Evidence, options: TransferOptions) -> Judgement:
    """The judgement with bytes per second, streams and retransmits as the servers logged them, and a difference in words.

    A copy of which nothing was compared has failed if its server logged that less arrived.
    """
    served = read_server_log(evidence.server_log)
    received = [item for item in served if item.did == "received"]
    sent = [item for item in served if item.did == "sent"]
    ended_well = judged.verdict in ("succeeded", "partial")
    difference = _difference(evidence, options, received) if ended_well and received else ""
    said = [_said(name, part) for name, part in (("destination received", received), ("source sent", sent)) if part]
    retransmits = total_retransmits(served)
    no_log = f"{UNREADABLE}: {evidence.server_log_problem}" if evidence.server_log_problem else NO_LOG
    judged = replace(judged, served="; ".join([*said, *([difference] if difference else [])]) or no_log)
    if ended_well and received:
        streams = max(item.streams for item in received)
        judged = replace(judged, rate=_rate(received), retransmits=retransmits, streams=streams)
    if difference and judged.verdict == "succeeded" and options.verify == "none" and options.sync_level is None:
        cause = f"it ended well, but its server logged less than was to be copied: {judged.served}"
        return replace(judged, verdict="failed", cause=cause, retryable=True, verified="")
    return judged


def _said(what: str, served: Sequence[ServedFile]) -> str:
    """For example `destination received 2 files, 10 bytes, 4 streams, 2026-06-01T00:00:00Z to 2026-06-01T00:00:10Z`."""
    counts = f"{plural(_whole(served), 'file')}, {sum(item.bytes for item in served)} bytes"
    streams = plural(max(item.streams for item in served), "stream")
    broken = sum(1 for item in served if not item.is_complete)
    resent = total_retransmits(served)
    parts = [counts, streams, f"{_text(min(item.began for item in served))} to {_text(max(item.ended for item in served))}"]
    parts += [f"{broken} broken off"] if broken else []
    parts += [plural(resent, "retransmit")] if resent is not None else []
    return f"{what} {', '.join(parts)}"


def _whole(served: Sequence[ServedFile]) -> int:
    """How many files; one that was restarted is one."""
    return len({item.file for item in served if item.is_complete})


def _difference(evidence: Evidence, options: TransferOptions, received: Sequence[ServedFile]) -> str:
    """Empty where the destination's server logged all that was to be copied; a restart may move some of it twice."""
    compared = account_for(evidence, options).compared
    wanted = compared.before or compared.source or Listing("unknown")
    if _whole(received) >= len(wanted.files) and sum(item.bytes for item in received) >= wanted.bytes:
        return ""
    return f"it differs: {plural(len(wanted.files), 'file')} with {wanted.bytes} bytes were to be copied"


def _rate(received: Sequence[ServedFile]) -> float | None:
    """Bytes per second from the first byte that the destination waited for to the last; None if that took no time."""
    seconds = (max(item.ended for item in received) - min(item.began for item in received)).total_seconds()
    return sum(item.bytes for item in received) / seconds if seconds > 0 else None


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
