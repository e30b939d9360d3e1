"""What a named volume really is, by its driver and options. Lists what only carries storage; everything else is unknown.

The `local` driver passes `type`, `device` and `o` to mount(2): a flag such as `bind` makes a folder of the host of any type, and
many file systems (proc, sysfs, bpf, cgroup2 …) show the host whatever `device` says. Tried on Docker 20.10 and 28.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dtnctl.model.secret_words import shown_options

Kind = Literal["disk", "tmpfs", "folder", "network", "plugin", "unknown"]

_NUMBER, _SIZE, _OCTAL, _HOST, _WORD = r"[0-9]{1,10}", r"[0-9]{1,15}[kKmMgG]?", r"0?[0-7]{3,4}", r"[A-Za-z0-9.:_-]+", r"[^,\s]+"
_FLAGS = frozenset({"rw", "ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime"})
# A bind mount is made private: as a peer of the host's own mount it takes what is mounted below that one along when it goes.
_BINDS = {"bind": "private", "rbind": "rprivate"}
_FOLDER_FLAGS = frozenset({*_BINDS, *_BINDS.values()})

_TMPFS = {
    "size": rf"{_SIZE}|[0-9]{{1,3}}%",
    "nr_blocks": _SIZE,
    "nr_inodes": _SIZE,
    "mode": _OCTAL,
    "uid": _NUMBER,
    "gid": _NUMBER,
}
_NFS_FLAGS = frozenset(
    {"soft", "hard", "softreval", "lock", "nolock", "intr", "nointr", "cto", "nocto", "ac", "noac", "tcp", "udp", "bg", "fg"}
    | {"resvport", "noresvport", "rdirplus", "nordirplus", "nosharecache"}
)
_NFS_NUMBERS = (
    *("minorversion", "port", "mountport", "rsize", "wsize", "timeo", "retrans", "retry", "nconnect"),
    *("actimeo", "acregmin", "acregmax", "acdirmin", "acdirmax"),
)
_NFS = dict.fromkeys(_NFS_NUMBERS, _NUMBER) | {
    "addr": _HOST,
    "vers": r"[34](\.[012])?",
    "nfsvers": r"[34](\.[012])?",
    "mountvers": "[123]",
    "proto": "tcp6?|udp6?|rdma6?",
    "mountproto": "tcp6?|udp6?",
    "sec": "sys|none",  # Kerberos would use the host's own keys
    "lookupcache": "all|none|pos|positive",
    "local_lock": "none|all|flock|posix",
}
_CIFS_FLAGS = frozenset({"soft", "hard", "noperm", "nounix", "serverino", "noserverino", "mfsymlinks", "seal", "nobrl", "guest", "nodfs"})
_CIFS = dict.fromkeys(("port", "rsize", "wsize", "actimeo", "echo_interval", "uid", "gid"), _NUMBER) | {
    "addr": _HOST,
    "username": _WORD,
    "user": _WORD,
    "password": r"[^,]+",
    "domain": _WORD,
    "vers": r"default|[123](\.[0-9]{1,2}){0,2}",
    "sec": "none|ntlmv2i?|ntlmsspi?",
    "file_mode": _OCTAL,
    "dir_mode": _OCTAL,
    "iocharset": "[a-z0-9-]+",
    "cache": "none|strict|loose",
}
_NFS_DEVICE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*):/[^\x00-\x1f]*")
_CIFS_DEVICE = re.compile(r"//[A-Za-z0-9._-]+/[^/\x00-\x1f][^\x00-\x1f]*")
SECRETS = frozenset({"password"})


@dataclass(frozen=True, slots=True)
class Storage:
    """`name`: the host's folder, the network file system, the driver; of what is unknown, the reason why."""

    kind: Kind
    name: str = ""


def storage_of(driver: str, options: Mapping[str, str]) -> Storage:
    """What a named volume of this driver (empty: the engine's own, `local`) with these options mounts."""
    if driver not in ("", "local"):
        return Storage("plugin", driver)
    if not options:
        return Storage("disk")
    odd = sorted(options.keys() - {"type", "device", "o"})
    if odd:
        return Storage("unknown", f"option `{odd[0]}` is not known to be harmless")
    kind, device, flags = options.get("type", ""), options.get("device", ""), options.get("o", "")
    match kind:
        case "tmpfs":
            return _checked(Storage("tmpfs"), flags, _FLAGS, _TMPFS) if device in ("tmpfs", "none") else _odd_device(kind, device)
        case "nfs" | "nfs4":
            return (
                _checked(Storage("network", "nfs"), flags, _FLAGS | _NFS_FLAGS, _NFS)
                if _NFS_DEVICE.fullmatch(device)
                else _odd_device(kind, device)
            )
        case "cifs":
            is_share = _CIFS_DEVICE.fullmatch(device)
            return _checked(Storage("network", kind), flags, _FLAGS | _CIFS_FLAGS, _CIFS) if is_share else _odd_device(kind, device)
        case "none" | "bind":
            return _folder(device, flags)
        case _:
            return Storage("unknown", f"file system `{kind}` is none of tmpfs, nfs, cifs")


def _folder(device: str, flags: str) -> Storage:
    """A bind mount in disguise counts as one."""
    words = set(flags.split(","))
    if not _BINDS.keys() & words:
        return Storage("unknown", "neither a file system nor `o: bind`")
    if not device.startswith("/"):
        return _odd_device("bind", device)
    if {"rbind", "private"} <= words:
        return Storage("unknown", "mount option `private` leaves what is mounted below shared with the host; write `rprivate`")
    return _checked(Storage("folder", device), flags, _FLAGS | _FOLDER_FLAGS, {})


def as_made(driver: str, options: Mapping[str, str]) -> Mapping[str, str]:
    """The options that such a volume is made with: a folder of the host is mounted privately, whether that is written or not.

    Else the engine's unmounting, when the last container stops, would unmount on the host what is mounted below the folder: with
    `rbind` all of it, with `bind` what came later (Docker 20.10 on a host whose mounts are shared, which systemd makes them).
    """
    flags = options.get("o", "").split(",")
    bind = next((name for name in ("rbind", "bind") if name in flags), None)
    if bind is None or storage_of(driver, options).kind != "folder" or set(_BINDS.values()) & set(flags):
        return options
    return {**options, "o": ",".join([*flags, _BINDS[bind]])}


def _odd_device(kind: str, device: str) -> Storage:
    return Storage("unknown", f"`device: {device}` is none of {kind}")


def _checked(storage: Storage, text: str, flags: frozenset[str], values: Mapping[str, str]) -> Storage:
    """The storage, if each of the comma-separated mount options is on one of the lists, and none is there twice."""
    names: set[str] = set()
    for option in text.split(",") if text else ():
        name, equals, value = option.partition("=")
        is_known = re.fullmatch(values[name], value) if equals and name in values else not equals and name in flags
        if not is_known:
            shown = f"{name}=…" if name in SECRETS else option
            return Storage("unknown", f"mount option `{shown}` is not known to be harmless")
        if name in names:
            return Storage("unknown", f"mount option `{name}` is there twice")
        names.add(name)
    return storage


def without_secrets(options: Mapping[str, str]) -> Mapping[str, str]:
    """The options as they may be shown."""
    return shown_options(options)
