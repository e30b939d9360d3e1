"""Starts one attempt of a transfer, exactly once: prepare, claim, start its server if it has one, start.

The order is what makes a kill at any moment safe. Until the claim is written nothing has run and everything is made again or reused;
the claim names the container, and a container that has once run is never started again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from secrets import token_urlsafe
from typing import Any

from dtnctl.errors import ConflictError, DtnctlError, LockError, TransferError, UnreachableError
from dtnctl.model.ledger import Attempt
from dtnctl.model.resources import LABEL_SPEC, ContainerSeen
from dtnctl.model.tools import Side
from dtnctl.movers.base import Access, JobFile, Login
from dtnctl.printable import plural
from dtnctl.providers.base import Engine, FileEntry
from dtnctl.runtime.transfers import keys
from dtnctl.runtime.transfers.attempt import USER_FOLDER, KeyPlace, Task, find_job, job_labels, job_spec, key_places, time_left, time_text
from dtnctl.runtime.transfers.claims import claim_of
from dtnctl.runtime.transfers.joined import answering
from dtnctl.runtime.transfers.notes import Begun, decode_notes, write_notes
from dtnctl.runtime.transfers.prepare import Prepared, find_service, prepare
from dtnctl.runtime.transfers.questions import asked_before_start
from dtnctl.runtime.transfers.record import read_record, write_record
from dtnctl.runtime.transfers.server import create_server, remove_server, start_server

PARALLEL_CALLS = 8


@dataclass(frozen=True, slots=True)
class StartResult:
    """Whether this call started the job, and what the reader should know. `begun` is what was started."""

    started: bool
    text: str
    begun: Begun | None = None


@dataclass(frozen=True, slots=True)
class _Ready:
    """All that was found before anything is written."""

    record: Attempt | None
    job: ContainerSeen | None
    found: Prepared
    time_left: float | None


def start_attempt(task: Task, image: str) -> StartResult:
    """Start the attempt if it never ran. TransferError if it cannot be started; then nothing was."""
    with ThreadPoolExecutor(PARALLEL_CALLS, thread_name_prefix="prepare") as pool:
        reading = pool.submit(read_record, task.here, task.site, task.transfer, task.generation, task.attempt)
        finding = pool.submit(find_job, task.here, task.job_name)
        near, far = (pool.submit(find_service, engine, end) for engine, end in task.ends)
        record, job = reading.result(), finding.result()
        if reason := _reason_not_to_start(record, job):
            return StartResult(False, reason)
        services = near.result(), far.result()
        making = pool.submit(lambda sides: {side: keys.make_key_pair() for side in sides}, [side for side, _, _ in task.logins])
        task = asked_before_start(task)
        found = prepare(task, pool, services)
        left = time_left(task, None if record is None or record.released else record)
        ready = _Ready(record, job, found, left)
        if left is not None and left <= 0:
            return _too_late(task, ready)
        container = _create(task, ready, image)
        return _claim_and_start(task, ready, container, making.result(), pool)


def _reason_not_to_start(record: Attempt | None, job: ContainerSeen | None) -> str:
    if record is not None and not record.released:
        if record.verdict is not None:
            return "already ran, receipt found"
        if job is None or job.id != record.container:
            return f"claimed at {record.claimed_at}, and its container is gone: it may have run; not started"
    if job is not None and job.started_at:
        return f"already started at {job.started_at[:19]}Z"
    return ""


def _too_late(task: Task, ready: _Ready) -> StartResult:
    """No time is left for this try: its receipt says so, and it has no container."""
    if ready.job is not None:
        task.here.remove(ready.job.id)
    remove_server(task)
    now = time_text(task.clock.now())
    cause = f"not finished within its deadline of {task.options.deadline or 0:.0f} s; try {task.attempt} was not started"
    claim = claim_of(task, "", ready.found.services, ready.found.engine)
    write_record(task.here, task.site, replace(claim, verdict="failed", cause=cause, finished_at=now, recorded_at=now))
    return StartResult(False, cause)


def _create(task: Task, ready: _Ready, image: str) -> str:
    """The job's container, made and not started; one that an earlier run left is used if it is the same."""
    spec = job_spec(task, image, ready.found.services[0], ready.found.accounts.get("source"), ready.time_left)
    labels = job_labels(task, spec, ready.time_left)
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


def _claim_and_start(
    task: Task, ready: _Ready, container: str, pairs: Mapping[Side, keys.KeyPair], pool: ThreadPoolExecutor
) -> StartResult:
    """The keys, the server's container and the claim must be there before anything starts; their order does not matter."""
    comment = keys.marker(task.site, task.transfer, task.generation, task.attempt)
    lines = {side: keys.authorized_line(pair.public, comment, task.clock.now(), task.options.deadline) for side, pair in pairs.items()}
    claim = claim_of(task, container, ready.found.services, ready.found.engine)
    access = _access(task, ready.found, pairs)
    looks, counters = ready.found.looks, ready.found.counters
    notes = write_notes(task, ready.found.accounts, looks[0].output, looks[1].output, counters)
    files = tuple(_client_files(task, ready.found, access, notes))
    writing: list[Future[Any]] = [pool.submit(task.here.write_files, container, files)]
    writing += [pool.submit(_authorize, task, at, [lines[side] for side in at.sides]) for at in key_places(task, ready.found.accounts)]
    writing.append(pool.submit(write_record, task.here, task.site, claim, calls=task.calls))
    serving = pool.submit(_create_server, task, ready.found, access)
    try:
        wait([*writing, serving])
        for done in writing:
            done.result()
        if server := serving.result():
            start_server(task, server)
        task.here.start(container)
    except UnreachableError:
        raise  # it may have started; if it did, it needs its keys and its server
    except LockError:
        raise  # whoever has the lease by now goes on with what is there
    except DtnctlError as error:
        _take_back(task, ready.found)
        raise TransferError(f"{task.title} was not started: {error}") from error
    return StartResult(True, _started_text(task, ready.found), Begun(container, claim, decode_notes(notes)))


def _authorize(task: Task, at: KeyPlace, lines: Sequence[str]) -> None:
    """As keys.authorize, together with other transfers."""
    container, user = at.end.container, at.account.name
    command = keys.authorize_command(at.account, lines, task.site, task.transfer)
    asked = answering(at.engine, container, user, task.calls.ask(at.engine, container, (command,), user, edits=True))
    keys.authorize(asked, container, at.account, lines, task.site, task.transfer)


def _started_text(task: Task, found: Prepared) -> str:
    if not task.copies_files:
        return "started"
    listing = found.looks[0].listing
    started = f"started: {listing.bytes} bytes in {plural(len(listing.files), 'file')}"
    return f"{started}; {found.left_out}" if found.left_out else started


def _take_back(task: Task, found: Prepared) -> None:
    """Nothing was started: no key and no server stays."""
    for place in key_places(task, found.accounts):
        with contextlib.suppress(DtnctlError):
            keys.revoke(place.engine, place.end.container, place.account, task.site, task.transfer)
    with contextlib.suppress(DtnctlError):
        remove_server(task)


def _access(task: Task, found: Prepared, pairs: Mapping[Side, keys.KeyPair]) -> Access:
    logins = {side: Login(end, pairs[side].private, found.host_keys[side]) for side, _, end in task.logins}
    return Access(logins, token_urlsafe(24))


# --- files of its containers --------------------------------------------------------------------------------


def _client_files(task: Task, found: Prepared, access: Access, notes: Mapping[str, bytes]) -> Iterator[FileEntry]:
    account = found.accounts.get("source") if task.row.reads_source else None
    request = replace(task.request(), before=found.looks[0].listing)
    yield from _files(task.here, task.source.container, account, task.mover.client_files(request, access))
    yield from (FileEntry(path, content, 0o600, folder_mode=0o700) for path, content in notes.items())


def _create_server(task: Task, found: Prepared, access: Access) -> str:
    """The id of its container; empty for a tool without a server."""
    if not task.row.has_server:
        return ""
    account = found.accounts.get("destination")
    files = _files(task.there, task.destination.container, account, task.mover.server_files(task.request(), access))
    return create_server(task, found.services[1], account, tuple(files))


def _files(engine: Engine, service: str, account: keys.Account | None, files: Iterable[JobFile]) -> Iterator[FileEntry]:
    """A mover's files; a program that runs as a user of the service also needs the service's own list of users and groups."""
    for file in files:
        owner = account if file.path.startswith(f"{USER_FOLDER}/") else None
        uid, gid = (owner.uid, owner.gid) if owner is not None else (0, 0)
        yield FileEntry(file.path, file.content, file.mode, uid, gid, folder_mode=0o700)
    if account is not None:
        yield FileEntry(f"{USER_FOLDER}/.keep", b"", 0o600, account.uid, account.gid, folder_mode=0o700)
        yield from keys.account_files(engine, service)
