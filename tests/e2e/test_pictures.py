"""Pictures and the live view of an endpoint whose agent reports a real host's interfaces and counters."""

from __future__ import annotations

import re

import pytest

from tests.e2e.playground import Playground
from tests.e2e.test_agent_through_ssh import ENDPOINT, agent_of
from tests.e2e.test_agent_through_ssh import through_ssh as through_ssh
from tests.render.pictures.reading import words_of

pytestmark = pytest.mark.lab


def test_the_host_the_networks_and_the_rates_of_an_endpoint_are_shown_as_its_agent_reports_them(through_ssh: Playground) -> None:
    play = through_ssh
    with agent_of(play):
        play.converge()
        host = words_of(play.run("graph", "host", ENDPOINT).expect(0).out)
        networks = words_of(play.run("graph", "networks").expect(0).out)
        once = play.run("top", "--once", "--every", "1s").expect(0).out
    assert "hardware unknown" not in host
    assert re.search(r"CPUs?: ", host)
    assert {"run", "running", "data"} <= set(host.split())
    assert {"data", "run", "STARTED", ENDPOINT} <= set(networks.split())
    (row,) = [line for line in once.splitlines() if line.startswith(ENDPOINT) and "data" in line.split()]
    assert re.search(r" [0-9.]+ [kMG]?b/s +[0-9.]+ [kMG]?b/s ", row), once
