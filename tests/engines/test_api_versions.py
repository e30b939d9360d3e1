"""Engines that speak fewer versions of the API than 28 does by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.playground import Playground
from tests.engine_choice import CHOSEN, every_engine, labs

NEWER_ONLY = {"DOCKER_MIN_API_VERSION": "1.44"}  # as Docker 29.0 to 29.3 are


@pytest.fixture
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Playground]:
    """One endpoint with an engine that refuses what clients of 20.10 speak."""
    if "docker-28" not in CHOSEN:
        pytest.skip("docker-28 is not among the chosen engines")
    with labs(request, 1, "tiny", variables=NEWER_ONLY) as running:
        yield Playground(running.lab("docker-28"), tmp_path, api="1.44")


@every_engine
@pytest.mark.lab
def test_an_engine_that_refuses_old_clients_is_planned_changed_replaced_and_cleaned(play: Playground) -> None:
    play.data_network(subnet6="fd00:20::/64")
    play.session("run", settings={"data_nets": ["data"], "volumes": ["/data:/data:ro", "kept:/v"], "limits": {"nofile": 512}})
    play.converge()
    first = play.container("run")["Id"]
    play.session("run", settings={"data_nets": ["data"], "memory": "64MiB", "env": {"A": "1"}})
    play.converge()
    second = play.container("run")
    assert (second["Id"] != first, second["HostConfig"]["Memory"]) == (True, 64 * 2**20)
    play.engines["dtn1"].update_container("play.run", mem_limit="128m", memswap_limit="256m")
    assert [change[0] for change in play.changes()] == ["update"]
    play.converge()
    assert play.container("run")["Id"] == second["Id"]
    play.remove("sessions/run")
    play.converge()
    assert (play.names(), play.networks()) == (set(), set())
