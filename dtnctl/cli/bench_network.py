"""`dtnctl bench network`: what TCP gives from one endpoint to another, on the hosts and on each kind of network. Declares nothing."""

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
    from dtnctl.benchmarks.figures import NetworkFigures
    from dtnctl.benchmarks.rows import Ends

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
StreamsOption = Annotated[int, typer.Option("--streams", min=1, max=MOST_STREAMS, help="TCP connections at once.")]
PortsOption = Annotated[str, typer.Option("--ports", metavar="LOW-HIGH", help="One free port of these is used on the receiver.")]
AddressOption = Annotated[
    str, typer.Option("--address", metavar="ADDRESS", help="The receiver's host for native, host and bridge; missing: its control host.")
]


def bench_network(
    context: typer.Context,
    sender: SenderArgument,
    receiver: ReceiverArgument,
    session: SessionOption = "",
    image: ImageOption = "",
    mode: ModeOption = [],  # noqa: B006  # typer reads the default
    rounds: parts.RoundsOption = 5,
    duration: parts.DurationOption = 10.0,
    streams: StreamsOption = 4,
    cpus: parts.CpusOption = "",
    ports: PortsOption = "5201-5299",
    address: AddressOption = "",
    force: parts.ForceOption = False,
    output: opt.OutputOption = opt.Output.text,
    out: parts.OutOption = "",
    lock_timeout: opt.LockTimeoutOption = None,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Measure TCP from one endpoint to another: on the hosts themselves, and in containers on each kind of network that both have."""
    from dtnctl.benchmarks.iperf3 import Load
    from dtnctl.benchmarks.rows import Choices, Ends, basis_of, network_rows
    from dtnctl.measuring.network import NetworkBench, measure_network
    from dtnctl.runtime.clock import SystemClock

    workplace, invocation = parts.begin_bench(context, output)
    ends = Ends(sender, receiver)
    _check_ends(workplace, ends)
    rows, left_out = network_rows(workplace.site, ends, mode)
    if not rows:
        raise UsageError("nothing to measure", *(f"{item.row.label}: {item.why}" for item in left_out))
    basis = basis_of(workplace.site, ends.names, SystemClock().now(), session=session, image=image)
    load = Load(max(1, round(duration)), streams, parts.cpu_list(cpus))
    bench = NetworkBench(ends, basis, Choices(_port_range(ports), load.cpus), load, rounds, rows, left_out, address)
    with parts.on_stage(workplace, ends.names, timeout, lock_seconds(lock_timeout), force=force) as (stage, stop):
        figures = measure_network(bench, stage, stop)
        _show_network(figures, invocation, output, out)  # before anything is removed that could fail
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


# --- results ------------------------------------------------------------------------------------------------


def _show_network(figures: NetworkFigures, invocation: Invocation, output: opt.Output, out: str) -> None:
    from dtnctl.benchmarks.table import network_table
    from dtnctl.measuring.charts import Bar
    from dtnctl.render.bench import network_document

    table = network_table(figures)
    bars = [Bar(row.row.label, row.gigabits) for row in figures.rows if row.gigabits is not None]
    parts.show(parts.Result(table, network_document(figures), "Gb/s", bars), invocation, output, out)


def _exit_code(figures: NetworkFigures) -> int:
    """0 if every test of every row that could be made gave a figure; PartialApplyError otherwise."""
    failed = [row.row.label for row in figures.rows if row.failures]
    if failed:
        raise PartialApplyError(f"tests failed: {', '.join(failed)}; see above")
    if not figures.rows:
        raise BlockedError("no row could be measured; see above")
    return 0
