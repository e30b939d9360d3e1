"""One service through a replacement: with a way back, continued after a cut, waited for until it works."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dtnctl.model.actions import DiscardContainer, RemoveContainer, RestoreContainer, RetireContainer, WaitHealthy
from dtnctl.model.resources import Attachment, Health
from tests.planning.building import applied, change, drop, plan, site, world
from tests.planning.containers.services import CHECK, cut_off, names, session
from tests.planning.listing import details, says, steps
from tests.properties.world import World


def test_a_new_service_with_a_health_check_is_waited_for() -> None:
    declared = site(session(CHECK))
    made = plan(declared, world(declared))
    says(
        steps(made),
        """
        a/create/lab.one
        a/start/lab.one <- a/create/lab.one
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    assert WaitHealthy("lab.one", timeout=32.0, settle=1.0) in [step.action for step in made.steps]


def test_a_replacement_is_created_first_and_the_old_one_is_kept_until_the_new_one_works() -> None:
    made = applied(site(session()))
    says(
        details(plan(site(session("{init: true}")), made)),
        """
        replace session/one @ a: replaces container lab.one
          because init differs (state/sessions/one.yaml:4)
          init: no -> yes ! (state/sessions/one.yaml:4)
          image = dtn:1
          ctrl_port = 30000
          bridge = address by the engine
          memory = 8 GiB
          interrupts: one on a is down while the old container stops and the new one, created before, starts
        """,
    )
    replacing = plan(site(session("{init: true}")), made)
    says(
        steps(replacing),
        """
        a/create/lab.one..new (or discard)
        a/stop/lab.one <- a/create/lab.one..new (or back)
        a/retire/lab.one <- a/stop/lab.one (or back)
        a/promote/lab.one <- a/retire/lab.one (or back)
        a/start/lab.one <- a/promote/lab.one (or back)
        a/wait/lab.one <- a/start/lab.one (or back)
        a/remove/lab.one..old <- a/wait/lab.one
        """,
    )
    old = made.hosts["a"].by_name("lab.one")
    assert old is not None
    assert replacing.steps[0].undo == DiscardContainer("lab.one..new")
    assert replacing.steps[2].action == RetireContainer("lab.one", old.id)
    assert {step.undo for step in replacing.steps[1:-1]} == {RestoreContainer("lab.one", old.id, start=True)}
    assert (replacing.steps[-1].undo, replacing.steps[-1].action) == (None, RemoveContainer("lab.one..old", old.id))
    assert WaitHealthy("lab.one", timeout=1.0, settle=1.0) in [step.action for step in replacing.steps]


def test_a_stopped_service_is_replaced_without_a_start() -> None:
    made = applied(site(session(state="stopped")))
    assert steps(plan(site(session("{init: true}", state="stopped")), made)) == [
        "a/remove/lab.one",
        "a/create/lab.one <- a/remove/lab.one",
    ]
    change(made, "a", "lab.one", state="exited", started_at="2026-05-01T00:00:00Z")
    says(
        steps(plan(site(session("{init: true}", state="stopped")), made)),
        """
        a/create/lab.one..new (or discard)
        a/retire/lab.one <- a/create/lab.one..new (or back)
        a/promote/lab.one <- a/retire/lab.one (or back)
        a/remove/lab.one..old <- a/promote/lab.one
        """,
    )


@pytest.mark.parametrize("state", ["dead", "removing"])
def test_a_container_that_the_engine_gave_up_is_made_anew(state: Any) -> None:
    declared = site(session())
    made = applied(declared)
    change(made, "a", "lab.one", state=state)
    assert details(plan(declared, made))[:2] == [
        "drift: replace session/one @ a: replaces container lab.one",
        f"  because it is {state}, declared started (state/sessions/one.yaml:3)",
    ]
    assert steps(plan(declared, made))[0] == "a/remove/lab.one"


def test_a_replacement_cut_off_after_the_stop_begins_again() -> None:
    made = cut_off(effects=2)
    assert names(made) == {"lab.one": "exited", "lab.one..new": "created"}
    says(
        steps(plan(site(session("{init: true}")), made)),
        """
        a/remove/lab.one..new
        a/create/lab.one..new <- a/remove/lab.one..new (or discard)
        a/retire/lab.one <- a/create/lab.one..new (or back)
        a/promote/lab.one <- a/retire/lab.one (or back)
        a/start/lab.one <- a/promote/lab.one (or back)
        a/wait/lab.one <- a/start/lab.one (or back)
        a/remove/lab.one..old <- a/wait/lab.one
        """,
    )


def test_a_replacement_cut_off_after_the_old_one_was_set_aside_goes_on() -> None:
    made = cut_off(effects=3)
    assert names(made) == {"lab.one..old": "exited", "lab.one..new": "created"}
    says(
        details(plan(site(session("{init: true}")), made)),
        """
        replace session/one @ a: resumes replacing container lab.one
          because a replacement was cut off (state/sessions/one.yaml:1)
          image = dtn:1
          ctrl_port = 30000
          bridge = address by the engine
          memory = 8 GiB
          note container lab.one..new, left by a replacement that was cut off, is removed first
        """,
    )
    says(
        steps(plan(site(session("{init: true}")), made)),
        """
        a/remove/lab.one..new
        a/create/lab.one <- a/remove/lab.one..new (or back)
        a/start/lab.one <- a/create/lab.one (or back)
        a/wait/lab.one <- a/start/lab.one (or back)
        a/remove/lab.one..old <- a/wait/lab.one
        """,
    )


def test_a_replacement_cut_off_before_the_new_one_started_starts_it() -> None:
    made = cut_off(effects=4)
    assert names(made) == {"lab.one": "created", "lab.one..old": "exited"}
    says(
        details(plan(site(session("{init: true}")), made)),
        """
        update session/one @ a: completes the replacement of container lab.one
          because a replacement was cut off (state/sessions/one.yaml:1)
          state: created -> started (state/sessions/one.yaml:3)
        """,
    )
    says(
        steps(plan(site(session("{init: true}")), made)),
        """
        a/start/lab.one (or back)
        a/wait/lab.one <- a/start/lab.one (or back)
        a/remove/lab.one..old <- a/wait/lab.one
        """,
    )


def test_a_replacement_cut_off_when_both_are_there_only_proves_the_new_one() -> None:
    made = cut_off(effects=5)
    assert names(made) == {"lab.one": "running", "lab.one..old": "exited"}
    says(
        steps(plan(site(session("{init: true}")), made)),
        """
        a/wait/lab.one (or back)
        a/remove/lab.one..old <- a/wait/lab.one
        """,
    )


def test_a_replacement_that_is_wrong_by_now_is_made_again_and_the_old_one_is_still_the_way_back() -> None:
    made = cut_off(effects=5)
    says(
        steps(plan(site(session("{init: true, tty: false}")), made)),
        """
        a/stop/lab.one (or back)
        a/remove/lab.one <- a/stop/lab.one (or back)
        a/create/lab.one <- a/remove/lab.one (or back)
        a/start/lab.one <- a/create/lab.one (or back)
        a/wait/lab.one <- a/start/lab.one (or back)
        a/remove/lab.one..old <- a/wait/lab.one
        """,
    )


def test_an_old_container_that_an_engine_started_again_is_stopped_before_its_successor_starts() -> None:
    """`restart: always` brings it back with the host, on the ports of the new one."""
    made = cut_off(effects=4)
    change(made, "a", "lab.one..old", state="running")
    assert steps(plan(site(session("{init: true}")), made))[0] == "a/stop/lab.one..old (or back)"


def test_a_cut_replacement_of_a_session_that_is_to_be_stopped_ends_stopped() -> None:
    made = cut_off(effects=5)
    declared = site(session("{init: true}", state="stopped"))
    says(
        steps(plan(declared, made)),
        """
        a/stop/lab.one (or back)
        a/remove/lab.one..old <- a/stop/lab.one
        """,
    )
    made.apply(plan(declared, made))
    assert plan(declared, made).is_empty


@pytest.mark.parametrize("effects", range(6))
def test_wherever_a_replacement_is_cut_off_the_next_apply_ends_it(effects: int) -> None:
    made = cut_off(effects=effects)
    declared = site(session("{init: true}"))
    made.apply(plan(declared, made))
    assert names(made) == {"lab.one": "running"}
    assert plan(declared, made).is_empty


def test_a_container_that_was_created_but_not_connected_is_completed() -> None:
    text = "# networks/net\ndriver: macvlan\nsubnet: 10.0.0.0/24\n" + session("{data_nets: [net]}")
    made = applied(site(text))
    change(made, "a", "lab.one", state="created", started_at="", attachments=(Attachment("net", "10.0.0.2"),))
    assert steps(plan(site(text), made)) == [
        "a/connect.bridge/lab.one",
        "a/start/lab.one <- a/connect.bridge/lab.one",
        "a/wait/lab.one <- a/start/lab.one",
    ]


@pytest.mark.parametrize("effects", range(1, 4))
def test_a_replacement_that_is_not_wanted_any_more_goes_back_or_leaves_nothing(effects: int) -> None:
    made = cut_off(effects=effects)
    declared = site(session())
    made.apply(plan(declared, made))
    assert names(made) == {"lab.one": "running"}
    assert plan(declared, made).is_empty


def test_what_a_replacement_left_that_is_not_wanted_any_more_is_removed_and_nothing_interrupted() -> None:
    made = cut_off(effects=1)
    says(
        details(plan(site(session()), made)),
        """
        update session/one @ a: removes container lab.one..new
          because a replacement was cut off (state/sessions/one.yaml:1)
          note container lab.one..new, left by a replacement that was cut off, is removed first
        """,
    )


def test_one_that_a_restart_of_the_engine_started_is_stopped_first() -> None:
    """`restart: always` starts a created container, too."""
    made = cut_off(effects=1)
    change(made, "a", "lab.one..new", state="running")
    change(made, "a", "lab.one", state="exited", started_at="2026-05-01T00:00:00Z")
    left = plan(site(session()), made)
    says(
        steps(left),
        """
        a/stop/lab.one..new
        a/remove/lab.one..new <- a/stop/lab.one..new
        a/start/lab.one <- a/remove/lab.one..new, a/stop/lab.one..new
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    assert left.changes[0].interrupts == ""
    made.apply(left)
    assert names(made) == {"lab.one": "running"}


def test_only_what_a_replacement_prepared_is_left_and_its_choices_stay() -> None:
    made = cut_off(effects=1)
    change(made, "a", "lab.one..new", ports=(), env=(("CTRL_PORT", "30007"),))
    drop(made, "a", "lab.one")
    again = plan(site(session("{init: true}")), made)
    assert (again.changes[0].mark, again.changes[0].cause.text) == ("create", "declared, not there")
    assert "a/remove/lab.one..new" in steps(again)
    made.apply(again)
    assert names(made) == {"lab.one": "running"}


def test_a_port_that_only_a_prepared_container_was_made_for_is_free() -> None:
    made = cut_off(effects=1)
    declared = site(session("{ctrl_port_range: [30000, 30000]}").replace("sessions/one", "sessions/two"))
    assert [item.mark for item in plan(declared, made, excludes=("session/one",)).changes] == ["blocked"], "it stays, and keeps its port"
    both = site(session() + session("{init: true}").replace("sessions/one", "sessions/two"))
    made.apply(plan(both, made))
    assert sorted(names(made)) == ["lab.one", "lab.two"]


# --- which health check, and for how long --------------------------------------------------------------------

THEIRS = Health(("CMD", "theirs"), interval=0.0, timeout=0.0, retries=1, start_period=0.0)


def sick(made: World) -> World:
    """The image has a health check of its own."""
    for host in made.hosts.values():
        host.images["dtn:1"] = replace(host.images["dtn:1"], health=THEIRS)
    return made


def test_the_check_of_the_image_is_waited_for_as_long_as_the_engine_takes_with_it() -> None:
    declared = site(session())
    made = sick(world(declared))
    wanted = plan(declared, made)
    assert wanted.changes[0].notes == ("waits until healthy (check of the image), 120 s at most",)
    assert wanted.steps[-1].action == WaitHealthy("lab.one", timeout=120.0, settle=1.0)
    made.apply(wanted)
    change(made, "a", "lab.one", state="exited")
    assert plan(declared, made).changes[0].notes == ("waits until healthy (check of the image), 120 s at most",)


def test_the_check_of_the_profile_or_none_wins_over_that_of_the_image() -> None:
    for settings, notes_of, timeout in (
        (CHECK, ("waits until healthy (check of the profile), 32 s at most",), 32.0),
        ("{health_check: {test: NONE}}", (), 1.0),
        ("{health_check: {test: [NONE]}, settle: 5s}", (), 5.0),
    ):
        declared = site(session(settings))
        wanted = plan(declared, sick(world(declared)))
        assert (wanted.changes[0].notes, wanted.steps[-1].action.timeout) == (notes_of, timeout)  # type: ignore[union-attr]  # a WaitHealthy


def test_the_check_of_an_image_that_is_pulled_in_this_run_is_not_known() -> None:
    declared = site(session())
    wanted = plan(declared, world(declared, images=()))
    assert "waits until healthy if the image that is pulled has a health check, else until it has run for 1 s" in wanted.changes[0].notes
    assert wanted.steps[-1].action == WaitHealthy("lab.one", timeout=None, settle=1.0)


@pytest.mark.parametrize("settings", ["{memory: 9GiB}", "{}"])
def test_everything_that_is_started_is_waited_for(settings: str) -> None:
    made = applied(site(session()))
    change(made, "a", "lab.one", state="exited", exit_code=3)
    started = plan(site(session(settings)), made)
    assert steps(started)[-2:][1] == "a/wait/lab.one <- a/start/lab.one"


# --- volumes without a name ----------------------------------------------------------------------------------


def test_a_replacement_and_a_removal_say_which_volumes_without_a_name_they_lose() -> None:
    made = applied(site(session()))
    change(made, "a", "lab.one", anonymous_volumes=("/cache", "/var/lib/x"))
    lost = ("anonymous volume /cache: its content does not survive the replacement",)
    assert plan(site(session("{init: true}")), made).changes[0].notes[:1] == lost
    (gone,) = plan(site("# profiles/default\n{}\n"), made).changes
    assert gone.notes[0] == "anonymous volume /cache is removed with its content"
    assert plan(site(session("{memory: 9GiB}")), made).changes[0].notes == ()
