"""Looks at one endpoint: two lists, one inspection of each owned container, and what the caller asks about images and the ledger."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dtnctl.errors import EngineError, NotFoundError, UnreachableError
from dtnctl.model.ledger import RECORDS, Entry, LedgerSeen, decode_ledger
from dtnctl.model.resources import (
    LABEL_KIND,
    LABEL_REPOSITORY,
    LABEL_SITE,
    ContainerSeen,
    EndpointSeen,
    ForeignSeen,
    ImageSeen,
    LeaseSeen,
    NetworkSeen,
    VolumeSeen,
    Wanted,
    is_inherited,
    lease_name,
    ledger_name,
    own_labels,
)
from dtnctl.providers.docker.archive import unpack, unpack_entries
from dtnctl.providers.docker.host import host_info
from dtnctl.providers.docker.registry import login_for
from dtnctl.providers.docker.translate import Json, container_seen, foreign_seen, image_seen, listed_name
from dtnctl.providers.docker.translate_networks import network_seen
from dtnctl.providers.docker.view import View
from dtnctl.providers.docker.volumes import observe_volume

if TYPE_CHECKING:
    from dtnctl.providers.docker.connection import Connection

LABEL_HOLDER = "dtnctl.holder"
STAT_HEADER = "X-Docker-Container-Path-Stat"
PERMISSIONS = 0o777  # a mode of Go's without any further bit is that of a regular file
LARGEST_ARCHIVE = 256 * 1024**2  # bytes of all records together; each has about 1 KiB


@dataclass(frozen=True, slots=True)
class Inspection:
    """One object's inspection: None if there is no such object, or `trouble` if the engine refuses to show it."""

    raw: Json | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What depends on no other answer. `info` is asked only where the number of CPUs matters."""

    networks: Future[list[Json]]
    images: Mapping[str, Future[Inspection]]
    volumes: Mapping[str, Future[VolumeSeen | None]]
    digests: Mapping[str, Future[str]]
    info: Future[Inspection] | None
    secrets: Future[Mapping[str, str]] | None


def _ask(connection: Connection, pool: Executor, view: View, wanted: Wanted) -> _Asked:
    return _Asked(
        networks=pool.submit(connection.get, "/networks"),
        images={name: pool.submit(_look, connection, "/images/{}/json", name) for name in sorted(wanted.images)},
        volumes={name: pool.submit(observe_volume, connection, view, name) for name in sorted(wanted.volumes)},
        digests={name: pool.submit(_remote_digest, connection, view, name) for name in sorted(wanted.remote_images)},
        info=pool.submit(_info, connection) if wanted.cpus else None,
        secrets=pool.submit(view.secrets.fingerprints, wanted.secrets) if wanted.secrets else None,
    )


def observe(connection: Connection, pool: Executor, view: View, wanted: Wanted) -> EndpointSeen:
    """Everything in one go; what does not depend on an answer is asked at once. UnreachableError passes through, and EngineError of a list.

    What the engine refuses to show of one object is known of that object only.
    """
    asked = _ask(connection, pool, view, wanted)
    listed: list[Json] = connection.get("/containers/json?all=1")
    view = _without_claimed(listed, view)
    owned, foreign = _divide(listed, view)
    lease = next((item for item in listed if listed_name(item) == lease_name(view.site)), None)
    ledger = pool.submit(_ledger, connection, view, owned) if wanted.ledger or any(map(_is_job, owned)) else None
    inspected = [(item, pool.submit(_look, connection, "/containers/{}/json", item["Id"])) for item in owned if item is not lease]
    host = asked.info.result() if asked.info is not None else _host(connection, owned)
    claimants = [item for item in foreign if _names_us(item["Labels"] or {}, view)]
    images = {name: future.result() for name, future in asked.images.items()}
    seen_images = _images_seen(connection, pool, images, [*(item for item, _ in inspected), *claimants])
    containers, others = _judged([(item, future.result()) for item, future in inspected], seen_images, host)
    raw_networks = asked.networks.result()
    ours, foreign_networks = _divide_networks(raw_networks, view)
    return EndpointSeen(
        name=view.endpoint,
        backend=connection.dialect.backend,
        engine_version=connection.engine_version,
        api_version=connection.api_version,
        containers=tuple(sorted(containers, key=lambda item: (item.name, item.id))),
        networks=ours,
        foreign=tuple(sorted((*others, *(_stranger(item, seen_images) for item in foreign)), key=lambda item: (item.name, item.id))),
        foreign_networks=foreign_networks,
        images=dict(sorted(seen_images.items())),
        image_troubles={name: look.trouble for name, look in images.items() if look.trouble},
        remote_digests={name: future.result() for name, future in asked.digests.items()},
        volumes={name: found for name, future in asked.volumes.items() if (found := future.result()) is not None},
        ledger=_read_of(ledger, containers, view),
        lease=_lease(lease, view),
        engine_id=_engine_id(raw_networks),
        identity=connection.dialect.identity(raw_networks),
        cpus=(host.raw or {}).get("NCPU", 0) if asked.info is not None else 0,
        clock_ahead=connection.clock_ahead,
        secrets=asked.secrets.result() if asked.secrets is not None else {},
    )


def _engine_id(networks: Iterable[Json]) -> str:
    """The id of the default bridge, which an engine makes at each start; of the host's network where there is no default bridge."""
    ids = {raw["Name"]: str(raw["Id"]) for raw in networks}
    return ids.get("bridge") or ids.get("host", "")


# --- whose is it --------------------------------------------------------------------------------------------


def _without_claimed(listed: Iterable[Json], view: View) -> View:
    """The view under which objects without an id are not ours where another repository's placeholder has the site's name."""
    name = ledger_name(view.site)
    labels = next((item["Labels"] or {} for item in listed if listed_name(item) == name), {})
    claim = labels.get(LABEL_REPOSITORY, view.repository)
    is_other = claim != view.repository and replace(view, repository=claim).owns(labels, name)
    return replace(view, unlabelled=False) if is_other else view


def _divide(listed: Iterable[Json], view: View) -> tuple[list[Json], list[Json]]:
    """Those whose labels name us, and all others."""
    owned: list[Json] = []
    foreign: list[Json] = []
    for item in listed:
        (owned if view.owns(item["Labels"] or {}, listed_name(item)) else foreign).append(item)
    return owned, foreign


def _names_us(labels: Mapping[str, str], view: View) -> bool:
    """Whether the labels of a foreign object have something to do with us, so that its image must be looked at, too."""
    return labels.get(LABEL_SITE) == view.site or (bool(view.repository) and labels.get(LABEL_REPOSITORY) == view.repository)


def _judged(
    inspected: Iterable[tuple[Json, Inspection]], images: Mapping[str, ImageSeen | None], host: Inspection
) -> tuple[list[ContainerSeen], list[ForeignSeen]]:
    """Containers that are ours, and those that are not for all their labels: from an image that handed them on, or not to be looked at."""
    ours: list[ContainerSeen] = []
    others: list[ForeignSeen] = []
    for item, look in inspected:
        trouble = look.trouble or (host.trouble if _uses_host_network(item) else "")
        image = images.get(item["ImageID"])
        if trouble:
            others.append(replace(foreign_seen(item), labels=own_labels(item["Labels"]), trouble=trouble))
        elif image is not None and is_inherited(item["Labels"], dict(image.labels)):
            others.append(foreign_seen(item))
        elif look.raw is not None:
            ours.append(container_seen(look.raw, host_name=str((host.raw or {}).get("Name", ""))))
    return ours, others


def _stranger(item: Json, images: Mapping[str, ImageSeen | None]) -> ForeignSeen:
    """Somebody else's container, with the labels of ours that are its own."""
    labels, image = own_labels(item["Labels"] or {}), images.get(item["ImageID"])
    is_copy = image is not None and is_inherited(labels, dict(image.labels))
    return replace(foreign_seen(item), labels={} if is_copy else labels)


def _lease(item: Json | None, view: View) -> LeaseSeen | None:
    if item is None:
        return None
    labels = item["Labels"] or {}
    return LeaseSeen(item["Id"], labels.get(LABEL_HOLDER, ""), is_ours=view.owns(labels, lease_name(view.site)))


def _divide_networks(raws: Iterable[Json], view: View) -> tuple[tuple[NetworkSeen, ...], tuple[NetworkSeen, ...]]:
    seen = sorted((network_seen(raw) for raw in raws), key=lambda item: (item.name, item.id))
    return view.divided(seen)


# --- one object ---------------------------------------------------------------------------------------------


def _look(connection: Connection, path: str, name: str) -> Inspection:
    try:
        return Inspection(connection.get(path, name))
    except NotFoundError:
        return Inspection(None)
    except EngineError as error:
        return Inspection(None, str(error))


def _uses_host_network(item: Json) -> bool:
    return bool(item["HostConfig"].get("NetworkMode") == "host")


def _host(connection: Connection, owned: Iterable[Json]) -> Inspection:
    """What the engine says of its host, asked only if a container may have taken over the host's name."""
    return _info(connection) if any(_uses_host_network(item) for item in owned) else Inspection(None)


def _info(connection: Connection) -> Inspection:
    try:
        return Inspection(host_info(connection))
    except EngineError as error:
        return Inspection(None, f"the engine does not say its host's name: {error}")


def _images_seen(
    connection: Connection, pool: Executor, looks: Mapping[str, Inspection], users: Iterable[Json]
) -> dict[str, ImageSeen | None]:
    """The images that were looked up, by reference, and those that these containers run from, by id."""
    by_reference = {name: None if look.raw is None else image_seen(look.raw) for name, look in looks.items()}
    return by_reference | _images_in_use(connection, pool, users, by_reference)


def _images_in_use(
    connection: Connection, pool: Executor, listed: Iterable[Json], seen: Mapping[str, ImageSeen | None]
) -> dict[str, ImageSeen | None]:
    """The images that containers run from, by id; those that were looked up by reference are not asked for again."""
    known: dict[str, ImageSeen | None] = {image.id: image for image in seen.values() if image is not None}
    ids = {item["ImageID"] for item in listed}
    missing = sorted(ids - known.keys())
    looks = pool.map(lambda image_id: _look(connection, "/images/{}/json", image_id), missing)
    known |= {image_id: None if look.raw is None else image_seen(look.raw) for image_id, look in zip(missing, looks, strict=True)}
    return {image_id: known[image_id] for image_id in ids}


def _remote_digest(connection: Connection, view: View, reference: str) -> str:
    """What the registry calls the reference now; empty if it does not say, for whatever reason."""
    try:
        login = login_for(reference, view.registries, view.root, view.secrets)
        answer: Json = connection.get("/distribution/{}/json", reference, headers=login.header if login is not None else {})
    except (EngineError, UnreachableError):
        return ""
    return str((answer.get("Descriptor") or {}).get("digest", ""))


# --- the record of one-shot jobs ----------------------------------------------------------------------------


def _is_job(item: Json) -> bool:
    """Whether the container is a transfer's, which may be one that nothing declares any more: its end is recorded before it goes."""
    return (item["Labels"] or {}).get(LABEL_KIND) == "transfer"


def _ledger(connection: Connection, view: View, owned: Iterable[Json]) -> LedgerSeen:
    """Without its container nothing is known; without a records folder there is no record yet."""
    found = next((item for item in owned if listed_name(item) == ledger_name(view.site)), None)
    if found is None:
        return LedgerSeen()
    try:
        return decode_ledger(read_entries(connection, found["Id"], RECORDS), view.repository)
    except NotFoundError:
        look = _look(connection, "/containers/{}/json", found["Id"])
        return LedgerSeen(readable=look.raw is not None, trouble=look.trouble)
    except EngineError as error:
        return LedgerSeen(trouble=str(error))


def _read_of(asked: Future[LedgerSeen] | None, containers: Iterable[ContainerSeen], view: View) -> LedgerSeen:
    """What was read, if the container that it was read through is ours after all."""
    name = ledger_name(view.site)
    found = next((item for item in containers if item.name == name), None)
    if asked is None:
        return LedgerSeen()
    seen = asked.result()
    if found is None:
        return LedgerSeen(trouble=seen.trouble)
    return replace(seen, is_unsigned=bool(view.repository) and LABEL_REPOSITORY not in found.labels)


def read_files(connection: Connection, container: str, path: str) -> Mapping[str, bytes]:
    """The regular file at `path`, or all below the folder, by absolute path."""
    response = connection.call("GET", "/containers/{}/archive", container, params={"path": path})
    return unpack(response.content, path)


def read_entries(connection: Connection, container: str, path: str) -> Mapping[str, Entry]:
    """What is at `path` and below it, by absolute path, whatever it is. EngineError if that is more than a record could be."""
    response = connection.call("GET", "/containers/{}/archive", container, params={"path": path}, stream=True)
    data = bytearray()
    for chunk in connection.chunks(response):
        data += chunk
        if len(data) > LARGEST_ARCHIVE:
            raise EngineError(f"{path} holds more than {LARGEST_ARCHIVE // 1024**2} MiB")
    return unpack_entries(bytes(data), path)


def file_size(connection: Connection, container: str, path: str) -> int | None:
    """Bytes of the regular file at `path`; None if there is none, or the engine does not say."""
    try:
        response = connection.call("HEAD", "/containers/{}/archive", container, params={"path": path})
    except NotFoundError:
        return None
    try:
        facts = json.loads(base64.b64decode(response.headers.get(STAT_HEADER, "")))
        return int(facts["size"]) if int(facts["mode"]) <= PERMISSIONS else None
    except (ValueError, KeyError, TypeError):
        return None
