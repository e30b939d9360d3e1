"""`dtnctl transfers logs`: what a transfer's job wrote, or what the services at its ends write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import options as opt
from dtnctl.cli import signals
from dtnctl.cli.log_output import print_logs
from dtnctl.cli.look import FollowOption, TransferArgument, as_it_ran_last, opened_log, resolved_transfer
from dtnctl.cli.workplace import observers, open_workplace
from dtnctl.client.workplace import Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dtnctl.planning.resolve import ResolvedTransfer
    from dtnctl.providers.base import Observer

FOLLOW_SECONDS = 2.0  # between lines of progress while a log is followed
SourceOption = Annotated[bool, typer.Option("--source", help="What the service at the source wrote, instead of the job.")]
DestinationOption = Annotated[
    bool, typer.Option("--destination", help="The same at the destination; of both ends with the endpoint before each line.")
]
ServiceTailOption = Annotated[int, typer.Option("--tail", min=0, help="Of services the last lines only; 0 is all.")]


def transfers_logs(
    name: TransferArgument,
    source: SourceOption = False,
    destination: DestinationOption = False,
    follow: FollowOption = False,
    tail: ServiceTailOption = 100,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """What the mover wrote: from the running job, or from the record. With -f: rates and ETA until it ends."""
    workplace = open_workplace()
    resolved = resolved_transfer(workplace, name)
    with observers(workplace, timeout) as clients:
        if source or destination:
            wanted = [key for key, is_wanted in zip(resolved.keys, (source, destination), strict=True) if is_wanted]
            print_logs(_service_logs(workplace, clients, wanted, follow=follow, tail=tail or None))
        else:
            with signals.exiting(f"dtnctl: {name} goes on; the next apply records its result" if follow else ""):
                print_logs(_job_log(workplace, clients, resolved, follow=follow))
    return 0


def _service_logs(
    workplace: Workplace, clients: Mapping[str, Observer], keys: list[tuple[str, str]], *, follow: bool, tail: int | None
) -> dict[str, Iterator[bytes]]:
    """The log of each service (endpoint, session), by endpoint: a transfer within one endpoint has one service at both ends."""
    from dtnctl.model.resources import service_name

    site = workplace.site.name
    return {
        endpoint: opened_log(clients[endpoint], service_name(site, session), follow=follow, tail=tail)
        for endpoint, session in dict.fromkeys(keys)
    }


def _job_log(
    workplace: Workplace, clients: Mapping[str, Observer], resolved: ResolvedTransfer, *, follow: bool
) -> dict[str, Iterator[bytes]]:
    from dtnctl.cli.progress import progress_printer
    from dtnctl.runtime.transfers.transfer import read_log

    endpoint = resolved.source_endpoint
    resolved = as_it_ran_last(resolved, clients[endpoint], workplace.site.name)
    name, generation = resolved.transfer.name, resolved.transfer.value.generation
    show = progress_printer(FOLLOW_SECONDS)
    return {endpoint: read_log(clients[endpoint], workplace.site.name, name, generation, follow=follow, on_progress=show)}
