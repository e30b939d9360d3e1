"""`protect: true`: what is held back, what is recorded, and how it is lifted."""

from __future__ import annotations

import pytest

from dtnctl.model.protection import LABEL_PROTECTED
from dtnctl.model.site import Site
from tests.planning.building import ANYTHING, applied, change, drop, plan, site, world
from tests.planning.dtns import STAR, after, dtn
from tests.planning.dtns import session as dtn_session
from tests.planning.listing import changes, details, says, steps
from tests.properties.world import World

ENDPOINTS = "".join(
    f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\nallow: {ANYTHING}\n" for name in ("a", "b")
)
SITE = "# site\nname: lab\nlimits: {max_prune: 100%}\n"
OTHER = "# sessions/other\nendpoints: [a]\nimage: dtn:1\n"
MARKER = "lab.one.protection"


def session(more: str = "", *, on: str = "[a]", name: str = "one") -> str:
    return f"# sessions/{name}\nendpoints: {on}\nimage: dtn:1\n{more}\n"


def declared(*texts: str, endpoints: str = ENDPOINTS) -> Site:
    """A site with one more session, so that it is never empty."""
    return site(SITE + endpoints + OTHER + "".join(texts))


def markers(made: World, endpoint: str = "a") -> dict[str, str]:
    """What the markers on an endpoint say, by name."""
    found = made.hosts[endpoint].containers.values()
    return {item.name: item.labels[LABEL_PROTECTED] for item in found if item.kind == "protection"}


def carry_out(wanted: Site, made: World) -> None:
    """Apply it; nothing is left to do."""
    made.apply(plan(wanted, made))
    assert plan(wanted, made).is_empty


PROTECTED = declared(session("protect: true"))
LIFTED = declared(session("protect: false"))


# --- what is recorded ---------------------------------------------------------------------------------------


def test_a_container_that_is_made_for_a_protected_session_says_so_itself() -> None:
    made = applied(PROTECTED)
    one = made.hosts["a"].by_name("lab.one")
    assert one is not None
    assert (one.labels[LABEL_PROTECTED], markers(made)) == ("state/sessions/one.yaml:3", {})


def test_protection_that_is_declared_later_is_recorded_beside_the_container_and_interrupts_nothing() -> None:
    made = applied(declared(session()))
    found = plan(PROTECTED, made)
    says(
        details(found),
        """
        update protection/one @ a: records that session one is protected
          because it is declared so (state/sessions/one.yaml:3)
        """,
    )
    assert steps(found) == ["a/protection/one"]
    carry_out(PROTECTED, made)
    assert markers(made) == {MARKER: "state/sessions/one.yaml:3"}


def test_a_moved_line_is_no_change() -> None:
    made = applied(declared(session()))
    carry_out(PROTECTED, made)
    assert plan(declared(session("user: dtn\nprotect: true".replace("user: dtn", "state: started"))), made).is_empty


def test_protection_is_lifted_by_a_commit_of_its_own() -> None:
    made = applied(declared(session()))
    carry_out(PROTECTED, made)
    assert changes(plan(LIFTED, made)) == ["update protection/one @ a: lifts the protection of session one"]
    carry_out(LIFTED, made)
    assert markers(made) == {}
    carry_out(declared(), made)
    assert made.hosts["a"].by_name("lab.one") is None


def test_protection_by_the_containers_own_label_is_lifted_by_a_marker_that_goes_with_the_session() -> None:
    made = applied(PROTECTED)
    carry_out(LIFTED, made)
    assert markers(made) == {MARKER: "no"}
    found = plan(declared(), made)
    assert changes(found) == [
        "destroy session/one @ a: removes container lab.one, running",
        "update protection/one @ a: removes the marker of session one, of which nothing is left here",
    ]
    assert "a/protection/one <- a/remove/lab.one" in steps(found)
    carry_out(declared(), made)
    assert markers(made) == {}


def test_protection_that_comes_back_needs_no_marker_where_the_container_says_it() -> None:
    made = applied(PROTECTED)
    carry_out(LIFTED, made)
    carry_out(PROTECTED, made)
    assert markers(made) == {}


def test_a_replacement_says_itself_what_its_marker_said() -> None:
    made = applied(PROTECTED)
    carry_out(LIFTED, made)
    replaced = declared(session("protect: false\nsettings: {hostname: x}".replace("{hostname: x}", "{env: {A: b}}")))
    found = plan(replaced, made)
    assert changes(found) == [
        "replace session/one @ a: replaces container lab.one",
        "update protection/one @ a: removes the marker of session one: its container says the same",
    ]
    carry_out(replaced, made)
    assert markers(made) == {}


def test_protection_that_was_pruned_is_recorded_again() -> None:
    made = applied(declared(session()))
    carry_out(PROTECTED, made)
    drop(made, "a", MARKER)
    assert changes(plan(PROTECTED, made)) == ["update protection/one @ a: records that session one is protected"]


def test_the_marker_of_a_session_that_is_gone_goes() -> None:
    made = applied(declared(session()))
    carry_out(PROTECTED, made)
    drop(made, "a", "lab.one")
    assert changes(plan(declared(), made)) == [
        "update protection/one @ a: removes the marker of session one, of which nothing is left here"
    ]
    assert plan(declared(), made, excludes=("session/one",)).is_empty


# --- what is held back --------------------------------------------------------------------------------------


def test_a_session_that_was_protected_when_it_was_applied_last_is_not_removed() -> None:
    """Neither with its file alone, nor in the commit that takes the protection away."""
    made = applied(PROTECTED)
    says(
        details(plan(declared(), made)),
        """
        blocked session/one @ a: E0441
          because session one was protected when it was applied last, so it is not removed (state/sessions/one.yaml:3)
          fix: restore state/sessions/one.yaml and apply that with `protect: false` in state/sessions/one.yaml; then remove it
        """,
    )
    for endpoint in made.hosts:
        assert not plan(declared(), made).steps, endpoint


@pytest.mark.parametrize("later", [True, False])
def test_a_marker_protects_as_a_label_does(later: bool) -> None:
    made = applied(declared(session())) if later else applied(PROTECTED)
    carry_out(PROTECTED, made)
    assert [item.code for item in plan(declared(), made).blocked] == ["E0441"]


def test_a_protected_session_is_not_replaced() -> None:
    made = applied(PROTECTED)
    found = plan(declared(session("protect: true\nsettings: {env: {A: b}}")), made)
    says(
        details(found),
        """
        blocked session/one @ a: E0441
          because session one is protected, so this is not done: replaces container lab.one, because env.A differs
              (state/sessions/one.yaml:3)
          fix: `protect: false` in state/sessions/one.yaml; it counts once it has been applied without this change
        """,
    )
    assert not found.steps


def test_a_commit_that_lifts_the_protection_and_replaces_is_held_back_and_lifts_nothing() -> None:
    made = applied(PROTECTED)
    wanted = declared(session("protect: false\nsettings: {env: {A: b}}"))
    found = plan(wanted, made)
    assert (found.steps, [item.code for item in found.blocked]) == ((), ["E0441"])
    assert found.blocked[0].summary.startswith("session one was protected when it was applied last, so this is not done: replaces")
    assert found.blocked[0].fix == "first apply a commit that has `protect: false` in state/sessions/one.yaml and not this change"
    carry_out(LIFTED, made)
    assert changes(plan(wanted, made))[0] == "replace session/one @ a: replaces container lab.one"


def test_a_protected_session_is_not_stopped() -> None:
    found = plan(declared(session("protect: true\nstate: stopped")), applied(PROTECTED))
    assert [item.code for item in found.blocked] == ["E0441"]


NETS = "".join(f"# networks/n{number}\ndriver: bridge\nsubnet: 10.{number}.0.0/24\n" for number in (1, 2))


def with_settings(text: str) -> Site:
    return declared(NETS, session(f"protect: true\nsettings: {text}"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{memory: 2GiB}", "{memory: 8GiB}"),
        ("{memory: 2GiB}", "{}"),
        ("{memory: 2GiB}", "{memory: 2GiB, cpus: 2}"),
        ("{mgmt_net: null, data_nets: [n1]}", "{mgmt_net: null, data_nets: [n1, n2]}"),
    ],
)
def test_what_interrupts_nothing_is_done_to_a_protected_session(before: str, after: str) -> None:
    found = plan(with_settings(after), applied(with_settings(before)))
    assert "update session/one @ a: changes container lab.one in place" in changes(found)
    assert not found.blocked


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{memory: 8GiB}", "{memory: 64MiB}"),
        ("{memory: null}", "{memory: 64GiB}"),
        ("{mgmt_net: null, data_nets: [n1, n2]}", "{mgmt_net: null, data_nets: [n1]}"),
    ],
)
def test_a_protected_session_keeps_its_networks_and_its_memory(before: str, after: str) -> None:
    made = applied(with_settings(before))
    found = plan(with_settings(after), made)
    (refused,) = [item for item in found.blocked if item.name == "one"]
    assert refused.code == "E0441"
    assert "so this is not done: changes container lab.one in place, because" in refused.summary
    assert not [step.id for step in found.steps if "lab.one" in step.id]


def test_a_protected_session_that_does_not_run_may_get_less_memory() -> None:
    made = applied(with_settings("{memory: 8GiB}"))
    change(made, "a", "lab.one", state="exited")
    assert not plan(with_settings("{memory: 2GiB}"), made).blocked


def test_a_protected_session_stays_in_the_vlan_where_its_peers_are() -> None:
    star = STAR + "vlan: 5\n"
    made = after(dtn(star, dtn_session() + "protect: true\n"))
    found = plan(dtn(star.replace("5\n", "6\n"), dtn_session() + "protect: true\n"), made)
    assert [(item.name, item.code) for item in found.blocked] == [("one", "E0441")]
    assert not found.steps


@pytest.mark.parametrize("state", ["exited", "dead"])
def test_a_protected_session_that_does_not_run_is_repaired(state: str) -> None:
    made = applied(PROTECTED)
    change(made, "a", "lab.one", state=state)
    found = plan(PROTECTED, made)
    assert not found.blocked
    assert found.steps


def test_a_protected_session_that_is_asked_to_be_replaced_or_destroyed_stays() -> None:
    made = applied(PROTECTED)
    assert [item.code for item in plan(PROTECTED, made, replace=("one",)).blocked] == ["E0441"]
    found = plan(PROTECTED, made, destroy=True)
    assert [item.name for item in found.blocked] == ["one"]
    assert found.blocked[0].fix == "first apply with `protect: false` in state/sessions/one.yaml, then `dtnctl destroy`"
    assert any(step.id == "a/remove/lab.other" for step in found.steps)


def test_a_protected_session_that_has_expired_stays() -> None:
    made = applied(PROTECTED)
    found = plan(declared(session("protect: true\nexpires: 2026-05-01T00:00:00Z")), made)
    assert found.blocked[0].summary == "session one is protected, so it is not removed"
    assert found.blocked[0].fix == (
        "let state/sessions/one.yaml name a again, not expired, and apply that with `protect: false` in state/sessions/one.yaml; "
        "then remove it"
    )


def test_one_endpoint_that_recorded_it_protects_a_session_that_is_removed_everywhere() -> None:
    """Half a session is of no use."""
    both = declared(session("protect: true", on="[a, b]"))
    made = applied(declared(session(on="[a, b]")))
    made.hosts["b"].silence = "no answer"
    made.apply(plan(both, made))
    made.hosts["b"].silence = ""
    assert markers(made, "b") == {}
    found = plan(declared(), made)
    assert {(item.endpoint, item.code) for item in found.changes} == {("a", "E0441"), ("b", "E0441")}


def test_a_session_may_leave_an_endpoint_that_recorded_nothing() -> None:
    made = applied(declared(session(on="[a, b]")))
    only_a = ENDPOINTS.replace("host: a.example.net", "host: a.example.net\nprotect: true")
    carry_out(declared(session(on="[a, b]"), endpoints=only_a), made)
    assert changes(plan(declared(session(on="[a]"), endpoints=only_a), made)) == [
        "destroy session/one @ b: removes container lab.one, running"
    ]
    assert [item.code for item in plan(declared(session(on="[b]"), endpoints=only_a), made).blocked] == ["E0441"]


def test_an_endpoint_protects_all_its_services() -> None:
    protected = ENDPOINTS.replace("host: a.example.net", "host: a.example.net\nprotect: true")
    made = applied(declared(session(), endpoints=protected))
    found = plan(declared(endpoints=protected), made)
    assert [item.cause.place for item in found.blocked] == ["state/endpoints/a.yaml:3"]
    lifted = plan(declared(session(), endpoints=ENDPOINTS), made)
    assert [item.name for item in lifted.changes] == ["one", "other"]


def test_an_endpoint_that_is_protected_from_now_on_keeps_what_is_removed_in_the_same_commit() -> None:
    made = applied(declared(session()))
    protected = ENDPOINTS.replace("host: a.example.net", "host: a.example.net\nprotect: true")
    assert [item.code for item in plan(declared(endpoints=protected), made).blocked] == ["E0441"]


@pytest.mark.parametrize("text", ["yes", "state/x.yaml:many", "state/x.yaml:1234567", ":4"])
def test_a_label_that_is_no_place_protects_all_the_same(text: str) -> None:
    made = applied(declared(session()))
    one = made.hosts["a"].by_name("lab.one")
    assert one is not None
    change(made, "a", "lab.one", labels={**one.labels, LABEL_PROTECTED: text})
    (found,) = plan(declared(), made).blocked
    assert (found.code, found.cause.place) == ("E0441", "")


def test_a_replacement_that_was_cut_off_is_completed() -> None:
    made = applied(declared(session()))
    wanted = declared(session("settings: {env: {A: b}}"))
    protected = declared(session("protect: true\nsettings: {env: {A: b}}"))
    whole = plan(wanted, made)
    until = next(index for index, step in enumerate(whole.steps) if step.id.startswith("a/promote/"))
    for step in whole.steps[: until + 1]:
        made.perform(step)
    found = plan(protected, made)
    assert not found.blocked
    carry_out(protected, made)


def test_a_silent_endpoint_records_nothing() -> None:
    made = world(PROTECTED)
    made.hosts["a"].silence = "no answer"
    assert plan(PROTECTED, made).is_empty
