"""Random services and networks on real engines: whatever may be written, after one apply nothing is left to do."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from random import Random

import docker
import pytest
import yaml

from dtnctl.model.engine_fields import LIMIT_NAMES
from tests.e2e.playground import Playground
from tests.e2e.test_daemon_defaults import defaults_of
from tests.engine_choice import PARAMS, Labs, every_engine, labs
from tests.engines.random_site import IMAGES, MACVLANS, SLEEP, State
from tests.engines.random_values import CREATED, STARTED

WITH_DEFAULTS = "docker-26"  # the engine whose owner changed every default in daemon.json
ROUNDS = 4
IS_LONG = "DTN_ENGINES" in os.environ  # `make test-engines`: others each time; `make test`: the same few in each run
SERVICES = 75 if IS_LONG else 4  # in each round
SEED = int(os.environ.get("DTN_SEED") or (secrets.randbelow(10**9) if IS_LONG else 1))
REDRAWS = 30
REFUSED = re.compile(r"^.*\bstate/(sessions/\w+)\.yaml\b.*", re.MULTILINE)
ALLOW = {"mounts": ["/data"], "volumes": ["*"], "devices": ["*"], "capabilities": ["*"], "privileged": True, "limits": list(LIMIT_NAMES)}


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[Labs]:
    with labs(request, 1, "tiny") as found:
        yield found


@pytest.fixture(scope="module")
def running_with_defaults(request: pytest.FixtureRequest) -> Iterator[Labs]:
    with labs(request, 1, "tiny", config=defaults_of(WITH_DEFAULTS)) as found:
        yield found


@pytest.fixture(params=PARAMS)
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Playground]:
    running: Labs = request.getfixturevalue("running_with_defaults" if request.param == WITH_DEFAULTS else "running")
    playground = Playground(running.lab(request.param), tmp_path)
    playground.endpoint("dtn1", allow=ALLOW, interfaces=MACVLANS)
    playground.lab.exec("dtn1", ["mkdir", "-p", "/data/a", "/data/b"])
    make_images(playground.engines["dtn1"])
    yield playground
    playground.clean()


def make_images(engine: docker.APIClient) -> None:
    for name, (config, _) in IMAGES.items():
        if config:
            container = engine.create_container("tiny:1", SLEEP)["Id"]
            engine.commit(container, repository=name.partition(":")[0], tag="1", conf=config)
            engine.remove_container(container)


def declare(play: Playground, state: State) -> list[str]:
    """Draw until nothing that was drawn is refused; returns the reasons why sessions were."""
    state.draw_networks()
    state.draw_profiles()
    state.draw_sessions()
    reasons: list[str] = []
    for _ in range(REDRAWS):
        for path, file in state.files.items():
            play.write(path, file)
        found = refusals(play)
        if not found:
            return reasons
        reasons += found.values()
        for path in found:
            state.files[path] = state.session(int(path.rpartition("s")[2]))
    raise AssertionError(f"still refused: {found}")


def refusals(play: Playground) -> dict[str, str]:
    """The sessions that `validate` refuses, with a reason; if there are none, those that the plan does."""
    validated = play.run("validate")
    if validated.code:
        found = {line[1]: line[0] for line in REFUSED.finditer(validated.err)}
        assert found, validated.err
        return found
    blocked = [change for change in play.plan("-o", "json").json["changes"] if change["mark"] == "blocked"]
    return {f"sessions/{change['name']}": json.dumps(change["cause"]) for change in blocked}


def left(play: Playground, state: State) -> list[str]:
    """What the plan after an apply still wants, and what was declared."""
    changes = play.plan("-o", "json").json["changes"]
    declared = [yaml.safe_dump(state.files.get(f"{change['kind']}s/{change['name']}")) for change in changes]
    return [f"{json.dumps(change)}\n{text}" for change, text in zip(changes, declared, strict=True)]


@every_engine
@pytest.mark.lab
def test_after_one_apply_of_random_services_the_plan_is_empty(play: Playground, capfd: pytest.CaptureFixture[str]) -> None:
    created = CREATED | ({"devices": STARTED["devices"]} if play.lab.release.podman else {})  # it looks for them at once
    state = State(Random(SEED), SERVICES, created)
    for number in range(ROUNDS):
        refused = declare(play, state)
        applied = play.apply()
        with capfd.disabled():
            print(f"\nDTN_SEED={SEED} round {number + 1} of {ROUNDS}: {SERVICES} services, {len(refused)} drawn again", end=" ", flush=True)
        assert (applied.code, left(play, state)) == (0, []), f"DTN_SEED={SEED}\n{applied.out}\n{applied.err}"
        assert len(refused) <= SERVICES, f"DTN_SEED={SEED}\n" + "\n".join(refused)
