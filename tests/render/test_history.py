"""The history of runs as text: the newest run first, then what stands, then what is not known."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.history import History
from dtnctl.render.commit import render_commit
from dtnctl.render.context import RenderContext
from dtnctl.render.history import render_history
from tests.render.histories import COMMIT, COMMIT_VIEW, HISTORY

WIDE = RenderContext(version="0.1.0", width=150)


def test_a_history_names_who_ran_which_commit_and_what_came_of_it() -> None:
    assert (
        render_history(HISTORY, WIDE)
        == """\
WHEN (UTC)           COMMIT    BY        COMMAND  RESULT   PLAN              RUN                        WHAT
2026-11-29 18:00:00  -         ops@desk  apply    ok       77aa77aa77aa77aa  20261129T180000Z-aaaaaaaa  nothing to do
2026-11-29 17:00:00  b0b1111+  alice     apply    partial  77aa77aa77aa77aa  20261129T170000Z-bbbbbbbb  blocked 1, replace 1, failed 1
2026-11-29 16:00:00  4f2c1e9   ops@desk  apply    ok       77aa77aa77aa77aa  20261129T160000Z-cccccccc  create 2

SESSION  ENDPOINT  MADE BY  STATE
climate  dtn1      4f2c1e9  running
ice      dtn1      -        exited

note: 2 older runs left out; --limit 0 shows all
note: dtn2 does not answer, so what stands there is unknown: no route to host
note: 1 record cannot be read: a newer dtnctl wrote them
"""
    )


def test_of_one_session_what_was_done_about_it_is_counted_alone() -> None:
    text = render_history(replace(HISTORY, session="climate"), WIDE)
    assert "replace 1, failed 1" in text
    assert "blocked" not in text


def test_why_a_freeze_was_passed_over_is_shown() -> None:
    runs = {name: replace(record, override_freeze="INC-4711") for name, record in HISTORY.runs.items()}
    assert "create 2; freeze overridden: INC-4711" in render_history(replace(HISTORY, runs=runs), WIDE)


def test_where_nothing_is_recorded_that_is_said() -> None:
    assert render_history(History("", {}), WIDE) == "no run is recorded in this repository\n"
    assert render_history(History("ice", {}), WIDE) == "no run about session ice is recorded in this repository\n"


def test_a_commit_is_shown_with_its_fields_and_runs() -> None:
    text = render_commit(COMMIT_VIEW, WIDE)
    assert text.splitlines()[:3] == [f"COMMIT {COMMIT} 2026-11-29T16:00:00+01:00 alice", "more memory", ""]
    assert "2 objects declared otherwise than in its parent: create 1, update 1" in text
    assert "    memory: 8 GiB → 16 GiB (state/profiles/dtn.yaml:3)" in text
    assert "    user: - → x\n" in text
    assert text.splitlines()[-1].startswith("2026-11-29 16:00:00  4f2c1e9  ops@desk")


def test_a_commit_that_changes_nothing_or_was_not_applied_says_so() -> None:
    nothing = render_commit(replace(COMMIT_VIEW, changes=(), runs={}), WIDE)
    assert "changes nothing that the state declares" in nothing
    assert nothing.endswith("no recorded run applied it, or a later commit that contains it\n")
    later = render_commit(replace(COMMIT_VIEW, later=True), WIDE)
    assert "no run applied it by itself; the first one of a commit that contains it:" in later
