"""Images of services: pulled before anything stops, moved tags, registries that do not answer."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.actions import RemoveContainer
from tests.planning.building import applied, change, drop, plan, site, world
from tests.planning.containers.services import cut_off, session
from tests.planning.listing import details, notes, says, steps

# --- images -------------------------------------------------------------------------------------------------


def test_an_image_that_is_gone_is_not_missed_by_the_container_that_runs_from_it() -> None:
    declared = site(session("{env: {FOO: bar}}"))
    made = applied(declared)
    made.hosts["a"].images.clear()
    assert plan(declared, made).is_empty
    change(made, "a", "lab.one", sysctls=(("net.core.somaxconn", "1"),))
    assert plan(declared, made).steps[0].id == "a/pull/dtn:1"


def test_pull_never_refuses_only_who_needs_the_image() -> None:
    text = session("{pull: never}")
    made = applied(site(text))
    made.hosts["a"].images.clear()
    assert plan(site(text), made).is_empty
    drop(made, "a", "lab.one")
    says(
        details(plan(site(text), made)),
        """
        blocked session/one @ a: E0430
          because image dtn:1 is not on a and `pull: never` (state/sessions/one.yaml:4)
          fix: pull: missing
        """,
    )


def test_a_tag_that_names_another_image_here_is_a_difference_and_its_variables_are_not() -> None:
    made = applied(site(session()))
    host = made.hosts["a"]
    host.images["dtn:1"] = replace(host.images["dtn:1"], id="sha256:other", env=(("PATH", "/bin"), ("VERSION", "2")))
    assert [field.field for field in plan(site(session()), made).changes[0].fields] == ["image"]


def test_another_image_that_is_not_here_is_pulled_before_the_old_one_stops() -> None:
    made = applied(site(session()))
    declared = site(session().replace("dtn:1", "dtn:2"))
    says(
        details(plan(declared, made)),
        """
        replace session/one @ a: replaces container lab.one
          because image differs (state/sessions/one.yaml:2)
          image: dtn:1 -> dtn:2 (not here yet) ! (state/sessions/one.yaml:2)
          ctrl_port = 30000
          bridge = address by the engine
          memory = 8 GiB
          note image dtn:2 is pulled first
          note waits until healthy if the image that is pulled has a health check, else until it has run for 1 s
          interrupts: one on a is down while the old container stops and the new one, created before, starts
        """,
    )
    assert steps(plan(declared, made))[:2] == ["a/pull/dtn:2", "a/create/lab.one..new <- a/pull/dtn:2 (or discard)"]


def test_a_registry_that_does_not_answer_is_noted_and_asked_again_only_for_a_new_container() -> None:
    declared = site(session("{pull: always}"))
    made = world(declared)
    assert plan(declared, made).steps[0].id == "a/pull/dtn:1"
    made.apply(plan(declared, made))
    assert plan(declared, made).is_empty
    assert notes(plan(declared, made)) == ["the registry did not say what dtn:1 is now; a keeps the image that it has"]


def test_a_tag_that_did_not_move_is_not_pulled() -> None:
    declared = site(session("{pull: always}"))
    made = world(declared)
    made.registry["dtn:1"] = 1
    assert steps(plan(declared, made))[:2] == ["a/create/lab.one", "a/start/lab.one <- a/create/lab.one"]


def test_a_moved_tag_says_the_new_digest_and_is_no_drift() -> None:
    declared = site(session("{pull: always}"))
    made = applied(declared)
    made.registry["dtn:1"] = 2
    says(
        details(plan(declared, made)),
        """
        replace session/one @ a: replaces container lab.one
          because image differs (state/sessions/one.yaml:2)
          image: dtn:1 -> dtn:1 (dtn:12 in the registry) ! (state/sessions/one.yaml:2)
          ctrl_port = 30000
          bridge = address by the engine
          memory = 8 GiB
          note image dtn:1 is pulled first
          note waits until healthy if the image that is pulled has a health check, else until it has run for 1 s
          interrupts: one on a is down while the old container stops and the new one, created before, starts
        """,
    )


def test_a_container_whose_image_is_unknown_is_judged_by_what_we_say() -> None:
    """Removed by force: what the container has beyond our words counts as inherited."""
    declared = site(session("{arguments: serve, entrypoint: /init}"))
    made = applied(declared)
    made.hosts["a"].images.clear()
    assert plan(declared, made).is_empty
    other = plan(site(session("{arguments: serve, entrypoint: /init}").replace("dtn:1", "dtn:3")), made)
    assert [(field.field, field.after) for field in other.changes[0].fields] == [("image", "dtn:3 (not here yet)")]


def test_everything_of_ours_is_removed_by_id() -> None:
    made = cut_off(effects=5)
    ids = {item.id for item in made.hosts["a"].containers.values()}
    actions = [step.action for step in plan(site(session()), made).steps]
    removed = [action.id for action in actions if isinstance(action, RemoveContainer)]
    assert len(removed) == 2
    assert ids.issuperset(removed)
