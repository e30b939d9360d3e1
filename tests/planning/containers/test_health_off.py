"""A health check that is switched off: the image's own does not count, and nothing is waited for."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.actions import WaitHealthy
from dtnctl.model.resources import NO_HEALTH, ContainerSpec, Health, ImageSeen
from dtnctl.planning.containers.compare import fill_in
from tests.planning.building import applied, plan, site, world

OFF = "# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {health_check: {test: [NONE]}}\n"
THEIRS = Health(("CMD", "theirs"), 7.0, 6.0, 5, 4.0)


def test_live_container_shows_no_check_where_the_images_own_is_switched_off() -> None:
    image = ImageSeen("sha256:1", health=THEIRS)
    assert fill_in(ContainerSpec("dtn:1", health=NO_HEALTH), image).health is None
    assert fill_in(ContainerSpec("dtn:1", health=NO_HEALTH), replace(image, health=None)).health is None


def test_service_without_a_check_is_created_so_and_only_settles() -> None:
    declared = site(OFF)
    empty = world(declared)
    empty.hosts["a"].images["dtn:1"] = replace(empty.hosts["a"].images["dtn:1"], health=THEIRS)
    made = plan(declared, empty)
    assert [step.action for step in made.steps if isinstance(step.action, WaitHealthy)] == [WaitHealthy("lab.one", timeout=1.0, settle=1.0)]
    assert made.changes[0].notes == ()
    assert next(iter(applied(declared).hosts["a"].active)).spec.health is None


def test_replacement_without_a_check_only_settles() -> None:
    made = applied(site(OFF))
    again = plan(site(OFF.replace("settings: {", "settings: {init: true, ")), made)
    [wait] = [step.action for step in again.steps if isinstance(step.action, WaitHealthy)]
    assert wait.settle > 0
