"""A unix socket to be asked on, as Docker's: any user who may open it may ask, and the kernel reports which one it is.

dtnctl reaches it through the login that it has on the host: no port, no certificates, no token.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import socket
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

DEFAULT_GROUP = "docker"  # its members can become root already, through the engine
MODE = 0o660
PEER = struct.Struct("iII")  # ucred: pid, uid, gid (unix(7), SO_PEERCRED)


@contextlib.contextmanager
def unix_listener(path: Path, group: int, queue: int) -> Iterator[socket.socket]:
    """Listens at the path for root and the group; gone with the block. OSError where another program listens there already.

    A socket that a killed agent has left behind is replaced; a file that is none is not touched.
    """
    _clear(path)
    with contextlib.suppress(FileExistsError):
        path.parent.mkdir()
        path.parent.chmod(0o755)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as listener:
        os.fchmod(listener.fileno(), 0o600)  # what bind makes is for root alone, until its group is set
        listener.bind(str(path))
        made = path.stat().st_ino
        os.chown(path, -1, group)
        path.chmod(MODE)
        listener.listen(queue)
        try:
            yield listener
        finally:
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_ino == made:
                    path.unlink()


def group_number(name: str) -> int:
    """Of a group of this host. ValueError if there is none of this name."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ValueError(f"--group {name}: there is no such group on this host; name the one that may open the socket") from None


def peer_of(connection: socket.socket) -> str:
    """The user who opened the connection, from the kernel."""
    _, user, _ = PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
    return f"uid {user}"


def _clear(path: Path) -> None:
    """Remove a socket that nothing listens on."""
    try:
        is_socket = stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if not is_socket:
        raise OSError(errno.EEXIST, "there is a file of this name that is no socket", str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        try:
            asked.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(errno.EADDRINUSE, "another program listens there", str(path))
