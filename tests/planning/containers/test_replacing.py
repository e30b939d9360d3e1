"""One service through its life: made, changed in place, replaced with a way back, continued after a cut, brought to its state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dtnctl.model.plan import DiscardContainer, RemoveContainer, RestoreContainer, RetireContainer, UpdateContainer, WaitHealthy
from dtnctl.model.resources import Attachment, Health
from tests.planning.building import applied, change, drop, made_by_other_commit, plan, site, world
from tests.planning.listing import changes, details, notes, says, steps
from tests.properties.world import KilledError, World


def session(settings: str = "{}", state: str = "started", on: str = "a") -> str:
    return f"# sessions/one\nendpoints: [{on}]\nimage: dtn:1\nstate: {state}\nsettings: {settings}\n"


CHECK = "{health_check: {test: [check], interval: 2s, timeout: 1s, retries: 3, start_period: 20s}}"


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


def cut_off(settings: str = "{init: true}", effects: int = 0) -> World:
    """A replacement that was killed after so many effects: create, stop, retire, promote, start, and last the old one's removal."""
    made = applied(site(session()))
    made.budget = effects
    with pytest.raises(KilledError):
        made.apply(plan(site(session(settings)), made))
    made.budget = None
    return made


def names(made: World) -> dict[str, str]:
    return {item.name: item.state for item in made.hosts["a"].containers.values()}


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


# --- in place -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("memory: 1GiB", "memory: 2GiB", UpdateContainer("lab.one", memory=2 * 1024**3)),
        ("memory: null", "memory: 2GiB", UpdateContainer("lab.one", memory=2 * 1024**3)),
        ("cpus: 1", "cpus: 2.5", UpdateContainer("lab.one", cpus=2.5)),
        ("cpu_set: 0-1", "cpu_set: 0-3", UpdateContainer("lab.one", cpu_set="0-3")),
        ("memory_nodes: '0'", "memory_nodes: 0-1", UpdateContainer("lab.one", memory_nodes="0-1")),
        ("restart: always", "restart: on-failure", UpdateContainer("lab.one", restart="on-failure:0")),
        ("restart: always", "restart: 'no'", UpdateContainer("lab.one", restart="no")),
    ],
)
def test_what_the_engine_can_change_is_changed_in_place(before: str, after: str, expected: UpdateContainer) -> None:
    made = applied(site(session(f"{{{before}}}")))
    changed = plan(site(session(f"{{{after}}}")), made)
    assert [step.action for step in changed.steps] == [expected]
    assert changes(changed) == ["update session/one @ a: changes container lab.one in place"]
    assert changed.changes[0].interrupts == ""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("memory: 1GiB", "memory: null"),
        ("cpus: 1", "cpus: null"),
        ("cpu_set: 0-1", "cpu_set: null"),
        ("memory_nodes: '0'", "memory_nodes: null"),
        ("shm_size: 64MiB", "shm_size: 128MiB"),
        ("env: {FOO: a}", "env: {FOO: b}"),
        ("env: {FOO: a}", "{}"),
        ("tty: true", "tty: false"),
        ("limits: {memlock: -1}", "limits: {memlock: 1024}"),
        ("capabilities: {add: [NET_ADMIN]}", "capabilities: {drop: [ALL]}"),
        ("sysctls: {net.core.somaxconn: 1}", "sysctls: {net.core.somaxconn: 2}"),
        ("volumes: [/data]", "volumes: ['/data:/data:ro']"),
        ("arguments: a", "arguments: b"),
        ("mgmt_net: bridge", "mgmt_net: host"),
    ],
)
def test_what_it_cannot_change_or_lift_needs_a_new_container(before: str, after: str) -> None:
    made = applied(site(session(f"{{{before}}}")))
    replaced = plan(site(session(after if after == "{}" else f"{{{after}}}")), made)
    assert changes(replaced) == ["replace session/one @ a: replaces container lab.one"]
    assert any(field.forces_replace for field in replaced.changes[0].fields)


def test_sizes_are_said_in_units() -> None:
    made = applied(site(session("{memory: 1GiB, shm_size: 64MiB}")))
    fields = plan(site(session("{memory: null, shm_size: 1025}")), made).changes[0].fields
    assert [(field.field, field.before, field.after) for field in fields] == [("memory", "1 GiB", "none"), ("shm_size", "64 MiB", "1025 B")]


NETS = "# networks/data\ndriver: macvlan\nsubnet: 10.0.0.0/24\n# networks/lan\ndriver: ipvlan\nsubnet: 10.1.0.0/24\n"


def test_a_second_network_comes_and_goes_in_place() -> None:
    other = NETS + "# networks/san\ndriver: ipvlan\nsubnet: 10.2.0.0/24\n"
    made = applied(site(other + session("{data_nets: [data, lan]}")))
    declared = site(other + session("{data_nets: [data, san]}"))
    moved = plan(declared, made)
    says(
        details(moved),
        """
        destroy network/lan @ a: removes network lan
          because no service here uses it
        update session/one @ a: changes container lab.one in place
          because attachments differs (state/sessions/one.yaml:4)
          attachments: bridge, data 10.0.0.2, lan 10.1.0.2 -> bridge, data 10.0.0.2, san 10.2.0.2 (state/sessions/one.yaml:4)
          interrupts: connections of one on a over lan end
        create network/san @ a: creates network san
          because used, not there (state/networks/san.yaml:1)
          driver = ipvlan
          mode = l2
          parent = eth3
          subnet = 10.2.0.0/24
          default route = none
        """,
    )
    says(
        steps(moved),
        """
        a/network/san
        a/disconnect.lan/lab.one <- a/network/san
        a/connect.san/lab.one <- a/disconnect.lan/lab.one
        a/remove-network/lan <- a/disconnect.lan/lab.one
        """,
    )
    made.apply(moved)
    assert plan(declared, made).is_empty


def test_another_primary_network_needs_a_new_container() -> None:
    made = applied(site(NETS + session("{data_nets: [data, lan]}")))
    assert changes(plan(site(NETS + session("{data_nets: [lan, data]}")), made)) == [
        "replace session/one @ a: replaces container lab.one",
    ]


def test_nothing_stops_before_the_network_of_its_successor_is_there() -> None:
    made = applied(site(NETS + session("{data_nets: [data]}")))
    replacing = plan(site(NETS + session("{data_nets: [lan, data]}")), made)
    assert steps(replacing)[:3] == [
        "a/network/lan",
        "a/create/lab.one..new <- a/network/lan (or discard)",
        "a/connect.bridge/lab.one..new <- a/create/lab.one..new (or discard)",
    ]


def test_an_address_by_hand_on_a_second_network_is_taken_back_in_place() -> None:
    declared = site(NETS + session("{data_nets: [data, {name: lan, ipv4: 10.1.0.7}]}"))
    made = applied(declared)
    attachments = (Attachment("bridge"), Attachment("data", "10.0.0.2"), Attachment("lan", "10.1.0.9"))
    change(made, "a", "lab.one", attachments=attachments, addresses=attachments)
    assert steps(plan(declared, made)) == ["a/disconnect.lan/lab.one", "a/connect.lan/lab.one <- a/disconnect.lan/lab.one"]


def test_a_change_in_place_of_a_container_that_should_run_starts_it_too() -> None:
    made = applied(site(session()))
    change(made, "a", "lab.one", state="exited")
    changed = plan(site(session("{memory: 9GiB}")), made)
    assert changes(changed) == ["update session/one @ a: changes container lab.one in place, starts it"]
    assert steps(changed) == [
        "a/update/lab.one",
        "a/start/lab.one <- a/update/lab.one",
        "a/wait/lab.one <- a/start/lab.one",
    ]


# --- states -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "declared_state", "expected"),
    [
        ("created", "started", ["update session/one @ a: starts container lab.one"]),
        ("exited", "started", ["drift: update session/one @ a: starts container lab.one"]),
        ("paused", "started", ["drift: update session/one @ a: restarts container lab.one"]),
        ("running", "started", []),
        ("restarting", "started", []),
        ("created", "initialized", []),
        ("exited", "initialized", []),
        ("running", "initialized", ["update session/one @ a: stops container lab.one"]),
        ("created", "stopped", []),
        ("exited", "stopped", []),
        ("running", "stopped", ["update session/one @ a: stops container lab.one"]),
        ("restarting", "stopped", ["update session/one @ a: stops container lab.one"]),
        ("paused", "stopped", ["update session/one @ a: stops container lab.one"]),
    ],
)
def test_a_container_is_brought_to_its_declared_state(state: Any, declared_state: str, expected: list[str]) -> None:
    """What runs longer than declared, or never ran, is called no drift: Git changed more likely than the endpoint."""
    declared = site(session(state=declared_state))
    made = applied(declared)
    change(made, "a", "lab.one", state=state)
    assert changes(plan(declared, made)) == expected


def test_a_paused_container_is_stopped_before_it_is_started() -> None:
    """The engine refuses to start a paused one."""
    declared = site(session(CHECK))
    made = applied(declared)
    change(made, "a", "lab.one", state="paused")
    says(
        steps(plan(declared, made)),
        """
        a/stop/lab.one
        a/start/lab.one <- a/stop/lab.one
        a/wait/lab.one <- a/start/lab.one
        """,
    )
    assert plan(declared, made).changes[0].interrupts == ""


def test_the_reason_of_a_start_is_how_it_ended() -> None:
    declared = site(session())
    made = applied(declared)
    change(made, "a", "lab.one", state="exited", exit_code=137)
    says(
        details(plan(declared, made)),
        """
        drift: update session/one @ a: starts container lab.one
          because it is exited (exit code 137), declared started (state/sessions/one.yaml:3)
          state: exited (exit code 137) -> started (state/sessions/one.yaml:3)
        """,
    )


def test_a_service_that_is_as_declared_but_ill_is_noted() -> None:
    declared = site(session() + session().replace("sessions/one", "sessions/two"))
    made = applied(declared)
    change(made, "a", "lab.one", health="unhealthy")
    change(made, "a", "lab.two", state="restarting", exit_code=3)
    assert plan(declared, made).is_empty
    failing = [
        "session one on a is as declared but unhealthy",
        "session two on a is as declared but restarting again and again (exit code 3)",
    ]
    assert notes(plan(declared, made)) == list(plan(declared, made).failing) == failing


@pytest.mark.parametrize("state", ["stopped", "initialized"])
def test_a_service_that_is_declared_not_to_run_does_not_fail_when_it_does_not(state: str) -> None:
    """The engine calls a container unhealthy as soon as it is stopped."""
    declared = site(session(CHECK, state=state))
    made = applied(declared)
    change(made, "a", "lab.one", state="exited", health="unhealthy")
    assert (plan(declared, made).failing, notes(plan(declared, made))) == ((), [])


# --- drift or change ----------------------------------------------------------------------------------------


def test_a_difference_to_what_git_said_at_creation_is_drift_and_a_change_in_git_is_none() -> None:
    declared = site(session("{init: true}"))
    made = applied(declared)
    change(made, "a", "lab.one", init=False)
    assert plan(declared, made).changes[0].is_drift
    made_by_other_commit(made, "a", "lab.one")
    assert not plan(declared, made).changes[0].is_drift


IN_PLACE_FIELDS = {
    "memory": ("64MiB", "128MiB", 96 * 1024**2),
    "cpus": ("1", "2", 1.5),
    "cpu_set": ('"0"', '"0-1"', "1"),
    "restart": ("always", "unless-stopped", "on-failure"),
}


@pytest.mark.parametrize("field", IN_PLACE_FIELDS)
def test_what_changes_after_an_update_in_place_may_be_drift_and_nothing_that_was_not_touched(field: str) -> None:
    first, second, by_hand = IN_PLACE_FIELDS[field]
    made = applied(site(session(f"{{{field}: {first}}}")))
    changed = site(session(f"{{{field}: {second}}}"))
    updating = plan(changed, made)
    assert [(item.mark, item.is_drift, item.may_be_drift) for item in updating.changes] == [("update", False, False)], (
        "it is as it was made"
    )
    made.apply(updating)
    assert plan(changed, made).is_empty
    change(made, "a", "lab.one", **{field: by_hand})
    assert [(item.mark, item.is_drift, item.may_be_drift) for item in plan(changed, made).changes] == [("update", False, True)]


def test_a_service_that_stops_after_an_update_in_place_has_drifted() -> None:
    made = applied(site(session("{memory: 64MiB}")))
    changed = site(session("{memory: 128MiB}"))
    made.apply(plan(changed, made))
    change(made, "a", "lab.one", state="exited", exit_code=1)
    assert [(item.mark, item.is_drift) for item in plan(changed, made).changes] == [("update", True)]


IN_GIT = ["env: {A: b}", "arguments: [serve, more]", "init: true", "dns: [10.0.0.9]", "user: other", "shm_size: 1MiB", "memory: 1GiB"]
IN_GIT += ["health_check: {test: [CMD, ok]}", "systemd: true", "volumes: [{source: vol, target: /v}]", "restart: always", "tty: false"]


@pytest.mark.parametrize("written", IN_GIT)
def test_what_is_still_as_it_was_made_differs_because_git_changed(written: str) -> None:
    """Also what the image adds is not taken for a change."""
    made = applied(site(session()))
    (found,) = plan(site(session(f"{{{written}}}")), made).changes
    assert (found.is_drift, found.may_be_drift) == (False, False)
    back = applied(site(session(f"{{{written}}}")))
    (found,) = plan(site(session()), back).changes
    assert (found.is_drift, found.may_be_drift) == (False, False)


def test_a_container_made_again_by_hand_after_an_update_in_place_may_have_drifted() -> None:
    """Its labels were copied, as web interfaces do."""
    made = applied(site(session("{memory: 64MiB}")))
    changed = site(session("{memory: 128MiB}"))
    made.apply(plan(changed, made))
    change(made, "a", "lab.one", init=True)
    assert [(item.mark, item.is_drift, item.may_be_drift) for item in plan(changed, made).changes] == [("replace", False, True)]


def test_what_an_image_that_is_gone_added_is_no_change_of_the_endpoint() -> None:
    made = applied(site(session()))
    made.hosts["a"].images.clear()
    found = [item for item in plan(site(session("{memory: 1GiB}")), made).changes if item.kind == "session"]
    assert [(item.is_drift, item.may_be_drift) for item in found] == [(False, False)] * len(found)


def test_a_container_that_is_asked_to_be_replaced_did_not_drift() -> None:
    declared = site(session())
    says(
        details(plan(declared, applied(declared), replace=("session/one",))),
        """
        replace session/one @ a: replaces container lab.one
          because asked for by --replace
          container: as it is -> a new one !
          image = dtn:1
          ctrl_port = 30000
          bridge = address by the engine
          memory = 8 GiB
          interrupts: one on a is down while the old container stops and the new one, created before, starts
        """,
    )


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
