"""The shell programs that an attempt's containers run around a mover's client and server. Pure.

Both run as the container's first program, as root; with a user, the mover's own program runs as that one, with its groups.
"""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass

from dtnctl.movers.base import SSH_LOG, WORK

# The engine passes output on line by line, and most tools end their progress lines with a carriage return: without tr no progress would be
# seen before the end. SIGINT is never used: a copy that ignores it may end with exit code 0 and a cut-off file. The keys go when the
# program ends, also if no process is left to clean up. A process that outlives the program cannot keep the job from ending.
# A container that is started a second time, by a call that was late, runs nothing and ends as it did before.
CLIENT = f"""\
umask 077
folder=$1; shift
mkdir -p {WORK}
output={WORK}/output
if [ -p "$output" ]; then rm -f "$folder"/id_*; exit "$(cat {WORK}/code 2>/dev/null || echo 126)"; fi
mkfifo "$output" || exit 126
if command -v stdbuf >/dev/null; then stdbuf -o0 tr '\\r' '\\n' <"$output" & else cat <"$output" & fi
reader=$!
"$@" >"$output" 2>&1 &
copy=$!
stopped=
trap 'stopped=1; kill -TERM "$copy"' TERM
wait "$copy"
code=$?
if [ "$stopped" ]; then wait "$copy"; code=$?; fi
rm -f "$folder"/id_*
echo "$code" >{WORK}/code
(sleep 5; kill "$reader") >/dev/null 2>&1 &
wait "$reader"
[ ! -f {SSH_LOG} ] || sed '/ NL\\.EVNT=/d' {SSH_LOG} | tail -n 40 | sed 's/\\r$//; s/^ssh: //; s/^/ssh: /'
exit "$code"
"""

# A server that no one stops, because dtnctl is gone and does not come back, ends when it has had no connection for IDLE seconds.
SERVER = """\
connected=$1 idle=$2; shift 2
"$@" 2>&1 &
server=$!
trap 'kill -TERM "$server"' TERM
(quiet=0
while [ "$quiet" -lt "$idle" ]; do
    sleep 5
    if eval "$connected"; then quiet=0; else quiet=$((quiet + 5)); fi
done
echo "no connection for $idle s"
kill -TERM "$server") &
wait "$server"
code=$?
if [ "$code" -gt 128 ] && kill -0 "$server" 2>/dev/null; then wait "$server"; code=$?; fi
exit "$code"
"""
FIRST_IDLE = 120  # seconds; the least that a server waits for a connection


@dataclass(frozen=True, slots=True)
class RunAs:
    """The account that a program runs as: numbers, since the names belong to the service's container."""

    uid: int
    gid: int


def client_command(program: tuple[str, ...], *, folder: str, time_left: float | None, user: RunAs | None) -> tuple[str, ...]:
    """The arguments of /bin/sh. `time_left` in seconds until the deadline."""
    limit = () if time_left is None else ("timeout", "-s", "TERM", "-k", "10", str(max(1, math.ceil(time_left))))
    return ("-c", CLIENT, "transfer", folder, *limit, *_as_user(user, folder), *program)


def server_command(
    program: tuple[str, ...], *, folder: str, connected: tuple[str, ...], idle: float, user: RunAs | None
) -> tuple[str, ...]:
    """The arguments of /bin/sh. `connected` is a command that ends with 0 while the server is in use, `idle` in seconds."""
    seconds = str(max(FIRST_IDLE, math.ceil(idle)))
    return ("-c", SERVER, "server", shlex.join(connected), seconds, *_as_user(user, folder), *program)


def _as_user(user: RunAs | None, folder: str) -> tuple[str, ...]:
    """setpriv is part of util-linux; it takes the groups from /etc/group, which is the service's own in these containers."""
    if user is None:
        return ()
    return ("setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", "--init-groups", "--", "env", f"HOME={folder}")
