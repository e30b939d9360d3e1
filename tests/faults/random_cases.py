"""R2: generated states that are seen and declared, and faults of runs. The next runs end as declared; hypothesis shrinks a failure."""

from __future__ import annotations

import contextlib
import traceback

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from dtnctl.model.site import Site
from tests.faults.measured import Measured, Task
from tests.planning.building import plan
from tests.properties.sites import Event, events, happen, sites
from tests.properties.test_convergence import carry_out, converge, new_world, start_count
from tests.properties.test_failures import carry_out as carry_out_with_failures
from tests.properties.world import KilledError, World

# what happens to a run: it is killed after so many effects, or steps with these numbers fail, before their effect or after it
KILLS = st.integers(0, 60)
FAILING = st.tuples(st.sets(st.integers(0, 40), min_size=1, max_size=4), st.booleans())
FAULTS = st.none() | KILLS | FAILING
Fault = None | int | tuple[set[int], bool]
RUNS = st.lists(st.tuples(sites, events, FAULTS), min_size=1, max_size=3)


def measure(task: Task) -> Measured:
    """So many cases, from a seed of this part's own; on a failure the smallest case that fails, with how to repeat it."""
    count = len(task.numbers())
    tried: list[int] = []
    chosen = seed(task.seed * 100 + task.part)(_trial(tried, count))
    try:
        chosen()
    except Exception:  # noqa: BLE001  # whatever a case ends with is its failure
        text = f"seed {task.seed * 100 + task.part}:\n{traceback.format_exc()[-6000:]}"
        return Measured(len(tried), (text,))
    return Measured(min(len(tried), count))


def _trial(tried: list[int], count: int):  # type: ignore[no-untyped-def]  # hypothesis's own type
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=False,
        print_blob=True,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(RUNS, st.data())
    def trial(runs: list[tuple[Site, list[Event], Fault]], choices: st.DataObject) -> None:
        tried.append(1)
        world = new_world()
        for declared, happenings, fault in runs:
            strike(world, declared, fault, choices)
            for event in happenings:
                happen(event, world)
        last = runs[-1][0]
        converge(last, world, choices)
        assert start_count(world) <= 1

    return trial


def strike(world: World, declared: Site, fault: Fault, choices: st.DataObject) -> None:
    """One run with its fault."""
    match fault:
        case None:
            carry_out(declared, world, choices)
        case int():
            world.budget = fault
            with contextlib.suppress(KilledError):
                carry_out(declared, world, choices)
            world.budget = None
        case (failing, after):
            carry_out_with_failures(plan(declared, world), world, failing, after=after)
    world.check()
