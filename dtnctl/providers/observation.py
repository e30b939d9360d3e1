"""Looks at one endpoint: two lists, one inspection of each owned container, and what the caller asks about images and the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dtnctl.errors import EngineError, NotFoundError, UnreachableError
from dtnctl.model.ledger import RECORDS, decode_ledger
from dtnctl.model.resources import (
    ContainerSeen,
    EndpointSeen,
    ImageSeen,
    LeaseSeen,
    LedgerSeen,
    NetworkSeen,
    Wanted,
    is_owned,
    lease_name,
    ledger_name,
)
from dtnctl.model.site import Registry
from dtnctl.providers.archive import unpack
from dtnctl.providers.registry import login_for
from dtnctl.providers.translate import Json, container_seen, foreign_seen, image_seen, listed_name
from dtnctl.providers.translate_networks import network_seen
from dtnctl.providers.volumes import observe_volume

if TYPE_CHECKING:
    from dtnctl.providers.connection import Connection

LABEL_HOLDER = "dtnctl.holder"


@dataclass(frozen=True, slots=True)
class View:
    """Whose objects are looked at, where, and with which logins."""

    endpoint: str
    site: str
    registries: Mapping[str, Registry]
    root: Path

    def owns(self, labels: Mapping[str, str], object_name: str) -> bool:
        return is_owned(labels, site=self.site, endpoint=self.endpoint, object_name=object_name)


def observe(connection: Connection, pool: Executor, view: View, wanted: Wanted) -> EndpointSeen:
    """Everything in one go; what does not depend on an answer is asked at once. EngineError and UnreachableError pass through."""
    networks = pool.submit(connection.get, "/networks")
    images = {name: pool.submit(_image, connection, name) for name in sorted(wanted.images)}
    volumes = {name: pool.submit(observe_volume, connection, name) for name in sorted(wanted.volumes)}
    digests = {name: pool.submit(_remote_digest, connection, view, name) for name in sorted(wanted.remote_images)}
    info = pool.submit(connection.get, "/info") if wanted.cpus else None
    listed: list[Json] = connection.get("/containers/json?all=1")
    owned, foreign = _divide(listed, view)
    lease = next((item for item in listed if listed_name(item) == lease_name(view.site)), None)
    ledger = pool.submit(_ledger, connection, _owned_id(owned, ledger_name(view.site))) if wanted.ledger else None
    inspected = [pool.submit(_container, connection, item["Id"]) for item in owned if item is not lease]
    host_name = _host_name(connection, owned)
    containers = [container_seen(raw, host_name=host_name) for raw in _present(inspected)]
    seen_images = {name: future.result() for name, future in images.items()}
    seen_images |= _images_in_use(connection, pool, containers, seen_images)
    raw_networks: list[Json] = networks.result()
    ours, others = _divide_networks(raw_networks, view)
    return EndpointSeen(
        name=view.endpoint,
        engine_version=connection.engine_version,
        api_version=connection.api_version,
        containers=tuple(sorted(containers, key=lambda item: (item.name, item.id))),
        networks=ours,
        foreign=tuple(sorted((foreign_seen(item) for item in foreign), key=lambda item: (item.name, item.id))),
        foreign_networks=others,
        images=dict(sorted(seen_images.items())),
        remote_digests={name: future.result() for name, future in digests.items()},
        volumes={name: found for name, future in volumes.items() if (found := future.result()) is not None},
        ledger=ledger.result() if ledger is not None else LedgerSeen(),
        lease=None if lease is None else LeaseSeen(lease["Id"], (lease["Labels"] or {}).get(LABEL_HOLDER, "")),
        engine_id=_engine_id(raw_networks),
        cpus=info.result().get("NCPU", 0) if info is not None else 0,
        clock_ahead=connection.clock_ahead,
    )


def _engine_id(networks: Iterable[Json]) -> str:
    """The id of the default bridge, which an engine makes at each start; of the host's network where there is no default bridge."""
    ids = {raw["Name"]: str(raw["Id"]) for raw in networks}
    return ids.get("bridge") or ids.get("host", "")


def _divide(listed: Iterable[Json], view: View) -> tuple[list[Json], list[Json]]:
    """Ours and everybody else's."""
    owned: list[Json] = []
    foreign: list[Json] = []
    for item in listed:
        (owned if view.owns(item["Labels"] or {}, listed_name(item)) else foreign).append(item)
    return owned, foreign


def _owned_id(owned: Iterable[Json], name: str) -> str | None:
    return next((item["Id"] for item in owned if listed_name(item) == name), None)


def _divide_networks(raws: Iterable[Json], view: View) -> tuple[tuple[NetworkSeen, ...], tuple[NetworkSeen, ...]]:
    seen = sorted((network_seen(raw) for raw in raws), key=lambda item: (item.name, item.id))
    ours = tuple(item for item in seen if view.owns(item.labels, item.name))
    return ours, tuple(item for item in seen if item not in ours)


def _container(connection: Connection, container_id: str) -> Json | None:
    """Its inspection; None if it is gone meanwhile."""
    try:
        raw: Json = connection.get("/containers/{}/json", container_id)
    except NotFoundError:
        return None
    return raw


def _present(inspected: Iterable[Future[Json | None]]) -> Iterator[Json]:
    return (raw for future in inspected if (raw := future.result()) is not None)


def _host_name(connection: Connection, owned: Iterable[Json]) -> str:
    """The host's own name, asked only if a container may have taken it over."""
    if not any(item["HostConfig"].get("NetworkMode") == "host" for item in owned):
        return ""
    return str(connection.get("/info").get("Name", ""))


def _image(connection: Connection, reference: str) -> ImageSeen | None:
    try:
        return image_seen(connection.get("/images/{}/json", reference))
    except NotFoundError:
        return None


def _images_in_use(
    connection: Connection, pool: Executor, containers: Iterable[ContainerSeen], seen: Mapping[str, ImageSeen | None]
) -> dict[str, ImageSeen | None]:
    """The images that containers run from, by id; those that were looked up by reference are not asked for again."""
    known = {image.id: image for image in seen.values() if image is not None}
    ids = sorted({item.image_id for item in containers} - known.keys())
    asked = dict(zip(ids, pool.map(lambda image_id: _image(connection, image_id), ids), strict=True))
    return {item.image_id: known.get(item.image_id) or asked.get(item.image_id) for item in containers}


def _remote_digest(connection: Connection, view: View, reference: str) -> str:
    """What the registry calls the reference now; empty if it does not say, for whatever reason."""
    try:
        login = login_for(reference, view.registries, view.root)
        answer: Json = connection.get("/distribution/{}/json", reference, headers=login.header if login is not None else {})
    except (EngineError, UnreachableError):
        return ""
    return str((answer.get("Descriptor") or {}).get("digest", ""))


def _ledger(connection: Connection, container_id: str | None) -> LedgerSeen:
    """The record of one-shot jobs. Without its container nothing is known; without a records folder there is no record yet."""
    if container_id is None:
        return LedgerSeen(readable=False)
    try:
        return decode_ledger(read_files(connection, container_id, RECORDS))
    except NotFoundError:
        return LedgerSeen(readable=_container(connection, container_id) is not None)


def read_files(connection: Connection, container: str, path: str) -> Mapping[str, bytes]:
    """The regular file at `path`, or all below the folder, by absolute path."""
    response = connection.call("GET", "/containers/{}/archive", container, params={"path": path})
    return unpack(response.content, path)
