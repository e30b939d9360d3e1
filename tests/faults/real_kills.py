"""R1 on real engines: an apply or a destroy is killed at a random moment; the next one ends as declared, and nothing of it is left over."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import lab
from tests.e2e.playground import Playground
from tests.faults.measured import Measured, Task

SECONDS = 3.0  # about as long as such a run lasts
STRANGER = "strange"
ENDPOINTS = ("dtn1", "dtn2")
DESTROY = ("destroy", "--yes", "--confirm", "play")


def measure(task: Task) -> Measured:
    """So many kills, each from the state that the one before ended in; none where there can be no lab."""
    if reason := lab.unavailable():
        return Measured(0, note=f"not measured: {reason}")
    result, met = Measured(0), 0
    with _playground() as play:
        for number in task.numbers():
            rng = task.rng("real kill", number)
            arguments = _declare(play, rng)
            wanted = _wanted(play, arguments)
            process = play.start(*arguments)
            threading.Event().wait(rng.uniform(0.2, SECONDS))
            met += process.poll() is None
            process.kill()
            process.communicate()
            failures = list(_wrong(play, arguments, wanted))
            result += Measured(1, ("\n    ".join((f"kill {number}, seed {task.seed}: {arguments}:", *failures)),) if failures else ())
    return result + Measured(0, note=f"{met} of the runs had not ended when they were killed")


@contextlib.contextmanager
def _playground() -> Iterator[Playground]:
    """Two endpoints with a container of somebody else on each."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder, lab.Lab(Path(folder) / "lab", 2, image="both") as running:
        root = Path(folder) / "site"
        root.mkdir()
        play = Playground(running, root)
        for endpoint in ENDPOINTS:
            play.foreign(STRANGER, endpoint)
        yield play


def _declare(play: Playground, rng: Random) -> tuple[str, ...]:
    """Sessions of this round, some with another environment, memory or network than in the last one; in one of eight all of them go."""
    for path in play.root.glob("state/sessions/*.yaml"):
        path.unlink()
    play.site(limits={"max_prune": "100%"})
    play.data_network(mtu=rng.choice((9000, 8000)))
    nets = ["data"] if rng.random() < 0.5 else []
    play.profile("tiny", settle=0, memory=rng.choice(("256MiB", "128MiB")), data_nets=nets, env={"ROUND": str(rng.randint(1, 3))})
    for name in rng.sample(("a", "b", "c"), rng.randint(1, 3)):
        play.session(name, endpoints=rng.choice((["dtn1"], ["dtn2"], ["dtn1", "dtn2"])))
    return DESTROY if rng.random() < 0.125 else ("apply", "--yes")


def _wanted(play: Playground, arguments: tuple[str, ...]) -> dict[str, set[str]]:
    """The containers that are to be there in the end."""
    import yaml

    found = {endpoint: {STRANGER} for endpoint in ENDPOINTS}
    for path in play.root.glob("state/sessions/*.yaml") if arguments != DESTROY else ():
        for endpoint in yaml.safe_load(path.read_text())["endpoints"]:
            found[endpoint].add(f"play.{path.stem}")
    return found


def _wrong(play: Playground, arguments: tuple[str, ...], wanted: dict[str, set[str]]) -> Iterator[str]:
    strangers = {endpoint: play.engines[endpoint].inspect_container(STRANGER)["State"]["StartedAt"] for endpoint in ENDPOINTS}
    ran = play.run(*arguments)
    if ran.code:
        yield f"the next run ended with {ran.code}: {ran.out}{ran.err}"
    if arguments != DESTROY and (left := play.plan_here()).changes:
        yield f"the plan is not empty: {[(change.mark, change.kind, change.name, change.cause.text) for change in left.changes]}"
    if (found := {endpoint: play.names(endpoint) for endpoint in ENDPOINTS}) != wanted:
        yield f"there are {found}, wanted are {wanted}"
    for endpoint in ENDPOINTS:
        networks = play.networks(endpoint) - {"data"}
        if networks or play.engines[endpoint].inspect_container(STRANGER)["State"]["StartedAt"] != strangers[endpoint]:
            yield f"{endpoint}: networks {networks} are left, or something of somebody else was touched"
