"""The record of one-shot jobs on their source endpoint: files in a folder of the host, reached through a container that never runs.

The container is only a hand: removing it, or a prune, loses no record. What a record says is in model/ledger.py.
"""

from __future__ import annotations

from dtnctl.errors import ConflictError, EngineError, NotFoundError, TransferError
from dtnctl.model.ledger import LEDGER_MOUNT, RECORDS, decode_attempt, decode_ledger, encode_attempt, log_path, record_path
from dtnctl.model.resources import Attempt, LedgerSeen, is_owned, ledger_name
from dtnctl.planning.specs import labels
from dtnctl.providers.base import Engine, FileEntry, Observer


def ensure_ledger(engine: Engine, site: str, folder: str) -> None:
    """Make the hand over the host's `folder`, if it is not there. TransferError if its name is somebody else's."""
    name = ledger_name(site)
    pairs = labels(site, engine.endpoint, "ledger", "control", name)
    try:
        engine.create_hand(name, pairs, binds=((folder, LEDGER_MOUNT),))
        return
    except ConflictError:
        seen = engine.inspect(name)
    if not is_owned(seen.labels, site=site, endpoint=engine.endpoint, object_name=name):
        raise TransferError(f"the name {name} on {engine.endpoint} is taken by a container that is not ours; remove or rename it")
    if any(mount.target == LEDGER_MOUNT and mount.source == folder for mount in seen.spec.mounts):
        return
    engine.remove(seen.id)  # a hand over another folder; what lies there stays
    engine.create_hand(name, pairs, binds=((folder, LEDGER_MOUNT),))


def read_ledger(observer: Observer, site: str) -> LedgerSeen:
    """All records. Without the hand nothing is known, which is not nothing."""
    name = ledger_name(site)
    try:
        return decode_ledger(observer.read_files(name, RECORDS))
    except NotFoundError:
        return LedgerSeen(readable=_is_there(observer, name))


def read_record(observer: Observer, site: str, transfer: str, generation: int, attempt: int) -> Attempt | None:
    """One attempt's record, None if there is none. TransferError if that cannot be known."""
    name, path = ledger_name(site), record_path(transfer, generation, attempt)
    try:
        found = observer.read_files(name, path)
    except NotFoundError:
        if _is_there(observer, name):
            return None
        raise TransferError(f"the record of {transfer} on {observer.endpoint} cannot be read: {name} is gone; apply again") from None
    return decode_attempt(path, b"".join(found.values()))


def _is_there(observer: Observer, name: str) -> bool:
    try:
        observer.inspect(name)
    except NotFoundError:
        return False
    return True


def write_record(engine: Engine, site: str, attempt: Attempt, log: bytes | None = None) -> None:
    """Write an attempt's record, and its log with it; TransferError if the endpoint does not take it."""
    key = (attempt.transfer, attempt.generation, attempt.attempt)
    entries = [FileEntry(record_path(*key), encode_attempt(attempt))]
    if log is not None:
        entries.append(FileEntry(log_path(*key), log))
    try:
        engine.write_files(ledger_name(site), tuple(entries))
    except EngineError as error:
        raise TransferError(f"the record of {attempt.transfer} on {engine.endpoint} cannot be written: {error}") from error


def read_stored_log(observer: Observer, site: str, attempt: Attempt) -> bytes:
    """The end of the attempt's output; empty if none was kept."""
    path = log_path(attempt.transfer, attempt.generation, attempt.attempt)
    try:
        return b"".join(observer.read_files(ledger_name(site), path).values())
    except NotFoundError:
        return b""
