"""Looks at one endpoint: the lists of its namespace, its node's pods, and what the caller asks about volumes, secrets and records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dtnctl.errors import EngineError, NotFoundError, UnreachableError
from dtnctl.model.backends import KUBERNETES
from dtnctl.model.ledger import RECORDS, LedgerSeen, decode_ledger
from dtnctl.model.resources import (
    LABEL_REPOSITORY,
    ContainerSeen,
    EndpointSeen,
    ImageSeen,
    LeaseSeen,
    VolumeSeen,
    Wanted,
    lease_name,
    ledger_name,
)
from dtnctl.providers.docker.view import View
from dtnctl.providers.kubernetes.cluster import Cluster
from dtnctl.providers.kubernetes.damaged import Damaged
from dtnctl.providers.kubernetes.identity import NOTHING, Json
from dtnctl.providers.kubernetes.lists import Lists, ask, place_with
from dtnctl.providers.kubernetes.quantities import amount
from dtnctl.providers.kubernetes.seen import foreign_of, jobs_seen, markers_seen, networks_seen, services_seen, strangers
from dtnctl.providers.kubernetes.store import MAPS, ClusterStoreReader, files_at, files_of, holder_of, stored

if TYPE_CHECKING:
    from dtnctl.providers.kubernetes.connection import Connection

LABEL_HOLDER = "dtnctl.holder"


def observe(cluster: Cluster, pool: Executor, wanted: Wanted) -> EndpointSeen:
    """Everything in one go. UnreachableError passes through, and EngineError of a list of the namespace."""
    connection, view = cluster.connection, cluster.view
    version = pool.submit(_version, connection)
    lease = pool.submit(_lease, ClusterStoreReader(connection, cluster.paths, view.endpoint), view)
    secrets = pool.submit(view.secrets.fingerprints, wanted.secrets) if wanted.secrets else None
    volumes = {name: pool.submit(_volume, cluster, name) for name in sorted(wanted.volumes)}
    lists = ask(connection, cluster.paths, cluster.place, pool)
    place = place_with(cluster.place, lists)
    now = datetime.now(UTC)
    damaged = Damaged()
    found = [*services_seen(lists, place, now, damaged), *jobs_seen(lists, place, damaged), *markers_seen(lists, place)]
    ours, others = view.divided(found)
    networks, foreign_networks = networks_seen(lists, place, view)
    node = node_id(cluster, lists.node)
    return EndpointSeen(
        name=view.endpoint,
        backend=KUBERNETES.name,
        engine_version=version.result()[0],
        api_version=version.result()[1],
        containers=tuple(sorted(ours, key=lambda item: (item.name, item.id))),
        networks=networks,
        foreign=tuple(sorted((*foreign_of(others), *damaged.taken, *strangers(lists, place)), key=lambda item: (item.name, item.id))),
        foreign_networks=foreign_networks,
        images=_images(wanted, found),
        remote_digests=dict.fromkeys(sorted(wanted.remote_images), ""),
        volumes={name: seen for name, future in volumes.items() if (seen := future.result()) is not None},
        ledger=_ledger(lists.maps, view) if wanted.ledger or _has_transfer(ours) else LedgerSeen(),
        lease=lease.result(),
        engine_id=node,
        identity=node,
        cpus=_cpus(lists) if wanted.cpus else 0,
        clock_ahead=connection.clock_ahead,
        secrets=secrets.result() if secrets is not None else {},
        unseen=lists.unseen,
        damaged=tuple(damaged.sentences),
    )


def _version(connection: Connection) -> tuple[str, str]:
    """That of the server and of its API: `1.36.4`, `1.36`. UnreachableError for a cluster that is too old to plan for."""
    version: Json = connection.facts.get("version", lambda: connection.get("version"))
    numbers = [str(version.get(key, "")).rstrip("+") for key in ("major", "minor")]  # providers of clusters add a plus sign
    if all(number.isdecimal() for number in numbers) and tuple(map(int, numbers)) < KUBERNETES.oldest:
        oldest = ".".join(map(str, KUBERNETES.oldest))
        raise UnreachableError(
            f"{connection.address}: Kubernetes {'.'.join(numbers)} is older than {oldest}, the oldest that dtnctl works with"
        )
    return str(version.get("gitVersion", "")).removeprefix("v"), ".".join(number for number in numbers if number)


def _images(wanted: Wanted, found: list[ContainerSeen]) -> Mapping[str, ImageSeen]:
    """An image is what it is called, and adds nothing: a cluster does not show what is in one."""
    names = wanted.images | {item.spec.image for item in found if item.spec.image}
    return {name: ImageSeen(id=name) for name in sorted(names)}


def node_id(cluster: Cluster, node: Json | None) -> str:
    """The node's own id; where it may not be looked at, its cluster and its name."""
    return str(node["metadata"]["uid"]) if node is not None else f"{cluster.connection.server}/{cluster.place.node}"


def _cpus(lists: Lists) -> int:
    capacity = ((lists.node or NOTHING).get("status") or NOTHING).get("capacity") or NOTHING
    return int(amount(capacity.get("cpu", 0)))


def _volume(cluster: Cluster, name: str) -> VolumeSeen | None:
    """A claim of the namespace. Nothing of it is compared: what is behind it is the cluster's business."""
    try:
        cluster.connection.get(cluster.paths.of("persistentvolumeclaims", name))
    except NotFoundError:
        return None
    except EngineError as error:
        return VolumeSeen(name, trouble=str(error))
    return VolumeSeen(name)


def _lease(store: ClusterStoreReader, view: View) -> LeaseSeen | None:
    found = store.find_lease(lease_name(view.site))
    if found is None:
        return None
    return LeaseSeen(found.id, found.labels.get(LABEL_HOLDER, ""), is_ours=view.owns(found.labels, found.name))


def _has_transfer(ours: Iterable[ContainerSeen]) -> bool:
    """Whether records count unasked: a transfer that nothing declares any more is recorded before its container goes."""
    return any(item.kind == "transfer" for item in ours)


def _ledger(maps: tuple[Json, ...], view: View) -> LedgerSeen:
    """Without a holder of ours nothing is known; without a file there is no record yet."""
    raw = holder_of(ledger_name(view.site), view.endpoint, maps)
    if raw is None or not view.owns((holder := stored(MAPS, raw)).labels, holder.name):
        return LedgerSeen()
    is_unsigned = bool(view.repository) and LABEL_REPOSITORY not in holder.labels
    try:
        seen = decode_ledger(files_at(RECORDS, files_of(raw["metadata"]["name"], maps), raw), view.repository)
    except NotFoundError:
        return LedgerSeen(readable=True)
    except EngineError as error:
        return LedgerSeen(trouble=str(error))
    return LedgerSeen(seen.readable, seen.attempts, seen.trouble, is_unsigned)
