r"""scp over the ssh of the destination's service: command line, progress and verdict. Pure.

Since OpenSSH 9.0 scp writes by SFTP: names are not read by a shell there, and a failure there has no reason. It makes no folders above
what it writes, shows its progress to a terminal alone (one is made for it by script(1)), and leaves what it began under its final name, on
a full disk even with its full size, for holes take no space.

Seen with OpenSSH 9.2: `NAME  42%   12MB   1.3MB/s   00:12 ETA`, ended by a carriage return; the last line of a file has no `ETA`. Its KB,
MB and GB are powers of 1024, rounded down. Every failure has exit code 1, or 255 where ssh itself failed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Access, Evidence, JobFile, JobRequest, Judgement, Listing, Moved, Mover, ProgressReader, folder_of
from dtnctl.movers.by_sftp import space_failures, with_login
from dtnctl.movers.causes import DISK_FAILURES, SSH_FAILURES, known
from dtnctl.movers.lines import Lines
from dtnctl.movers.refusals import refuse_omitted_links
from dtnctl.movers.ssh_login import login_files, ssh_options, ssh_place
from dtnctl.movers.verdict import judge_copy

KNOWN = (
    *SSH_FAILURES,
    *DISK_FAILURES,
    known(r"subsystem request failed", "the sshd at the destination has no subsystem sftp", retryable=False),
    known(r'scp: dest open "(.+)": Permission denied', "{1}: permission denied", retryable=False),
    known(r"mkdir: [^\n]*'(.+)'[^\n]*: Permission denied", "{1}: permission denied", retryable=False),
    known(r"(?:scp: )?(/\S.*): No such file or directory", "{1}: no such file or folder", retryable=False),
    known(r"(?i)connection (?:to \S+ )?(?:closed|reset)|lost connection", "the connection ended: the service was killed", retryable=True),
    known(r'scp: write remote "(.+)": Failure', "{1} could not be written; SFTP has no reason", retryable=True),
    known(r"scp: (.+)", "scp says: {1}", retryable=True),
)


class Scp(Mover):
    """scp."""

    def refusal(self, request: JobRequest, before: Listing) -> str:
        return refuse_omitted_links("scp", request)

    def client(self, request: JobRequest) -> tuple[str, ...]:
        options, there = request.options, request.destination
        folder, source = folder_of(there), request.source.path
        tree = ("-r",) if options.recursive else ()
        rate = ("-l", str(options.max_rate)) if options.max_rate is not None else ()
        # the folder's dot is what makes its content, not the folder itself, arrive in a folder that is there already
        copy = (
            "scp",
            *tree,
            *rate,
            *ssh_options(request.folder, "destination"),
            "-P",
            str(there.port),
            "--",
            f"{source.rstrip('/')}/." if options.recursive else source,
            ssh_place(there),
        )
        make_folder = f"there {shlex.quote(f'mkdir -p -- {shlex.quote(folder)}')}"
        return with_login(request, make_folder, ("script", "-q", "-e", "-f", "-c", shlex.join(copy), "/dev/null"))

    def client_files(self, request: JobRequest, access: Access) -> tuple[JobFile, ...]:
        return login_files(request.folder, access)

    def reader(self, request: JobRequest, sizes: Mapping[str, int]) -> ProgressReader:
        return Reader()

    def judge(self, evidence: Evidence, options: TransferOptions) -> Judgement:
        return judge_copy(evidence, options, "scp", (*space_failures(evidence), *KNOWN))


MOVER = Scp()


UNITS = {" ": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
_PROGRESS = re.compile(r".*\s(\d{1,3})%\s+(\d{1,18})([KMGT]B| )\s+(\d{1,18}(?:\.\d{1,18})?)([KMGT]B)/s\s(.*)")


@dataclass(slots=True)
class Reader:
    """Adds up the files, which come one after the other."""

    _lines: Lines = field(default_factory=Lines)
    _done: int = 0  # of files that have arrived
    _most: int = -1

    def feed(self, chunk: bytes) -> Moved | None:
        lines = self._lines.feed(chunk)
        found = [match for line in lines if (match := _PROGRESS.fullmatch(line))]
        if not found:
            return None
        before = self._most
        for match in found:
            self._note(match)
        return Moved(self._most, float(found[-1][4]) * UNITS[found[-1][5]], self._most > before)

    def _note(self, match: re.Match[str]) -> None:
        now = self._done + int(match[2]) * UNITS[match[3]]
        self._most = max(self._most, now)
        if match[1] == "100" and "ETA" not in match[6] and "stalled" not in match[6]:
            self._done = now
