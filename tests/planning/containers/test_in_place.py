"""One service changed in place and brought to its state, and which differences are drift."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dtnctl.model.actions import UpdateContainer
from dtnctl.model.resources import Attachment
from dtnctl.planning.report import service_rows
from tests.planning.building import NOW, applied, change, made_by_other_commit, plan, site
from tests.planning.containers.services import CHECK, session
from tests.planning.listing import changes, details, notes, says, steps

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


AGAIN = "restarting again and again (4 times, the last one less than 10 s ago)"


@pytest.mark.parametrize(
    ("restarts", "since", "ahead", "expected"),
    [
        (4, 9, None, AGAIN),  # between two ends it runs, for a moment
        (4, 10, None, ""),
        (3, 9, None, ""),  # it may have ended before its address could be used
        (4, 20, -15, AGAIN),  # 5 s ago by the engine's clock
        (4, 9, 15, ""),
    ],
)
def test_one_that_ends_again_and_again_runs_between_two_ends(restarts: int, since: int, ahead: int | None, expected: str) -> None:
    declared = site(session())
    made = applied(declared)
    change(made, "a", "lab.one", restart_count=restarts, started_at=(NOW - timedelta(seconds=since)).isoformat())
    snapshot = made.observe()
    seen = replace(snapshot, endpoints={"a": replace(snapshot.endpoints["a"], clock_ahead=ahead)})
    failing = tuple(f"session one on a is as declared but {expected}" for _ in [expected] if expected)
    assert plan(declared, seen).failing == failing
    assert [row.errors for row in service_rows(declared, seen, NOW)] == [(expected,) if expected else ()]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (
            {"error": "Unschedulable: 0/1 nodes are available:\n1 Insufficient memory."},
            "does not run: Unschedulable: 0/1 nodes are available: 1 Insufficient memory.",
        ),
        (
            {"error": "CrashLoopBackOff: back-off 10s", "restart_count": 2},
            "restarting again and again (exit code 0): CrashLoopBackOff: back-off 10s",
        ),
    ],
)
def test_why_a_service_does_not_run_is_noted_in_the_words_of_its_cluster(how: dict[str, Any], said: str) -> None:
    """A pod that no node took was called one that is restarted again and again."""
    declared = site(session())
    made = applied(declared)
    change(made, "a", "lab.one", state="restarting", **how)
    assert notes(plan(declared, made)) == [f"session one on a is as declared but {said}"]
    assert [row.errors for row in service_rows(declared, made.observe(), NOW)] == [(said,)]


@pytest.mark.parametrize(("since", "said"), [(59, ()), (60, ("does not run: nothing reports why",))])
def test_a_pod_that_was_made_a_moment_ago_is_no_fault_while_nothing_is_said_of_it(since: int, said: tuple[str, ...]) -> None:
    """The run after one that was killed called a service broken whose pod was just being created."""
    declared = site(session())
    made = applied(declared)
    change(made, "a", "lab.one", state="restarting", exit_code=0, started_at=(NOW - timedelta(seconds=since)).isoformat())
    assert [row.errors for row in service_rows(declared, made.observe(), NOW)] == [said]
    assert bool(plan(declared, made).failing) == bool(said)


def test_a_restart_of_which_not_even_the_time_is_known_is_named() -> None:
    declared = site(session())
    made = applied(declared)
    change(made, "a", "lab.one", state="restarting", exit_code=0, started_at="")
    assert notes(plan(declared, made)) == ["session one on a is as declared but restarting again and again (exit code 0)"]


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
