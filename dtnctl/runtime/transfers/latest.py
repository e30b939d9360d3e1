"""Which attempt of a transfer is the latest one: its record and its container."""

from __future__ import annotations

from dtnctl.errors import TransferError
from dtnctl.model.ledger import Attempt
from dtnctl.model.resources import ContainerSeen, transfer_name
from dtnctl.providers.base import Observer
from dtnctl.runtime.transfers.attempt import find_job
from dtnctl.runtime.transfers.record import read_ledger


def latest_attempt(observer: Observer, site: str, transfer: str, generation: int) -> tuple[Attempt | None, ContainerSeen | None]:
    """The latest attempt's record and container. TransferError if the record cannot be read."""
    ledger = read_ledger(observer, site)
    records = [item for item in ledger.attempts if (item.transfer, item.generation) == (transfer, generation) and not item.released]
    last = max(records, key=lambda item: item.attempt, default=None)
    number = last.attempt if last is not None else 1
    job = find_job(observer, transfer_name(site, transfer, generation, number))
    if job is None and not ledger.readable:
        raise TransferError(
            f"the record of {transfer} on {observer.endpoint} cannot be read, and it has no container there; apply brings it back"
        )
    return last, job
