"""The metrics, as Prometheus reads them."""

from __future__ import annotations

import re
from dataclasses import replace

from dtnctl.pulling.decisions import Carried, Fetched, after_fetch
from dtnctl.pulling.journal import Journal
from dtnctl.pulling.outcomes import ApplyResult, StepDone
from dtnctl.pulling.tally import Tally, family

A = "a" * 40
AT = "2026-06-01T00:00:00Z"
RESULT = ApplyResult(
    0,
    "success",
    summary={"changes": 2, "drift": 1, "steps": 9},
    steps=(StepDone("create", "done", 0.25), StepDone("create", "done", 1.5)),
    transfers={"running": 2},
    applied=2,
    remaining=1,
)
LINE = re.compile(r'[a-z_]+(\{[a-z_]+="(\\.|[^"\\])*"(,[a-z_]+="(\\.|[^"\\])*")*\})? -?\d+(\.\d+)?')


def filled() -> Tally:
    tally = Tally()
    journal = after_fetch(Journal(branch='we"ird\\', fetched=A, good=A, applied=A), Fetched(trouble="gone"), None, AT).journal
    tally.remember(replace(journal, last_success=AT))
    tally.fetched("failed")
    tally.webhook("accepted")
    tally.notice("sent")
    tally.ran(Carried(A, AT, AT, 1.25, RESULT))
    return tally


def test_every_line_is_a_comment_or_a_sample() -> None:
    for line in filled().text().splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or LINE.fullmatch(line), line


def test_metrics_have_drift_last_success_commit_steps_and_transfers() -> None:
    lines = set(filled().text().splitlines())
    assert {
        f'dtnctl_reconcile_commit_info{{commit="{A}",role="applied"}} 1',
        'dtnctl_reconcile_condition{name="remote"} 1',
        'dtnctl_reconcile_condition{name="run"} 0',
        "dtnctl_reconcile_last_success_timestamp_seconds 1780272000",
        "dtnctl_reconcile_last_run_exit_code 0",
        "dtnctl_reconcile_last_run_seconds 1.25",
        'dtnctl_reconcile_plan{what="drift"} 1',
        "dtnctl_reconcile_corrections_total 2",
        'dtnctl_reconcile_steps_total{action="create",result="done"} 2',
        'dtnctl_reconcile_step_seconds_total{action="create",result="done"} 1.75',
        'dtnctl_reconcile_transfers{state="running"} 2',
        'dtnctl_reconcile_fetches_total{result="failed"} 1',
        'dtnctl_reconcile_webhooks_total{result="accepted"} 1',
        'dtnctl_reconcile_notices_total{result="sent"} 1',
        'dtnctl_reconcile_runs_total{result="success"} 1',
        "dtnctl_reconcile_last_run_remaining 1",
    } <= lines
    assert not any("last_run_" in line or "last_success" in line for line in Tally().text().splitlines())


def test_metric_without_a_sample_is_left_out() -> None:
    assert family("x", "gauge", "About x.", []) == ""


def test_changes_for_a_new_commit_are_no_corrections() -> None:
    tally = Tally()
    tally.ran(Carried(A, AT, AT, 1.0, RESULT))
    assert "dtnctl_reconcile_corrections_total 0" in tally.text()
