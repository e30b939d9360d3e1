"""`dtnctl bench storage`: what the volumes of a session give to one program and to several. Declares nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import bench_parts as parts
from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.workplace import lock_seconds
from dtnctl.client.workplace import Workplace
from dtnctl.errors import BlockedError, PartialApplyError, UsageError

if TYPE_CHECKING:
    from dtnctl.benchmarks.fio import Shape
    from dtnctl.benchmarks.storage import StorageFigures

LEAST_BLOCK = 512  # bytes; a disk reads and writes no less
SessionArgument = Annotated[
    str, typer.Argument(metavar="SESSION", help="The session whose volumes are measured.", autocompletion=names.sessions)
]
EndpointOption = Annotated[
    list[str],
    typer.Option("--endpoint", metavar="ENDPOINT", help="Only on this one; again for more.", autocompletion=names.endpoints),
]
VolumeOption = Annotated[
    list[str], typer.Option("--volume", metavar="PATH", help="Only the volume mounted there in the container; again for more.")
]
ImageOption = Annotated[str, typer.Option("--image", metavar="IMAGE", help="Another image than the session's; it needs fio and sh.")]
SizeOption = Annotated[str, typer.Option("--size", metavar="SIZE", help="Of the files of one test; twice as much must be free.")]
BlockOption = Annotated[list[str], typer.Option("--block", metavar="SIZE", help="Bytes a request; again for more.")]
JobsOption = Annotated[list[int], typer.Option("--jobs", min=1, max=256, help="Programs at once; again for more.")]


def bench_storage(
    context: typer.Context,
    session: SessionArgument,
    endpoint: EndpointOption = [],  # noqa: B006  # typer reads the default
    volume: VolumeOption = [],  # noqa: B006  # same
    image: ImageOption = "",
    rounds: parts.RoundsOption = 3,
    duration: parts.DurationOption = 10.0,
    size: SizeOption = "1GiB",
    block: BlockOption = ["4KiB", "1MiB"],  # noqa: B006  # same
    jobs: JobsOption = [1, 4],  # noqa: B006  # same
    cpus: parts.CpusOption = "",
    force: parts.ForceOption = False,
    output: opt.OutputOption = opt.Output.text,
    out: parts.OutOption = "",
    lock_timeout: opt.LockTimeoutOption = None,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Write and read the volumes that a session declares, by fio in a container of the same image, on files of its own alone."""
    from dtnctl.benchmarks.rows import basis_of
    from dtnctl.benchmarks.storage import places, shapes
    from dtnctl.measuring.storage import StorageBench, measure_storage
    from dtnctl.runtime.clock import SystemClock

    workplace, invocation = parts.begin_bench(context, output)
    endpoints = _endpoints(workplace, session, endpoint)
    basis = basis_of(workplace.site, endpoints, SystemClock().now(), session=session, image=image)
    whole, seconds = _bytes("--size", size), max(1, round(duration))
    tests = shapes([_bytes("--block", text) for text in block], jobs, whole, seconds)
    _check_sizes(tests)
    with parts.on_stage(workplace, endpoints, timeout, lock_seconds(lock_timeout), force=force) as (stage, stop):
        measured, left_out = places(workplace.site, basis, stage.seen, endpoints, volume)
        if not measured:
            raise UsageError("no volume to measure", *(f"{item.place.label}: {item.why}" for item in left_out))
        bench = StorageBench(basis, measured, tests, whole, seconds, rounds, left_out, parts.cpu_list(cpus))
        figures = measure_storage(bench, stage, stop)
        _show_storage(figures, invocation, output, out)  # before anything is removed that could fail
    return _exit_code(figures)


def _endpoints(workplace: Workplace, session: str, wanted: list[str]) -> tuple[str, ...]:
    from dtnctl.model.nearest import suggestion

    sessions = workplace.site.sessions
    if session not in sessions:
        raise UsageError(f"no session named {session}; try {suggestion(session, sessions, '`dtnctl sessions list`')}")
    declared = sessions[session].value.endpoints
    for name in wanted:
        if name not in declared:
            raise UsageError(f"session {session} is not on {name}; it is on {', '.join(declared)}")
    return tuple(name for name in declared if not wanted or name in wanted)


def _bytes(option: str, text: str) -> int:
    from dtnctl.model.fields import parse_size

    try:
        return parse_size(text)
    except ValueError as error:
        raise UsageError(f"{option} {text}: {error}") from error


def _check_sizes(tests: tuple[Shape, ...]) -> None:
    for test in tests:
        if test.block < LEAST_BLOCK or test.block % LEAST_BLOCK:
            raise UsageError(f"--block {test.block}: a block is a multiple of {LEAST_BLOCK} bytes")
        if test.size // test.jobs < test.block:
            raise UsageError(f"--size {test.size} is less than one block of {test.block} bytes for each of {test.jobs} jobs")


def _show_storage(figures: StorageFigures, invocation: Invocation, output: opt.Output, out: str) -> None:
    from dtnctl.benchmarks.storage_table import row_label, storage_table
    from dtnctl.measuring.charts import Bar
    from dtnctl.render.bench import storage_document

    bars = [Bar(row_label(row), row.megabytes) for row in figures.rows if row.megabytes is not None]
    parts.show(parts.Result(storage_table(figures), storage_document(figures), "MB/s", bars), invocation, output, out)


def _exit_code(figures: StorageFigures) -> int:
    """0 if every test of every volume that could be used gave a figure; PartialApplyError otherwise."""
    failed = list(dict.fromkeys(row.place.label for row in figures.rows if row.failures))
    if failed:
        raise PartialApplyError(f"tests failed: {', '.join(failed)}; see above")
    if not figures.rows:
        raise BlockedError("no volume could be measured; see above")
    return 0
