"""GridFTP over ssh: the job's command line and files, and the verdict. Pure.

The job runs globus-url-copy between two servers (third-party): it keeps the control connections, the data goes directly from the
source's service to the destination's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from urllib.parse import quote

from dtnctl.model.plan import JobEnd
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import WORK, Evidence, JobFile, Judgement, Listing, Login, ProgressReader
from dtnctl.movers.gridftp_log import Reader, explain
from dtnctl.movers.verdict import failure, judge_copies

HOME = "/root"
SOURCE, DESTINATION = "source", "destination"  # the ends' names in the job's files
PRIVATE_KEYS = tuple(f"{HOME}/.ssh/id_{name}" for name in (SOURCE, DESTINATION))
STALL_GRACE = 30  # seconds; the one who watches the job is to notice a stall first
KILLED, TERMINATED, TIMED_OUT = 137, 143, 124
NOT_STARTED = (126, 127)
# Over ssh globus-url-copy does not see by which protocol it reached the source, and then asks the destination for an IPv4 address.
# With -stripe it asks for an IPv6 address wherever that is allowed (globus_ftp_client_state.c, SPAS 2); the one server is one stripe.
IPV6_DATA = ("-ipv6", "-stripe")

# The engine passes output on line by line, and globus-url-copy ends its progress lines with a carriage return: without tr no
# progress would be seen before the end. SIGINT is never used: a copy that ignores it ends with exit code 0 and a cut-off file. The keys
# go when the copy ends, also if no process is left to clean up. A process that outlives the copy cannot keep the job from ending.
JOB_SCRIPT = f"""\
umask 077
output={WORK}/output
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
rm -f {" ".join(PRIVATE_KEYS)}
(sleep 5; kill "$reader") >/dev/null 2>&1 &
wait "$reader"
[ ! -f {WORK}/ssh.log ] || tail -n 40 {WORK}/ssh.log | sed 's/\\r$//; s/^ssh: //; s/^/ssh: /'
exit "$code"
"""

# globus-url-copy starts this one before its own. ssh's words, which it would swallow, are kept; and the remote side is replaced by
# the server, so that a killed server is not mistaken for one that is not installed. An end is who its host key says it is: each has
# a name of its own in known_hosts and a key of its own to log in with, so that a place that is in truth the other end is refused.
#
# A server without `-data-interface` offers the address in SSH_CONNECTION for data connections; it does not listen on that address, so
# it may be one that others reach it by (globus-gridftp-server 13.24: globus_gridftp_server.c, and globus_i_gfs_data.c, which only
# prints it). Behind published ports sshd would name an address of the bridge, which is the other end's own as well.
SSH_WRAPPER = """\
#!/bin/sh
# arguments: URL HOST PORT USER
exec 2>>%(work)s/ssh.log
host=${2#"["}
host=${host%%"]"}
case "$host $3" in
"%(source)s") end=source ;;
"%(destination)s") end=destination ;;
*) printf 'ssh: %%s is no end of this transfer\\n' "$2:$3" >&2; exit 255 ;;
esac
data= range=
if [ "$end" = destination ]; then data="%(data_host)s" range="%(data_ports)s"; fi
case $data in
*:*) ;;
*[!0-9.]*) data=$(getent ahostsv4 "$data" | { read -r address rest; printf %%s "$address"; }) ;;
esac
exec ssh -F %(home)s/.ssh/config -o HostKeyAlias="$end" -i %(home)s/.ssh/id_"$end" -p "$3" ${4:+-l "$4"} -- "$host" "
${data:+SSH_CONNECTION='127.0.0.1 1 $data $3'; export SSH_CONNECTION}
${range:+GLOBUS_TCP_PORT_RANGE=$range; export GLOBUS_TCP_PORT_RANGE}"'
for program in .globus/sshftp /etc/grid-security/sshftp; do if [ -f "$program" ]; then exec "$program"; fi; done
printf "500 no GridFTP server program here\\r\\n"'
"""

SSH_CONFIG = f"""\
Host *
    IdentitiesOnly yes
    IdentityAgent none
    BatchMode yes
    StrictHostKeyChecking yes
    UserKnownHostsFile {HOME}/.ssh/known_hosts
    GlobalKnownHostsFile /dev/null
    UpdateHostKeys no
    LogLevel ERROR
    ConnectTimeout 30
    ServerAliveInterval 15
    ServerAliveCountMax 8
"""


def refusal(source: JobEnd, destination: JobEnd, options: TransferOptions, before: Listing) -> str:
    """Why globus-url-copy cannot copy that, as a sentence; empty if it can."""
    if (source.host, source.port) == (destination.host, destination.port):
        return f"both ends are one place, {source.host}:{source.port}"
    for end in (source, destination):
        if ".." in end.path.split("/"):
            return f"{end.path} leads out of its folder; write the path without .."
        if problem := _name_problem(end.path, recursive=options.recursive):
            return f"{end.path!r}: {problem}"
    if before.kind == "unknown":
        return f"{source.path} cannot be looked at on {source.endpoint}: {before.problem}"
    if before.kind == "missing":
        return f"{source.path} does not exist on {source.endpoint}, or {source.user} may not look there"
    wanted = "folder" if options.recursive else "file"
    if before.kind != wanted:
        found = "neither file nor folder" if before.kind == "other" else f"a {before.kind}"
        return f"{source.path} on {source.endpoint} is {found}; this transfer copies a {wanted}"
    odd = sorted(name for name in before.entries if _name_problem(name, recursive=options.recursive))
    if odd:
        more = f" (and {len(odd) - 1} more)" if len(odd) > 1 else ""
        return f"{source.path} on {source.endpoint} has {odd[0]!r}{more}: {_name_problem(odd[0], recursive=True)}"
    return ""


def _name_problem(name: str, *, recursive: bool) -> str:
    """Why the name does not arrive as it is. Both were seen with globus-url-copy 10.12 and globus-gridftp-server 13.24."""
    if not all(" " <= letter <= "~" or letter == "\t" for letter in name):
        return "GridFTP servers drop every letter beyond printable ASCII from names; rename it"
    if recursive and '"' in name:
        return "globus-url-copy fails on a double quote in the names of a folder; rename it"
    return ""


def job_command(source: JobEnd, destination: JobEnd, options: TransferOptions, time_left: float | None) -> tuple[str, ...]:
    """The arguments of /bin/sh in the job's container."""
    limit = () if time_left is None else ("timeout", "-s", "TERM", "-k", "10", str(max(1, math.ceil(time_left))))
    return ("-c", JOB_SCRIPT, "transfer", *limit, *copy_command(source, destination, options))


def copy_command(source: JobEnd, destination: JobEnd, options: TransferOptions) -> tuple[str, ...]:
    """globus-url-copy with the transfer's options. Folders that are missing at the destination are made."""
    arguments = ["-vb", "-fast", "-cd", "-p", str(options.parallelism)]
    if options.recursive:
        arguments += ["-r", "-cc", str(options.concurrency)]
    if options.block_size is not None:
        arguments += ["-bs", str(options.block_size)]
    if options.tcp_buffer is not None:
        arguments += ["-tcp-bs", str(options.tcp_buffer)]
    if ":" in destination.data_host:
        arguments += IPV6_DATA
    arguments += ["-stall-timeout", str(math.ceil(options.stall_timeout) + STALL_GRACE)]
    return ("globus-url-copy", *arguments, url(source), url(destination))


def url(end: JobEnd) -> str:
    """Characters that could mean something in a URL, or a wildcard, are quoted."""
    host = f"[{end.host}]" if ":" in end.host else end.host
    return f"sshftp://{quote(end.user, safe='')}@{host}:{end.port}{quote(end.path, safe='/')}"


def job_files(source: Login, destination: Login) -> tuple[JobFile, ...]:
    """What the job needs in its container before it starts."""
    logins = {SOURCE: source, DESTINATION: destination}
    known_hosts = "".join(f"{name} {login.host_key}\n" for name, login in logins.items())
    places = {name: f"{login.end.host} {login.end.port}" for name, login in logins.items()}
    there = destination.end
    ports = "" if there.data_ports is None else "{},{}".format(*there.data_ports)
    wrapper = SSH_WRAPPER % {"work": WORK, "home": HOME, "data_host": there.data_host, "data_ports": ports, **places}
    return (
        *(JobFile(path, login.private_key, 0o600) for path, login in zip(PRIVATE_KEYS, logins.values(), strict=True)),
        JobFile(f"{HOME}/.ssh/config", SSH_CONFIG.encode(), 0o600),
        JobFile(f"{HOME}/.ssh/known_hosts", known_hosts.encode(), 0o600),
        JobFile(f"{HOME}/.globus/gridftp-ssh", wrapper.encode(), 0o700),
    )


def reader(source: JobEnd, options: TransferOptions, sizes: Mapping[str, int]) -> ProgressReader:
    return Reader(url(source), sizes, options.concurrency if options.recursive else 1)


def judge(evidence: Evidence, options: TransferOptions) -> Judgement:
    """The verdict."""
    if evidence.stopped == "stalled":
        return failure(evidence, f"stalled: no progress for {options.stall_timeout:.0f} s", retryable=True)
    if evidence.stopped == "deadline" or (evidence.exit_code == TIMED_OUT and options.deadline is not None):
        return failure(evidence, f"not finished within its deadline of {options.deadline or 0:.0f} s", retryable=False)
    if evidence.out_of_memory:
        return failure(evidence, "the job ran out of memory and was killed", retryable=True)
    if evidence.exit_code == 0 and "Cancelling copy" in evidence.log:
        return failure(evidence, "the copy was interrupted, although its exit code is 0", retryable=True)
    if evidence.exit_code == 0:
        return judge_copies(evidence, options)
    return _failed(evidence)


def _failed(evidence: Evidence) -> Judgement:
    if evidence.exit_code in NOT_STARTED:
        return failure(evidence, f"the image has no globus-url-copy that runs (exit code {evidence.exit_code})", retryable=False)
    if evidence.exit_code in (KILLED, TERMINATED):
        return failure(evidence, f"somebody or something stopped the job (exit code {evidence.exit_code})", retryable=False)
    cause, retryable = explain(evidence.log) or ("globus-url-copy failed and does not say why", True)
    return failure(evidence, f"{cause} (exit code {evidence.exit_code})", retryable=retryable)
