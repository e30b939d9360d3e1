"""Starts one attempt of a transfer, exactly once: prepare, claim, start.

The order is what makes a kill at any moment safe. Until the claim is written nothing has run and everything is made again or reused;
the claim names the container, and a container that has once run is never started again.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from dtnctl.errors import ConflictError, DtnctlError, EngineError, TransferError, UnreachableError
from dtnctl.model.ledger import Attempt
from dtnctl.model.plan import JobEnd
from dtnctl.model.resources import LABEL_SPEC, ContainerSeen
from dtnctl.movers.base import Listing, Login
from dtnctl.movers.hindrances import left_out
from dtnctl.movers.sameness import one_thing
from dtnctl.printable import plural
from dtnctl.providers.base import Engine, FileEntry
from dtnctl.runtime.transfers import keys
from dtnctl.runtime.transfers.attempt import Task, accounts_by_place, find_job, job_labels, job_spec, time_left, time_text
from dtnctl.runtime.transfers.evidence import PathSeen, look
from dtnctl.runtime.transfers.hindrances import look_for_hindrances, refuse_hindered_destination, refuse_hindered_source
from dtnctl.runtime.transfers.notes import write_notes
from dtnctl.runtime.transfers.paths import ask_where_paths_lead, refuse_astray
from dtnctl.runtime.transfers.ready import wait_until_ready
from dtnctl.runtime.transfers.record import read_record, write_record

PARALLEL_CALLS = 8


@dataclass(frozen=True, slots=True)
class StartResult:
    """Whether this call started the job, and what the reader should know."""

    started: bool
    text: str


@dataclass(frozen=True, slots=True)
class _Ready:
    """All that was found before anything is written. Pairs are of the source and of the destination."""

    record: Attempt | None
    job: ContainerSeen | None
    services: tuple[ContainerSeen, ContainerSeen]
    accounts: tuple[keys.Account, keys.Account]
    host_keys: tuple[str, str]
    looks: tuple[PathSeen, PathSeen]
    left_out: str
    time_left: float | None


def start_attempt(task: Task, image: str) -> StartResult:
    """Start the attempt if it never ran. TransferError if it cannot be started; then nothing was."""
    with ThreadPoolExecutor(PARALLEL_CALLS, thread_name_prefix="prepare") as pool:
        reading = pool.submit(read_record, task.here, task.site, task.transfer, task.generation, task.attempt)
        finding = pool.submit(find_job, task.here, task.job_name)
        near, far = (pool.submit(_find_service, engine, end) for engine, end in task.ends)
        record, job = reading.result(), finding.result()
        if reason := _reason_not_to_start(record, job):
            return StartResult(False, reason)
        services = near.result(), far.result()
        _refuse_one_engine(task, services)
        ready = _prepare(task, pool, record, job, services)
        if ready.time_left is not None and ready.time_left <= 0:
            return _too_late(task, ready)
        container = _create(task, ready, image)
        return _claim_and_start(task, ready, container, pool)


def _prepare(
    task: Task, pool: ThreadPoolExecutor, record: Attempt | None, job: ContainerSeen | None, services: tuple[ContainerSeen, ContainerSeen]
) -> _Ready:
    """Ask both ends for everything at once. Reading a file takes the engine as long as running a command, about 50 ms."""
    answering = pool.submit(wait_until_ready, task, services)
    hindering = pool.submit(look_for_hindrances, task)
    leading = ask_where_paths_lead(task, pool)
    (here, source), (there, destination) = task.ends
    tree = task.options.recursive
    looks = pool.submit(_look, here, source, tree=tree), pool.submit(_look, there, destination, tree=False)
    below = pool.submit(_look, there, destination, tree=True) if tree else looks[1]
    accounts = pool.submit(_find_account, here, source, services[0]), pool.submit(_find_account, there, destination, services[1])
    trusted = pool.submit(_host_key, here, source, answering), pool.submit(_host_key, there, destination, answering)
    found = accounts[0].result(), accounts[1].result()
    seen = looks[0].result(), looks[1].result()
    hindered = hindering.result()
    refuse_hindered_source(task, hindered, seen[0].listing)
    _check(task, seen[0].listing, seen[1].listing)
    refuse_astray(task, services, found, [place.result() for place in leading], seen[0].listing)
    whole = below.result().listing
    refuse_hindered_destination(task, hindered, seen[0].listing, whole)
    _refuse_one_thing(task, seen[0].listing, whole if whole.root is not None else seen[1].listing)
    answering.result()
    left = time_left(task, None if record is None or record.released else record)
    return _Ready(record, job, services, found, (trusted[0].result(), trusted[1].result()), seen, left_out(hindered.source), left)


def _host_key(engine: Engine, end: JobEnd, answering: Future[None]) -> str:
    try:
        return keys.read_host_key(engine, end.container)
    except TransferError:
        answering.result()  # a service makes its keys when it first starts: they are there once it answers
        return keys.read_host_key(engine, end.container)


def _reason_not_to_start(record: Attempt | None, job: ContainerSeen | None) -> str:
    if record is not None and not record.released:
        if record.verdict is not None:
            return "already ran, receipt found"
        if job is None or job.id != record.container:
            return f"claimed at {record.claimed_at}, and its container is gone: it may have run; not started"
    if job is not None and job.started_at:
        return f"already started at {job.started_at[:19]}Z"
    return ""


def _find_service(engine: Engine, end: JobEnd) -> ContainerSeen:
    where = f"{end.container} on {end.endpoint}"
    try:
        service = engine.inspect(end.container)
    except EngineError as error:
        raise TransferError(f"{where} is not there: {error}") from error
    if service.state != "running":
        raise TransferError(f"{where} is {service.state}; it must run to carry a transfer")
    return service


def _refuse_one_engine(task: Task, services: tuple[ContainerSeen, ContainerSeen]) -> None:
    here, there = task.source, task.destination
    if here.endpoint != there.endpoint and services[0].id == services[1].id:
        what = f"{here.endpoint} and {there.endpoint} are one engine: {here.container} there is one container"
        raise TransferError(f"{task.transfer}: {what}; give it one endpoint")


def _find_account(engine: Engine, end: JobEnd, service: ContainerSeen) -> keys.Account:
    account = keys.find_account(engine, end.container, end.user)
    hidden = [mount.target for mount in service.spec.mounts if mount.kind == "tmpfs" and _is_below(account.home, mount.target)]
    if hidden:
        where = f"{end.container} on {end.endpoint}"
        raise TransferError(f"{where}: the home of {account.name!r} is on the tmpfs {hidden[0]}, where no key can be put from outside")
    return account


def _is_below(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def _look(engine: Engine, end: JobEnd, *, tree: bool) -> PathSeen:
    try:
        return look(engine, end, tree=tree)
    except EngineError as error:
        raise TransferError(f"{end.container} on {end.endpoint} cannot be asked what is at {end.path}: {error}") from error


def _check(task: Task, source: Listing, old: Listing) -> None:
    """TransferError if what is at the source cannot be copied, or to where it should go. `old` is what is there."""
    if reason := task.mover.refusal(task.source, task.destination, task.options, source):
        raise TransferError(f"{task.transfer}: {reason}")
    there = task.destination
    if not task.options.recursive and old.kind == "folder":
        raise TransferError(f"{task.transfer}: {there.path} on {there.endpoint} is a folder; end it in / to copy into it")
    if task.options.recursive and old.kind not in ("folder", "missing", "unknown"):
        raise TransferError(f"{task.transfer}: {there.path} on {there.endpoint} is no folder, so nothing can be copied into it")


def _refuse_one_thing(task: Task, source: Listing, old: Listing) -> None:
    """Two services may share a folder, by mounts of one host or a file system of several: writing would first empty what is to be read."""
    here, there = task.source, task.destination
    one_host = here.endpoint == there.endpoint
    is_one_service = one_host and here.container == there.container  # a container's name alone is the same on every endpoint
    is_below = is_one_service and task.options.recursive and there.path.startswith(here.path)
    reason = one_thing(source, old, one_host=one_host) or ("is inside of what is copied" if is_below else "")
    if reason:
        raise TransferError(f"{task.transfer}: {there.path} on {there.endpoint} {reason}: writing there would damage {here.path}")


def _too_late(task: Task, ready: _Ready) -> StartResult:
    """No time is left for this try: its receipt says so, and it has no container."""
    if ready.job is not None:
        task.here.remove(ready.job.id)
    now = time_text(task.clock.now())
    cause = f"not finished within its deadline of {task.options.deadline or 0:.0f} s; try {task.attempt} was not started"
    receipt = Attempt(task.transfer, task.generation, task.attempt, "", now, verdict="failed", cause=cause, finished_at=now)
    write_record(task.here, task.site, receipt)
    return StartResult(False, cause)


def _create(task: Task, ready: _Ready, image: str) -> str:
    """The job's container, made and not started; one that an earlier run left is used if it is the same."""
    spec = job_spec(task, image, ready.services[0].id, ready.time_left)
    labels = job_labels(task, spec)
    job, record = ready.job, ready.record
    if job is not None:
        if job.labels.get(LABEL_SPEC) == dict(labels)[LABEL_SPEC]:
            return job.id
        if record is not None and not record.released:
            write_record(task.here, task.site, replace(record, released=True))
        task.here.remove(job.id)
    try:
        return task.here.create_container(task.job_name, spec, labels)
    except ConflictError as error:
        raise TransferError(f"{task.transfer}: {error}") from error


def _claim_and_start(task: Task, ready: _Ready, container: str, pool: ThreadPoolExecutor) -> StartResult:
    """Both the keys and the claim must be there before the start; which of them comes first does not matter."""
    pairs = keys.make_key_pair(), keys.make_key_pair()
    comment = keys.marker(task.site, task.transfer, task.generation, task.attempt)
    lines = [keys.authorized_line(pair.public, comment, task.clock.now(), task.options.deadline) for pair in pairs]
    claim = Attempt(task.transfer, task.generation, task.attempt, container, claimed_at=time_text(task.clock.now()))
    places = accounts_by_place(task, ready.accounts)
    let_in = [lines] if len(places) == 1 else [[line] for line in lines]  # each end lets in its own key; one that is both ends, both
    writing = [pool.submit(task.here.write_files, container, _job_files(task, ready, pairs))]
    writing += [
        pool.submit(keys.authorize, engine, end.container, account, own, task.site, task.transfer)
        for (engine, end, account), own in zip(places, let_in, strict=True)
    ]
    writing.append(pool.submit(write_record, task.here, task.site, claim))
    try:
        wait(writing)
        for done in writing:
            done.result()
        task.here.start(container)
    except UnreachableError:
        raise  # it may have started; if it did, it needs its keys
    except DtnctlError as error:
        for engine, end, account in places:
            with contextlib.suppress(DtnctlError):
                keys.revoke(engine, end.container, account, task.site, task.transfer)
        raise TransferError(f"{task.title} was not started: {error}") from error
    listing = ready.looks[0].listing
    started = f"started: {listing.bytes} bytes in {plural(len(listing.files), 'file')}"
    return StartResult(True, f"{started}; {ready.left_out}" if ready.left_out else started)


def _job_files(task: Task, ready: _Ready, pairs: tuple[keys.KeyPair, keys.KeyPair]) -> tuple[FileEntry, ...]:
    ends = zip((task.source, task.destination), pairs, ready.host_keys, strict=True)
    source, destination = (Login(end, pair.private, host_key) for end, pair, host_key in ends)
    files = [(file.path, file.content, file.mode) for file in task.mover.job_files(source, destination)]
    notes = write_notes(task, ready.accounts, ready.looks[0].output, ready.looks[1].output)
    files += [(path, content, 0o600) for path, content in notes.items()]
    return tuple(FileEntry(path, content, mode, folder_mode=0o700) for path, content, mode in files)
