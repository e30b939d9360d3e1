"""Transfers at their time and what is said at their end, on real engines: windows, schedules, webhooks."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dtnctl.planning.scope import Scope
from dtnctl.repository.load import load_site
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.lease import this_process
from dtnctl.runtime.reconcile import Applied, Reports, Terms, apply_plan, look_and_plan
from lab import Lab
from tests.docker_clients import connect
from tests.e2e.playground import PROGRAM, Ran
from tests.e2e.transfer_scene import TransferScene
from tests.runtime.transfers.test_notify import Receiver

pytestmark = pytest.mark.lab
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(hour=2, minute=31, second=0, microsecond=0)


class ClockAt(SystemClock):
    """Time passes as it does, from another moment on."""

    def __init__(self, moment: datetime) -> None:
        self._ahead = moment - datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


@pytest.fixture(scope="module")
def scene(two_endpoints: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TransferScene]:
    scene = TransferScene(two_endpoints, tmp_path_factory.mktemp("times"))
    scene.sh("dtn1", "echo content > /data/file")
    yield scene
    scene.close()


def apply_at(scene: TransferScene, moment: datetime) -> tuple[Applied, dict[str, str]]:
    """What `dtnctl apply` does at that moment; also what the plan says of transfers that do not start."""
    site, clock = load_site(scene.play.root), ClockAt(moment)
    reports = Reports(lambda text: None, lambda outcome, step: None, lambda progress: None)
    with contextlib.ExitStack() as stack:
        engines = {
            name: connect(name, document.value, site=site.name, registries={}, read_only=False, root=scene.play.root)
            for name, document in site.endpoints.items()
        }
        for engine in engines.values():
            stack.callback(engine.close)
        plan, _ = look_and_plan(site, engines, clock.now(), Scope())
        terms = Terms(this_process(), clock, parallel=4, lock_timeout=30.0, stop=threading.Event())
        applied = apply_plan(site, engines, plan, scope=Scope(), terms=terms, reports=reports)
        return applied, {note.name: note.text for note in plan.transfers}


def test_a_window_that_is_closed_starts_nothing_and_one_that_is_open_does(scene: TransferScene) -> None:
    scene.forget()
    scene.declare("nightly", "scp", "file", "nightly", when={"from": "02:00", "to": "04:00", "zone": "UTC"})
    applied, notes = apply_at(scene, TOMORROW.replace(hour=12))
    assert not applied.outcomes
    assert "02:00" in notes["nightly"]
    assert scene.starts(since=datetime.now(UTC).timestamp() - 20).get("play.nightly.g1a1") is None
    applied, _ = apply_at(scene, TOMORROW + timedelta(days=1))
    assert {outcome.result for outcome in applied.outcomes} == {"done"}
    assert scene.sh("dtn2", "cat /data/nightly") == "content\n"


def test_each_firing_of_a_schedule_is_claimed_once(scene: TransferScene) -> None:
    scene.forget()
    began = datetime.now(UTC).timestamp()
    scene.declare("daily", "scp", "file", "daily", when={"schedule": "30 2 * * *", "zone": "UTC"})
    firings = (TOMORROW, TOMORROW + timedelta(days=1))
    for moment in (*firings[:1] * 2, *firings[1:] * 2):
        apply_at(scene, moment + timedelta(seconds=20))
    names = [f"play.daily.g1{moment:%Y%m%d%H}30a1" for moment in firings]
    assert {name: count for name, count in scene.starts(began).items() if "daily" in name} == dict.fromkeys(names, 1)


# --- webhooks -----------------------------------------------------------------------------------------------


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def apply_here(scene: TransferScene, **env: str) -> Ran:
    """The program in the network of this test, where its webhooks are: engines are reached through unix sockets."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **env}
    ran = subprocess.run([*PROGRAM, "apply", "--yes"], cwd=scene.play.root, env=environment, text=True, capture_output=True, check=False)
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def bodies(receiver: Receiver) -> list[tuple[Any, ...]]:
    return [(body["id"], body["state"], body["cause"]) for body in receiver.bodies]


def test_the_end_of_a_transfer_is_posted_once(scene: TransferScene, receiver: Receiver) -> None:
    scene.forget()
    scene.declare("told", "scp", "file", "told", notify={"url_env": "DTN_HOOK"}, labels={"experiment": "atlas"})
    for _ in range(2):
        apply_here(scene, DTN_HOOK=receiver.url).expect(0)
    assert bodies(receiver) == [("play/told.g1a1", "succeeded", "")]
    assert receiver.bodies[0]["labels"] == {"experiment": "atlas"}
    assert scene.row("told")["notified"].endswith("Z")


def test_a_webhook_that_is_busy_is_asked_again_and_a_failure_is_posted_after_its_last_try(scene: TransferScene, receiver: Receiver) -> None:
    receiver.answers = [503]
    scene.forget()
    scene.sh("dtn2", "mkdir -p /data/closed; chmod 555 /data/closed")
    scene.declare("refused", "scp", "file", "closed/file", notify={"url": receiver.url, "states": ["failed"]})
    for _ in range(2):
        apply_here(scene).expect(9)
    assert [item[:2] for item in bodies(receiver)] == [("play/refused.g1a1", "failed")] * 2, (
        "the one that was answered 503, and the one that was taken"
    )


def test_a_webhook_that_is_away_changes_nothing_about_the_transfer(scene: TransferScene, receiver: Receiver) -> None:
    scene.forget()
    receiver.close()
    scene.declare("silent", "scp", "file", "silent", notify={"url": receiver.url})
    ran = apply_here(scene).expect(0)
    assert "its notification was not sent at" in " ".join((ran.out + ran.err).split())
    row = scene.row("silent")
    assert row["state"] == "succeeded"
    assert "the webhook cannot be reached" in row["notified"]
    apply_here(scene).expect(0)
    assert scene.row("silent")["notified"] == row["notified"]
