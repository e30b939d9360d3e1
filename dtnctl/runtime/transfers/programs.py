"""Asks the services whether their images have what a transfer's tool needs, before anything is made."""

from __future__ import annotations

from dtnctl.errors import EngineError, TransferError
from dtnctl.model.actions import JobEnd
from dtnctl.model.checksums import named_algorithm
from dtnctl.movers.checksums import CHECKSUM_PROGRAMS
from dtnctl.providers.base import Engine
from dtnctl.runtime.transfers.attempt import Task
from dtnctl.runtime.transfers.evidence import has_algorithm

# Prints the first program that is missing.
WHICH = 'for program in "$@"; do command -v "$program" >/dev/null || { printf %s "$program"; exit 1; }; done'
MISSING = 1


def refuse_missing_programs(task: Task) -> None:
    """TransferError if the image at an end lacks a program that the tool needs there. An image without a shell is not asked."""
    for (engine, end), programs in zip(task.ends, (task.row.programs, task.row.server_programs), strict=True):
        if programs and (missing := _missing(engine, end, programs)):
            raise TransferError(
                f"{task.transfer}: the image of {end.container} on {end.endpoint} has no {missing}, which {task.tool} needs; "
                "another image, or another `tool:`"
            )
    what, command = task.mover.server_needs(task.request())
    if command and not _is_able(task.there, task.destination, command):
        where = f"the image of {task.destination.container} on {task.destination.endpoint}"
        raise TransferError(f"{task.transfer}: {where} has no {what} needs; another image, or another `options:`")
    algorithm = named_algorithm(task.options.algorithm)
    if task.copies_files and task.options.verify == "checksum" and algorithm is not None:
        for engine, end in task.ends:
            if not has_algorithm(engine, end, algorithm):
                lacks = f"has no {' nor '.join(CHECKSUM_PROGRAMS[algorithm])}, which computes {algorithm}"
                where = f"the image of {end.container} on {end.endpoint}"
                raise TransferError(f"{task.transfer}: {where} {lacks}; another `algorithm:`, or another image")


def _is_able(engine: Engine, end: JobEnd, command: tuple[str, ...]) -> bool:
    try:
        return engine.run(end.container, command, user=end.user).exit_code == 0
    except EngineError:
        return True  # whoever needs the service says what is wrong with it


def which_command(programs: tuple[str, ...]) -> tuple[str, ...]:
    """Prints the first of the programs that is missing, and fails then."""
    return ("sh", "-c", WHICH, "which", *programs)


def _missing(engine: Engine, end: JobEnd, programs: tuple[str, ...]) -> str:
    try:
        ran = engine.run(end.container, which_command(programs), user=end.user)
    except EngineError:
        return ""  # whoever needs the service says what is wrong with it
    return ran.stdout.decode("utf-8", "replace") if ran.exit_code == MISSING else ""
