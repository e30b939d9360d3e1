"""After an apply, how much of its limit a transfer reached: only of those that ended well in it, and only where a limit is known."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.cli.reached import reached_lines
from dtnctl.model.actions import FinishTransfer, JobEnd
from dtnctl.model.ledger import Attempt, LedgerSeen
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Plan, Step
from dtnctl.model.transfer_options import DEFAULT_OPTIONS
from tests.planning.building import NOW
from tests.planning.doctor.hosts import item
from tests.planning.doctor.scene import Scene

RECEIPT = Attempt(
    "t", 1, 1, "c", "2026-06-01T00:00:00Z", verdict="succeeded", bytes=11_750_000_000, seconds=10.0, finished_at="2026-06-01T00:00:10Z"
)
HERE, THERE = (JobEnd(name, "lab.s", "/data/x", f"{name}.example.net", 22, "u") for name in ("a", "b"))
FINISH = Step("a/finish/t", "a", FinishTransfer("t", 1, 1, "gridftp", HERE, THERE, DEFAULT_OPTIONS, wait=True), ())
PLAN = Plan("lab", (), (FINISH,), ())
LINE = "t: 1.1 GiB/s (9.40 Gb/s), 94 % of link ens1f0 of a (10.00 Gb/s)"


def lines(result: str = "done", *, agents: bool = True, look: bool = True) -> list[str]:
    scene = Scene()
    assert scene.a is not None
    item(scene.a, "interfaces", "ens1f0")["speed"] = 10_000
    if not agents:
        scene.a = scene.b = None
    seen = scene.snapshot()
    here = replace(seen.endpoints["a"], ledger=LedgerSeen(True, (RECEIPT,)))
    seen = replace(seen, endpoints={**seen.endpoints, "a": here})
    outcome = Outcome(FINISH.id, "done") if result == "done" else Outcome(FINISH.id, "failed", "why")
    return reached_lines(scene.site, PLAN, (outcome,), seen if look else None, NOW)


def test_a_transfer_that_ended_well_says_how_much_of_its_limit_it_reached() -> None:
    assert lines() == [LINE]


def test_one_that_failed_says_nothing() -> None:
    assert lines("failed") == []


def test_without_agents_and_without_a_last_look_nothing_is_said() -> None:
    assert lines(agents=False) == []
    assert lines(look=False) == []
