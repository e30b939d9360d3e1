"""dtnctl is killed at each writing call to the API server, before it arrives and after it was carried out; the next run makes it whole."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from itertools import count

import pytest

from tests.kubernetes.cluster import NETWORK
from tests.kubernetes.relay import ApiRelay, Call, Moment
from tests.kubernetes.scene import Scene, service


def killed_at(scene: Scene, relay: ApiRelay, point: int, when: Moment) -> bool:
    """Apply, killed at this writing call; False if it ended before it made so many."""
    writes = count(1)
    numbers: dict[int, int] = {}
    running: list[subprocess.Popen[str]] = []

    def act(number: int, call: Call, moment: Moment) -> None:
        if call.writes and moment == "before":
            numbers[number] = next(writes)
        if numbers.get(number) == point and moment == when:
            running[0].kill()
            raise ConnectionAbortedError

    with acting(relay, act):
        running.append(scene.start("apply", "--yes"))
        out, err = running[0].communicate(timeout=300)
    assert running[0].returncode in (0, -9), f"{out}\n{err}"
    return running[0].returncode == -9


class acting:  # noqa: N801  reads as a word
    """The relay acts so in the block."""

    def __init__(self, relay: ApiRelay, act: Callable[[int, Call, Moment], None]) -> None:
        self.relay, self.act = relay, act

    def __enter__(self) -> None:
        self.usual, self.relay.act = self.relay.act, self.act

    def __exit__(self, *_: object) -> None:
        self.relay.act = self.usual


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_next_apply_completes_what_a_killed_one_began(scene: Scene, relay: ApiRelay, when: Moment) -> None:
    points = 0
    for point in count(1):
        if scene.cluster.given.interface and scene.cluster.serves(NETWORK):
            scene.data_network()
            scene.profile("tiny", data_nets=["data"], settle=0)
        scene.session(settings={"env": {"ROUND": str(point)}})
        if not killed_at(scene, relay, point, when):
            break
        points = point
        scene.converge()
        assert scene.cluster.names() == {service("run")}
    assert points >= 3, "a lease, an object, the lease's end"
    scene.assert_nothing_to_do()
