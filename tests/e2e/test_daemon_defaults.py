"""What an engine's daemon.json gives to every container and network is the owner's, and no drift."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.releases import release_named
from tests.e2e.playground import Playground
from tests.engine_choice import every_engine, labs

pytestmark = [pytest.mark.lab, every_engine]

DEFAULTS = {
    "default-ulimits": {
        "nofile": {"Name": "nofile", "Soft": 1024, "Hard": 4096},
        "core": {"Name": "core", "Soft": 0, "Hard": 0},
    },
    "default-shm-size": "32M",
    "default-address-pools": [{"base": "10.200.0.0/16", "size": 24}],
    "bip": "10.201.0.1/24",
    "ipv6": True,
    "fixed-cidr-v6": "fd00:201::/64",
    "dns": ["10.10.0.254"],
    "init": True,
    "live-restore": True,
    "log-driver": "local",
    "no-new-privileges": True,
}
NEWER_DEFAULTS = {"default-network-opts": {"bridge": {"com.docker.network.driver.mtu": "1450"}}}  # from engine 24 on


def defaults_of(engine: str) -> dict[str, object]:
    """daemon.json of an owner who changed every default that this engine knows."""
    return DEFAULTS | (NEWER_DEFAULTS if release_named(engine).major >= 24 else {})


@pytest.fixture
def play(request: pytest.FixtureRequest, tmp_path: Path, engine_name: str) -> Iterator[Playground]:
    """One endpoint whose owner changed every default that shows in containers or networks."""
    with labs(request, 1, "tiny", config=defaults_of(engine_name)) as running:
        yield Playground(running.lab(engine_name), tmp_path)


def test_an_engines_own_defaults_converge_and_limits_of_ours_are_still_compared(play: Playground) -> None:
    play.write("networks/six", {"driver": "bridge", "subnet6": "fd00:77::/64"})
    play.data_network("data", subnet6="fd00:20::/64")
    play.write("networks/free", {"driver": "bridge"})
    nets = {"data_nets": ["data", "free", "six"]}
    play.session("plain", settings=nets)
    play.session("limited", settings={**nets, "limits": {"nofile": {"soft": 512, "hard": 1024}, "nproc": 100}, "init": False})
    play.converge()
    play.lab.stop_engine("dtn1")
    play.lab.start_engine("dtn1")
    play.assert_nothing_to_do()
    play.session("limited", settings={**nets, "limits": {"nofile": 512}, "init": False})
    assert {change[1] for change in play.changes()} == {"limited"}
    play.converge()


def test_a_network_with_ipv6_alone_converges_also_over_the_engines_restart(play: Playground) -> None:
    play.data_network("data", subnet=None, addresses=None, subnet6="fd00:20::/64", addresses6="fd00:20::100-fd00:20::1ff")
    play.session("run", settings={"data_nets": ["data"]})
    play.converge()
    assert play.container("run")["NetworkSettings"]["Networks"]["data"]["GlobalIPv6Address"] == "fd00:20::100"
    play.lab.stop_engine("dtn1")
    play.lab.start_engine("dtn1")
    play.assert_nothing_to_do()
