r"""rclone's own servers of an attempt, beside the destination's service, and the remote that its client writes to. Pure.

A server lets in who has the attempt's user and password, or its S3 key; what is sent is not encrypted. It serves the folder that is written
to and nothing else.

Traps: `serve s3` came with rclone 1.65, and older ones print the help of `serve` and end with 0 when asked for it; it keeps all parts of an
upload in parts in memory, so that files are uploaded in one; buckets are folders, so that the one that is written to is a link; what a
client calls a folder becomes an empty file (`directory_markers`, seen with 1.75.2). All of `serve s3` was tried with 1.75.2.
"""

from __future__ import annotations

import base64
import hashlib
from typing import assert_never

from dtnctl.model.tools import Protocol, RcloneOptions
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Access, JobFile, JobRequest, Listing, folder_of, in_brackets
from dtnctl.movers.causes import known

USER = "dtnctl"
LARGEST_UPLOAD = 5 * 1024**3  # bytes that S3 takes at once
# Arguments: the folder that is written to, the port.
WEBDAV = """\
mkdir -p -- "$1" || exit
exec rclone serve webdav --config "" --addr ":$2" --htpasswd {folder}/htpasswd -- "$1"
"""
S3 = """\
mkdir -p -- "$1" {folder}/root && ln -sfn -- "$1" {folder}/root/tree && RCLONE_AUTH_KEY=$(cat {folder}/key) || exit
export RCLONE_AUTH_KEY
exec rclone serve s3 --config "" --addr ":$2" --copy-links -- {folder}/root
"""
KNOWS_S3 = ("sh", "-c", "rclone serve s3 --help 2>&1 | grep -q -- --auth-key")
WEBDAV_CONFIG = """\
[there]
type = webdav
url = http://{place}
vendor = other
headers = Authorization,Basic {login}
"""
S3_CONFIG = """\
[there]
type = s3
provider = Other
endpoint = http://{place}
access_key_id = {user}
secret_access_key = {secret}
force_path_style = true
disable_checksum = true
no_check_bucket = true
upload_cutoff = {largest}B
"""
SERVER_FAILURES = (
    known(r"(?i)no space left on device", "the disk at the destination is full", retryable=False),
    known(r"(?i)disk quota exceeded", "the quota at the destination is used up", retryable=False),
    known(r"(?i)permission denied", "permission denied at the destination", retryable=False),
    known(r"connect: connection refused", "the rclone server is not reached: its port is closed, or it was killed", retryable=True),
    known(r"no such host|i/o timeout|connect: .+", "the rclone server is not reached: {0}", retryable=True),
)


def protocol_of(options: TransferOptions) -> Protocol:
    """The one of its file; sftp where it has no `options:`."""
    return options.own.protocol if isinstance(options.own, RcloneOptions) else "sftp"


def s3_problem(request: JobRequest, before: Listing) -> str:
    """Why that cannot be carried out by S3; empty if it can. `before` is what is at the source."""
    place = f"{request.source.path} on {request.source.endpoint}"
    if (large := max(before.files.values(), default=0)) > LARGEST_UPLOAD:
        return (
            f"{place} has a file of {large} bytes: `protocol: s3` takes up to {LARGEST_UPLOAD}, more is kept in memory by rclone's server"
        )
    parents = {name.rpartition("/")[0] for name in before.entries}
    empty = sorted(name for name in before.folders if name and name not in parents)
    return f"{place} has the empty folder {empty[0]!r}: S3 has no folders; remove it, or use `protocol: webdav`" if empty else ""


def place_there(request: JobRequest) -> str:
    """What the remote `there` calls the destination: a path below the folder that is served."""
    name = request.destination.path.rpartition("/")[2]
    return f"there:tree/{name}" if protocol_of(request.options) == "s3" else f"there:{name}"


def server(request: JobRequest) -> tuple[str, ...]:
    script = (S3 if protocol_of(request.options) == "s3" else WEBDAV).format(folder=request.folder)
    return ("/bin/sh", "-c", script, "server", folder_of(request.destination), str(request.port))


def server_files(request: JobRequest, access: Access) -> tuple[JobFile, ...]:
    match protocol_of(request.options):
        case "webdav":
            digest = base64.b64encode(hashlib.sha1(access.secret.encode(), usedforsecurity=False).digest()).decode()
            return (JobFile(f"{request.folder}/htpasswd", f"{USER}:{{SHA}}{digest}\n".encode(), 0o600),)
        case "s3":  # a list, for rclone: the comma is within one of its items
            return (JobFile(f"{request.folder}/key", f'"{USER},{access.secret}"'.encode(), 0o600),)
        case "sftp":
            return ()
        case protocol:
            assert_never(protocol)


def remote(request: JobRequest, access: Access) -> str:
    """The configuration of the remote `there`."""
    place = f"{in_brackets(request.destination.data_host or request.destination.host)}:{request.port}"
    if protocol_of(request.options) == "s3":
        return S3_CONFIG.format(place=place, user=USER, secret=access.secret, largest=LARGEST_UPLOAD)
    login = base64.b64encode(f"{USER}:{access.secret}".encode()).decode()
    return WEBDAV_CONFIG.format(place=place, login=login)
