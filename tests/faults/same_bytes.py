"""R10: the same facts in another order, and another hash seed of Python, give the same plan to the byte."""

from __future__ import annotations

import random
from collections.abc import Iterator

from dtnctl.planning.planner import make_plan
from dtnctl.repository.load import load_site
from tests.cases.cases import folders
from tests.cases.seen import NOW, read_seen, scope_of, snapshot_of
from tests.faults.measured import Measured, Task
from tests.properties.test_determinism import bytes_of, digest_under, shuffled

ONE_IN = 55  # cases that are a process with another hash seed, which plans every fourth of the cases


def measure(task: Task) -> Measured:
    """Shuffles of the cases of tests/cases in turn, and hash seeds."""
    result = Measured(0)
    for failure in _tried(task):
        result += Measured(1, (failure,) if failure else ())
    return result


def _tried(task: Task) -> Iterator[str]:
    chosen = folders()
    loaded = []
    for folder in chosen:
        declared, seen = load_site(folder, "state", NOW), read_seen(folder / "seen.yaml")
        snapshot, scope = snapshot_of(declared, seen), scope_of(seen)
        loaded.append((folder.name, declared, snapshot, scope, bytes_of(make_plan(declared, snapshot, now=NOW, scope=scope))))
    digest = digest_under(0) if task.size >= ONE_IN else ""
    for number in task.numbers():
        if digest and number % ONE_IN == 0:
            hash_seed = task.seed * 1000 + number // ONE_IN + 1
            yield "" if digest_under(hash_seed) == digest else f"PYTHONHASHSEED={hash_seed} gives other bytes"
            continue
        name, declared, snapshot, scope, expected = loaded[number % len(loaded)]
        again = make_plan(declared, shuffled(snapshot, random.Random(f"{task.seed} {number}").shuffle), now=NOW, scope=scope)
        yield "" if bytes_of(again) == expected else f"{name}: shuffle {number} of seed {task.seed} gives other bytes"
