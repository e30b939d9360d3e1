r"""xrootd: a server of the attempt beside the destination's service, and xrdcp that writes to it. Pure.

The server lets in who has the attempt's key (protocol sss) and exports one thing, a link to the folder that is written to. A file that was
not written whole is removed by the server itself (POSC), unless the server is killed.

Traps, all seen with XRootD 5.5.3: xrdcp shows its progress to a terminal alone; with its own times it waits for minutes for a port that is
refused and for a server that was killed; it makes no empty folders; a name is cut off at a question mark, because it
becomes a URL; `sec.protbind * only sss` in the server's configuration lets everyone in; and what sss sends is worthless after 13 seconds by
the other host's clock, if no more is asked for.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from dtnctl.model.actions import JobEnd
from dtnctl.model.scitags import Scitag
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import (
    Access,
    Evidence,
    JobFile,
    JobRequest,
    Judgement,
    Listing,
    Moved,
    Mover,
    ProgressReader,
    folder_of,
    in_brackets,
)
from dtnctl.movers.causes import known
from dtnctl.movers.lines import Lines
from dtnctl.movers.refusals import refuse_omitted_links
from dtnctl.movers.verdict import judge_copy

MOST_STREAMS = 15
KEY_SECONDS = 600  # how far the clocks of the two hosts may be apart
STALL_GRACE = 30  # seconds; the one who watches the job is to notice a stall first
CONFIG = """\
all.export /there
oss.localroot {folder}/root
all.adminpath {folder}
all.pidpath {folder}
ofs.persist auto hold 0
xrootd.seclib libXrdSec.so
sec.protocol sss -s {folder}/sss.keytab -l {seconds}
"""
# Every flow of the attempt's server is of one experiment and one activity, which a file of our own calls `transfer`.
MARKS = """\
xrootd.pmark defsfile {folder}/scitags.json domain any ffdest {collector}:{port}
xrootd.pmark map2exp default transfer map2act transfer default transfer use firefly
"""
# Arguments: the folder that is written to, the port.
SERVER = """\
mkdir -p -- "$1" {folder}/root/there && ln -sfn -- "$1" {folder}/root/there/tree && cd {folder} || exit
exec xrootd -p "$2" -c {folder}/xrootd.cfg
"""
# Arguments: the folder that is read, the server, the command of xrdcp. Both ends call it `tree`, whose name xrdcp takes along.
# The shell stays, and ends by SIGTERM: script(1) would end with 0, as if a copy that was stopped had come to its end.
FILE = """\
ln -sfn -- "$1" {folder}/tree || exit
script -q -e -f -c "$3" /dev/null
exit "$?"
"""
TREE = """\
ln -sfn -- "$1" {folder}/tree && cd {folder} || exit
find -L tree/ -mindepth 1 -type d -empty -exec xrdfs "$2" mkdir -p -mrwxr-xr-x "/there/{{}}" \\;
[ "$(find -L tree/ -type f -print -quit)" ] || exit 0
script -q -e -f -c "$3" /dev/null
exit "$?"
"""
KNOWN = (
    known(r"(?i)no space left on device", "the disk at the destination is full", retryable=False),
    known(r"(?i)disk quota exceeded", "the quota at the destination is used up", retryable=False),
    known(r"Auth failed", "the server did not take the attempt's key: the clocks of both hosts may be too far apart", retryable=False),
    known(r"no such file or directory processing (.+)", "{1}: no such file or folder at the source", retryable=False),
    known(r"Unable to \w+ /there/tree/(.+); permission denied", "{1}: permission denied at the destination", retryable=False),
    known(r"\[FATAL\] Connection error", "the xrootd server is not reached: its port is closed, or it was killed", retryable=True),
    known(r"Server responded with an error: (\[\d+\] .+)", "the xrootd server says: {1}", retryable=False),
    known(r"\[(?:FATAL|ERROR)\] (.+)", "xrdcp says: {1}", retryable=True),
)


class Xrootd(Mover):
    """xrootd."""

    server_ends = False

    def refusal(self, request: JobRequest, before: Listing) -> str:
        options = request.options
        if options.parallelism > MOST_STREAMS:
            return f"xrdcp has at most {MOST_STREAMS} streams; `parallelism: {options.parallelism}` is too many"
        ends = () if options.recursive else (request.source.path, request.destination.path)
        odd = [name for name in (*(end.rpartition("/")[2] for end in ends), *sorted(before.entries)) if "?" in name]
        if odd:
            return f"{odd[0]!r}: xrdcp cuts a name off at a question mark; rename it, or use another `tool:`"
        return refuse_omitted_links("xrdcp", request)

    def client(self, request: JobRequest) -> tuple[str, ...]:
        options, server = request.options, _server(request)
        streams = ("--streams", str(options.parallelism)) if options.parallelism > 1 else ()
        source, target = f"{request.folder}/tree/{_name(request.source)}", f"root://{server}//there/tree/{_name(request.destination)}"
        tree: tuple[str, ...] = ()
        if options.recursive:
            source, target, tree = (
                f"{request.folder}/tree/",
                f"root://{server}//there/",
                ("--recursive", "--parallel", str(options.concurrency)),
            )
        copy = shlex.join(("xrdcp", "--force", "--posc", *streams, *tree, source, target))
        script = (TREE if options.recursive else FILE).format(folder=request.folder)
        return ("env", *_times(request), "/bin/sh", "-c", script, "copy", folder_of(request.source), server, copy)

    def server(self, request: JobRequest) -> tuple[str, ...]:
        return ("/bin/sh", "-c", SERVER.format(folder=request.folder), "server", folder_of(request.destination), str(request.port))

    def client_files(self, request: JobRequest, access: Access) -> tuple[JobFile, ...]:
        return (_keytab(request, access),)

    def server_files(self, request: JobRequest, access: Access) -> tuple[JobFile, ...]:
        config, tag = CONFIG.format(folder=request.folder, seconds=KEY_SECONDS), request.options.scitag
        marks = (JobFile(f"{request.folder}/scitags.json", _scitags(tag), 0o600),) if tag is not None else ()
        if tag is not None:
            config += MARKS.format(folder=request.folder, collector=in_brackets(tag.collector), port=tag.port)
        return (_keytab(request, access), JobFile(f"{request.folder}/xrootd.cfg", config.encode(), 0o600), *marks)

    def reader(self, request: JobRequest, sizes: Mapping[str, int]) -> ProgressReader:
        return Reader(sizes)

    def judge(self, evidence: Evidence, options: TransferOptions) -> Judgement:
        return judge_copy(evidence, options, "xrdcp", KNOWN)


MOVER = Xrootd()


def _server(request: JobRequest) -> str:
    host = request.destination.data_host or request.destination.host
    return f"{in_brackets(host)}:{request.port}"


def _name(end: JobEnd) -> str:
    return end.path.rpartition("/")[2]


def _times(request: JobRequest) -> tuple[str, ...]:
    """Variables of xrdcp: where its key is, and how long it waits, in seconds."""
    silent = f"{request.options.stall_timeout + STALL_GRACE:.0f}"
    waits = {"CONNECTIONWINDOW": "10", "CONNECTIONRETRY": "1", "STREAMERRORWINDOW": "0", "REQUESTTIMEOUT": silent, "STREAMTIMEOUT": silent}
    return (f"XrdSecSSSKT={request.folder}/sss.keytab", "XrdSecPROTOCOL=sss", *(f"XRD_{name}={value}" for name, value in waits.items()))


def _keytab(request: JobRequest, access: Access) -> JobFile:
    """As xrdsssadmin writes it: one key that never expires, for whoever has it."""
    key = hashlib.sha256(access.secret.encode()).hexdigest()
    return JobFile(f"{request.folder}/sss.keytab", f"0 u:anybody g:anygroup n:dtnctl N:1 c:1 e:0 f:0 k:{key}\n".encode(), 0o600)


def _scitags(tag: Scitag) -> bytes:
    """As the registry's own file has them."""
    activities = [{"activityName": "transfer", "activityId": tag.activity}]
    experiments = [{"expName": "transfer", "expId": tag.experiment, "activities": activities}]
    return json.dumps({"version": 1, "modified": "2026-01-01T00:00:00Z", "experiments": experiments}).encode()


UNITS = {"": 1, "k": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_JOB = re.compile(r"Job: (\d{1,18})/\d{1,18}\s*")
_SOURCE = re.compile(r"Source: file://[^/]*/.*?/tree/(.+?)\s*")
_BAR = re.compile(r"\[(\d{1,18}(?:\.\d{1,18})?)([kMGT]?)B/[^\]]*\]\[\s*\d{1,18}%\]\[[^\]]*\]\[(\d{1,18}(?:\.\d{1,18})?)([kMGT]?)B/s\]\s*")
_PART = re.compile(r"\[#(\d{1,18}):\s*(\d{1,18})% (\d{1,18}(?:\.\d{1,18})?)([kMGT]?)B/s\]")


@dataclass(slots=True)
class Reader:
    """Adds up the files. One at a time shows its bytes; of several at once each shows its percentage, and `sizes` has the rest."""

    sizes: Mapping[str, int]
    _lines: Lines = field(default_factory=Lines)
    _job: int = 1
    _most: int = -1
    _moved: dict[int, int] = field(default_factory=dict)
    _whole: dict[int, int] = field(default_factory=dict)

    def feed(self, chunk: bytes) -> Moved | None:
        lines = self._lines.feed(chunk)
        rates = [rate for line in lines if (rate := self._note(line)) is not None]
        if not rates:
            return None
        before, self._most = self._most, max(self._most, sum(self._moved.values()))
        return Moved(self._most, rates[-1], self._most > before)

    def _note(self, line: str) -> float | None:
        """Bytes per second, None if the line is not about progress."""
        if match := _JOB.fullmatch(line):
            self._job = int(match[1])
        elif match := _SOURCE.fullmatch(line):
            self._whole[self._job] = self.sizes.get(match[1], 0)
        elif match := _BAR.fullmatch(line):
            # it is rounded, and after several at once the last bar may be of any of them
            shown = int(float(match[1]) * UNITS[match[2]])
            self._moved[self._job] = min(shown, self._whole.get(self._job, shown))
            return float(match[3]) * UNITS[match[4]]
        elif parts := _PART.findall(line):
            for job, percent, _, _ in parts:
                self._moved[int(job)] = self._whole.get(int(job), 0) * int(percent) // 100
            return sum(float(rate) * UNITS[unit] for _, _, rate, unit in parts)
        return None
