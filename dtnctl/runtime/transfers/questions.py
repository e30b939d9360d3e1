"""What is asked of a transfer's services before it starts and after it has ended, joined to one command for each end.

Nothing is decided here: the modules that ask find their answers there (joined.py), and ask again what has none. What is below a folder is
asked for by commands of their own, beside this one, since they may take long.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from dtnctl.model.actions import JobEnd
from dtnctl.model.checksums import named_algorithm
from dtnctl.model.tools import Side
from dtnctl.movers.base import Evidence
from dtnctl.movers.carried import COUNTERS
from dtnctl.movers.checksums import checksum_commands, checksum_program_command, choose_algorithm
from dtnctl.movers.hindrances import destination_command, source_command
from dtnctl.movers.listing import list_command
from dtnctl.providers.base import Engine
from dtnctl.runtime.transfers import keys
from dtnctl.runtime.transfers.attempt import Task, key_places
from dtnctl.runtime.transfers.evidence import is_looked_at
from dtnctl.runtime.transfers.joined import Command, answering, read_command
from dtnctl.runtime.transfers.joint_calls import JointCalls
from dtnctl.runtime.transfers.notes import Notes
from dtnctl.runtime.transfers.paths import real_path_command
from dtnctl.runtime.transfers.programs import which_command
from dtnctl.runtime.transfers.ready import look_up_command

SIDES: tuple[Side, Side] = ("source", "destination")
SUMMED_AT_ONCE = 64 * 1024**2  # bytes whose checksums are computed before it is known whether the sizes agree: a tenth of a second
SUMMED_TOGETHER = 4 * 1024**2  # bytes of one transfer whose checksums other transfers wait for


# --- before the start ---------------------------------------------------------------------------------------


def asked_before_start(task: Task) -> Task:
    """The attempt with engines that know what its services answer to what is asked before a start."""
    with ThreadPoolExecutor(2, thread_name_prefix="ask") as pool:
        here, there = pool.map(lambda side: _ask_before(task, side), SIDES)
    return replace(task, here=here, there=there)


def _ask_before(task: Task, side: Side) -> Engine:
    engine, end = task.ends[SIDES.index(side)]
    asked = tuple(_before(task, side, end))
    return answering(engine, end.container, end.user, task.calls.ask(engine, end.container, asked, end.user))


def _before(task: Task, side: Side, end: JobEnd) -> Iterator[Command]:
    at_source = side == "source"
    if at_source and (look_up := look_up_command(task)):
        yield look_up
    if programs := task.row.programs if at_source else task.row.server_programs:
        yield which_command(programs)
    if not at_source and (needs := task.mover.server_needs(task.request())[1]):
        yield needs
    if side in task.row.logs_in_at:
        yield read_command(keys.HOST_KEYS[0])
    if end.path_name:
        yield COUNTERS
    if not task.copies_files:
        return
    yield read_command("/etc/passwd")
    if task.row.reads_source if at_source else task.row.has_server:
        yield read_command("/etc/group")
    algorithm = named_algorithm(task.options.algorithm)
    if task.options.verify == "checksum" and algorithm is not None and (has := checksum_program_command(algorithm)):
        yield has
    yield real_path_command(end)
    yield from _looks_before(task, end, at_source=at_source)


def _looks_before(task: Task, end: JobEnd, *, at_source: bool) -> Iterator[Command]:
    tree, links = task.options.recursive, task.options.links
    if not tree:
        yield source_command(end.path, tree=False, follow=links == "follow") if at_source else destination_command(end.path, tree=False)
    if not (tree and at_source):
        yield list_command(end.path, tree=False, follow=links != "omit" if at_source else True)


# --- after the end ------------------------------------------------------------------------------------------


def asked_after_end(task: Task, notes: Notes | None, known: Evidence) -> Task:
    """The attempt with engines that have taken its keys away, and that know what is at its ends now.

    For one file. What is in a folder, and what is not known from the notes, is asked for one by one.
    """
    if notes is None or task.options.recursive or not task.copies_files:
        return task
    with ThreadPoolExecutor(2, thread_name_prefix="ask") as pool:
        here, there = pool.map(lambda side: _ask_after(task, notes, known, side), SIDES)
    return replace(task, here=here, there=there)


def _ask_after(task: Task, notes: Notes, known: Evidence, side: Side) -> Engine:
    engine, end = task.ends[SIDES.index(side)]
    account = next((place.account for place in key_places(task, notes.accounts) if place.sides[0] == side), None)
    revoking = (keys.revoke_command(account, task.site, task.transfer),) if account is not None else ()
    commands = (*revoking, *_after(task, notes, known, end, at_source=side == "source"))
    is_short = task.options.verify != "checksum" or notes.before.bytes <= SUMMED_TOGETHER
    calls = task.calls if is_short else JointCalls()
    answers = calls.ask(engine, end.container, commands, end.user, edits=bool(revoking))
    return answering(engine, end.container, end.user, answers)


def _after(task: Task, notes: Notes, known: Evidence, end: JobEnd, *, at_source: bool) -> Iterator[Command]:
    options = task.options
    if end.path_name:
        yield COUNTERS
    if not is_looked_at(task, known):
        return
    yield list_command(end.path, tree=False, follow=options.links != "omit" if at_source else True)
    if known.exit_code == 0 and options.verify == "checksum" and notes.before.bytes <= SUMMED_AT_ONCE:
        algorithm = choose_algorithm(options.algorithm, notes.before.bytes, lambda _: False, list)
        yield from (command for command, _ in checksum_commands(end.path, tuple(notes.before.files), algorithm))
