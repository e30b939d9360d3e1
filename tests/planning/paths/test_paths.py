"""Paths between sites: asked for and waited for before their networks are made, kept as they are, released after these are gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dtnctl.model.path_actions import DeactivatePath, ReleasePath, WaitPath
from dtnctl.model.path_kinds import PATH_KINDS
from dtnctl.model.paths import PathState
from dtnctl.model.resources import EndpointSeen
from dtnctl.planning.paths.steps import making, modifying, path_steps, releasing
from tests.planning.building import change, plan, site, world
from tests.planning.listing import changes, steps
from tests.planning.paths.scene import (
    ASKED,
    PORTS,
    SESSION,
    SITE,
    SPEC,
    STATIC,
    WAN,
    declared,
    left,
    look,
    planned,
    provider,
    running,
    seen,
)

ROW = PATH_KINDS["nsi"]


# --- asked for ----------------------------------------------------------------------------------------------


def test_path_is_asked_for_activated_and_waited_for_before_its_networks_are_made() -> None:
    text = declared()
    first = planned(text, world(text))
    assert [line for line in steps(first) if "path" in line and line.startswith("anagram")] == [
        "anagram/request-path/a2b",
        "anagram/wait-reserved-path/a2b <- anagram/request-path/a2b",
        "anagram/activate-path/a2b <- anagram/wait-reserved-path/a2b",
        "anagram/wait-active-path/a2b <- anagram/activate-path/a2b",
    ]
    assert "a/network/wan <- anagram/wait-active-path/a2b" in steps(first)
    assert "a/create/lab.one <- a/network/wan, anagram/wait-active-path/a2b" in steps(first)


def test_plan_shows_every_choice_of_a_path() -> None:
    text = declared()
    (shown,) = [item for item in planned(text, world(text)).changes if item.kind == "path"]
    assert (shown.mark, shown.summary, shown.cause.text, shown.cause.place) == (
        "create",
        "makes path a2b",
        "declared, not there",
        "state/paths/a2b.yaml:1",
    )
    assert shown.allocations == (("vlan", "1790"), ("end", PORTS[0]), ("end", PORTS[1]), ("bandwidth", "10000mbit"))
    assert shown.notes == ("anagram may need minutes; each step waits up to 10 min, and the next apply goes on from there",)


def test_path_that_is_active_as_declared_needs_nothing() -> None:
    text = declared()
    found = planned(text, running(text), seen())
    assert found.is_empty
    assert "path/a2b @ anagram" in found.unchanged


def test_path_without_bandwidth_and_with_an_mtu_says_so() -> None:
    text = declared(path=ASKED.replace("1790\n", "1790\nmtu: 9000\n"))
    (shown,) = [item for item in planned(text, world(text)).changes if item.kind == "path"]
    assert ("mtu", "9000") in shown.allocations


@pytest.mark.parametrize(
    ("state", "verbs"),
    [
        ("asked", ["wait-reserved", "activate", "wait-active"]),
        ("reserved", ["activate", "wait-active"]),
        ("activating", ["wait-active"]),
        ("deactivating", ["wait-reserved", "activate", "wait-active"]),
        ("released", ["request", "wait-reserved", "activate", "wait-active"]),
        ("expired", ["request", "wait-reserved", "activate", "wait-active"]),
        ("failed", ["release", "wait-released", "request", "wait-reserved", "activate", "wait-active"]),
        ("releasing", ["wait-released", "request", "wait-reserved", "activate", "wait-active"]),
    ],
)
def test_run_goes_on_from_the_state_that_the_last_one_left(state: PathState, verbs: list[str]) -> None:
    text = declared()
    found = planned(text, world(text), seen(state, words="its words"))
    assert [step.id.split("/")[1] for step in found.steps if step.endpoint == "anagram"] == [f"{verb}-path" for verb in verbs]
    (shown,) = [item for item in found.changes if item.kind == "path"]
    assert shown.cause.text == f"it is {state}: its words"
    assert shown.is_drift == (state in ("failed", "expired"))


def test_state_without_words_of_its_provider() -> None:
    text = declared()
    (shown,) = [item for item in planned(text, world(text), seen("reserved")).changes if item.kind == "path"]
    assert shown.cause.text == "it is reserved"


# --- another kind of provider -------------------------------------------------------------------------------


def test_kind_without_activation_is_asked_and_waited_for() -> None:
    row = replace(ROW, activates=False)
    assert making(row, None) == ("request", ("wait", "active"))
    assert making(row, "asked") == making(row, "reserved") == making(row, "activating") == (("wait", "active"),)
    assert modifying(row, "reserved") == ("modify", ("wait", "active"))


def test_kind_that_releases_what_is_active() -> None:
    assert releasing(replace(ROW, deactivates=False), "active") == ("release", ("wait", "released"))
    assert releasing(ROW, "activating") == (
        ("wait", "settled"),
        "deactivate",
        ("wait", "deactivated"),
        "release",
        ("wait", "released"),
    )


def test_what_was_never_seen_is_released_without_an_id() -> None:
    first, second, _, _ = path_steps(releasing(ROW, "active"), SPEC, None, ROW)
    assert (first.action, second.action) == (DeactivatePath(SPEC, ""), WaitPath(SPEC, "deactivated", 600.0))
    assert path_steps(("release",), SPEC, None, ROW)[0].action == ReleasePath(SPEC, "")


# --- changed ------------------------------------------------------------------------------------------------


def test_path_of_another_bandwidth_is_released_and_made_again_while_no_session_is_on_it() -> None:
    text = declared()
    found = planned(text, world(text), seen(bandwidth=1_000_000))
    (shown,) = [item for item in found.changes if item.kind == "path"]
    assert (shown.mark, shown.summary) == ("replace", "releases and makes again path a2b")
    assert [(item.field, item.before, item.after, item.cause.place) for item in shown.fields] == [
        ("bandwidth", "1000mbit", "10000mbit", "state/paths/a2b.yaml:6")
    ]
    assert [step.id.split("/")[1] for step in found.steps if step.endpoint == "anagram"] == [
        f"{verb}-path"
        for verb in ("deactivate", "wait-deactivated", "release", "wait-released", "request", "wait-reserved", "activate", "wait-active")
    ]


def test_used_path_is_not_replaced() -> None:
    text = declared()
    assert left(text, running(text), seen(bandwidth=1_000_000)) == (
        "E0543",
        "path a2b: bandwidth would change, and it cannot be released while session one on a is on it",
        "`state: stopped` in that session first, then apply",
    )


def test_used_path_that_failed_is_left_with_the_words_of_its_provider() -> None:
    text = declared()
    code, reason, _ = left(text, running(text), seen("failed", words="FAILED: no light"))
    assert (code, reason) == (
        "E0543",
        "path a2b: it is failed (FAILED: no light), and it cannot be released while session one on a is on it",
    )


def test_used_path_that_is_being_released_is_left() -> None:
    text = declared()
    code, reason, _ = left(text, running(text), seen("releasing", words="CANCEL"))
    assert (code, reason) == (
        "E0543",
        "path a2b: it is releasing (CANCEL), and it cannot be released while session one on a is on it",
    )


def test_stopped_session_does_not_use_its_path() -> None:
    text = declared()
    made = running(text)
    for name in ("a", "b"):
        change(made, name, "lab.one", state="exited")
    assert not [item for item in planned(text, made, seen(bandwidth=1_000_000)).blocked if item.kind == "path"]


def test_order_of_the_ends_is_no_difference() -> None:
    text = declared()
    assert planned(text, running(text), seen(ends=(PORTS[1], PORTS[0]))).is_empty


def test_what_a_provider_does_not_show_is_no_difference() -> None:
    text = declared(path=ASKED.replace("1790\n", "1790\nmtu: 9000\n"))
    found = planned(text, world(text), seen(mtu=0))
    assert not [item for item in found.changes if item.kind == "path"]


# --- not known, not now -------------------------------------------------------------------------------------


def blocked(text: Any, snapshot: Any, **scope: Any) -> list[str]:
    return [f"{item.kind}/{item.name}: {item.code} {item.cause.text}" for item in planned(text, snapshot, **scope).blocked]


def test_provider_that_does_not_answer_is_no_reason_to_touch_what_runs() -> None:
    text = declared()
    found = planned(text, look(running(text), provider(silence="no answer within 10 s")))
    assert found.is_empty
    assert found.silent_providers == ("anagram",)
    assert found.unanswered == ("path provider anagram",)
    assert "path provider anagram does not answer (no answer within 10 s): its paths (a2b) are unknown, and left alone" in found.notes


def test_network_is_not_made_while_the_provider_of_its_path_does_not_answer() -> None:
    text = declared()
    reason = "E0540 path a2b: what there is of it is unknown: path provider anagram does not answer (it was not asked)"
    assert blocked(text, look(world(text), {})) == [f"session/one: {reason}"] * 2


def test_path_is_left_alone_while_one_of_its_endpoints_does_not_answer() -> None:
    text = declared()
    found = look(world(text), provider(), b=EndpointSeen("b", silence="gone"))
    assert blocked(text, found) == ["session/one: E0540 path a2b: what there is of it is unknown: b does not answer"]
    assert not planned(text, found).steps


def test_provider_of_which_nothing_is_declared_is_named_when_it_is_silent() -> None:
    text = site(SITE + SESSION.replace("[wan], mgmt_net: null", "[], mgmt_net: bridge"))
    found = planned(text, look(world(text), provider(silence="gone")))
    assert "path provider anagram does not answer (gone): what it has of this site is unknown, and left alone" in found.notes


def test_run_that_is_about_something_else_leaves_the_path_alone() -> None:
    text = declared()
    found = look(world(text), provider())
    assert not planned(text, found, targets=("network/none",)).changes
    assert (
        blocked(text, found, excludes=("path/a2b",)) == ["session/one: E0544 path a2b: it is not active, and this run leaves it alone"] * 2
    )


def test_path_that_no_session_needs_yet_is_made_when_it_is_named() -> None:
    text = declared(session="")
    assert changes(planned(text, world(text))) == ["create path/a2b @ anagram: makes path a2b"]
    assert changes(planned(text, world(text), targets=("path/a2b",))) == ["create path/a2b @ anagram: makes path a2b"]


def test_session_that_is_named_brings_its_path() -> None:
    text = declared()
    found = planned(text, world(text), targets=("session/one",))
    assert not found.blocked
    assert "path" in {item.kind for item in found.changes}


def test_frozen_endpoint_holds_its_paths_back() -> None:
    text = declared("# endpoints/a\ndocker: unix:///run/a.sock\nhost: a.example.net\ninterfaces: {wan: eth1}\n" + FREEZE, *OTHER)
    assert left(text, world(text))[:2] == ("E0442", "endpoint a is frozen without an end")
    (session, *_) = [item for item in planned(text, world(text)).blocked if item.kind == "session"]
    assert session.code == "E0442"


FREEZE = "freeze: [{from: 2026-01-01T00:00:00Z}]\n"
OTHER = ("# endpoints/b\ndocker: unix:///run/b.sock\nhost: b.example.net\ninterfaces: {wan: eth1}\n",)


def test_path_whose_window_is_over_is_released_and_carries_no_new_network() -> None:
    over = STATIC + "window: {until: 2026-05-01T00:00:00Z}\n"
    text = declared(path=over)
    assert blocked(text, look(world(text), {})) == ["session/one: E0545 path a2b: its window is over"] * 2


# --- given back ---------------------------------------------------------------------------------------------


def test_path_that_no_file_declares_is_released_after_its_networks() -> None:
    text = declared()
    made = running(text)
    found = planned(site(SITE), made, seen())
    assert "destroy path/a2b @ anagram: releases path a2b, active" in changes(found)
    (cause,) = [item.cause.text for item in found.changes if item.kind == "path"]
    assert cause == "no file state/paths/a2b.yaml any more"
    assert [line for line in steps(found) if line.startswith("anagram")] == [
        "anagram/deactivate-path/a2b <- a/remove-network/wan, b/remove-network/wan",
        "anagram/wait-deactivated-path/a2b <- anagram/deactivate-path/a2b",
        "anagram/release-path/a2b <- anagram/wait-deactivated-path/a2b",
        "anagram/wait-released-path/a2b <- anagram/release-path/a2b",
    ]


def test_path_is_not_released_while_a_network_goes_over_it() -> None:
    text = declared()
    kept = site(SITE + WAN.replace("path: a2b", "vlan: 1790") + SESSION)
    assert left(kept, running(text), seen()) == (
        "E0546",
        "path a2b is not released while network wan on a is on it",
        "remove the sessions that use it first",
    )


def test_path_is_not_released_while_one_of_its_endpoints_does_not_answer() -> None:
    text = declared()
    found = look(running(text), provider(seen()), b=EndpointSeen("b", silence="gone"))
    assert left(site(SITE), found)[:2] == ("E0546", "path a2b may be used on b, which does not answer")


def test_path_of_endpoints_that_are_gone_from_the_state_is_released() -> None:
    text = site(SITE)
    assert changes(planned(text, world(text), seen("reserved", endpoints=("old", "older")))) == [
        "destroy path/a2b @ anagram: releases path a2b, reserved"
    ]


@pytest.mark.parametrize("state", ["released", "expired"])
def test_what_is_gone_is_not_released_again(state: PathState) -> None:
    text = site(SITE)
    assert planned(text, world(text), seen(state)).is_empty


def test_destroy_releases_declared_paths_too() -> None:
    text = declared()
    found = planned(text, running(text), seen(), destroy=True)
    (shown,) = [item for item in found.changes if item.kind == "path"]
    assert (shown.mark, shown.cause.text) == ("destroy", "destroy was asked for")


def test_path_stays_when_the_run_is_about_something_else() -> None:
    text = site(SITE)
    assert planned(text, world(text), seen("reserved"), targets=("session/one",)).is_empty


def test_second_reservation_of_one_path_is_released() -> None:
    text = declared(session="")
    found = planned(text, world(text), seen(), seen("reserved", path_id="c2"))
    (shown,) = [item for item in found.changes if item.kind == "path"]
    assert (shown.mark, shown.cause.text) == ("destroy", "it is there twice, and c2 is not the one that is used")


def test_path_is_released_where_it_is_not_declared_any_more() -> None:
    other = SITE.replace(
        "  anagram:", "  second: {kind: nsi, url: 'https://n.example.net', options: {requester: r, aggregator: g}}\n  anagram:"
    )
    text = declared(path=ASKED.replace("anagram", "second"), settings=other, session="")
    paths = {**provider(seen()), "second": replace(provider()["anagram"], name="second")}
    found = planned(text, look(world(text), paths))
    assert changes(found) == [
        "destroy path/a2b @ anagram: releases path a2b, active",
        "create path/a2b @ second: makes path a2b",
    ]
    assert found.changes[0].cause.text == "it is to be had of second"


def test_frozen_endpoint_keeps_its_path() -> None:
    text = site(SITE.replace("name: lab\n", "name: lab\n" + FREEZE))
    assert left(text, world(text), seen("reserved"))[0] == "E0442"


# --- made by others -----------------------------------------------------------------------------------------


def test_path_that_others_made_gives_its_vlan_and_its_mtu_and_is_never_asked_for() -> None:
    text = declared(path=STATIC)
    found = plan(text, world(text))
    assert "create network/wan @ a: creates network wan" in changes(found)
    (network,) = [item for item in found.changes if item.kind == "network" and item.endpoint == "a"]
    assert {("parent", "eth1.1790"), ("mtu", "9000")} <= set(network.allocations)
    assert not [step for step in found.steps if "path" in step.id]
    assert not [line for line in found.unchanged if line.startswith("path")]


# --- in a world whose provider does everything at once --------------------------------------------------------


def test_second_plan_is_empty_and_a_changed_or_removed_path_follows() -> None:
    text = declared()
    made = world(text)
    made.paths = {"anagram": {}}
    made.apply(plan(text, made))
    assert plan(text, made).is_empty
    other = declared(path=ASKED.replace("1790", "1791"))
    assert {item.code for item in plan(other, made).blocked} == {"E0543"}
    gone = site(SITE)
    made.apply(plan(gone, made))
    assert plan(gone, made).is_empty
    assert made.paths == {"anagram": {}}
    made.apply(plan(other, made))
    assert plan(other, made).is_empty
    assert made.paths["anagram"]["a2b"].vlan == 1791
