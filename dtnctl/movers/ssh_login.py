"""The files with which an attempt's ssh logs in: a key for each end, and each end's own host key under a name of its own. Pure.

An end is who its host key says it is. No key is trusted on first use, no agent or key of the image is used, and nothing is asked.
"""

from __future__ import annotations

from dtnctl.model.actions import JobEnd
from dtnctl.movers.base import Access, JobFile, in_brackets

CONFIG = """\
Host *
    IdentitiesOnly yes
    IdentityAgent none
    BatchMode yes
    StrictHostKeyChecking yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
    UpdateHostKeys no
    LogLevel ERROR
    ConnectTimeout 30
    ServerAliveInterval 15
    ServerAliveCountMax 8
"""


def ssh_options(folder: str, side: str) -> tuple[str, ...]:
    """The options of ssh with which it logs in at one end; the host, port and user come after them. `side` may be a shell's word."""
    return ("-F", f"{folder}/ssh_config", "-o", f"HostKeyAlias={side}", "-i", f"{folder}/id_{side}")


def ssh_place(end: JobEnd) -> str:
    """The end's path as rsync and scp take it."""
    return f"{end.user}@{in_brackets(end.host)}:{end.path}"


def login_files(folder: str, access: Access) -> tuple[JobFile, ...]:
    known_hosts = "".join(f"{side} {login.host_key}\n" for side, login in access.logins.items())
    return (
        *(JobFile(f"{folder}/id_{side}", login.private_key, 0o600) for side, login in access.logins.items()),
        JobFile(f"{folder}/ssh_config", CONFIG.format(folder=folder).encode(), 0o600),
        JobFile(f"{folder}/known_hosts", known_hosts.encode(), 0o600),
    )


NAMED = """\
Host {names}
    HostName {host}
    Port {port}
{user}    HostKeyAlias {side}
    IdentityFile {folder}/id_{side}
"""


def named_login_files(folder: str, access: Access) -> tuple[JobFile, ...]:
    """The same with a configuration that knows the ends by the names `source` and `destination`, and the destination by its host, too."""
    blocks = ""
    for side, login in access.logins.items():
        names = f"{side} {login.end.host}" if side == "destination" else side
        user = f"    User {login.end.user}\n" if login.end.user else ""
        blocks += NAMED.format(names=names, host=login.end.host, port=login.end.port, user=user, side=side, folder=folder)
    config = JobFile(f"{folder}/ssh_config", (blocks + CONFIG.format(folder=folder)).encode(), 0o600)
    return (*(file for file in login_files(folder, access) if file.path != config.path), config)
