"""Asks the services where the paths of a transfer lead by links, and refuses those that leave the volumes or reach a place of power.

`validate` has judged the paths as they are written; what is behind them only the containers know.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor, Future

from dtnctl.errors import EngineError, TransferError
from dtnctl.model.data_paths import astray, clean_data_path, first_powerful
from dtnctl.model.plan import JobEnd
from dtnctl.model.resources import ContainerSeen
from dtnctl.movers.base import Listing
from dtnctl.providers.base import Engine
from dtnctl.runtime.transfers.attempt import Task
from dtnctl.runtime.transfers.keys import Account


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


def refuse_astray(
    task: Task, services: tuple[ContainerSeen, ContainerSeen], accounts: tuple[Account, Account], real: Iterable[str], source: Listing
) -> None:
    """TransferError if a path, or a name that is copied below it, is no place for data at its end."""
    names = source.entries if task.options.recursive else {}
    for (_, end), service, account, place in zip(task.ends, services, accounts, real, strict=True):
        homes = (account.home, "/root")
        path = place or clean_data_path(end.path)
        reason = astray(clean_data_path(end.path), path, [mount.target for mount in service.spec.mounts], homes)
        if not reason and (powerful := first_powerful(path, names, homes)):
            reason = f"would reach {powerful}, which is a setting of a login"
        if reason:
            raise TransferError(f"{task.transfer}: {end.path} on {end.endpoint} {reason}; transfers copy data only")
