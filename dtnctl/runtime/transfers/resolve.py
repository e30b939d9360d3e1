"""Records what a person decided of an unknown result, on the source endpoint. The caller holds the leases of both ends."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from dtnctl.errors import TransferError
from dtnctl.model.actions import FinishTransfer
from dtnctl.model.ledger import Attempt
from dtnctl.planning.transfers.declared import ledger_folder
from dtnctl.planning.transfers.resolution import Decision, decide
from dtnctl.providers.base import Engine
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.transfers.record import ensure_ledger, write_record
from dtnctl.runtime.transfers.transfer import record_transfer


def record_decision(
    claim: Attempt, decision: Decision, source: str, engines: Mapping[str, Engine], site: str, closing: FinishTransfer | None
) -> Attempt:
    """Write it into the source's ledger; returns the record. `closing` is the plan's step that takes the try's keys away, if it has one.

    TransferError if the endpoint does not take the record.
    """
    ensure_ledger(engines[source], site, ledger_folder(site))
    if closing is not None:
        with contextlib.suppress(TransferError):  # it says that the result is unknown, which is why we are here
            record_transfer(closing, engines, site, SystemClock())
    decided = decide(claim, decision)
    write_record(engines[source], site, decided)
    return decided
