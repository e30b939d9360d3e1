"""What is started must work, and a replacement interrupts nothing before it has to: each scenario is one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.playground import Playground

pytestmark = pytest.mark.lab
SICK = 'HEALTHCHECK --interval=1s --timeout=60s --retries=1 CMD sh -c "echo the disk is missing; exit 1"'
WELL = "HEALTHCHECK --interval=1s --timeout=60s --retries=1 CMD true"


@pytest.fixture
def images(play: Playground) -> Iterator[None]:
    """sick:1 and well:1 have a health check of their own, cache:1 declares a volume."""
    engine = play.engines["dtn1"]
    made = engine.create_container("tiny:1", ["true"], name="made-of")["Id"]
    for name, line in (("sick", SICK), ("well", WELL), ("cache", "VOLUME /cache")):
        engine.commit(made, name, "1", changes=[line])
    engine.remove_container(made)
    yield
    for item in engine.containers(all=True):
        engine.remove_container(item["Id"], force=True, v=True)
    for name in ("sick", "well", "cache"):
        engine.remove_image(f"{name}:1")


def volumes(play: Playground) -> set[str]:
    return {item["Name"] for item in play.engines["dtn1"].volumes()["Volumes"] or ()}


def test_a_replacement_waits_for_the_check_of_its_image_and_goes_back_with_its_last_words_shown_and_kept(
    play: Playground, images: None
) -> None:
    play.session("run")
    play.converge()
    before = play.container("run")
    arguments = ["sh", "-c", "echo hunter22secret; echo no config >&2; exec sleep 100000"]
    play.session("run", image="sick:1", settings={"arguments": arguments, "env": {"PASSWORD": "hunter22secret"}})
    assert "check of the image" in play.plan().expect(0).out
    ran = play.apply().expect(8)
    for words in ("the disk is missing", "no config", "container that was there is back", "sessions logs run --failed"):
        assert words in " ".join(ran.out.split())
    after = play.container("run")
    assert (after["Id"], after["State"]["Running"], play.names()) == (before["Id"], True, {"play.run"})
    kept = play.run("sessions", "logs", "run", "--failed").expect(0)
    assert kept.out.splitlines() == ["the disk is missing", "(value of PASSWORD)", "no config"]
    outcome = ran.out.partition("plan hash")[2]  # the plan above it shows what Git says
    assert "hunter22secret" not in outcome + ran.err + kept.out + kept.err


def test_a_first_start_waits_for_the_check_of_its_image_too(play: Playground, images: None) -> None:
    play.session("good", image="well:1")
    play.converge()
    assert play.container("good")["State"]["Health"]["Status"] == "healthy"
    play.session("bad", image="sick:1")
    assert "the disk is missing" in play.apply().expect(8).out
    again = play.apply().expect(8)
    assert "session bad on dtn1 is as declared but unhealthy" in again.out
    play.session("bad", image="sick:1", settings={"health_check": {"test": ["NONE"]}})
    play.converge()


def test_a_new_service_that_ends_at_once_never_counts_as_applied(play: Playground) -> None:
    play.profile("tiny", restart="no", arguments=["sh", "-c", "echo no config; exit 3"], settle="4s")
    play.session("run")
    for _ in range(2):
        ran = play.apply().expect(8)
        assert "ended with exit code 3" in ran.out
        assert "no config" in ran.out
        assert play.changes() == [("update", "run", "dtn1")], "the plan does not say that all is well"
    play.profile("tiny")
    play.converge()


def test_a_new_service_that_ends_again_and_again_never_counts_as_applied(play: Playground) -> None:
    play.profile("tiny", restart="unless-stopped", arguments=["sh", "-c", "echo no config; exit 3"], settle="4s")
    play.session("run")
    ran = play.apply().expect(8)
    assert "ends again and again" in ran.out
    assert "no config" in ran.out
    container = play.container("run")["Id"]
    ran = play.apply().expect(8)
    assert "1 service does not work" in ran.out
    assert play.container("run")["Id"] == container, "as declared it is left as it is"
    play.profile("tiny")
    play.converge()


def test_a_change_that_the_engine_does_not_create_leaves_the_service_running(play: Playground) -> None:
    play.session("run")
    play.converge()
    before = play.container("run")
    volumes: list[Any] = [{"source": "/data/not-there", "target": "/x"}]
    play.session("run", settings={"volumes": volumes})
    ran = play.apply().expect(3)
    assert "nothing was interrupted" in ran.out
    after = play.container("run")
    assert (after["Id"], after["State"]["StartedAt"]) == (before["Id"], before["State"]["StartedAt"])
    assert play.names() == {"play.run"}
    play.lab.exec("dtn1", ["mkdir", "/data/not-there"])
    play.converge()


def test_a_prepared_container_that_a_killed_run_and_a_restart_of_the_engine_left_running_goes(play: Playground) -> None:
    play.profile("tiny", restart="always")
    play.session("run")
    play.converge()
    engine = play.engines["dtn1"]
    before = play.container("run")
    left = engine.create_container("tiny:1", ["sleep", "100000"], name="play.run..new", labels=before["Config"]["Labels"])["Id"]
    engine.start(left)
    assert play.changes() == [("update", "run", "dtn1")]
    play.converge()
    assert (play.names(), play.container("run")["State"]["StartedAt"]) == ({"play.run"}, before["State"]["StartedAt"])


def test_volumes_without_a_name_go_with_their_container_and_named_ones_stay(play: Playground, images: None) -> None:
    profile = {"volumes": [{"source": "keep", "target": "/keep"}], "restart": "no"}
    play.profile("tiny", **profile)
    before = volumes(play)
    play.session("run", image="cache:1")
    play.converge()
    assert len(volumes(play) - before) == 2
    play.session("run", image="cache:1", settings={"env": {"NEW": "1"}})
    assert "anonymous volume /cache: its content does not survive the replacement" in play.plan().out
    play.converge()
    assert len(volumes(play) - before) == 2
    play.session("run", image="cache:1", settings={"arguments": ["false"], "settle": "5s"})
    play.apply().expect(8)
    assert len(volumes(play) - before) == 2, "the failed replacement's is gone, that of the old one is there"
    play.remove("sessions/run")
    play.converge()
    assert volumes(play) - before == {"keep"}
    play.engines["dtn1"].remove_volume("keep")
