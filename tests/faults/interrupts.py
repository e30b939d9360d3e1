"""R11: Ctrl-C, SIGTERM, and both as a cancelled CI job gets them. The run ends, no lease is left, and the next run converges."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator

from tests.faults.harness import Ended, Running, Stage, warm_up
from tests.faults.measured import Measured, Task
from tests.faults.points import Reference, Scenario, check, names_of, run_undisturbed
from tests.faults.scenarios import ALL_SCENARIOS

LEASE = "container demo.control.lease"
KINDS = {"Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM, "a closed terminal": signal.SIGHUP, "cancelled by CI": signal.SIGINT}
ENDS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
AFTER_INT, AFTER_TERM = 7.5, 2.5  # seconds: what a cancelled job of GitHub Actions gets between SIGINT, SIGTERM and SIGKILL
LONGEST = 30.0  # seconds for a run; one that has not ended then hangs
CALL_IN_FLIGHT = 9.0  # seconds of the call that CI's second signal meets
TRIED = ("the demo's apply", "a replacement on both endpoints, and a second session", "everything goes")


def measure(task: Task) -> Measured:
    """A signal at a call of a run. CI's is met by a call that lasts 9 s, in one of ten cases, for each of them takes that long."""
    warm_up()
    result = Measured(0)
    scenarios = [scenario for scenario in ALL_SCENARIOS if scenario.name in TRIED][: task.size]
    with Stage() as stage:
        for place, scenario in enumerate(scenarios):
            reference = run_undisturbed(stage, scenario)
            for number in list(task.numbers())[place :: len(scenarios)]:
                rng = task.rng("signal", number)
                kind = "cancelled by CI" if number % 10 == 9 else rng.choice(list(KINDS)[:3])
                call = rng.randint(1, reference.calls)
                failures = list(_try(stage, scenario, reference, kind, call))
                title = f"{scenario.name}: {kind} at call {call}:"
                result += Measured(1, ("\n    ".join((title, *failures)),) if failures else ())
    return result


def _try(stage: Stage, scenario: Scenario, reference: Reference, kind: str, call: int) -> Iterator[str]:
    stage.ask("POST", "restore", {"name": reference.snapshot})
    number = KINDS[kind]
    faults: list[dict[str, object]] = [{"do": "signal-client", "at": call, "signal": int(number)}]
    if kind == "cancelled by CI":
        faults.append({"do": "stall", "at": call + 1, "seconds": CALL_IN_FLIGHT})
    stage.ask("POST", "faults", {"faults": faults})
    running = stage.begin(*scenario.arguments)
    ended = _cancel(running) if kind == "cancelled by CI" else running.end(LONGEST)
    stage.ask("POST", "faults", {})
    may_end = {ENDS[number], 0} | ({143, -signal.SIGKILL} if kind == "cancelled by CI" else set())
    if ended.code not in may_end or "Traceback" in ended.text:
        yield f"it ended with {ended.code}: {ended.text}"
    left = [endpoint for endpoint, names in names_of(stage).items() if LEASE in names]
    if left and ended.code in (ENDS[signal.SIGINT], ENDS[signal.SIGHUP]) and kind != "cancelled by CI":
        yield f"the lease of {left} is still there: {ended.text}"
    yield from check(stage, scenario, reference)


def _cancel(running: Running) -> Ended:
    """SIGTERM and at last SIGKILL for a run that has got its SIGINT and goes on."""
    handle = os.pidfd_open(running.pid)
    for seconds, number in ((AFTER_INT + 1.0, signal.SIGTERM), (AFTER_TERM, signal.SIGKILL)):
        if select.select([handle], [], [], seconds)[0]:
            break
        signal.pidfd_send_signal(handle, number)
    os.close(handle)
    return running.end()
