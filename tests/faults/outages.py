"""R8: endpoints are down, from the beginning or from some call on. All others converge, and the next run does only the rest."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.faults.harness import Stage, warm_up
from tests.faults.measured import Measured, Task
from tests.faults.points import names_of, strangers_of

APPLY = ("apply", "--yes")
ENDPOINTS = tuple(f"dtn{number}" for number in range(1, 6))
PAIR = ("dtn1", "dtn2")
SITE: dict[str, str | None] = {
    "profiles/plain": "init: true\nsettle: 100ms\nuser: dtnaas\nctrl_port_range: [31000, 31100]\n",
    **{f"sessions/only-{name}": f"endpoints: [{name}]\nimage: dtn:1\nprofile: plain\n" for name in ENDPOINTS},
}
# 3: the others converged. 7: no step could be carried out. 0: it went down when its work was done. 9: the transfer lost an end.
ENDS_IN_WORDS = (0, 3, 7, 9)


def measure(task: Task) -> Measured:
    """1 to 5 of 5 endpoints, of which two share a session and a transfer."""
    warm_up()
    result = Measured(0)
    with Stage(more=len(ENDPOINTS) - 2) as stage:
        stage.write(SITE)
        assert stage.run(*APPLY).code == 0
        wanted = names_of(stage)
        for number in task.numbers():
            rng = task.rng("outage", number)
            down = rng.sample(ENDPOINTS, rng.randint(1, len(ENDPOINTS)))
            failures = list(_try(stage, rng, down, wanted))
            result += Measured(1, ("\n    ".join((f"{number}, seed {task.seed}: {down}:", *failures)),) if failures else ())
    return result


def _try(stage: Stage, rng: Random, down: list[str], wanted: dict[str, set[str]]) -> Iterator[str]:
    stage.ask("POST", "restore", {"name": "start"})
    strangers = strangers_of(stage)
    from_start = rng.random() < 0.4
    if from_start:
        for name in down:
            stage.ask("POST", "mode", {"name": name, "mode": "down"})
    else:
        stage.ask(
            "POST", "faults", {"faults": [{"do": "down", "endpoint": name, "match": "*", "nth": rng.randint(1, 40)} for name in down]}
        )
    first = stage.run(*APPLY)
    stage.ask("POST", "faults", {})
    if first.code not in ENDS_IN_WORDS or "Traceback" in first.text or (from_start and first.code not in (3, 7)):
        yield f"the run ended with {first.code}: {first.text}"
    yield from _missing(stage, down, wanted, first.text)
    for name in down:
        stage.ask("POST", "mode", {"name": name, "mode": "up"})
    before = stage.ask("GET", "view")
    second = stage.run(*APPLY)
    after = stage.ask("GET", "view")
    # a transfer is judged at both of its ends; others that share a pool of addresses lend their leases, and have them again
    may_change = {*down, *(PAIR if set(down) & set(PAIR) else ())}
    changed = {name for name in ENDPOINTS if before[name] != after[name]}
    if changed - may_change:
        yield f"the next run changed {sorted(changed - may_change)} as well: {second.text}"
    left = stage.run("plan", "--detailed-exitcode")
    if second.code not in (0, 9) or left.code not in (0, 9):
        yield f"the next run ended with {second.code}: {second.text}\nthe plan after it with {left.code}: {left.text}"
    if (names := names_of(stage)) != wanted:
        yield f"there are {names}, wanted are {wanted}"
    if strangers_of(stage) != strangers:
        yield "something of somebody else was touched"
    if any(item["count"] > 1 for item in stage.ask("GET", "starts") if item["name"].startswith("demo.run14.g")):
        yield "the transfer was started more than once"


def _missing(stage: Stage, down: list[str], wanted: dict[str, set[str]], text: str) -> Iterator[str]:
    """What is not there of sessions that have nothing to do with the endpoints that are down."""
    found = names_of(stage)
    for name in set(ENDPOINTS) - set(down):
        mine = {item for item in wanted[name] if item.endswith(f"demo.only-{name}")}
        if not mine or not mine <= found[name]:
            yield f"{name} was up and has not converged: {wanted[name] - found[name]} missing: {text}"
