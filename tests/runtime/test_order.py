"""Transfers that come after others in one apply: started when those have ended, under leases that are taken again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Plan
from dtnctl.planning.scope import Scope
from dtnctl.repository.load import load_site
from dtnctl.runtime.lease import this_process
from dtnctl.runtime.reconcile import Applied, Reports, Terms, apply_plan, look_and_plan
from tests.runtime.transfers.transfer_world import HERE, THERE, TransferWorld, transfer_world

PROFILE = "pull: never\nuser: dtn\ndata_port_range: [50100, 50199]\nvolumes: [data:/data]\n"


class Scene:
    """A site on two engines in memory whose transfers `first` and `then` are declared by tests."""

    def __init__(self, world: TransferWorld, root: Path) -> None:
        self.world, self.root = world, root
        self.said: list[Outcome] = []
        for name, host in ((HERE, "10.0.0.1"), (THERE, "10.0.0.2")):
            world.engines[name].remove("lab.demo", force=True)
            self.write(f"endpoints/{name}", f"docker: unix://{world.world.sockets[name]}\nhost: {host}\nallow: {{volumes: ['*']}}\n")
        self.write("site", "name: lab\n")
        self.write("profiles/p", PROFILE)
        self.write("sessions/demo", f"endpoints: [{HERE}, {THERE}]\nimage: dtn:1\nprofile: p\n")

    def write(self, name: str, text: str) -> None:
        file = self.root / "state" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def transfer(self, name: str, more: str = "") -> None:
        self.write(f"transfers/{name}", f"from: {HERE}:/data/{name}\nto: {THERE}:/data/{name}\ntool: gridftp\n{more}")

    def plan(self) -> Plan:
        plan, _ = look_and_plan(load_site(self.root, "state"), self.world.engines, self.world.clock.now(), Scope())
        return plan

    def apply(self, *, wait: bool = True) -> Applied:
        terms = Terms(this_process(), self.world.clock, parallel=4, lock_timeout=5.0, wait=wait, stop=self.world.stop)
        reports = Reports(lambda text: None, lambda outcome, step: self.said.append(outcome), lambda progress: None)
        return apply_plan(load_site(self.root, "state"), self.world.engines, self.plan(), scope=Scope(), terms=terms, reports=reports)

    def ended(self) -> dict[str, str]:
        return {record.transfer: str(record.verdict) for record in self.world.records()}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with transfer_world() as world:
        scene = Scene(world, tmp_path)
        scene.apply()
        for name in ("first", "then"):
            world.files(HERE, "lab.demo").write(f"/data/{name}", b"content")
        yield scene


def of_transfers(applied: Applied) -> dict[str, str]:
    return {outcome.step: outcome.result for outcome in applied.outcomes if "/transfer/" in outcome.step or "/finish/" in outcome.step}


def test_the_later_one_starts_when_the_earlier_one_has_succeeded(scene: Scene) -> None:
    scene.transfer("first", "after: then\n")
    scene.transfer("then")
    applied = scene.apply()
    assert [item.step for item in scene.said if "/transfer/" in item.step or "/finish/" in item.step] == [
        "dtn1/transfer/then",
        "dtn1/finish/then",
        "dtn1/transfer/first",
        "dtn1/finish/first",
    ]
    assert set(of_transfers(applied).values()) == {"done"}
    assert scene.ended() == {"first": "succeeded", "then": "succeeded"}
    assert applied.remaining is not None
    assert applied.remaining.is_empty


def test_the_later_one_is_not_started_when_the_earlier_one_failed(scene: Scene) -> None:
    scene.transfer("first")
    scene.transfer("then", "after: first\n")
    scene.world.copy.exit_code = 1
    applied = scene.apply()
    assert of_transfers(applied) == {
        "dtn1/transfer/first": "done",
        "dtn1/finish/first": "failed",
        "dtn1/transfer/then": "skipped",
        "dtn1/finish/then": "skipped",
    }
    assert scene.ended() == {"first": "failed"}
    assert [change.code for change in scene.plan().blocked] == ["E0497"]


def test_without_waiting_the_next_apply_after_its_end_starts_the_later_one(scene: Scene) -> None:
    scene.transfer("first")
    scene.transfer("then", "after: first\n")
    applied = scene.apply(wait=False)
    assert of_transfers(applied) == {
        "dtn1/transfer/first": "done",
        "dtn1/finish/first": "done",
        "dtn1/transfer/then": "skipped",
        "dtn1/finish/then": "skipped",
    }
    reasons = {item.reason for item in scene.said if item.result == "skipped"}
    assert reasons == {"it comes after a transfer that was not waited for; the first apply after that one's end starts it"}
    for _ in scene.world.engines[HERE].logs("lab.first.g1a1", follow=True):
        pass  # until the job has ended
    scene.apply()
    assert scene.ended() == {"first": "succeeded", "then": "succeeded"}
