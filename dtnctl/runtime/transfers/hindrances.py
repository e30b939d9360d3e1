"""Looks for what of a transfer would not arrive or could not be written, before anything is made for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dtnctl.errors import EngineError, TransferError
from dtnctl.model.actions import JobEnd
from dtnctl.movers.base import Listing
from dtnctl.movers.hindrances import (
    Hindrances,
    destination_command,
    destination_refusal,
    of_selected,
    read_hindrances,
    source_command,
    source_refusal,
)
from dtnctl.providers.base import Engine
from dtnctl.runtime.transfers.attempt import Task


@dataclass(frozen=True, slots=True)
class Hindered:
    """What was found at the source, and at the destination."""

    source: Hindrances
    destination: Hindrances


def look_for_hindrances(task: Task) -> Hindered:
    """Ask both ends. An image without `find` finds nothing: its files are copied as far as the copy itself gets."""
    (here, source), (there, destination) = task.ends
    options = task.options
    tree, follow = options.recursive, options.links == "follow"
    return Hindered(
        of_selected(_ask(here, source, source_command(source.path, tree=tree, follow=follow, items=options.items)), options),
        _ask(there, destination, destination_command(destination.path, tree=tree, items=options.items)),
    )


def _ask(engine: Engine, end: JobEnd, command: Sequence[str]) -> Hindrances:
    try:
        return read_hindrances(engine.run(end.container, tuple(command), user=end.user).stdout)
    except EngineError as error:
        raise TransferError(f"{end.container} on {end.endpoint} cannot be asked what is at {end.path}: {error}") from error


def refuse_hindered_source(task: Task, found: Hindered, source: Listing) -> None:
    """TransferError if what is at the source would not arrive whole."""
    if reason := source_refusal(found.source, source, task.options):
        raise TransferError(f"{task.transfer}: {task.source.path} on {task.source.endpoint} {reason}")


def refuse_hindered_destination(task: Task, found: Hindered, source: Listing, there: Listing) -> None:
    """TransferError if something of the source could not be written at the destination, and has to be. `there` is what is there."""
    if task.options.on_file_error == "skip":
        return
    if task.options.sync_level == "exists":
        source = replace(source, entries={name: entry for name, entry in source.entries.items() if name not in there.files})
    if reason := destination_refusal(found.destination, there, source):
        raise TransferError(f"{task.transfer}: {task.destination.path} on {task.destination.endpoint} {reason}")
