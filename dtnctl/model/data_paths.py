"""Decides where a transfer may read and write: in a volume, a mount or a tmpfs of its service, and in no place of power. Pure.

A path is judged three times by this one rule: as it is written, as the path on the host that a mount makes of it, and, when the transfer
starts, as the path that links lead to.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

# What the system itself keeps there makes logins, programs, devices and the kernel's settings. From the Filesystem Hierarchy Standard 3.0.
SYSTEM_FOLDERS = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/root", "/run", "/sbin", "/sys", "/usr"),
    *("/var/run", "/var/lock", "/var/spool", "/var/mail", "/var/log", "/var/cache", "/var/backups"),
    *("/var/lib/docker", "/var/lib/containerd", "/var/lib/containers", "/var/lib/dtnctl", "/var/lib/kubelet", "/var/lib/systemd"),
)
DATA_FOLDERS = ("/dev/shm", "/run/media")  # noqa: S108  # within the ones above; nothing is written there
_SYSTEM, _DATA = frozenset(SYSTEM_FOLDERS), frozenset(DATA_FOLDERS)


def clean_data_path(path: str) -> str:
    """The path in one form: without doubled slashes, dots and the slash at the end."""
    return posixpath.normpath(path).replace("//", "/")


def is_below(path: str, folder: str) -> bool:
    """Whether the path is the folder or something in it; both in their one form."""
    inner = folder.rstrip("/")
    return path == inner or path.startswith(f"{inner}/")  # pathlib takes 40 times as long, and there may be 10,000 transfers


def innermost(path: str, targets: Iterable[str]) -> str:
    """The mount that holds the path, by its target; empty if none does."""
    return max((target for target in targets if is_below(path, target)), key=len, default="")


def power_of(path: str, homes: Iterable[str] = ()) -> str:
    """What power writing or reading there gives, as the end of a sentence about the path; empty if it is a place for data.

    In a home folder, `homes` or one below /home, everything hidden belongs to the login: keys, shells' start files, programs' settings.
    """
    if ".ssh" in path.split("/"):
        return "holds the keys of logins"
    if posixpath.basename(path).startswith("authorized_keys"):
        return "says who may log in"
    folder = _nearest_above(path, _SYSTEM)
    if folder and not _nearest_above(path, _DATA):
        return f"is in {folder}, which is the system's own"
    for home in (*homes, *_home_above(path)):
        if is_below(path, home) and path[len(home.rstrip("/")) :].startswith("/."):
            return f"is a setting of the login whose home is {home}"
    return ""


def _nearest_above(path: str, folders: frozenset[str]) -> str:
    """The one of the folders that holds the path, or is it, and is the nearest; empty if none does."""
    while path and path not in folders:
        path = path.rpartition("/")[0]
    return path


def _home_above(path: str) -> Iterable[str]:
    return ("/home/" + path.split("/", 3)[2],) if path.startswith("/home/") else ()


def host_path(path: str, target: str, source: str) -> str:
    """Where the host has what is at `path` in the container, by the bind mount of `source` on `target`, which the path is below."""
    return clean_data_path(posixpath.join(source, path[len(target.rstrip("/")) + 1 :]))


def astray(path: str, real: str, targets: Iterable[str], homes: Iterable[str]) -> str:
    """Why what links make of a path is no place for this transfer, as the end of a sentence; empty if it is one.

    `targets` are the container's own mounts. A path that is what it looks like was judged by `validate`.
    """
    if real != path and not innermost(real, targets):
        return f"leads to {real}, which is in no volume of the container"
    reason = power_of(real, homes)
    return f"leads to {real}, which {reason}" if reason and real != path else reason


def first_powerful(folder: str, names: Mapping[str, object], homes: Iterable[str]) -> str:
    """The first of the names below a folder that would be a hidden one of a home, as a path; empty if there is none."""
    for name in sorted(names):
        path = clean_data_path(posixpath.join(folder, name))
        if name and any(is_below(path, home) and PurePosixPath(path).relative_to(home).parts[0].startswith(".") for home in homes):
            return path
    return ""
