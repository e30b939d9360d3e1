"""Reads the transfer log of globus-gridftp-server (`-Z FILE`), one line for each file that it sent or received. Pure.

The line is that of globus_i_gfs_log.c (GCT 6.2): `DATE=end HOST= PROG= NL.EVNT=FTP_INFO START= USER= FILE= BUFFER= BLOCK= NBYTES= VOLUME=
STREAMS= STRIPES= DEST=[] TYPE= CODE= TASKID= retrans=`. Names are not escaped, so that one may hold blanks and equals signs. The server
writes each line at once and appends, so that several servers share a file; `-Z` may name a pipe. A stock sshftp script passes no
arguments on to the server, and then there is no such log; that of image dtn:1 does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

LONGEST_LINE = 8192  # characters: a name has up to 4096 bytes
_LINE = re.compile(
    r"DATE=(?P<end>\d{14}\.\d{6}) HOST=\S* PROG=\S* NL\.EVNT=FTP_INFO START=(?P<start>\d{14}\.\d{6}) USER=\S* FILE=(?P<file>.*)"
    r" BUFFER=\d+ BLOCK=\d+ NBYTES=(?P<bytes>\d{1,20})(?: VOLUME=.*?)? STREAMS=(?P<streams>\d{1,9}) STRIPES=\d+ DEST=\[.*?\]"
    r" TYPE=(?P<kind>STOR|ESTO|RETR|ERET) CODE=(?P<code>\d+)(?: TASKID=\S*)?(?: retrans=(?P<retransmits>[\d,]*))?\s*"
)


@dataclass(frozen=True, slots=True)
class ServedFile:
    """One file as its server saw it, by its clock. `did` is the server's part in it.

    `retransmits` of its TCP connections; None: it does not say.
    """

    did: Literal["sent", "received"]
    file: str
    bytes: int
    began: datetime
    ended: datetime
    streams: int
    is_complete: bool
    retransmits: int | None = None


def read_server_log(text: str) -> tuple[ServedFile, ...]:
    """Every line that is about a file, in their order; listings and other lines are passed over."""
    return tuple(served for line in text.split("\n") if len(line) <= LONGEST_LINE and (served := _read_line(line)) is not None)


def _read_line(line: str) -> ServedFile | None:
    match = _LINE.fullmatch(line)
    try:
        return _served(match) if match is not None else None
    except ValueError:  # no time that a calendar has, or a number of thousands of digits
        return None


def total_retransmits(served: Iterable[ServedFile]) -> int | None:
    """Those of the senders, whose connections count them; None if no sender says any."""
    counts = [item.retransmits for item in served if item.did == "sent" and item.retransmits is not None]
    return sum(counts) if counts else None


def _served(match: re.Match[str]) -> ServedFile:
    counts = [int(count) for count in (match["retransmits"] or "").split(",") if count]
    return ServedFile(
        did="received" if match["kind"] in ("STOR", "ESTO") else "sent",
        file=match["file"],
        bytes=int(match["bytes"]),
        began=_moment(match["start"]),
        ended=_moment(match["end"]),
        streams=int(match["streams"]),
        is_complete=match["code"].startswith("2"),
        retransmits=sum(counts) if counts else None,
    )


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H%M%S.%f").replace(tzinfo=UTC)
