"""`dtnctl bench`: measures networks and volumes of endpoints in containers that it makes for it and removes. Declares nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, assert_never

import typer

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.commands import COMMANDS
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.messages import say
from dtnctl.cli.workplace import Workplace, engines, list_context, lock_seconds, open_workplace, refuse_ssh_mistakes, write_out
from dtnctl.errors import BlockedError, PartialApplyError, StoppedError, UsageError

if TYPE_CHECKING:
    from dtnctl.benchmarks.figures import NetworkFigures
    from dtnctl.benchmarks.rows import Ends
    from dtnctl.benchmarks.table import Table
    from dtnctl.cli.progress import Stop
    from dtnctl.measuring.charts import Bar
    from dtnctl.measuring.stage import Stage
    from dtnctl.model.resources import Snapshot

MOST_STREAMS = 128  # iperf3's own limit
SenderArgument = Annotated[str, typer.Argument(metavar="SENDER", help="The endpoint that sends.", autocompletion=names.endpoints)]
ReceiverArgument = Annotated[str, typer.Argument(metavar="RECEIVER", help="The endpoint that receives.", autocompletion=names.endpoints)]
SessionOption = Annotated[
    str, typer.Option("--session", metavar="NAME", help="Image and settings are this session's.", autocompletion=names.sessions)
]
ImageOption = Annotated[str, typer.Option("--image", metavar="IMAGE", help="Another image than the session's; it needs iperf3 and sh.")]
ModeOption = Annotated[
    list[str], typer.Option("--mode", metavar="DRIVER|NETWORK", help="Only these rows: native, host, bridge, macvlan …; again for more.")
]
RoundsOption = Annotated[int, typer.Option("--rounds", min=1, max=1000, help="How often each row is measured, in turn with the others.")]
DurationOption = Annotated[
    float, typer.Option("--duration", parser=opt.seconds, metavar="TIME", help="How long each test sends, in whole seconds: 10s, 1m.")
]
StreamsOption = Annotated[int, typer.Option("--streams", min=1, max=MOST_STREAMS, help="TCP connections at once.")]
CpusOption = Annotated[str, typer.Option("--cpus", metavar="LIST", help="CPUs that both sides run on, such as 0-3. Missing: all.")]
PortsOption = Annotated[str, typer.Option("--ports", metavar="LOW-HIGH", help="One free port of these is used on the receiver.")]
AddressOption = Annotated[
    str, typer.Option("--address", metavar="ADDRESS", help="The receiver's host for native, host and bridge; missing: its control host.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Measure also while a transfer runs on these endpoints, which it slows down.")]
OutOption = Annotated[
    str,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Write the result there too, by its ending: .md a page with a chart beside it (.png), .json, else text.",
        autocompletion=names.files,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    below = typer.Typer(help=COMMANDS["bench"][1], no_args_is_help=True, rich_markup_mode=None)
    below.command("network")(bench_network)
    app.add_typer(below, name="bench")


def bench_network(
    context: typer.Context,
    sender: SenderArgument,
    receiver: ReceiverArgument,
    session: SessionOption = "",
    image: ImageOption = "",
    mode: ModeOption = [],  # noqa: B006  # typer reads the default
    rounds: RoundsOption = 5,
    duration: DurationOption = 10.0,
    streams: StreamsOption = 4,
    cpus: CpusOption = "",
    ports: PortsOption = "5201-5299",
    address: AddressOption = "",
    force: ForceOption = False,
    output: opt.OutputOption = opt.Output.text,
    out: OutOption = "",
    lock_timeout: opt.LockTimeoutOption = None,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Measure TCP from one endpoint to another: on the hosts themselves, and in containers on each kind of network that both have."""
    from dtnctl.benchmarks.iperf3 import Load
    from dtnctl.benchmarks.rows import Choices, Ends, basis_of, network_rows, refuse_taken_name
    from dtnctl.measuring.network import NetworkBench, measure_network
    from dtnctl.runtime.clock import SystemClock

    invocation = context.ensure_object(Invocation)
    invocation.json = output is opt.Output.json
    workplace = open_workplace()
    ends = Ends(sender, receiver)
    _check_ends(workplace, ends)
    refuse_taken_name(workplace.site)
    rows, left_out = network_rows(workplace.site, ends, mode)
    if not rows:
        raise UsageError("nothing to measure", *(f"{item.row.label}: {item.why}" for item in left_out))
    basis = basis_of(workplace.site, ends.names, SystemClock().now(), session=session, image=image)
    load = Load(max(1, round(duration)), streams, _cpu_list(cpus))
    bench = NetworkBench(ends, basis, Choices(_port_range(ports), load.cpus), load, rounds, rows, left_out, address)
    with _on_stage(workplace, ends.names, timeout, lock_seconds(lock_timeout), force=force) as (stage, stop):
        figures = measure_network(bench, stage, stop)
    _show_network(figures, invocation, output, out)
    if stop.signal_number:
        raise StoppedError(stop.signal_number)
    return _exit_code(figures)


# --- what was asked for -------------------------------------------------------------------------------------


def _check_ends(workplace: Workplace, ends: Ends) -> None:
    from dtnctl.model.nearest import suggestion

    declared = workplace.site.endpoints
    for name in ends.names:
        if name not in declared:
            raise UsageError(f"no endpoint named {name}; try {suggestion(name, declared, '`dtnctl endpoints list`')}")
    if ends.sender == ends.receiver:
        raise UsageError("sender and receiver are one endpoint: what goes from it to itself leaves no interface")


def _port_range(text: str) -> tuple[int, int]:
    from dtnctl.model.fields import parse_port_range

    try:
        return parse_port_range(text)
    except ValueError as error:
        raise UsageError(f"--ports {text}: {error}") from error


def _cpu_list(text: str) -> str:
    from dtnctl.model.engine_fields import check_cpu_numbers

    try:
        return check_cpu_numbers(text) if text else ""
    except ValueError as error:
        raise UsageError(f"--cpus {text}: {error}") from error


# --- the endpoints ------------------------------------------------------------------------------------------


@contextmanager
def _on_stage(
    workplace: Workplace, endpoints: tuple[str, ...], timeout: float, lock_timeout: float, *, force: bool
) -> Iterator[tuple[Stage, Stop]]:
    """The endpoints under our leases, with nothing of the bench's on them when it ends."""
    from dtnctl.cli.progress import interruptible
    from dtnctl.measuring.stage import open_stage
    from dtnctl.planning.resolve import wanted_by_endpoint
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.lease import this_process
    from dtnctl.runtime.observe import observe_all
    from dtnctl.runtime.reconcile import Terms

    clock, site = SystemClock(), workplace.site
    with engines(workplace, timeout) as clients, interruptible() as stop:
        seen = observe_all(clients, wanted_by_endpoint(site, clock.now()))
        refuse_ssh_mistakes(workplace, seen)
        _refuse_disturbing(workplace, endpoints, seen, force=force)
        terms = Terms(this_process(), clock, site.settings.value.limits.parallel, lock_timeout, stop=stop)
        with open_stage(site, clients, endpoints, terms, seen, say) as stage:
            yield stage, stop


def _refuse_disturbing(workplace: Workplace, endpoints: tuple[str, ...], seen: Snapshot, *, force: bool) -> None:
    """BlockedError if a transfer runs on these endpoints, unless it may be slowed down."""
    from dtnctl.measuring.stage import running_transfers
    from dtnctl.runtime.clock import SystemClock

    running = running_transfers(workplace.site, endpoints, seen, SystemClock().now())
    if not running:
        return
    what = f"transfer {', '.join(running)} runs on {' or '.join(endpoints)}, and a benchmark would slow it down"
    if not force:
        raise BlockedError(f"{what}; wait for its end (`dtnctl transfers logs -f {running[0]}`), or add --force")
    say(f"note: {what}; both figures will be lower than without the other")


# --- results ------------------------------------------------------------------------------------------------


def _show_network(figures: NetworkFigures, invocation: Invocation, output: opt.Output, out: str) -> None:
    from dtnctl.benchmarks.table import network_table
    from dtnctl.measuring.charts import Bar
    from dtnctl.render.bench import network_document

    table = network_table(figures)
    bars = [Bar(row.row.label, row.gigabits) for row in figures.rows if row.gigabits is not None]
    _show(Result(table, network_document(figures), "Gb/s", bars), invocation, output, out)


@dataclass(frozen=True, slots=True)
class Result:
    """What is shown: a table, the same as a document, and the bars of its chart."""

    table: Table
    document: dict[str, Any]
    unit: str
    bars: Sequence[Bar]


def _show(result: Result, invocation: Invocation, output: opt.Output, out: str) -> None:
    sys.stdout.write(_text_of(result, invocation, output))
    invocation.json = False  # the one document that is owed has been written
    if out:
        kind = {".json": opt.Output.json, ".md": opt.Output.markdown}.get(Path(out).suffix, opt.Output.wide)
        chart = _draw(result, Path(out).with_suffix(".png")) if kind is opt.Output.markdown else ""
        write_out(out, _text_of(result, invocation, kind, chart))


def _text_of(result: Result, invocation: Invocation, output: opt.Output, chart: str = "") -> str:
    from dtnctl.render.bench import render_table, render_table_markdown
    from dtnctl.render.json import render_json

    match output:
        case opt.Output.json:
            return render_json(result.document)
        case opt.Output.jsonl:
            return json.dumps(result.document, sort_keys=True, allow_nan=False) + "\n"
        case opt.Output.markdown:
            return render_table_markdown(result.table, chart)
        case opt.Output.text | opt.Output.wide:
            return render_table(result.table, list_context(invocation, wide=output is opt.Output.wide))
        case _:
            assert_never(output)


def _draw(result: Result, path: Path) -> str:
    """Write the chart; its file name, or empty where nothing can be drawn, which is said."""
    from dtnctl.measuring.charts import HOW_TO_INSTALL, draw_bars, is_drawable

    if not result.bars:
        return ""
    if not is_drawable():
        say(f"note: the page has no chart: {HOW_TO_INSTALL}")
        return ""
    try:
        path.write_bytes(draw_bars(result.table.heading, result.unit, result.bars))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    say(f"wrote {path}")
    return path.name


def _exit_code(figures: NetworkFigures) -> int:
    """0 if every test of every row that could be made gave a figure; PartialApplyError otherwise."""
    failed = [row.row.label for row in figures.rows if row.failures]
    if failed:
        raise PartialApplyError(f"tests failed: {', '.join(failed)}; see above")
    if not figures.rows:
        raise BlockedError("no row could be measured; see above")
    return 0
