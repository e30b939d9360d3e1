"""An endpoint gets another name: the host is the same, its ledger too, and what ran there before does not run again."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import docker
import pytest

from tests.faults.harness import Stage, warm_up

APPLY = ("apply", "--yes")
RENAMED = {
    "sessions/climate": "endpoints: [north, dtn2]\nimage: dtn:1\nprofile: dtn\n",
    "transfers/run14": "from: north:/data/run14.nc\nto: dtn2:/data/run14.nc\ntool: gridftp\n",
}


@pytest.fixture
def stage() -> Iterator[Stage]:
    """The transfer ran from dtn1, which is called north by now."""
    warm_up()
    with Stage() as stage:
        ended = stage.run(*APPLY)
        assert (ended.code, starts(stage)) == (0, 1), ended.text
        stage.write(RENAMED)
        endpoints = stage.root / "state" / "endpoints"
        (endpoints / "dtn1.yaml").rename(endpoints / "north.yaml")
        yield stage


def starts(stage: Stage) -> int:
    return sum(item["count"] for item in stage.ask("GET", "starts") if item["name"].startswith("demo.run14.g"))


def remove_what_has_the_old_name(stage: Stage) -> None:
    """As the plan advises: objects that carry the endpoint's old name are not touched by dtnctl."""
    engine = docker.APIClient(base_url=f"unix://{stage.sockets['dtn1']}", version="1.41")
    for name in ("demo.climate", "demo.control.ledger"):
        engine.remove_container(name, force=True)
    engine.remove_network("data")
    engine.close()


def test_a_transfer_that_ran_before_its_endpoint_was_renamed_does_not_run_again(stage: Stage) -> None:
    before = stage.run(*APPLY)
    assert (before.code, starts(stage)) == (4, 1), before.text
    assert "was made as demo.climate on the endpoint dtn1" in before.text
    remove_what_has_the_old_name(stage)
    after = stage.run(*APPLY)
    assert (after.code, starts(stage)) == (0, 1), after.text
    assert "already ran, receipt found" in after.text
    shown = json.loads(stage.run("transfers", "show", "run14", "-o", "json").text)["transfer"]
    assert (shown["state"], shown["from"]) == ("succeeded", "north:/data/run14.nc")


def test_with_the_mirror_the_plan_shows_at_once_that_it_ran(stage: Stage) -> None:
    subprocess.run(["git", "-C", str(stage.root), "init", "--quiet"], check=True)
    endpoints = stage.root / "state" / "endpoints"
    stage.write()
    (endpoints / "north.yaml").unlink(missing_ok=True)
    assert stage.run(*APPLY).code == 0  # mirrors what was there before the repository
    stage.write(RENAMED)
    (endpoints / "dtn1.yaml").rename(endpoints / "north.yaml")
    remove_what_has_the_old_name(stage)
    plan, _ = json.JSONDecoder().raw_decode(stage.run("plan", "-o", "json").text)  # a note on stderr follows
    assert [(note["name"], note["state"]) for note in plan["transfers"]] == [("run14", "succeeded")]
    assert (stage.run(*APPLY).code, starts(stage)) == (0, 1)
