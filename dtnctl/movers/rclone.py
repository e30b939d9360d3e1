r"""rclone, over SFTP to the sshd of the destination's service or to a server of its own there: command line, progress and verdict. Pure.

It writes one JSON object a line; those with `stats` have the bytes and the speed of all files together. A file that failed is removed by
rclone itself; one that is being written has its final name.

Traps, all seen with rclone 1.60.1: it takes the first kind of host key that the server has and calls it a mismatch if known_hosts has
another one, so it gets all of the server's keys, read by an ssh that knows one of them; files of one size and time are not copied, unless
it is to ignore times; it makes no empty folders, unless asked for; it looks for md5sum at the destination and reads all once more, unless
that is switched off (dtnctl compares by itself); and what failed is tried again three times, which is for dtnctl to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dtnctl.model.actions import JobEnd
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Access, Evidence, JobFile, JobRequest, Judgement, Listing, Moved, Mover, ProgressReader, in_brackets
from dtnctl.movers.by_sftp import space_failures, with_login
from dtnctl.movers.causes import DISK_FAILURES, SSH_FAILURES, known
from dtnctl.movers.lines import Lines
from dtnctl.movers.rclone_server import KNOWS_S3, SERVER_FAILURES, place_there, protocol_of, remote, s3_problem, server, server_files
from dtnctl.movers.ssh_login import login_files
from dtnctl.movers.verdict import judge_copy

CONFIG = """\
[there]
type = sftp
host = {host}
port = {port}
user = {user}
key_file = {folder}/id_destination
known_hosts_file = {folder}/host_keys
shell_type = unix
disable_hashcheck = true
md5sum_command = none
sha1sum_command = none
"""
READ_HOST_KEYS = """\
keys=$(there 'cat /etc/ssh/ssh_host_*_key.pub') &&
printf '%s\\n' "$keys" | while read -r kind key comment; do printf '%s %s %s\\n' '{place}' "$kind" "$key"; done >{folder}/host_keys"""
KNOWN = (
    *SSH_FAILURES,
    *DISK_FAILURES,
    known(r"knownhosts: key (?:mismatch|is unknown)", "the host key on the control port is none of those of the service", retryable=False),
    known(r'(?:mkdir \\?"([^"\\]+)\\?"|Create) failed: permission denied', "permission denied at the destination", retryable=False),
    known(r"(?:directory|object) not found", "no such file or folder at the source", retryable=False),
    known(
        r"connection lost|unexpected EOF|: EOF|broken pipe|connection reset", "the connection ended: the service was killed", retryable=True
    ),
    known(r"Failed to copy(?:to)?(?: with \d+ errors: last error was)?: (.+)", "rclone says: {1}", retryable=True),
    known(r"Failed to create file system[^\n]*?: NewFs: (.+)", "rclone says: {1}", retryable=True),
)


class Rclone(Mover):
    """rclone."""

    server_ends = False

    def refusal(self, request: JobRequest, before: Listing) -> str:
        return s3_problem(request, before) if protocol_of(request.options) == "s3" else ""

    def client(self, request: JobRequest) -> tuple[str, ...]:
        options, there = request.options, request.destination
        settings = ("--config", f"{request.folder}/rclone.conf", "--retries", "1", "--ignore-times", "--ignore-checksum")
        progress = ("--use-json-log", "--stats", "1s", "--stats-log-level", "NOTICE")
        tree = ("copy", "--create-empty-src-dirs", "--transfers", str(options.concurrency)) if options.recursive else ("copyto",)
        rate = ("--bwlimit", f"{options.max_rate * 125}B") if options.max_rate is not None else ()
        links = ("--copy-links",) if options.links == "follow" else ()
        program = ("rclone", *tree, *links, *rate, *settings, *progress, "--", request.source.path)
        if protocol_of(options) != "sftp":
            return (*program, place_there(request))
        keys = READ_HOST_KEYS.format(place=f"[{there.host}]:{there.port}", folder=request.folder)
        return with_login(request, keys, (*program, f"there:{there.path}"))

    def client_files(self, request: JobRequest, access: Access) -> tuple[JobFile, ...]:
        is_sftp = protocol_of(request.options) == "sftp"
        config = _config(request.destination, request.folder) if is_sftp else remote(request, access)
        logins = login_files(request.folder, access) if is_sftp else ()
        return (*logins, JobFile(f"{request.folder}/rclone.conf", config.encode(), 0o600))

    def server(self, request: JobRequest) -> tuple[str, ...]:
        return () if protocol_of(request.options) == "sftp" else server(request)

    def server_files(self, request: JobRequest, access: Access) -> tuple[JobFile, ...]:
        return server_files(request, access)

    def server_needs(self, request: JobRequest) -> tuple[str, tuple[str, ...]]:
        return ("rclone 1.65 or newer, which `protocol: s3`", KNOWS_S3) if protocol_of(request.options) == "s3" else ("", ())

    def reader(self, request: JobRequest, sizes: Mapping[str, int]) -> ProgressReader:
        return Reader()

    def judge(self, evidence: Evidence, options: TransferOptions) -> Judgement:
        if protocol_of(options) == "sftp":
            return judge_copy(evidence, options, "rclone", (*space_failures(evidence), *KNOWN))
        both = replace(evidence, log=f"{evidence.log}\n{evidence.server_log}")  # the client has a status alone of what failed there
        return judge_copy(both, options, "rclone", (*SERVER_FAILURES, *KNOWN))


MOVER = Rclone()


def _config(there: JobEnd, folder: str) -> str:
    # rclone puts a colon and the port behind the host
    return CONFIG.format(host=in_brackets(there.host), port=there.port, user=there.user, folder=folder)


@dataclass(slots=True)
class Reader:
    """What rclone says of all files together."""

    _lines: Lines = field(default_factory=Lines)
    _most: int = -1

    def feed(self, chunk: bytes) -> Moved | None:
        lines = self._lines.feed(chunk)
        found = list(_stats(lines))
        if not found:
            return None
        moved, rate = found[-1]
        is_moving, self._most = moved > self._most, max(moved, self._most)
        return Moved(self._most, rate or None, is_moving)


def _stats(lines: list[str]) -> Iterator[tuple[int, float]]:
    """Bytes and bytes per second of each line that has them."""
    for line in lines:
        try:
            entry: Any = json.loads(line)
            yield int(entry["stats"]["bytes"]), float(entry["stats"]["speed"])
        except (ValueError, OverflowError, LookupError, TypeError):
            continue
