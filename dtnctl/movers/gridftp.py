"""GridFTP over ssh: the job's command line and files, and the verdict. Pure.

The job runs globus-url-copy between two servers (third-party): it keeps the control connections, the data goes directly from the
source's service to the destination's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from dtnctl.model.actions import JobEnd
from dtnctl.model.checksums import AlgorithmChoice
from dtnctl.model.transfer_items import targets_of
from dtnctl.model.transfer_options import SYNC_LEVELS, SyncLevel, TransferOptions
from dtnctl.movers.base import SSH_LOG, Access, Evidence, JobFile, JobRequest, Judgement, Listing, Mover, ProgressReader, in_brackets
from dtnctl.movers.gridftp_log import Reader, explain
from dtnctl.movers.gridftp_truth import with_server_log
from dtnctl.movers.selection import is_selective
from dtnctl.movers.ssh_login import login_files, ssh_options
from dtnctl.movers.verdict import failure, judge_copies, judge_end, judge_partly

HOME = "/root"
FILE_LIST = f"{HOME}/.globus/files"  # not in the attempt's own folder, which is read whenever one looks at the attempt
SERVER_ALGORITHMS = ("md5", "adler32", "sha256", "sha512")  # what globus-gridftp-server 13.24 says that it computes
LONGEST_LISTED_URL = 510  # so that a line with two of them fits into the 1024 bytes that are read at once
PIPELINED = 16  # files of each connection that are asked for before the last one has ended
STALL_GRACE = 30  # seconds; the one who watches the job is to notice a stall first
# Over ssh globus-url-copy does not see by which protocol it reached the source, and then asks the destination for an IPv4 address.
# With -stripe it asks for an IPv6 address wherever that is allowed (globus_ftp_client_state.c, SPAS 2); the one server is one stripe.
IPV6_DATA = ("-ipv6", "-stripe")

# globus-url-copy starts this one before its own. ssh's words, which it would swallow, are kept; and the remote side is replaced by
# the server, so that a killed server is not mistaken for one that is not installed. An end is who its host key says it is: each has
# a name of its own in known_hosts and a key of its own to log in with, so that a place that is in truth the other end is refused.
#
# A server without `-data-interface` offers the address in SSH_CONNECTION for data connections; it does not listen on that address, so
# it may be one that others reach it by (globus-gridftp-server 13.24: globus_gridftp_server.c, and globus_i_gfs_data.c, which only
# prints it). Behind published ports sshd would name an address of the bridge, which is the other end's own as well.
#
# The server's transfer log comes through ssh, which is a pipe there: no file is left at an end. Without a pipe there is no log.
SSH_WRAPPER = """\
#!/bin/sh
# arguments: URL HOST PORT USER
exec 2>>%(log)s
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
exec ssh %(options)s -p "$3" ${4:+-l "$4"} -- "$host" "
${data:+SSH_CONNECTION='127.0.0.1 1 $data $3'; export SSH_CONNECTION}
${range:+GLOBUS_TCP_PORT_RANGE=$range; export GLOBUS_TCP_PORT_RANGE}"'
log=; if [ -p /dev/stderr ]; then log="-Z /dev/stderr"; fi
for program in .globus/sshftp /etc/grid-security/sshftp; do if [ -f "$program" ]; then exec "$program" $log; fi; done
printf "500 no GridFTP server program here\\r\\n"'
"""


class GridFTP(Mover):
    """globus-url-copy."""

    def refusal(self, request: JobRequest, before: Listing) -> str:
        source, destination = request.source, request.destination
        if (source.host, source.port) == (destination.host, destination.port):
            return f"both ends are one place, {source.host}:{source.port}"
        recursive = request.options.recursive
        for end in (source, destination):
            if problem := _name_problem(end.path, recursive=recursive):
                return f"{end.path!r}: {problem}"
        targets = targets_of(before.files, request.options.items)
        odd = sorted(name for name in {*before.entries, *targets.values()} if _name_problem(name, recursive=recursive))
        if odd:
            more = f" (and {len(odd) - 1} more)" if len(odd) > 1 else ""
            return f"{source.path} on {source.endpoint} has {odd[0]!r}{more}: {_name_problem(odd[0], recursive=True)}"
        return _list_problem(source, destination, before, targets) if is_selective(request.options) else ""

    def client(self, request: JobRequest) -> tuple[str, ...]:
        return copy_command(request.source, request.destination, request.options)

    def client_files(self, request: JobRequest, access: Access) -> tuple[JobFile, ...]:
        wrapper = JobFile(f"{HOME}/.globus/gridftp-ssh", _ssh_wrapper(request).encode(), 0o700)
        names = targets_of(request.before.files, request.options.items) if is_selective(request.options) else {}
        files = [JobFile(FILE_LIST, file_list(request.source, request.destination, names), 0o600)] if names else []
        return (*login_files(request.folder, access), wrapper, *files)

    def reader(self, request: JobRequest, sizes: Mapping[str, int]) -> ProgressReader:
        options = request.options
        at_once = options.concurrency * (1 + PIPELINED) if options.pipelining else options.concurrency
        return Reader(url(request.source), sizes, at_once if options.recursive else 1)

    def judge(self, evidence: Evidence, options: TransferOptions) -> Judgement:
        return with_server_log(judge_end(evidence, options) or _judge(evidence, options), evidence, options)

    def servers_log(self, request: JobRequest) -> str:
        return SSH_LOG


MOVER = GridFTP()


def _name_problem(name: str, *, recursive: bool) -> str:
    """Why the name does not arrive as it is. Both were seen with globus-url-copy 10.12 and globus-gridftp-server 13.24."""
    if not all(" " <= letter <= "~" or letter == "\t" for letter in name):
        return "GridFTP servers drop every letter beyond printable ASCII from names; rename it"
    if recursive and '"' in name:
        return "globus-url-copy fails on a double quote in the names of a folder; rename it"
    return ""


def copy_command(source: JobEnd, destination: JobEnd, options: TransferOptions) -> tuple[str, ...]:
    """globus-url-copy with the transfer's options. Folders that are missing at the destination are made."""
    arguments = ["-vb", "-fast", "-cd", "-p", str(options.parallelism)]
    if options.recursive:
        arguments += [*([] if is_selective(options) else ["-r"]), "-cc", str(options.concurrency)]
    if options.on_file_error == "skip":
        arguments += ["-c"]
    if options.pipelining:
        arguments += ["-pp", "-ppq", str(PIPELINED)]
    if options.restarts:
        arguments += ["-rst", "-rst-retries", str(options.restarts), "-rst-interval", str(max(1, math.ceil(options.backoff)))]
    if options.sync_level is not None:
        arguments += _sync(options.sync_level, options.algorithm)
    if options.block_size is not None:
        arguments += ["-bs", str(options.block_size)]
    if options.tcp_buffer is not None:
        arguments += ["-tcp-bs", str(options.tcp_buffer)]
    if ":" in destination.data_host:
        arguments += IPV6_DATA
    arguments += ["-stall-timeout", str(math.ceil(options.stall_timeout) + STALL_GRACE)]
    if is_selective(options):
        return ("globus-url-copy", *arguments, "-f", FILE_LIST)
    return ("globus-url-copy", *arguments, url(source), url(destination))


def _sync(level: SyncLevel, algorithm: AlgorithmChoice) -> list[str]:
    """The servers compute the checksums; where they do not know the transfer's own algorithm, by md5."""
    known = ["-checksum-alg", algorithm.upper()] if level == "checksum" and algorithm in SERVER_ALGORITHMS else []
    return ["-sync", "-sync-level", str(SYNC_LEVELS.index(level)), *known]


def file_list(source: JobEnd, destination: JobEnd, targets: Mapping[str, str]) -> bytes:
    """Names below the source with those below the destination, as globus-url-copy's -f takes them: two URLs a line."""
    pairs = ((replace(source, path=source.path + name), replace(destination, path=destination.path + to)) for name, to in targets.items())
    return "".join(f"{url(here)} {url(there)}\n" for here, there in pairs).encode("ascii")


def _list_problem(source: JobEnd, destination: JobEnd, before: Listing, targets: Mapping[str, str]) -> str:
    """Why the names cannot be given as a list: globus-url-copy 10.12 reads each URL of it into 512 bytes, and does not look if it fits."""
    if not before.files:
        return f"nothing of {source.path} on {source.endpoint} is left to copy after `include`, `exclude` and `links`"
    long = [name for name, target in targets.items() if max(_length(source, name), _length(destination, target)) > LONGEST_LISTED_URL]
    more = f" (and {len(long) - 1} more)" if len(long) > 1 else ""
    return f"{source.path} on {source.endpoint} has {long[0]!r}{more}: its URL is too long for a list of files" if long else ""


def _length(end: JobEnd, name: str) -> int:
    return len(url(replace(end, path=end.path + name)))


def url(end: JobEnd) -> str:
    """Characters that could mean something in a URL, or a wildcard, are quoted."""
    return f"sshftp://{quote(end.user, safe='')}@{in_brackets(end.host)}:{end.port}{quote(end.path, safe='/')}"


def _ssh_wrapper(request: JobRequest) -> str:
    there = request.destination
    places = {"source": f"{request.source.host} {request.source.port}", "destination": f"{there.host} {there.port}"}
    ports = "" if there.data_ports is None else "{},{}".format(*there.data_ports)
    options = " ".join(ssh_options(request.folder, '"$end"'))
    return SSH_WRAPPER % {"log": SSH_LOG, "options": options, "data_host": there.data_host, "data_ports": ports, **places}


def _judge(evidence: Evidence, options: TransferOptions) -> Judgement:
    if evidence.exit_code == 0 and "Cancelling copy" in evidence.log:
        return failure(evidence, "the copy was interrupted, although its exit code is 0", retryable=True)
    if evidence.exit_code == 0:
        return judge_copies(evidence, options)
    if evidence.exit_code == 1 and (judged := judge_partly(evidence, options)):
        return judged
    cause, retryable = explain(evidence.log) or ("globus-url-copy failed and does not say why", True)
    return failure(evidence, f"{cause} (exit code {evidence.exit_code})", retryable=retryable)
