"""P14: a plan of 20 endpoints with 100 services each from the committed inventory: its files read and checked, then planned.

Times are the processor's. The state is in memory already; what a whole run adds for reading it is in P2.
"""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time

from bench.figures import Figure, Options, absolute, at_most, in_turn
from bench.planning import ENDPOINTS, NOW, SERVICES, Scene
from dtnctl.planning.declared_texts import declared_texts
from dtnctl.planning.offline import everything_wanted
from dtnctl.planning.planner import make_plan
from dtnctl.repository.inventory import FOLDER, read_inventory, write_inventory


def measure(options: Options) -> Iterator[Figure]:
    services = options.size(SERVICES, SERVICES // 10)
    scene = Scene(services)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write(root, scene)
        (times,) = in_turn(options.rounds_or(5), lambda: time_of(root, scene))
        size = sum(file.stat().st_size for file in (root / FOLDER).iterdir())
    name = f"P14 offline plan of {ENDPOINTS} endpoints x {services} services, CPU seconds"
    yield absolute(name, times, at_most(2.0), f"inventory of {size / 2**20:.1f} MiB")


def write(root: Path, scene: Scene) -> None:
    """The inventory of a world that the site was applied to and that was lived in."""
    known, asked = declared_texts(scene.site, scene.lived_in, NOW), everything_wanted(scene.site, NOW)
    for name, seen in scene.lived_in.endpoints.items():
        write_inventory(root, scene.site, seen, asked[name], known, NOW)


def time_of(root: Path, scene: Scene) -> float:
    gc.collect()
    before = process_time()
    plan = make_plan(scene.site, read_inventory(root, scene.site).snapshot(scene.site), now=NOW)
    elapsed = process_time() - before
    if plan.hash != make_plan(scene.site, scene.lived_in, now=NOW).hash:
        raise RuntimeError("the offline plan is another one")
    return elapsed
