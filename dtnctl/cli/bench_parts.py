"""What every benchmark's command does: take the endpoints' leases, and show what was found."""

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
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.messages import say
from dtnctl.cli.workplace import list_context, open_workplace, write_out
from dtnctl.client.workplace import Workplace, engines, refuse_ssh_mistakes
from dtnctl.errors import BlockedError, StoppedError, UsageError

if TYPE_CHECKING:
    from dtnctl.benchmarks.table import Table
    from dtnctl.cli.progress import Stop
    from dtnctl.measuring.charts import Bar
    from dtnctl.measuring.stage import Stage
    from dtnctl.model.resources import Snapshot

RoundsOption = Annotated[int, typer.Option("--rounds", min=1, max=1000, help="How often each row is measured, in turn with the others.")]
DurationOption = Annotated[
    float,
    typer.Option(
        "--duration", parser=opt.seconds, metavar="TIME", show_default="10s", help="How long each test sends, in whole seconds: 10s, 1m."
    ),
]
CpusOption = Annotated[str, typer.Option("--cpus", metavar="LIST", help="CPUs that both sides run on, such as 0-3. Missing: all.")]
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


def cpu_list(text: str) -> str:
    from dtnctl.model.engine_fields import check_cpu_numbers

    try:
        return check_cpu_numbers(text) if text else ""
    except ValueError as error:
        raise UsageError(f"--cpus {text}: {error}") from error


def begin_bench(context: typer.Context, output: opt.Output) -> tuple[Workplace, Invocation]:
    """The site to measure at. UsageError if it declares a session of the name that the bench uses."""
    from dtnctl.benchmarks.rows import refuse_taken_name

    invocation = context.ensure_object(Invocation)
    invocation.json = output is opt.Output.json
    workplace = open_workplace()
    refuse_taken_name(workplace.site)
    return workplace, invocation


# --- the endpoints ------------------------------------------------------------------------------------------


@contextmanager
def on_stage(
    workplace: Workplace, endpoints: tuple[str, ...], timeout: float, lock_timeout: float, *, force: bool
) -> Iterator[tuple[Stage, Stop]]:
    """The endpoints under our leases, with nothing of the bench's on them when it ends. StoppedError then, if a signal ended it."""
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
    if stop.signal_number:
        raise StoppedError(stop.signal_number)


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


# --- results --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Result:
    """What is shown: a table, the same as a document, and the bars of its chart."""

    table: Table
    document: dict[str, Any]
    unit: str
    bars: Sequence[Bar]


def show(result: Result, invocation: Invocation, output: opt.Output, out: str) -> None:
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
