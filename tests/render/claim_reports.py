"""Reports of `check` made by hand: collisions of each kind, and words that must stay text."""

from __future__ import annotations

from dtnctl.model.branches import Branch, Claim, ClaimsReport, Collision, Holder, Resource, Undecided

MINE = Claim(Resource("port", "dtn1", "tcp"), ((50100, 50199),), 0, "run15", "dtn1", "data_port_range", "state/sessions/run15.yaml", 9, 12)
FUNCTION = Claim(Resource("vf", "dtn1", "ens1f0"), ((0, 7),), 2, "run15", "dtn1", "data_nets", "state/sessions/run15.yaml", 4, 3)
HOLDER = Holder(("pull request #87 (branch run14)",), "run14", "dtn1", "state/sessions/run14.yaml:3", 1_780_000_000)
TAKEN = Collision(
    "pull request #88",
    "E0418",
    MINE,
    "ports 50100-50199/tcp on dtn1",
    "pull request #87 (branch run14) claimed it first: session run14 on dtn1 (state/sessions/run14.yaml:3)",
    (HOLDER,),
    ("50200-50299", "50300-50399"),
    "50200-50299 or 50300-50399 for `data_port_range`",
    is_blocking=True,
)
SHORT = Collision(
    "pull request #88",
    "E0419",
    FUNCTION,
    "virtual functions of ens1f0 on dtn1",
    "there are 8, and 9 are claimed: 6 by the base, 2 by this branch, 1 by branch x (later)",
    (),
    (),
    "2 left for this branch; more of them by `vfs: {ens1f0: …}` in state/endpoints/dtn1.yaml",
    is_blocking=False,
)
REPORT = ClaimsReport(
    Branch("origin/main", "77ab0120000", notes=("2 left out: without a commit for longer than --max-age",)),
    "pull request #88",
    (
        Branch("pull request #87 (branch run14)", "4f2c1e9", 1_780_000_000),
        Branch("pull request #88", "5a6b7c8", 1_780_000_100, notes=("state/sessions/s.yaml was changed in the base, too",)),
    ),
    (FUNCTION, MINE),
    (TAKEN, SHORT),
    (Undecided("pull request #88", "CPUs on dtn1", 8),),
    1,
)
CLEAN = ClaimsReport(Branch("main", "77ab0120000"), "", (Branch("branch x", "4f2c1e9"),))
