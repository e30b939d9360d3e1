"""P15: one site with 200 endpoints and 5,000 sessions, each on two of them: whole `dtnctl plan` commands with nothing to do, and the steps
of the first apply with engines that take no time.

The plans are made from the committed inventory, so that no engine's own work is in them; what reading engines costs is in P3 and P16.
Times are the processor's. The growth is that from half of the fleet to all of it, endpoints and sessions both: 2 is linear.
"""

from __future__ import annotations

import gc
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import process_time

from bench.figures import Figure, Options, Pairs, absolute, at_most, figure_of, in_turn
from bench.place import environment
from bench.planning import IMAGE, NOW
from dtnctl.model.actions import CreateContainer, CreateNetwork
from dtnctl.model.ledger import Attempt, LedgerSeen
from dtnctl.model.plan import Plan
from dtnctl.model.resources import ContainerSeen, EndpointSeen, NetworkSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.containers.compare import fill_in
from dtnctl.planning.declared_texts import declared_texts
from dtnctl.planning.offline import everything_wanted
from dtnctl.planning.planner import make_plan
from dtnctl.repository.inventory import write_inventory
from dtnctl.repository.load import load_site
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.execute import Executor, unheard

ENDPOINTS, SESSIONS, REGIONS = 200, 5000, 4
FINISHED_EVERY = 10  # sessions there is a transfer that has succeeded
# it measures itself: what the system reports of an ended child has the bench's own memory in it
PROGRAM_CODE = """
import atexit, sys, time
from pathlib import Path
def report():
    status = Path("/proc/self/status").read_text()
    most = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    sys.stderr.write(f"cost {time.process_time()} {most}\\n")
atexit.register(report)
from dtnctl.cli.main import run
run()
"""
COST = re.compile(r"^cost ([0-9.]+) ([0-9]+)$", re.MULTILINE)
MOMENT = "2026-05-01T00:00:00Z"


def measure(options: Options) -> Iterator[Figure]:
    endpoints, sessions = options.size(ENDPOINTS, ENDPOINTS // 10), options.size(SESSIONS, SESSIONS // 10)
    size = f"{endpoints} endpoints x {sessions} sessions"
    with tempfile.TemporaryDirectory() as folder:
        scenes = [Scene(Path(folder) / str(part), endpoints // part, sessions // part) for part in (4, 2, 1)]
        whole = scenes[-1]
        for scene in scenes:
            scene.plan()  # files that were read before
        runs = in_turn(options.rounds_or(5), *(scene.plan for scene in scenes), lambda: whole.plan("--label", "region=r0"))
        applied = in_turn(options.rounds_or(3), scenes[1].apply_steps, whole.apply_steps)
    quarter, half, full, part = ([cost.seconds for cost in costs] for costs in runs)
    memory = ", ".join(f"{max(cost.mebibytes for cost in costs):.0f}" for costs in runs)
    detail = f"a quarter {median(quarter):.2f}, a half {median(half):.2f}; peak memory {memory} MiB with the one region last"
    yield absolute(f"P15 plan of {size}, nothing to do, CPU s", full, at_most(6.0), detail)
    yield figure_of("P15 plan of the fleet / of half of it", Pairs(tuple(full), tuple(half)), at_most(2.2))
    yield figure_of(f"P15 plan of one of {REGIONS} regions / of all", Pairs(tuple(part), tuple(full)), at_most(0.6))
    steps = f"{median(applied[1]):.2f} s for {len(whole.first.steps):,} steps"
    yield figure_of("P15 steps of apply, no engine's time, fleet / half of it", Pairs(applied[1], applied[0]), at_most(2.2), steps)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one whole command took: seconds of the processor, and the most memory that it held."""

    seconds: float
    mebibytes: float


class Scene:
    """A repository with so many endpoints and sessions, and the inventory of a fleet to which it was applied."""

    def __init__(self, root: Path, endpoints: int, sessions: int) -> None:
        self.root = root
        write_files(root, endpoints, sessions)
        self.site = load_site(root, now=NOW)
        empty = Snapshot({name: EndpointSeen(name, images={"dtn:1": IMAGE}) for name in self.site.endpoints})
        self.first = make_plan(self.site, empty, now=NOW)
        seen = applied(self.site, self.first, empty)
        known, asked = declared_texts(self.site, seen, NOW), everything_wanted(self.site, NOW)
        for name, item in seen.endpoints.items():
            write_inventory(root, self.site, item, asked[name], known, NOW)

    def plan(self, *options: str) -> Cost:
        """One `dtnctl plan` of the inventory."""
        env = environment(XDG_CACHE_HOME=str(self.root / "cache"), XDG_STATE_HOME=str(self.root / "kept"))
        words = [sys.executable, "-c", PROGRAM_CODE, "plan", "--offline", *options]
        ran = subprocess.run(words, cwd=self.root, env=env, capture_output=True, text=True, check=False)
        cost = COST.search(ran.stderr)
        if ran.returncode or "No changes" not in ran.stdout or cost is None:
            raise RuntimeError(f"the plan is not empty:\n{ran.stdout[:2000]}{ran.stderr}")
        return Cost(float(cost[1]), int(cost[2]) / 1024)

    def apply_steps(self) -> float:
        """The executor's own seconds for the first apply."""
        gc.collect()
        gc.disable()  # as in P4
        executor = Executor(lambda _: "", lambda *_: None, 8, SystemClock(), threading.Event(), lambda *_: None, unheard)
        before = process_time()
        outcomes = executor.execute(self.first.steps)
        elapsed = process_time() - before
        gc.enable()
        if any(outcome.result != "done" for outcome in outcomes):
            raise RuntimeError("a step was not carried out")
        return elapsed


def write_files(root: Path, endpoints: int, sessions: int) -> None:
    """Regions with a network each; every session is on two neighbours, and the last one of a region has the next region's first."""
    names = [f"dtn{number:03}" for number in range(endpoints)]
    regions = {name: f"r{number * REGIONS // endpoints}" for number, name in enumerate(names)}
    files = {"site": "name: bench\nid: 0123456789ab\n"}
    for name in names:
        carried = sorted({regions[name], regions[names[names.index(name) - 1]]})
        nets = ", ".join(f"{region}: eth{index}" for index, region in enumerate(carried, start=1))
        more = f"allow: {{mounts: [/data]}}\nlabels: {{region: {regions[name]}}}\n"
        files[f"endpoints/{name}"] = f"docker: ssh://dtn@{name}.example.net\ninterfaces: {{{nets}}}\n{more}"
    for number in range(REGIONS):
        files[f"networks/r{number}"] = f"driver: macvlan\nmtu: 9000\nsubnet: 10.{number}.0.0/16\n"
        nets = f"data_nets: [r{number}]\nctrl_port_range: [20000, 29999]\nserv_port_range: [30000, 39999]\n"
        files[f"profiles/r{number}"] = f"volumes: ['/data:/data']\n{nets}memory: 4GiB\n"
    for number in range(sessions):
        near, far = names[number % endpoints], names[(number + 1) % endpoints]
        files[f"sessions/s{number:05}"] = f"endpoints: [{near}, {far}]\nimage: dtn:1\nprofile: {regions[near]}\nuser: dtn\n"
        if number % FINISHED_EVERY == 0:
            files[f"transfers/t{number:05}"] = (
                f"from: {near}:/data/{number}\nto: {far}:/data/{number}\ntool: gridftp\nsession: s{number:05}\n"
            )
    for path, text in files.items():
        file = root / "state" / f"{path}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def applied(site: Site, plan: Plan, empty: Snapshot) -> Snapshot:
    """What the first plan makes, with its transfers done."""
    containers: dict[str, list[ContainerSeen]] = {name: [] for name in empty.endpoints}
    networks: dict[str, list[NetworkSeen]] = {name: [] for name in empty.endpoints}
    records: dict[str, list[Attempt]] = {name: [] for name in empty.endpoints}
    for number, step in enumerate(plan.steps):
        action = step.action
        if isinstance(action, CreateNetwork):
            networks[step.endpoint].append(NetworkSeen(action.network, f"n{number}", dict(action.labels), action.spec))
        elif isinstance(action, CreateContainer):
            spec = fill_in(action.spec, IMAGE)
            seen = ContainerSeen(action.container, f"c{number}", dict(action.labels), spec, IMAGE.id, "running", started_at="now")
            containers[step.endpoint].append(replace(seen, addresses=spec.attachments))
    for name, transfer in site.transfers.items():
        done = Attempt(name, 1, 1, "c", MOMENT, verdict="succeeded", bytes=1, files=1, finished_at=MOMENT)
        records[transfer.value.from_.partition(":")[0]].append(done)
    return Snapshot(
        {
            name: replace(
                seen,
                containers=tuple(containers[name]),
                networks=tuple(networks[name]),
                images={"dtn:1": IMAGE, IMAGE.id: IMAGE},
                ledger=LedgerSeen(readable=True, attempts=tuple(records[name])),
            )
            for name, seen in empty.endpoints.items()
        }
    )
