"""What tools that write by SFTP have in common: a first command at the destination, and its free space after a failure. Pure.

SFTP has one code, `Failure`, for a full disk and for much else (draft-ietf-secsh-filexfer-02, section 7), so the space is asked for by ssh.
"""

from __future__ import annotations

import re
import shlex

from dtnctl.movers.base import Evidence, JobRequest, folder_of
from dtnctl.movers.causes import KnownFailure, known
from dtnctl.movers.ssh_login import ssh_options

SCRIPT = """\
there() {{ {ssh} "$@"; }}
{first} || exit
"$@"
code=$?
[ "$code" = 0 ] || there {space} 2>&1
exit "$code"
"""
_SPACE = re.compile(r"(?m)^\S.* \d+ +(\d+) +\d+% /.*$")  # POSIX df -kP: blocks, used, available, capacity, mounted on


def with_login(request: JobRequest, first: str, program: tuple[str, ...]) -> tuple[str, ...]:
    """The program, after a line of shell that may use `there COMMAND`, and with the free space there after it if it fails.

    ssh's words about a login that is refused then come before those of the program, which may have none.
    """
    there = request.destination
    ssh = shlex.join(("ssh", *ssh_options(request.folder, "destination"), "-p", str(there.port), "--", f"{there.user}@{there.host}"))
    space = shlex.quote(f"df -kP -- {shlex.quote(folder_of(there))}")
    return ("/bin/sh", "-c", SCRIPT.format(ssh=ssh, first=first, space=space), "copy", *program)


def space_failures(evidence: Evidence) -> tuple[KnownFailure, ...]:
    """What SFTP's `Failure` means where less is free than the source has: the disk is full. What a quota leaves is not seen.

    The sizes there are no sign: requests overtake each other, so that a file with holes was seen with its full size on a full disk.
    """
    found = _SPACE.search(evidence.log)
    if evidence.before is None or found is None or int(found[1]) * 1024 >= evidence.before.bytes:
        return ()
    return (known("Failure", "the disk at the destination is full", retryable=False),)
