"""Asks the services whether their images have what a transfer's tool needs, before anything is made."""

from __future__ import annotations

from dtnctl.errors import EngineError, TransferError
from dtnctl.model.plan import JobEnd
from dtnctl.movers.checksums import CHECKSUM_PROGRAMS, checksum_program_command
from dtnctl.providers.base import Engine
from dtnctl.runtime.transfers.attempt import Task

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
    if task.copies_files and task.options.verify == "checksum" and (command := checksum_program_command(task.options.algorithm)):
        for engine, end in task.ends:
            _refuse_algorithm(task, engine, end, command)


def _refuse_algorithm(task: Task, engine: Engine, end: JobEnd, command: tuple[str, ...]) -> None:
    try:
        exit_code = engine.run(end.container, command, user=end.user).exit_code
    except EngineError:
        return  # whoever needs the service says what is wrong with it
    if exit_code != 0:
        algorithm = task.options.algorithm
        where = f"the image of {end.container} on {end.endpoint}"
        programs = " nor ".join(CHECKSUM_PROGRAMS[algorithm])
        raise TransferError(
            f"{task.transfer}: {where} has no {programs}, which computes {algorithm}; another `algorithm:`, or another image"
        )


def _missing(engine: Engine, end: JobEnd, programs: tuple[str, ...]) -> str:
    try:
        ran = engine.run(end.container, ("sh", "-c", WHICH, "which", *programs), user=end.user)
    except EngineError:
        return ""  # whoever needs the service says what is wrong with it
    return ran.stdout.decode("utf-8", "replace") if ran.exit_code == MISSING else ""
