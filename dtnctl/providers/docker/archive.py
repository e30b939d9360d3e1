"""Files as the tar streams that the engine's archive calls take and give. Pure."""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Collection, Iterable, Mapping

from dtnctl.errors import EngineError
from dtnctl.model.ledger import FOLDER, Entry
from dtnctl.providers.base import FileEntry

# What an archive may hold beside regular files, in the words of a sentence.
KINDS: Mapping[bytes, str] = {
    tarfile.DIRTYPE: FOLDER,
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.FIFOTYPE: "a named pipe",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
}


def pack(entries: Iterable[FileEntry], folder: str, new_folders: Collection[str]) -> bytes:
    """A tar to be unpacked at `folder`, which is above all entries.

    Only `new_folders` get an entry: one for a folder that exists would change its owner and mode.
    """
    buffer = io.BytesIO()
    made: set[str] = set()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry in entries:
            for parent in reversed(parents(entry.path)):
                if parent in new_folders and parent not in made:
                    made.add(parent)
                    tar.addfile(_header(parent, folder, tarfile.DIRTYPE, entry.folder_mode, entry))
            header = _header(entry.path, folder, tarfile.REGTYPE, entry.mode, entry)
            header.size = len(entry.content)
            tar.addfile(header, io.BytesIO(entry.content))
    return buffer.getvalue()


def _header(path: str, folder: str, kind: bytes, mode: int, owner: FileEntry) -> tarfile.TarInfo:
    header = tarfile.TarInfo(posixpath.relpath(path, folder))
    header.type, header.mode, header.uid, header.gid = kind, mode, owner.uid, owner.gid
    return header


def meeting_folder(entries: Iterable[FileEntry], new_folders: Collection[str]) -> str:
    """The deepest folder above all entries that is there already."""
    common = posixpath.commonpath([posixpath.dirname(entry.path) for entry in entries])
    return next((folder for folder in (common, *parents(common)) if folder not in new_folders), "/")


def parents(path: str) -> list[str]:
    """The folders above an absolute path, the nearest first, without `/`."""
    folders = []
    while (path := posixpath.dirname(path)) not in ("", "/"):
        folders.append(path)
    return folders


def unpack(data: bytes, path: str) -> Mapping[str, bytes]:
    """Regular files by absolute path, from the tar that the engine gives for `path` (its names start at the last part of it)."""
    above = posixpath.dirname(path.rstrip("/")) or "/"
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                if content is not None:
                    files[posixpath.normpath(posixpath.join(above, member.name))] = content.read()
    except tarfile.TarError as error:
        raise EngineError(f"the engine's archive of {path} is broken") from error
    return dict(sorted(files.items()))


def unpack_entries(data: bytes, path: str) -> Mapping[str, Entry]:
    """All entries by absolute path, from the tar that the engine gives for `path`: files as bytes, of all else what it is."""
    above = posixpath.dirname(path.rstrip("/")) or "/"
    entries: dict[str, Entry] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for member in tar:
                place = posixpath.normpath(posixpath.join(above, member.name))
                file = tar.extractfile(member) if member.isreg() else None
                entry = KINDS.get(member.type, "of an unknown kind") if file is None else file.read()
                entries[place] = entry if place not in entries else "there twice"
    except (tarfile.TarError, EOFError) as error:
        raise EngineError(f"the engine's archive of {path} is broken") from error
    return dict(sorted(entries.items()))


def empty_image() -> bytes:
    """A tar with nothing in it."""
    return pack((), "/", ())
