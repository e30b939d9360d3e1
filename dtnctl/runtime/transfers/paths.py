"""Asks the services where the paths of a transfer lead by links, and refuses those that leave the volumes or reach a place of power.

`validate` has judged the paths as they are written; what is behind them only the containers know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, Future

from dtnctl.errors import EngineError, TransferError
from dtnctl.model.actions import JobEnd
from dtnctl.model.data_paths import astray, clean_data_path, first_powerful
from dtnctl.model.resources import ContainerSeen
from dtnctl.movers.base import Listing
from dtnctl.movers.renaming import by_target_names
from dtnctl.providers.base import Engine
from dtnctl.runtime.transfers.attempt import Task
from dtnctl.runtime.transfers.keys import Account

Paths = Mapping[str, str]  # real ones, by the ones that are written


def ask_where_paths_lead(task: Task, pool: Executor) -> tuple[Future[str], Future[str]]:
    """The real paths of the source and of the destination; each empty if its image cannot say."""
    (here, source), (there, destination) = task.ends
    return pool.submit(_real_path, here, source), pool.submit(_real_path, there, destination)


def real_path_command(end: JobEnd) -> tuple[str, ...]:
    """Prints where the path and each folder above it lead, as far as they are there."""
    return ("readlink", "-z", "-f", "--", *_and_above(clean_data_path(end.path)))


def _and_above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) or "/" for count in range(len(parts), 0, -1)]


def _real_path(engine: Engine, end: JobEnd) -> str:
    """What is not there yet belongs to the nearest folder above that is: readlink prints those of its arguments that it can resolve."""
    path = clean_data_path(end.path)
    above = _and_above(path)
    try:
        ran = engine.run(end.container, real_path_command(end), user=end.user)
    except EngineError:
        return ""  # who needs the service says what is wrong with it
    found = ran.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
    if not found or len(found) > len(above):
        return ""
    rest = path[len(above[len(above) - len(found)]) :].strip("/")
    return clean_data_path(f"{found[0]}/{rest}")


def ask_where_items_lead(task: Task, pool: Executor) -> tuple[Future[Paths], Future[Paths]]:
    """The real paths of the folders that items name, by path, at the source and at the destination."""
    (here, source), (there, destination) = task.ends
    items = task.options.items
    return (
        pool.submit(_real_paths, here, source, [item.source for item in items]),
        pool.submit(_real_paths, there, destination, [item.target for item in items]),
    )


def _real_paths(engine: Engine, end: JobEnd, names: Iterable[str]) -> Paths:
    """Of what an item names, whether that is there or not; nothing if the image cannot say: its readlink is not GNU's."""
    paths = list(dict.fromkeys(clean_data_path(end.path + name) for name in names))
    if not paths:
        return {}
    try:
        ran = engine.run(end.container, ("readlink", "-z", "-m", "--", *paths), user=end.user)
    except EngineError:
        return {}  # who needs the service says what is wrong with it
    found = ran.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
    return dict(zip(paths, found, strict=True)) if len(found) == len(paths) else {}


def refuse_astray(
    task: Task,
    services: tuple[ContainerSeen, ContainerSeen],
    accounts: tuple[Account, Account],
    real: Iterable[str],
    items: Iterable[Paths],
    source: Listing,
) -> None:
    """TransferError if a path, or a name that is copied below it, is no place for data at its end."""
    names = (source.entries, by_target_names(source, task.options.items).entries) if task.options.recursive else ({}, {})
    ends = zip(task.ends, services, accounts, real, items, names, strict=True)
    for (_, end), service, account, place, item_places, below in ends:
        homes = (account.home, "/root")
        mounts = [mount.target for mount in service.spec.mounts]
        path = place or clean_data_path(end.path)
        for written, leads_to in {clean_data_path(end.path): path, **item_places}.items():
            if reason := astray(written, leads_to, mounts, homes):
                shown = end.path if written == clean_data_path(end.path) else written
                raise TransferError(f"{task.transfer}: {shown} on {end.endpoint} {reason}; transfers copy data only")
        if powerful := first_powerful(path, below, homes):
            reason = f"would reach {powerful}, which is a setting of a login"
            raise TransferError(f"{task.transfer}: {end.path} on {end.endpoint} {reason}; transfers copy data only")
