"""A history with something of everything."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.commit_changes import DeclaredChange, DeclaredField
from dtnctl.model.history import History, Standing
from dtnctl.model.runs import Asked, RunChange, RunRecord
from dtnctl.render.commit import CommitView

COMMIT = "4f2c1e9" + "0" * 33
GOOD = RunRecord(
    command="apply",
    commit=COMMIT,
    branch="main",
    uncommitted=False,
    asked=Asked("ops@desk"),
    plan="77aa77aa77aa77aa",
    began="2026-11-29T16:00:00Z",
    ended="2026-11-29T16:00:09Z",
    exit_code=0,
    result="ok",
    steps=(("done", 6),),
    endpoints=("dtn1", "dtn2"),
    changes=(RunChange("create", "session", "climate", "dtn1", "done"), RunChange("create", "session", "climate", "dtn2", "done")),
    dtnctl="0.1.0",
)
FAILED = replace(
    GOOD,
    commit="b0b" + "1" * 37,
    uncommitted=True,
    asked=Asked("runner@ci", "alice", "https://forge.example.net/runs/7"),
    began="2026-11-29T17:00:00Z",
    exit_code=3,
    result="partial",
    scope="--target session/climate",
    steps=(("done", 1), ("failed", 1), ("skipped", 2)),
    changes=(RunChange("replace", "session", "climate", "dtn1", "failed"), RunChange("blocked", "session", "ice", "dtn2", "blocked")),
)
IDLE = replace(GOOD, commit="", began="2026-11-29T18:00:00Z", steps=(), changes=(), endpoints=())
HISTORY = History(
    "",
    {"20261129T180000Z-aaaaaaaa": IDLE, "20261129T170000Z-bbbbbbbb": FAILED, "20261129T160000Z-cccccccc": GOOD},
    more=2,
    standing=(Standing("climate", "dtn1", COMMIT, uncommitted=False, state="running"), Standing("ice", "dtn1", "", False, "exited")),
    silent=(("dtn2", "no route to host"),),
    unreadable=1,
)
COMMIT_VIEW = CommitView(
    COMMIT,
    "alice",
    "2026-11-29T16:00:00+01:00",
    "more memory",
    (
        DeclaredChange(
            "update",
            "service",
            "climate",
            "dtn1",
            "state/sessions/climate.yaml:1",
            (
                DeclaredField("memory", "8 GiB", "16 GiB", "state/profiles/dtn.yaml:3"),
                DeclaredField("user", "", "x", "state/sessions/climate.yaml:1"),
            ),
        ),
        DeclaredChange("create", "session", "ice", "", "state/sessions/ice.yaml:1"),
    ),
    {"20261129T160000Z-cccccccc": GOOD},
)
