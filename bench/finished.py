"""P11: planning where 10,000 declared transfers have finished: reading their files, which were read before, and deciding that none starts.

No engine takes part: the records are given as the ledger has them. Times are the processor's. The ratio asks whether it grows with
their number alone; it is taken without Python's search for garbage, as in P4.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from bench.figures import Figure, Options, Pairs, absolute, at_most, figure_of, in_turn, seconds
from bench.planning import NOW
from dtnctl.model.ledger import Attempt, LedgerSeen
from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.planning.planner import make_plan
from dtnctl.repository.load import load_site
from dtnctl.repository.source_cache import SourceCache

TRANSFERS = 10_000
MOMENT = "2026-05-01T00:00:00Z"
FILES = {
    "site": "name: bench\n",
    "endpoints/a": "docker: ssh://dtn@a.example.net\n",
    "endpoints/b": "docker: ssh://dtn@b.example.net\n",
    "sessions/s": "endpoints: [a, b]\nimage: dtn:1\nuser: dtn\nstate: initialized\nsettings: {volumes: ['/data:/data']}\n",
}


def measure(options: Options) -> Iterator[Figure]:
    finished = options.size(TRANSFERS, TRANSFERS // 10)
    with TemporaryDirectory() as folder:
        many, few = Scene(Path(folder) / "many", finished), Scene(Path(folder) / "few", finished // 10)
        above, below, whole = in_turn(options.rounds_or(5), many.work, few.work, many.time)
    pairs = Pairs(above, below)
    yield absolute(f"P11 files and plan of {finished} finished transfers, CPU seconds", whole, at_most(2.0))
    yield figure_of("P11 ten times the finished transfers / once", pairs, at_most(11), seconds("ten times", "once", pairs))


class Scene:
    """A repository with transfers, and endpoints whose ledger says that each of them has succeeded."""

    def __init__(self, root: Path, finished: int) -> None:
        self.root = root
        self.cache = SourceCache(root / "cache", "bench")
        names = [f"t{number:05}" for number in range(finished)]
        files = FILES | {f"transfers/{name}": f"from: a:/data/{name}\nto: b:/data/{name}\ntool: gridftp\nsession: s\n" for name in names}
        for path, text in files.items():
            file = root / "state" / f"{path}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        attempts = (Attempt(name, 1, 1, "c", MOMENT, verdict="succeeded", bytes=1, files=1, finished_at=MOMENT) for name in names)
        seen = EndpointSeen("a", ledger=LedgerSeen(readable=True, attempts=tuple(attempts)))
        self.snapshot = Snapshot({"a": seen, "b": EndpointSeen("b")})

    def work(self) -> float:
        """As `time`, without what searching for garbage adds."""
        gc.disable()
        try:
            return self.time()
        finally:
            gc.enable()

    def time(self) -> float:
        gc.collect()
        before = process_time()
        plan = make_plan(load_site(self.root, now=NOW, cache=self.cache), self.snapshot, now=NOW)
        elapsed = process_time() - before
        if any(note.state != "succeeded" for note in plan.transfers):
            raise RuntimeError("a transfer that has finished is not seen as finished")
        return elapsed
