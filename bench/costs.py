"""`python -m bench --profile`: where the time of a nothing-to-do apply goes. Prints, and writes nothing."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from bench.figures import Options
from bench.place import PROGRAM, Place, commit_all, dtnctl, environment, place, write_tiny_sessions
from bench.runs import Span, apply, timed_engines
from dtnctl.planning.planner import Scope, make_plan
from dtnctl.planning.resolve import wanted_by_endpoint
from dtnctl.render.context import RenderContext
from dtnctl.render.terminal import render_plan
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.observe import observe_all

SHOWN = 30
MILLI = 1e3
MICRO = 1e6
PROGRAM_CODE = "import sys; from dtnctl.cli.main import run; sys.argv = ['dtnctl', 'apply', '--yes']; run()"


def print_costs(options: Options) -> None:
    """The whole command, its imports by package, and the rest by phase."""
    with place(2, "tiny") as here:
        write_tiny_sessions(here.root, here.names, options.size(25, 5))
        commit_all(here.root)
        apply(here)
        dtnctl(here.root, "apply", "--yes")
        whole = [dtnctl(here.root, "apply", "--yes") for _ in range(options.rounds_or(9))]
        print(f"{PROGRAM} apply --yes, nothing to do: median {statistics.median(whole):.3f} s, best {min(whole):.3f} s")
        _print_imports(here)
        _print_phases(here)


def _print_imports(here: Place) -> None:
    command = [sys.executable, "-X", "importtime", "-c", PROGRAM_CODE]
    done = subprocess.run(command, cwd=here.root, env=environment(), capture_output=True, text=True, check=True)
    own = own_seconds(done.stderr.splitlines())
    print(f"imports (own time, -X importtime slows them down): {MILLI * sum(own.values()):.0f} ms in {len(own)} modules")
    for name, seconds in by_package(own).most_common(SHOWN):
        print(f"  {MILLI * seconds:7.1f} ms  {name}")


def own_seconds(lines: Iterable[str]) -> dict[str, float]:
    """From `-X importtime`: each module's own time, without what it imports."""
    own: dict[str, float] = {}
    for line in lines:
        head, _, rest = line.partition("import time:")
        if not head and rest.count("|") == 2 and (micros := rest.split("|")[0].strip()).isdigit():
            own[rest.split("|")[2].strip()] = int(micros) / MICRO
    return own


def by_package(own: dict[str, float]) -> Counter[str]:
    """The same by package; our own by module, since that is where we can do something."""
    packages: Counter[str] = Counter()
    for name, seconds in own.items():
        packages[name if name.startswith("dtnctl.") else name.partition(".")[0]] += seconds  # type: ignore[assignment]  # seconds count too
    return packages


def _print_phases(here: Place) -> None:
    """Each phase in this process, the median of a few runs: time on the clock, and of it in our own threads."""
    site, span, now = here.site(), Span(), SystemClock().now()
    phases = _Phases()
    for _ in range(9):
        with contextlib.ExitStack() as stack:
            engines = stack.enter_context(timed_engines(here, site, span))
            with phases.phase("load the state"):
                site = here.site()
            with phases.phase("observe"):
                snapshot = observe_all(engines, wanted_by_endpoint(site, now))
            with phases.phase("plan"):
                plan = make_plan(site, snapshot, now=now, scope=Scope())
            with phases.phase("render"):
                render_plan(plan, RenderContext(command="apply", version="", width=120))
    phases.show(print)
    print(f"  engine: {', '.join(f'{count // 9} x {name}' for name, count in sorted(span.calls.items()))} per run")


class _Phases:
    def __init__(self) -> None:
        self.times: dict[str, list[tuple[float, float]]] = {}

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        began, busy = time.perf_counter(), time.process_time()
        yield
        self.times.setdefault(name, []).append((time.perf_counter() - began, time.process_time() - busy))

    def show(self, say: Callable[[str], None]) -> None:
        for name, rows in self.times.items():
            wall, busy = (statistics.median(column) for column in zip(*rows, strict=True))
            say(f"  {MILLI * wall:7.1f} ms  {name} ({MILLI * busy:.1f} ms of CPU)")
