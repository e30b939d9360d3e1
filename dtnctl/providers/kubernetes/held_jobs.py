"""A transfer's container before it runs: a Secret that holds its Job and its files, whose name only one can take. Pure.

The Job is made when it starts. Its files come in as a tar: an init container unpacks it with owners and modes, which no volume of a
Secret has, and the container sees folders that are its own (with `dtnctl` in their name) whole, and single files in others.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterable, Mapping

from dtnctl.errors import EngineError
from dtnctl.providers.docker.archive import pack, parents, unpack
from dtnctl.providers.kubernetes.identity import Json, Object
from dtnctl.providers.kubernetes.pod_template import CONTAINER
from dtnctl.providers.store import FileEntry

HELD_TYPE = "dtnctl/job"
LABEL_HELD = "dtnctl.held"  # of these Secrets: lists need not show others
JOB_KEY, FILES_KEY = "job.json", "files.tar"
LARGEST = 1000 * 1024  # bytes of one object; etcd takes no more than 1.5 MiB of a request
PACKED, UNPACKED = "/dtnctl-packed", "/dtnctl-unpacked"
UNPACK = f"mkdir -p {UNPACKED} && tar -xpf {PACKED}/{FILES_KEY} -C {UNPACKED}"
OWN = "dtnctl"


def held_job(job: Json) -> Object:
    """The Secret for a Job that has not started."""
    made = {key: job["metadata"][key] for key in ("name", "namespace", "annotations")} | {
        "labels": {**job["metadata"]["labels"], LABEL_HELD: "job"}
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": HELD_TYPE,
        "metadata": made,
        "data": {JOB_KEY: _encoded(json.dumps(job).encode())},
    }


def job_in(secret: Json) -> Object:
    """The Job that a Secret holds, without its files. EngineError if somebody changed it so that it holds none."""
    try:
        found: Object = json.loads(_data(secret, JOB_KEY))
        found["spec"]["template"]["spec"]["containers"][0]["image"]
    except (ValueError, KeyError, TypeError, IndexError):
        raise EngineError(f"the Secret {secret['metadata']['name']} does not hold its Job any more") from None
    return found


def files_in(secret: Json) -> Mapping[str, bytes]:
    """The files that it holds, by absolute path."""
    packed = _data(secret, FILES_KEY)
    return unpack(packed, "/.") if packed else {}


def entries_in(secret: Json) -> tuple[FileEntry, ...]:
    """The same with owners and modes."""
    import io
    import tarfile

    packed = _data(secret, FILES_KEY)
    if not packed:
        return ()
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        found = [(member, tar.extractfile(member)) for member in tar if member.isreg()]
        return tuple(
            FileEntry(f"/{item.name}", body.read(), item.mode, item.uid, item.gid, 0o700) for item, body in found if body is not None
        )


def files_data(secret: Json, entries: Iterable[FileEntry]) -> str:
    """The value of FILES_KEY with these files among those that are there. EngineError if an object cannot hold so much."""
    files = {entry.path: entry for entry in (*entries_in(secret), *entries)}
    folders = {folder for path in files for folder in parents(path)}
    packed = pack(tuple(files.values()), "/", folders)
    if len(packed) + len(_data(secret, JOB_KEY)) > LARGEST:
        raise EngineError(f"the files of the transfer have {len(packed)} bytes; a cluster keeps at most {LARGEST} with a Job")
    return _encoded(packed)


def startable(secret: Json) -> Object:
    """The Job with what brings its files in."""
    job = copy.deepcopy(job_in(secret))
    paths = files_in(secret)
    if not paths:
        return job
    pod = job["spec"]["template"]["spec"]
    main = next(item for item in pod["containers"] if item["name"] == CONTAINER)
    packed, unpacked = {"name": "packed", "mountPath": PACKED, "readOnly": True}, {"name": "unpacked", "mountPath": UNPACKED}
    pod["initContainers"] = [
        {"name": "files", "image": main["image"], "command": ["/bin/sh", "-c", UNPACK], "volumeMounts": [packed, unpacked], **_limits(main)}
    ]
    source = {"secretName": secret["metadata"]["name"], "items": [{"key": FILES_KEY, "path": FILES_KEY}]}
    pod["volumes"] = [*pod.get("volumes", ()), {"name": "packed", "secret": source}, {"name": "unpacked", "emptyDir": {"medium": "Memory"}}]
    mounts = [{"name": "unpacked", "mountPath": place, "subPath": place.lstrip("/")} for place in mount_places(paths)]
    main["volumeMounts"] = [*main.get("volumeMounts", ()), *mounts]
    return job


def _limits(main: Json) -> Object:
    """CPUs and memory as the container's own: a pod is Guaranteed only if each of its containers is."""
    limits = {key: value for key, value in main.get("resources", {}).get("limits", {}).items() if key in ("cpu", "memory")}
    return {"resources": {"limits": limits, "requests": limits}} if limits else {}


def mount_places(paths: Iterable[str]) -> list[str]:
    """Where the container sees the files: the folders that are its own, and single files in folders of the image."""
    return sorted({next((folder for folder in reversed(parents(path)) if OWN in folder.rpartition("/")[2]), path) for path in paths})


def _data(secret: Json, key: str) -> bytes:
    return base64.b64decode((secret.get("data") or {}).get(key, ""))


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()
