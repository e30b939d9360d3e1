"""R12: containers and networks of somebody else whose names and labels come close to ours. Nothing that dtnctl does touches them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import docker

from tests.faults.harness import Stage, warm_up
from tests.faults.measured import Measured, Task
from tests.faults.points import DESTROY
from tests.faults.scenarios import CLIMATE, OF_CLIMATE

AT_ONCE = 40
NAMES = (
    "demo.climate2", "demo.climat", "demo.Climate", "demo.climate..older", "demo.climate.old", "xdemo.climate", "demo_climate", "demo",
    "demo.run14.g1a1x", "demo.run14.g01a1", "demo.control.lease2", "demo.control", "demo.control.ledger.", "climate", "demo.more.climate",
)  # fmt: skip
OTHERS: Mapping[str, tuple[str, ...]] = {
    "dtnctl.site": ("demo", "demo2", "dem", "DEMO", "demo ", ""),
    "dtnctl.kind": ("service", "transfer", "server", "lease", "ledger", "network", "nothing", ""),
    "dtnctl.name": ("climate", "run14", "control", "gone", ""),
    "dtnctl.self": ("dtn1/demo.climate", "dtn2/demo.climate", "dtn1/demo.control.lease", "dtn9/NAME", "NAME", "/NAME", "dtn1/", ""),
    "dtnctl.repository": ("0" * 12, "another", ""),
}
COMMANDS: tuple[tuple[Mapping[str, str | None], tuple[str, ...]], ...] = (
    ({}, ("apply", "--yes")),
    ({"sessions/more": CLIMATE, "transfers/run14": OF_CLIMATE}, ("apply", "--yes")),
    ({"sessions/climate": None, "transfers/run14": None, "sessions/more": CLIMATE}, ("apply", "--yes", "--max-prune", "100%")),
    ({}, DESTROY),
)


def measure(task: Task) -> Measured:
    """Rounds of apply, change, prune and destroy beside 40 objects of strangers."""
    warm_up()
    result = Measured(0)
    with Stage() as stage:
        for number in range(max(1, task.size // AT_ONCE)):
            failures = list(_try(stage, task.rng("strangers", number)))
            text = "\n    ".join((f"round {number}, seed {task.seed}:", *failures))
            result += Measured(AT_ONCE, (text,) if failures else ())
    return result


def _try(stage: Stage, rng: Random) -> Iterator[str]:
    stage.ask("POST", "restore", {"name": "start"})
    stage.write()
    own = _labels_of_ours(stage)
    for number in range(AT_ONCE):
        _place(stage, rng, number, own)
    before = _theirs(stage)
    for changes, arguments in COMMANDS:
        stage.write(changes)
        ran = stage.run(*arguments)
        if ran.code not in (0, 4) or "Traceback" in ran.text:
            yield f"{' '.join(arguments)} ended with {ran.code}: {ran.text}"
        after = _theirs(stage)
        for key in before:
            if after.get(key) != before[key]:
                yield f"{' '.join(arguments)} touched {key}: {before[key]} is now {after.get(key)}"
        before = after


def _labels_of_ours(stage: Stage) -> dict[str, str]:
    """Those of a container that dtnctl has made, which `docker commit` or a person copies."""
    stage.ask("POST", "snapshot", {"name": "empty"})
    assert stage.run("apply", "--yes").code == 0
    engine = docker.APIClient(base_url=f"unix://{stage.sockets['dtn1']}", version="1.41")
    labels = dict(engine.inspect_container("demo.climate")["Config"]["Labels"])
    engine.close()
    stage.ask("POST", "restore", {"name": "empty"})
    return labels


def _place(stage: Stage, rng: Random, number: int, own: Mapping[str, str]) -> None:
    """A container, in one of five a network, on one of the endpoints."""
    endpoint = rng.choice(("dtn1", "dtn2"))
    name = f"{rng.choice(NAMES)}-{number}" if rng.random() < 0.7 else f"{number}-strange"
    labels = dict(own) if rng.random() < 0.5 else {}
    for label, values in OTHERS.items():
        if rng.random() < 0.5:
            labels[label] = rng.choice(values).replace("NAME", name)
    if labels.get("dtnctl.self") == f"{endpoint}/{name}":
        labels["dtnctl.site"] = "demo2"  # all of them right, it would be ours
    engine = docker.APIClient(base_url=f"unix://{stage.sockets[endpoint]}", version="1.41")
    if number % 5 == 4:
        engine.create_network(name, labels=labels)
    else:
        made = engine.create_container("stranger:1", name=name, labels=labels)
        if rng.random() < 0.5:
            engine.start(made["Id"])
    engine.close()


def _theirs(stage: Stage) -> dict[str, Any]:
    """What they have, by endpoint and name: everything that dtnctl's own objects do not have the names of."""
    view = stage.ask("GET", "view")
    found = {}
    for endpoint, seen in view.items():
        for kind in ("containers", "networks"):
            items = seen[kind]
            for name, item in items.items() if isinstance(items, dict) else ((item["Name"], item) for item in items):
                if str(name).rpartition("-")[2].isdigit() or "strange" in str(name):
                    found[f"{endpoint} {kind} {name}"] = item
    return found
