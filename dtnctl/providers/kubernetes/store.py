"""The store of a cluster's namespace: a Lease for a lease, ConfigMaps for all else, each name given to one only by the API server.

A file is a ConfigMap of its own. With a finalizer it outlives whoever deletes everything that can be deleted; those of a holder without
a folder go with it.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dtnctl.errors import ConflictError, EngineError, NotFoundError
from dtnctl.model.ledger import FOLDER, Entry
from dtnctl.model.resources import LABEL_KIND, Pairs
from dtnctl.providers.kubernetes.identity import LABEL_OBJECT, NAME_NOTE, Json, Object, annotations_of, labels_of, metadata, object_name
from dtnctl.providers.kubernetes.paths import Paths
from dtnctl.providers.kubernetes.workloads import RECORD_FINALIZER
from dtnctl.providers.store import FileEntry, Stored

if TYPE_CHECKING:
    from dtnctl.providers.kubernetes.connection import Connection

LEASES, MAPS = "leases", "configmaps"
BEAT_NOTE, FOLDER_NOTE, PATH_NOTE = "dtnctl/beat", "dtnctl/folder", "dtnctl/path"
LABEL_HOLDS = "dtnctl.holds"  # of a file's ConfigMap: the object that holds it
CONTENT = "content"
LARGEST_FILE = 700 * 1024  # bytes; in base64 they are a third more, and an object takes 1 MiB


def is_file(raw: Json) -> bool:
    """Whether a ConfigMap is a file of a holder, and no holder."""
    return LABEL_HOLDS in (raw["metadata"].get("labels") or {})


def stored(kind: str, raw: Json) -> Stored:
    """The holder that an object is."""
    notes = annotations_of(raw)
    name = notes.get(NAME_NOTE, raw["metadata"]["name"])
    return Stored(name, _id(kind, raw), labels_of(raw), notes.get(FOLDER_NOTE, ""))


def _id(kind: str, raw: Json) -> str:
    return "/".join((kind, raw["metadata"]["name"], raw["metadata"]["uid"]))


class ClusterStoreReader:
    """A StoreReader."""

    def __init__(self, connection: Connection, paths: Paths, endpoint: str) -> None:
        self._connection, self._paths, self._endpoint = connection, paths, endpoint

    def find(self, name: str) -> Stored | None:
        found = self._raw(name)
        return None if found is None else stored(*found)

    def find_lease(self, name: str) -> Stored | None:
        """One that is a lease; what else has the name is none."""
        found = self._raw(name, (LEASES,))
        return None if found is None else stored(*found)

    def read(self, holder: str, path: str) -> Mapping[str, Entry]:
        raw = self._holder(holder)[1]
        return files_at(path, self._files(raw["metadata"]["name"]), raw)

    def size(self, holder: str, path: str) -> int | None:
        try:
            _, raw = self._holder(holder)
            file = self._connection.get(self._paths.of(MAPS, file_name(raw["metadata"]["name"], path)))
        except NotFoundError:
            return None
        return len(_content(file))

    def last_beat(self, holder: str) -> bytes:
        try:
            return annotations_of(self._holder(holder)[1]).get(BEAT_NOTE, "").encode()
        except NotFoundError:
            return b""

    def _raw(self, name: str, kinds: tuple[str, ...] = (LEASES, MAPS)) -> tuple[str, Json] | None:
        """The kind and the object of a holder by the name of plans; a lease counts first."""
        for kind in kinds:
            try:
                return kind, self._connection.get(self._paths.of(kind, object_name(name, self._endpoint)))
            except NotFoundError:
                continue
        return None

    def _holder(self, holder: str) -> tuple[str, Json]:
        """The same by id or name; NotFoundError if there is none, or another one by now."""
        kind, name, uid = _parts(holder)
        found = (kind, self._connection.get(self._paths.of(kind, name))) if uid else self._raw(holder)
        if found is None or (uid and found[1]["metadata"]["uid"] != uid):
            raise NotFoundError(f"there is no {holder} in the namespace {self._paths.namespace}", 404)
        return found

    def _files(self, holder_name: str) -> list[Json]:
        return files_of(holder_name, self._connection.items(self._paths.of(MAPS), labelSelector=f"{LABEL_HOLDS}={holder_name}"))


def holder_of(name: str, endpoint: str, maps: Iterable[Json]) -> Json | None:
    """The holder of this name among the ConfigMaps of a namespace."""
    wanted = object_name(name, endpoint)
    return next((raw for raw in maps if raw["metadata"]["name"] == wanted and not is_file(raw)), None)


def files_of(holder_name: str, maps: Iterable[Json]) -> list[Json]:
    """The holder's files among ConfigMaps, without those that go."""
    held = (raw for raw in maps if (raw["metadata"].get("labels") or {}).get(LABEL_HOLDS) == holder_name)
    return [raw for raw in held if not raw["metadata"].get("deletionTimestamp") or raw["metadata"].get("finalizers")]


def files_at(path: str, files: Iterable[Json], holder: Json) -> Mapping[str, Entry]:
    """A folder is what has files below it; asked for one, the answer names it, too. NotFoundError if nothing is there."""
    contents: dict[str, Entry] = {_path(item): _content(item) for item in files}
    if path in contents:
        return {path: contents[path]}
    below = {where: content for where, content in contents.items() if where.startswith(f"{path.rstrip('/')}/")}
    if not below:
        raise NotFoundError(f"there is nothing at {path} of {holder['metadata']['name']}", 404)
    return {path: FOLDER, **dict(sorted(below.items()))}


def _parts(holder: str) -> tuple[str, str, str]:
    """Kind, object's name and uid of an id; three empty texts for a name."""
    parts = holder.split("/")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else ("", "", "")


def _path(raw: Json) -> str:
    """EngineError if somebody took away what says which file it is: one of the records is missing then, and it may be any."""
    path = annotations_of(raw).get(PATH_NOTE)
    if path is None:
        raise EngineError(f"the ConfigMap {raw['metadata']['name']} has lost its annotation {PATH_NOTE}: which record it is, is not known")
    return path


def _content(raw: Json) -> bytes:
    return base64.b64decode((raw.get("binaryData") or {}).get(CONTENT, ""))


def file_name(holder_name: str, path: str) -> str:
    """The object of one file of a holder."""
    return f"dtnctl-file-{hashlib.sha256(f'{holder_name}:{posixpath.normpath(path)}'.encode()).hexdigest()[:40]}"


class ClusterStore(ClusterStoreReader):
    """A Store."""

    def claim(self, name: str, labels: Pairs, *, folder: str = "") -> str:
        made = metadata(name, self._endpoint, self._paths.namespace, labels)
        kind = LEASES if dict(labels).get(LABEL_KIND) == "lease" else MAPS
        if folder:
            made |= {"finalizers": [RECORD_FINALIZER]}
            made["annotations"][FOLDER_NOTE] = folder
        return _id(kind, self._connection.create(self._paths.of(kind), _object(kind, made)))

    def beat(self, holder: str, text: bytes) -> None:
        """The uid is tested in the same call: a lease that was removed and taken by another is not this one."""
        kind, name, uid = _parts(holder)
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        beating: list[Json] = [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "add", "path": f"/metadata/annotations/{BEAT_NOTE.replace('/', '~1')}", "value": text.decode()},
            {"op": "add", "path": "/spec/renewTime", "value": now},
        ]
        try:
            self._connection.patch(self._paths.of(kind, name), beating)
        except ConflictError as error:
            raise NotFoundError(f"{name} belongs to another process now", 404) from error

    def write(self, holder: str, entries: tuple[FileEntry, ...]) -> None:
        _, raw = self._holder(holder)
        lasts = FOLDER_NOTE in annotations_of(raw)
        for entry in entries:
            if len(entry.content) > LARGEST_FILE:
                raise EngineError(f"{entry.path} has {len(entry.content)} bytes; the store of a cluster takes {LARGEST_FILE} in a file")
            body = self._file(raw, entry, lasts=lasts)
            self._connection.apply(self._paths.of(MAPS, body["metadata"]["name"]), body)

    def _file(self, holder: Json, entry: FileEntry, *, lasts: bool) -> Object:
        name = holder["metadata"]["name"]
        marks = {LABEL_HOLDS: name, **{key: value for key, value in holder["metadata"]["labels"].items() if key != LABEL_OBJECT}}
        made: Object = {
            "name": file_name(name, entry.path),
            "namespace": self._paths.namespace,
            "labels": marks,
            "annotations": {PATH_NOTE: entry.path},
            **({"finalizers": [RECORD_FINALIZER]} if lasts else {}),
        }
        return _object(MAPS, made) | {"binaryData": {CONTENT: base64.b64encode(entry.content).decode()}}

    def remove(self, holder: str) -> None:
        """Its files go with it unless it had a folder for them."""
        try:
            kind, raw = self._holder(holder)
        except NotFoundError:
            return
        name, uid = raw["metadata"]["name"], raw["metadata"]["uid"]
        if FOLDER_NOTE not in annotations_of(raw):
            self._remove_files(self._files(name))
        _remove(self._connection, self._paths.of(kind, name), uid, has_finalizer=bool(raw["metadata"].get("finalizers")))

    def _remove_files(self, files: Iterable[Json]) -> None:
        for file in files:
            _remove(self._connection, self._paths.of(MAPS, file["metadata"]["name"]), file["metadata"]["uid"], has_finalizer=False)


def _remove(connection: Connection, path: str, uid: str, *, has_finalizer: bool) -> None:
    if has_finalizer:
        connection.release(path, uid)
    connection.remove(path, uid)


def _object(kind: str, made: Object) -> Object:
    if kind == LEASES:
        holder = made["annotations"].get("dtnctl.holder", "")
        spec = {"holderIdentity": holder[:128] or "dtnctl", "leaseDurationSeconds": 30}
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": made, "spec": spec}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": made}
