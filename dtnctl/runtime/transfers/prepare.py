"""Asks both ends of an attempt all that must be known before it starts, at once, and refuses what cannot be. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from dtnctl.errors import EngineError, TransferError
from dtnctl.model.actions import JobEnd
from dtnctl.model.resources import ContainerSeen
from dtnctl.model.tools import Side
from dtnctl.model.transfer_items import Item, targets_of
from dtnctl.movers.base import Listing
from dtnctl.movers.hindrances import left_out
from dtnctl.movers.refusals import refuse_source
from dtnctl.movers.renaming import by_source_names, by_target_names, refuse_items
from dtnctl.movers.sameness import into_itself, one_thing
from dtnctl.providers.base import Engine
from dtnctl.runtime.transfers import keys
from dtnctl.runtime.transfers.attempt import Task
from dtnctl.runtime.transfers.claims import read_engine_id
from dtnctl.runtime.transfers.evidence import PathSeen, look
from dtnctl.runtime.transfers.hindrances import look_for_hindrances, refuse_hindered_destination, refuse_hindered_source
from dtnctl.runtime.transfers.notes import lists_old_tree
from dtnctl.runtime.transfers.over_path import read_counters
from dtnctl.runtime.transfers.paths import ask_where_items_lead, ask_where_paths_lead, refuse_astray
from dtnctl.runtime.transfers.programs import refuse_missing_programs
from dtnctl.runtime.transfers.ready import wait_until_ready

Services = tuple[ContainerSeen, ContainerSeen]
NOTHING = PathSeen(Listing("missing"))


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was found. Pairs are of the source and of the destination; accounts and host keys are of the ends that need them.

    `engine` is the source's engine's own id. `counters` are those of interfaces, where a path joins the ends.
    """

    services: Services
    accounts: Mapping[Side, keys.Account]
    host_keys: Mapping[Side, str]
    looks: tuple[PathSeen, PathSeen]
    left_out: str = ""
    engine: str = ""
    counters: Mapping[Side, str] = field(default_factory=dict)


def prepare(task: Task, pool: ThreadPoolExecutor, services: Services) -> Prepared:
    """Ask both ends for everything at once. Reading a file takes the engine as long as running a command, about 50 ms.

    TransferError says what is in the way.
    """
    _refuse_one_engine(task, services)
    answering = pool.submit(wait_until_ready, task, services)
    engine = pool.submit(read_engine_id, task.here)
    programs = pool.submit(refuse_missing_programs, task)
    trusted = {side: pool.submit(_host_key, engine, end, answering) for side, engine, end in task.logins}
    if task.copies_files:
        accounts, looks, omitted = _prepare_files(task, pool, services)
    else:
        accounts, looks, omitted = {}, (NOTHING, NOTHING), ""
    programs.result()
    answering.result()
    host_keys = {side: key.result() for side, key in trusted.items()}
    return Prepared(services, accounts, host_keys, looks, omitted, engine.result(), read_counters(task))


def _prepare_files(
    task: Task, pool: ThreadPoolExecutor, services: Services
) -> tuple[Mapping[Side, keys.Account], tuple[PathSeen, PathSeen], str]:
    hindering = pool.submit(look_for_hindrances, task)
    leading, items_lead = ask_where_paths_lead(task, pool), ask_where_items_lead(task, pool)
    (here, source), (there, destination) = task.ends
    tree, follow = task.options.recursive, task.options.links != "omit"
    items = task.options.items
    looks = (
        pool.submit(_look, here, source, tree=tree, follow=follow, items=items),
        pool.submit(_look, there, destination, tree=False),
    )
    below = pool.submit(_look, there, destination, tree=True, items=items, side="destination") if tree else looks[1]
    accounts = (
        pool.submit(_find_account, task, here, source, services[0]),
        pool.submit(_find_account, task, there, destination, services[1]),
    )
    found = accounts[0].result(), accounts[1].result()
    seen = looks[0].result().of(task.options), looks[1].result()
    hindered = hindering.result()
    refuse_hindered_source(task, hindered, seen[0].listing)
    _check(task, seen[0].listing, seen[1].listing)
    real, real_items = ([place.result() for place in leading], [places.result() for places in items_lead])
    refuse_astray(task, services, found, real, real_items, seen[0].listing)
    whole = below.result()
    refuse_hindered_destination(task, hindered, by_target_names(seen[0].listing, items), whole.listing)
    old_listing = whole.listing if whole.listing.root is not None else seen[1].listing
    _refuse_items_over_folders(task, seen[0].listing, old_listing)
    _refuse_into_itself(task, looks[0].result().listing, old_listing)
    _refuse_one_thing(task, seen[0].listing, by_source_names(old_listing, seen[0].listing.files, items))
    old = whole if lists_old_tree(task.options) else seen[1]
    return {"source": found[0], "destination": found[1]}, (seen[0], old), left_out(hindered.source)


def _host_key(engine: Engine, end: JobEnd, answering: Future[None]) -> str:
    try:
        return keys.read_host_key(engine, end.container)
    except TransferError:
        answering.result()  # a service makes its keys when it first starts: they are there once it answers
        return keys.read_host_key(engine, end.container)


def find_service(engine: Engine, end: JobEnd) -> ContainerSeen:
    """The running service that carries an end; TransferError if it does not run."""
    where = f"{end.container} on {end.endpoint}"
    try:
        service = engine.inspect(end.container)
    except EngineError as error:
        raise TransferError(f"{where} is not there: {error}") from error
    if service.state != "running":
        raise TransferError(f"{where} is {service.state}; it must run to carry a transfer")
    return service


def _refuse_one_engine(task: Task, services: Services) -> None:
    here, there = task.source, task.destination
    if here.endpoint != there.endpoint and services[0].id == services[1].id:
        what = f"{here.endpoint} and {there.endpoint} are one engine: {here.container} there is one container"
        raise TransferError(f"{task.transfer}: {what}; give it one endpoint")


def _find_account(task: Task, engine: Engine, end: JobEnd, service: ContainerSeen) -> keys.Account:
    account = keys.find_account(engine, end.container, end.user)
    hidden = [mount.target for mount in service.spec.mounts if mount.kind == "tmpfs" and _is_below(account.home, mount.target)]
    if hidden and end in [login for _, _, login in task.logins]:
        where = f"{end.container} on {end.endpoint}"
        raise TransferError(f"{where}: the home of {account.name!r} is on the tmpfs {hidden[0]}, where no key can be put from outside")
    return account


def _is_below(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def _look(engine: Engine, end: JobEnd, *, tree: bool, follow: bool = True, items: tuple[Item, ...] = (), side: Side = "source") -> PathSeen:
    try:
        return look(engine, end, tree=tree, follow=follow, items=items, side=side)
    except EngineError as error:
        raise TransferError(f"{end.container} on {end.endpoint} cannot be asked what is at {end.path}: {error}") from error


def _check(task: Task, source: Listing, old: Listing) -> None:
    """TransferError if what is at the source cannot be copied, or to where it should go. `old` is what is there."""
    request = task.request()
    reason = refuse_source(request, source)
    reason = reason or refuse_items(source, task.options.items, f"{task.source.path} on {task.source.endpoint}")
    if reason := reason or task.mover.refusal(request, source):
        raise TransferError(f"{task.transfer}: {reason}")
    there = task.destination
    if not task.options.recursive and old.kind == "folder":
        raise TransferError(f"{task.transfer}: {there.path} on {there.endpoint} is a folder; end it in / to copy into it")
    if task.options.recursive and old.kind not in ("folder", "missing", "unknown"):
        raise TransferError(f"{task.transfer}: {there.path} on {there.endpoint} is no folder, so nothing can be copied into it")


def _refuse_items_over_folders(task: Task, source: Listing, old: Listing) -> None:
    """TransferError if a file would have the name of a folder that is there."""
    targets = targets_of(source.files, task.options.items) if task.options.items else {}
    taken = [target for target in targets.values() if target in old.folders]
    if taken:
        where = f"{task.destination.path}{taken[0]} on {task.destination.endpoint}"
        raise TransferError(f"{task.transfer}: `items`: {where} is a folder; end it in / to copy into it")


def _refuse_into_itself(task: Task, source: Listing, old: Listing) -> None:
    """TransferError if a folder of the items would be copied into itself; `source` also has the folders below them."""
    there, one_host = task.destination, task.source.endpoint == task.destination.endpoint
    if reason := into_itself(source, old, task.options.items, one_host=one_host):
        raise TransferError(f"{task.transfer}: `items`: {there.path} on {there.endpoint} {reason}")


def _refuse_one_thing(task: Task, source: Listing, old: Listing) -> None:
    """Two services may share a folder, by mounts of one host or a file system of several: writing would first empty what is to be read."""
    here, there = task.source, task.destination
    one_host = here.endpoint == there.endpoint
    is_one_service = one_host and here.container == there.container  # a container's name alone is the same on every endpoint
    is_below = is_one_service and task.options.recursive and there.path.startswith(here.path)
    reason = one_thing(source, old, one_host=one_host) or ("is inside of what is copied" if is_below else "")
    if reason:
        raise TransferError(f"{task.transfer}: {there.path} on {there.endpoint} {reason}: writing there would damage {here.path}")
