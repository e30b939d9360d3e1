"""The record of one-shot jobs on their source endpoint: files in its store, which outlive what holds them there.

Removing the holder, or a prune, loses no record. What a record says is in model/ledger.py.
"""

from __future__ import annotations

from dtnctl.errors import EngineError, NotFoundError, TransferError
from dtnctl.model.ledger import (
    RECORDS,
    Attempt,
    LedgerSeen,
    decode_attempt,
    decode_ledger,
    encode_attempt,
    is_owner,
    log_path,
    owner_path,
    owner_text,
    record_path,
)
from dtnctl.model.ownership import labels
from dtnctl.model.resources import LABEL_REPOSITORY, ledger_name
from dtnctl.model.samples import Sample, encode_samples, samples_path
from dtnctl.providers.base import Engine, FileEntry, Observer
from dtnctl.runtime.observe import find_ours
from dtnctl.runtime.transfers.joint_calls import JointCalls


def ensure_ledger(engine: Engine, site: str, folder: str) -> None:
    """Make the placeholder with the host's `folder`, if it is not there. TransferError if its name, or the folder, is somebody else's."""
    name = ledger_name(site)
    pairs = labels(site, engine.endpoint, "ledger", "control", name)
    if not _is_right(engine, name, folder):
        engine.store.claim(name, pairs, folder=folder)
    _sign(engine, name, folder)


def _is_right(engine: Engine, name: str, folder: str) -> bool:
    """Whether the placeholder is there; one of ours over another folder, or without the repository's id, goes: what lies there stays."""
    taken = f"the name {name} on {engine.endpoint} is taken by a container"
    seen = find_ours(engine, name, lambda whose: TransferError(f"{taken} {whose}; remove or rename it"))
    if seen is None:
        return False
    is_signed = not engine.repository or LABEL_REPOSITORY in seen.labels
    if is_signed and seen.folder == folder:
        return True
    engine.store.remove(seen.id)
    return False


def _sign(engine: Engine, name: str, folder: str) -> None:
    """Write into the folder whose records it holds; TransferError, and no placeholder, if they are another repository's."""
    try:
        owner = engine.store.read(name, owner_path()).get(owner_path())
    except NotFoundError:
        owner = None
    if owner is not None and not is_owner(owner, engine.repository):
        engine.store.remove(name)
        raise TransferError(f"the records in {folder} on {engine.endpoint} belong to {owner_text(owner)}; give this site another name")
    if owner is None and engine.repository:
        engine.store.write(name, (FileEntry(owner_path(), f"{engine.repository}\n".encode()),))


def read_ledger(observer: Observer, site: str) -> LedgerSeen:
    """All records. Without the placeholder the records are unknown, not absent."""
    name = ledger_name(site)
    try:
        return decode_ledger(observer.store.read(name, RECORDS), observer.repository)
    except NotFoundError:
        return LedgerSeen(readable=_is_there(observer, name))


def read_record(observer: Observer, site: str, transfer: str, generation: int, attempt: int) -> Attempt | None:
    """One attempt's record, None if there is none. TransferError if that cannot be known."""
    name, path = ledger_name(site), record_path(transfer, generation, attempt)
    try:
        found = observer.store.read(name, path)
    except NotFoundError:
        if _is_there(observer, name):
            return None
        raise TransferError(f"the record of {transfer} on {observer.endpoint} cannot be read: {name} is gone; apply again") from None
    except EngineError as error:
        raise TransferError(f"the record of {transfer} on {observer.endpoint} cannot be read: {error}") from error
    return decode_attempt(path, found.get(path, b""))


def has_only_claim(observer: Observer, site: str, claim: Attempt) -> bool:
    """Whether the record of an attempt that we have claimed is that claim still: whatever is written over it has another length."""
    path = record_path(claim.transfer, claim.generation, claim.attempt)
    return observer.store.size(ledger_name(site), path) == len(encode_attempt(claim))


def _is_there(observer: Observer, name: str) -> bool:
    return observer.store.find(name) is not None


def write_record(
    engine: Engine,
    site: str,
    attempt: Attempt,
    log: bytes | None = None,
    samples: tuple[Sample, ...] = (),
    calls: JointCalls | None = None,
) -> None:
    """Write an attempt's record, and its log and samples with it, by `calls` together with those of others.

    TransferError if the endpoint does not take it.
    """
    key = (attempt.transfer, attempt.generation, attempt.attempt)
    entries = [FileEntry(record_path(*key), encode_attempt(attempt))]
    if log is not None:
        entries.append(FileEntry(log_path(*key), log))
    if samples:
        entries.append(FileEntry(samples_path(key), encode_samples(samples)))
    try:
        (calls or JointCalls()).write(engine, ledger_name(site), tuple(entries))
    except EngineError as error:
        raise TransferError(f"the record of {attempt.transfer} on {engine.endpoint} cannot be written: {error}") from error


def read_stored_log(observer: Observer, site: str, attempt: Attempt) -> bytes:
    """The end of the attempt's output; empty if none was kept."""
    path = log_path(attempt.transfer, attempt.generation, attempt.attempt)
    try:
        found = observer.store.read(ledger_name(site), path).get(path)
    except NotFoundError:
        return b""
    return found if isinstance(found, bytes) else b""
