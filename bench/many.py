"""P13: many declared transfers of a small file between four endpoints in one apply: what a transfer costs beside its own command line.

The command lines by hand run in the same services, as many at once as dtnctl starts. What one declared transfer takes more than that is
compared with a raw container of the same image: created, started, and waited for until it has ended.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from bench.by_hand import USER, ByHand
from bench.figures import Figure, Options, Pairs, at_most, figure_of, in_turn
from bench.place import Place, place
from bench.raw import at_once
from bench.runs import apply
from bench.services import declare_data_network, declare_service
from dtnctl.model.actions import StartTransfer

TRANSFERS, QUICK = 1000, 24
SESSION, TOOL = "dtn", "rsync"
FILE = "/data/source"
NOTHING = {"Image": "dtn:1", "Entrypoint": ["true"], "HostConfig": {"NetworkMode": "none"}}


def measure(options: Options) -> Iterator[Figure]:
    count = options.count or options.size(TRANSFERS, QUICK)
    with place(4, "both") as here:
        here.write_site(limits={"parallel": 8})
        declare_data_network(here)
        volume = {"source": "/data", "target": "/data"}
        declare_service(here, SESSION, user=USER, volumes=[volume], data_nets=["data"], data_port_range=[50100, 50199])
        apply(here)
        for name in here.names:
            here.lab.exec(name, ["sh", "-c", f"chmod 1777 /data && echo small >{FILE}"])
        many = Many(here, count)
        many.declared(4)
        declared, by_hand, raw = in_turn(options.rounds_or(3), many.declared, many.by_hand, many.raw)
    overhead = tuple(max(0.0, above - below) for above, below in zip(declared, by_hand, strict=True))
    each = f"a transfer {declared[0] / count:.3f} s, by hand {by_hand[0] / count:.3f} s, a raw container {raw[0] / count:.3f} s"
    pairs = Pairs(overhead, raw)
    yield figure_of(f"P13 {count} {TOOL} transfers: overhead of each / a raw container", pairs, at_most(1.3), each)


class Many:
    """So many transfers, from each endpoint to the next one."""

    def __init__(self, here: Place, count: int) -> None:
        self.here = here
        self.count = count
        self.generation = 0
        self.workers = here.site().settings.value.limits.parallel

    def declared(self, count: int | None = None) -> float:
        """Seconds of one apply that starts them all and records their results."""
        self.generation += 1
        for number in range(count or self.count):
            source, destination = self._ends(number)
            ends = {"from": f"{source}:{FILE}", "to": f"{destination}:/data/copy{number}", "tool": TOOL, "session": SESSION}
            self.here.write(f"transfers/t{number:04}", {**ends, "verify": "size", "generation": self.generation})
        began = time.perf_counter()
        done, _ = apply(self.here)
        elapsed = time.perf_counter() - began
        self.actions = [step.action for step in done.plan.steps if isinstance(step.action, StartTransfer)]
        return elapsed

    def by_hand(self) -> float:
        """Seconds of their command lines; one key for each pair of endpoints is let in before."""
        hands = {self._ends(number): ByHand(self.here, SESSION, action) for number, action in enumerate(self.actions)}
        for hand in hands.values():
            hand.prepare()
        began = time.perf_counter()
        at_once(self.workers, lambda number: hands[self._ends(number)].run(), range(len(self.actions)))
        return time.perf_counter() - began

    def raw(self) -> float:
        """Seconds of as many containers that do nothing."""
        with contextlib.ExitStack() as stack:
            raws = {name: stack.enter_context(self.here.raw(name)) for name in self.here.names}

            def run(number: int) -> None:
                raw = raws[self._ends(number)[0]]
                made = raw.create(f"raw{number}", NOTHING)
                raw.start(made)
                raw.call("POST", f"/containers/{made}/wait")

            began = time.perf_counter()
            at_once(self.workers, run, range(self.count))
            elapsed = time.perf_counter() - began
            at_once(self.workers, lambda number: raws[self._ends(number)[0]].remove(f"raw{number}"), range(self.count))
        return elapsed

    def _ends(self, number: int) -> tuple[str, str]:
        names = self.here.names
        return names[number % len(names)], names[(number + 1) % len(names)]
