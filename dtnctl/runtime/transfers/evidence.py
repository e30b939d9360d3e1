"""Looks at both ends of a transfer, inside the services and as their users: what is there, and its checksums."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from dtnctl.errors import EngineError, NotFoundError, TransferError
from dtnctl.model.actions import JobEnd
from dtnctl.model.checksums import Algorithm
from dtnctl.model.tools import Side
from dtnctl.model.transfer_items import Item, targets_of
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.accounted import account_for
from dtnctl.movers.base import Evidence, Listing
from dtnctl.movers.checksums import (
    Speeds,
    checksum_commands,
    checksum_program_command,
    choose_algorithm,
    read_checksums,
    read_speeds,
    speed_command,
)
from dtnctl.movers.listing import list_command, read_listing
from dtnctl.movers.renaming import by_source_names
from dtnctl.movers.selection import selected
from dtnctl.movers.verdict import sizes_agree
from dtnctl.providers.base import Engine
from dtnctl.runtime.transfers.attempt import Task
from dtnctl.runtime.transfers.notes import Notes
from dtnctl.runtime.transfers.server import ServerEnd
from dtnctl.runtime.transfers.watch import Watched


@dataclass(frozen=True, slots=True)
class PathSeen:
    """What was seen at a path, and the very output that shows it."""

    listing: Listing
    output: bytes = b""

    def of(self, options: TransferOptions) -> PathSeen:
        """With what is copied of it; the output stays whole."""
        return replace(self, listing=selected(self.listing, options))


def look(engine: Engine, end: JobEnd, *, tree: bool, follow: bool = True, items: tuple[Item, ...] = (), side: Side = "source") -> PathSeen:
    """What is at an end now, or its `items` alone; links are what they lead to, unless `follow` is False.

    EngineError if its service does not run.
    """
    command = list_command(end.path, tree=tree, follow=follow, items=items, side=side)
    ran = engine.run(end.container, command, user=end.user)
    listing = read_listing(ran.stdout, ran.stderr, ran.exit_code, tree=tree)
    return PathSeen(listing, ran.stdout if ran.exit_code == 0 else b"")


@dataclass(frozen=True, slots=True)
class ServersLog:
    """What the tool's servers logged; empty with a `problem` if it cannot be read, and without one if they log nothing."""

    text: str = ""
    problem: str = ""

    def added_to(self, evidence: Evidence) -> Evidence:
        return replace(evidence, server_log=self.text or evidence.server_log, server_log_problem=self.problem)


def read_servers_log(task: Task, job: str) -> ServersLog:
    """That of the servers of both services, which is in the job's container, by its id."""
    path = task.mover.servers_log(task.request())
    try:
        content = task.here.read_entries(job, path).get(path) if path else None
    except NotFoundError:
        return ServersLog()
    except EngineError as error:
        return ServersLog(problem=str(error))
    return ServersLog(content.decode("utf-8", "replace") if isinstance(content, bytes) else "")


def known_of(notes: Notes | None, watched: Watched, server: ServerEnd) -> Evidence:
    """What is known of a job that has ended before its ends are looked at."""
    job = watched.job
    return Evidence(
        exit_code=job.exit_code,
        log=watched.log.decode("utf-8", "replace"),
        out_of_memory=job.oom_killed,
        ended_by=job.error,
        disrupted=job.disrupted,
        stopped=watched.stopped,
        before=notes.before if notes is not None else None,
        old=notes.old if notes is not None else None,
        server_log=server.log.decode("utf-8", "replace"),
        server_exit_code=server.exit_code,
    )


def is_looked_at(task: Task, known: Evidence) -> bool:
    """Whether the verdict needs a look at the ends."""
    needs_no_look = known.exit_code == 0 and task.options.verify == "none" and task.options.sync_level is None
    return task.copies_files and not needs_no_look


def gather(task: Task, known: Evidence) -> Evidence:
    """All evidence about a job that has ended: what is known, and what is at its ends.

    TransferError if an end cannot be asked now although the verdict depends on it: then there is no verdict yet.
    """
    if not is_looked_at(task, known):
        return known
    is_judged = known.exit_code == 0 or (task.options.on_file_error == "skip" and not known.stopped)
    with ThreadPoolExecutor(2, thread_name_prefix="look") as pool:
        near = pool.submit(_look_after, task, task.here, task.source, known, follow=task.options.links != "omit")
        far = pool.submit(_look_after, task, task.there, task.destination, known, side="destination")
    source = selected(near.result(), task.options)
    names = {**source.files, **(known.before.files if known.before is not None else {})}
    known = replace(known, source=source, destination=by_source_names(far.result(), names, task.options.items))
    compared = account_for(known, task.options).compared
    if is_judged and task.options.verify == "checksum" and sizes_agree(compared):
        return _with_sums(task, known, compared)
    return known


def _look_after(task: Task, engine: Engine, end: JobEnd, known: Evidence, *, follow: bool = True, side: Side = "source") -> Listing:
    try:
        return look(engine, end, tree=task.options.recursive, follow=follow, items=task.options.items, side=side).listing
    except EngineError as error:
        if known.exit_code == 0 and not known.stopped:
            raise _not_now(task, end, error) from error
        return Listing("unknown", problem=str(error))


def _not_now(task: Task, end: JobEnd, error: EngineError) -> TransferError:
    where = f"{end.container} on {end.endpoint}"
    return TransferError(f"{task.title} ended well, but {where} cannot be asked what is there: {error}; apply again when it runs")


def _with_sums(task: Task, known: Evidence, compared: Evidence) -> Evidence:
    assert compared.source is not None
    names = tuple(compared.source.files)
    began = task.clock.monotonic()
    algorithm = choose_algorithm(
        task.options.algorithm,
        compared.source.bytes,
        lambda item: all(has_algorithm(engine, end, item) for engine, end in task.ends),
        lambda: _speeds(task),
    )
    with ThreadPoolExecutor(2, thread_name_prefix="checksum") as pool:
        near = pool.submit(_sums, task, task.here, task.source, names, algorithm)
        targets = targets_of(names, task.options.items)
        far = pool.submit(_sums, task, task.there, task.destination, tuple(targets.values()), algorithm)
    try:
        here, there = near.result(), far.result()
        sums = here, {name: there[target] for name, target in targets.items()}
        return replace(known, sums=sums, algorithm=algorithm, sums_seconds=task.clock.monotonic() - began)
    except _NoSumsError as problem:
        return replace(known, no_sums=str(problem))


class _NoSumsError(Exception):
    """Checksums cannot be had; says why."""


def has_algorithm(engine: Engine, end: JobEnd, algorithm: Algorithm) -> bool:
    """Whether the service's image computes it. One that cannot be asked may: whoever needs it says what is wrong."""
    command = checksum_program_command(algorithm)
    try:
        return not command or engine.run(end.container, command, user=end.user).exit_code == 0
    except EngineError:
        return True


def _speeds(task: Task) -> list[Speeds]:
    """How fast both ends compute checksums, measured there at the same time; nothing of one that cannot be asked."""
    with ThreadPoolExecutor(2, thread_name_prefix="measure") as pool:
        return list(pool.map(lambda place: _speed(*place), task.ends))


def _speed(engine: Engine, end: JobEnd) -> Speeds:
    try:
        return read_speeds(engine.run(end.container, speed_command(), user=end.user).stdout)
    except EngineError:
        return {}  # whoever needs the service says what is wrong with it


def _sums(task: Task, engine: Engine, end: JobEnd, names: tuple[str, ...], algorithm: Algorithm) -> Mapping[str, str]:
    sums: dict[str, str] = {}
    for command, part in checksum_commands(end.path, names, algorithm):
        try:
            ran = engine.run(end.container, command, user=end.user)
        except EngineError as error:
            raise _not_now(task, end, error) from error
        try:
            sums |= read_checksums(ran.stdout, part, algorithm)
        except ValueError as error:
            reason = ran.stderr.decode("utf-8", "replace").strip().split("\n")[0] or f"{error}, exit code {ran.exit_code}"
            raise _NoSumsError(f"{end.container} on {end.endpoint}: {reason}") from error
    return sums
