"""Transfers that start in a window, or at the firings of a schedule, each of which is claimed as one."""

from __future__ import annotations

from datetime import UTC, datetime

from dtnctl.model.actions import StartTransfer
from dtnctl.model.ledger import Attempt
from dtnctl.model.plan import Plan
from dtnctl.planning.planner import make_plan
from dtnctl.planning.report import transfer_rows
from dtnctl.planning.resolve import resolve_transfers
from dtnctl.planning.scope import Scope
from dtnctl.planning.transfers.in_time import as_it_ran
from tests.planning.building import NOW, site
from tests.planning.listing import notes
from tests.planning.transfers.scene import SESSION, end_job, idle, record, running, transfer
from tests.properties.world import World

WINDOW = SESSION + transfer("t", when="{from: '22:00', to: '06:00', zone: Europe/Berlin}")
DAILY = SESSION + transfer("t", when="{schedule: '30 2 * * *'}")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def plan(text: str, made: World, now: str) -> Plan:
    return make_plan(site(text), made.observe(), now=at(now), scope=Scope())


def generations(found: Plan) -> list[int]:
    return [step.action.generation for step in found.steps if isinstance(step.action, StartTransfer)]


# --- windows ------------------------------------------------------------------------------------------------


def test_a_transfer_waits_for_its_window_and_starts_in_it() -> None:
    made = idle()
    found = plan(WINDOW, made, "2026-06-01 12:00")
    assert notes(found) == [
        "t generation 1 waiting: its window opens at 2026-06-01T22:00+02:00; the first apply from then on starts it",
    ]
    assert not found.steps
    assert generations(plan(WINDOW, made, "2026-06-01 20:00")) == [1]


def test_what_ran_in_its_window_stays_done_outside_of_it() -> None:
    made = idle()
    record(made, verdict="succeeded", bytes=1, seconds=1.0, finished_at="x")
    assert plan(WINDOW, made, "2026-06-01 12:00").is_empty


def test_in_its_window_it_starts_at_once_or_waits_for_the_next_apply() -> None:
    """Others may end when the window is closed."""
    window = "{from: '22:00', to: '06:00', zone: Europe/Berlin}"
    text = SESSION + transfer("t") + transfer("u", after="t", when=window)
    expected = "u generation 1 waiting: it starts after t, and in its window: the first apply after that starts it"
    assert expected in notes(plan(text, idle(), "2026-06-01 20:00"))
    text = SESSION + transfer("t", concurrency=4) + transfer("u", when=window) + transfer("v")
    found = plan(text, idle(), "2026-06-01 20:00")
    assert " ".join(" ".join(notes(found)).split()) == (
        "u generation 1 waiting: session s on a uses 4 of 4 data ports (t), and it needs 1; "
        "the first apply after the end of one of them starts it"
    )
    assert [step.follows for step in found.steps if step.id == "a/transfer/v"] == [("a/finish/t",)]


# --- schedules ----------------------------------------------------------------------------------------------


def test_each_firing_is_a_generation_of_its_own_that_starts_once() -> None:
    made = idle()
    first = plan(DAILY, made, "2026-06-01 12:00")
    assert generations(first) == [1_202606010230]
    assert first.changes[0].notes == ("for the firing of 2026-06-01T02:30Z",)
    made.apply(first)
    assert plan(DAILY, made, "2026-06-01 12:00").is_empty
    assert plan(DAILY, made, "2026-06-02 02:29").is_empty
    assert generations(plan(DAILY, made, "2026-06-02 02:30")) == [1_202606020230]


def test_two_applies_for_one_firing_claim_the_same_generation_whenever_they_run() -> None:
    assert generations(plan(DAILY, idle(), "2026-06-01 02:30")) == generations(plan(DAILY, idle(), "2026-06-02 02:29:59"))


def test_of_firings_that_were_missed_only_the_newest_is_run() -> None:
    made = idle()
    record(made, generation=1_202605010230, verdict="succeeded")
    found = plan(DAILY, made, "2026-06-01 12:00")
    assert generations(found) == [1_202606010230]
    made.apply(found)
    assert plan(DAILY, made, "2026-06-01 12:00").is_empty


def test_a_firing_that_is_older_than_within_is_missed_for_good() -> None:
    text = DAILY.replace("2 * * *'", "2 * * *', within: 1h")
    assert generations(plan(text, idle(), "2026-06-01 03:30")) == [1_202606010230]
    assert " ".join(" ".join(notes(plan(text, idle(), "2026-06-01 03:31"))).split()) == (
        "t generation 1202606010230 waiting: its firing of 2026-06-01T02:30Z was missed, which is longer ago than `within`; "
        "the first apply after 2026-06-02T02:30Z starts the next one"
    )


def test_a_raised_generation_runs_the_newest_firing_again() -> None:
    made = idle()
    record(made, generation=1_202606010230, verdict="failed", cause="disk full")
    assert generations(plan(DAILY + "generation: 2\n", made, "2026-06-01 12:00")) == [2_202606010230]


def test_a_job_of_an_earlier_firing_is_brought_to_its_end_before_the_next_one_starts() -> None:
    """NOW is midnight of June 1: the firing is that of the day before."""
    name = "lab.t.g1202605310230a1"
    made = running(DAILY, name)
    found = plan(DAILY, made, "2026-06-01 12:00")
    assert [line.partition(" since")[0] for line in notes(found)] == ["t generation 1202605310230 running:"]
    assert not found.steps
    end_job(made, name)
    found = plan(DAILY, made, "2026-06-01 12:00")
    assert [step.id for step in found.steps] == ["a/finish/t"]
    made.apply(found)
    assert generations(plan(DAILY, made, "2026-06-01 12:00")) == [1_202606010230]


def test_a_job_of_another_declared_generation_is_not_waited_for_by_its_result() -> None:
    name = "lab.t.g1202605310230a1"
    made = running(DAILY, name)
    found = plan(DAILY + "generation: 2\n", made, "2026-06-01 12:00")
    assert notes(found) == ["t generation 2202606010230 waiting: generation 1202605310230 is still running"]


def test_what_follows_a_scheduled_transfer_follows_its_newest_firing() -> None:
    text = DAILY + transfer("u", after="t")
    made = idle()
    record(made, generation=1_202605310230, verdict="succeeded")
    found = plan(text, made, "2026-06-01 12:00")
    assert [step.needs for step in found.steps if step.id == "a/transfer/u"] == [("a/finish/t",)]


# --- looking ------------------------------------------------------------------------------------------------


def test_a_list_shows_the_newest_firing() -> None:
    made = idle()
    record(made, generation=1_202606010230, verdict="succeeded", finished_at="2026-06-01T02:31:00Z")
    declared = site(DAILY)
    (row,) = transfer_rows(declared, made.observe(), at("2026-06-01 12:00"))
    assert (row.generation, row.state) == (1_202606010230, "succeeded")
    (row,) = transfer_rows(declared, made.observe(), at("2026-06-02 12:00"))
    assert (row.generation, row.state) == (1_202606020230, "pending")


def test_logs_are_those_of_the_newest_firing_that_was_claimed() -> None:
    (scheduled,) = resolve_transfers(site(DAILY), NOW)
    attempts = [
        Attempt("t", 1_202605290230, 1, "c", "x"),
        Attempt("t", 1_202605300230, 1, "c", "x", released=True),
        Attempt("u", 1_202605310230, 1, "c", "x"),
        Attempt("t", 2_202605310230, 1, "c", "x"),
    ]
    assert as_it_ran(scheduled, attempts).transfer.value.generation == 1_202605290230
    assert as_it_ran(scheduled, ()) == scheduled
    (plain,) = resolve_transfers(site(SESSION + transfer("t")), NOW)
    assert as_it_ran(plain, attempts) == plain
