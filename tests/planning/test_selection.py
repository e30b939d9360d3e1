"""`--label`: what a run of a part of the site may touch, whom it asks, and what it says of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from dtnctl.model.impact import HELD
from dtnctl.model.plan import Plan
from dtnctl.model.resources import EndpointSeen
from dtnctl.model.site import Site
from dtnctl.planning.nameable import real_objects
from dtnctl.planning.scope import Scope, with_selection
from dtnctl.planning.secret_uses import secret_uses
from dtnctl.planning.selection import Selection, known_labels, label_mistake, select, selection_notes
from tests.planning.building import NOW, plan, site, world
from tests.properties.world import KilledError, World

REGIONS = {"eu1": "eu", "eu2": "eu", "us1": "us", "us2": "us"}
ALLOWED = "allow: {mounts: ['/']}\n"
HERE = "".join(
    f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\nlabels: {{region: {region}}}\n{ALLOWED}"
    for name, region in REGIONS.items()
)
PROFILE = "# profiles/default\nvolumes: ['/data:/data']\nuser: dtn\n"
LIMIT = "# site\nname: lab\nlimits: {max_prune: 50%}\n"


def session(name: str, on: str, more: str = "") -> str:
    return f"# sessions/{name}\nendpoints: [{on}]\nimage: dtn:1\nuser: dtn\n{more}"


CLIMATE = session("climate", "eu1, eu2")
RIVER = session("river", "us1, us2")
OCEAN = session("ocean", "eu1, us1")
OWN = session("wide", "us2, eu2", "labels: {region: eu}\n")


def declared(*texts: str) -> Site:
    return site("".join((HERE, PROFILE, LIMIT, *texts)))


def chosen(where: Site, selector: str = "region=eu") -> Selection:
    return select(where, selector, NOW)


def lived_in(*texts: str) -> World:
    """The endpoints, after a site of these files was applied as a whole."""
    before = declared(*texts)
    made = world(before)
    made.apply(plan(before, made))
    return made


def objects(found: Plan) -> set[str]:
    return {f"{change.mark} {change.kind}/{change.name} @ {change.endpoint}" for change in found.changes}


def test_a_session_is_selected_wholly_when_all_its_endpoints_have_the_label_or_it_says_so_itself() -> None:
    where = declared(CLIMATE, RIVER, OCEAN, OWN)
    assert chosen(where).sessions == {"climate", "wide"}
    assert chosen(where, "region in (eu,us)").sessions == {"climate", "ocean", "river", "wide"}
    assert chosen(where, "region!=eu").sessions == {"river"}
    assert chosen(where).endpoints == {"eu1", "eu2"}


def test_a_session_over_two_regions_is_left_out_by_both_and_named_with_the_reason() -> None:
    where = declared(CLIMATE, RIVER, OCEAN)
    for region in ("eu", "us"):
        found = plan(where, world(where), label=f"region={region}")
        assert not any("ocean" in change.name for change in found.changes)
        (note,) = (note for note in found.notes if "left out" in note)
        assert "1 session, ocean (eu1 has region=eu, us1 has region=us)" in note
        assert "`labels:` of a session says where it belongs" in note


def test_sessions_that_are_merely_of_another_region_are_not_named() -> None:
    where = declared(CLIMATE, RIVER)
    assert not plan(where, world(where), label="region=eu").notes


def test_of_many_sessions_over_two_regions_the_first_are_named() -> None:
    where = declared(*(session(f"ocean{number}", "eu1, us1") for number in range(5)))
    (note,) = selection_notes(where, chosen(where), ())
    assert "5 sessions, ocean0 (" in note
    assert note.count("ocean") == 3
    assert " and 2 more; " in note


def test_a_missing_label_is_named_as_missing() -> None:
    where = site(
        "# endpoints/a\ndocker: unix:///run/a.sock\nhost: a.example.net\nlabels: {tier: x}\n"
        "# endpoints/b\ndocker: unix:///run/b.sock\nhost: b.example.net\n" + session("both", "a, b")
    )
    assert chosen(where, "tier=x").parted == {"both": "a has tier=x, b has no tier"}


def test_a_run_plans_the_services_that_are_selected_as_a_run_of_all_would() -> None:
    where = declared(CLIMATE, RIVER, OWN)
    whole = plan(where, world(where))
    parts = [plan(where, world(where), label=f"region={region}") for region in ("eu", "us")]
    assert objects(parts[0]) | objects(parts[1]) == objects(whole)
    assert {step.id: step.action for part in parts for step in part.steps} == {step.id: step.action for step in whole.steps}


def test_only_endpoints_of_the_part_are_asked_and_shown() -> None:
    where = declared(CLIMATE, RIVER)
    assert chosen(where).asked == {"eu1", "eu2"}
    assert [row.name for row in plan(where, world(where), label="region=eu").endpoints] == ["eu1", "eu2"]


def test_an_endpoint_of_a_selected_session_is_asked_but_what_else_is_there_stays() -> None:
    where, made = declared(OWN), lived_in(CLIMATE, RIVER)
    found = plan(where, made, label="region=eu")
    assert [row.name for row in found.endpoints] == ["eu1", "eu2", "us2"]
    assert {change.endpoint for change in found.changes if change.name == "river"} == set()
    assert "create session/wide @ us2" in objects(found)


def test_endpoints_that_share_a_pool_of_addresses_are_asked_so_that_no_address_is_given_twice() -> None:
    network = "# networks/data\ndriver: bridge\nsubnet: 10.1.0.0/24\naddresses: 10.1.0.10-10.1.0.99\n"
    on_data = "settings: {data_nets: [data], mgmt_net: null}\n"
    where = declared(network, session("climate", "eu1, eu2", on_data), session("river", "us1", on_data), session("lake", "us2"))
    assert chosen(where).asked == {"eu1", "eu2", "us1"}
    six = declared(
        "# networks/data\ndriver: bridge\nsubnet6: fd00::/64\n", session("climate", "eu1", on_data), session("river", "us1", on_data)
    )
    assert chosen(six).asked == {"eu1", "eu2", "us1"}


def test_what_is_gone_from_the_files_is_removed_only_from_endpoints_of_the_part() -> None:
    made = lived_in(CLIMATE, RIVER, session("lake", "eu1"), session("pond", "us1"))
    found = plan(declared(CLIMATE, RIVER), made, label="region=eu")
    assert objects(found) == {"destroy session/lake @ eu1"}


def test_a_selected_session_that_left_an_endpoint_of_another_part_is_removed_there_by_that_part() -> None:
    made = lived_in(session("wide", "eu1, us1", "labels: {region: eu}\n"), RIVER)
    moved = declared(session("wide", "eu1", "labels: {region: eu}\n"), RIVER)
    assert plan(moved, made, label="region=eu").is_empty
    assert objects(plan(moved, made, label="region=us")) == {"destroy session/wide @ us1"}


def test_a_session_that_moved_to_another_part_is_removed_for_that_reason_and_not_as_expired() -> None:
    made = lived_in(session("lake", "eu1"), session("pond", "eu2"), RIVER)
    moved = declared(session("lake", "us1"), session("pond", "eu2"), RIVER)
    (gone,) = plan(moved, made, label="region=eu").changes
    assert gone.cause.text == "the session does not name this endpoint any more"
    assert gone.cause == next(change.cause for change in plan(moved, made).changes if change.mark == "destroy")


def test_the_share_of_sessions_that_may_go_is_one_of_the_part() -> None:
    many = [session(f"us{number}", "us1") for number in range(8)]
    made = lived_in(CLIMATE, session("lake", "eu1"), *many)
    gone = plan(declared(CLIMATE, *many), made, label="region=eu")
    assert objects(gone) == {"destroy session/lake @ eu1"}, "1 of 2"
    made = lived_in(CLIMATE, session("lake", "eu1"), session("pond", "eu1"), *many)
    blocked = plan(declared(CLIMATE, *many), made, label="region=eu")
    assert {change.code for change in blocked.changes} == {"E0440"}, "2 of 3"
    assert "2 of 3 sessions would be removed" in blocked.changes[0].cause.text


def test_a_part_that_loses_all_its_sessions_is_held_as_a_site_would_be() -> None:
    made = lived_in(CLIMATE, session("lake", "eu1"), RIVER)
    found = plan(declared(RIVER), made, label="region=eu")
    assert {change.code for change in found.changes} == {"E0443"}
    assert "no session with --label region=eu" in found.changes[0].cause.text
    allowed = plan(declared(RIVER), made, label="region=eu", allow_empty=True)
    assert {change.mark for change in allowed.changes} == {"destroy"}


def test_destroy_of_a_part_leaves_the_others() -> None:
    made = lived_in(CLIMATE, RIVER, OCEAN)
    found = plan(declared(CLIMATE, RIVER, OCEAN), made, label="region=eu", destroy=True)
    assert {(change.name, change.mark) for change in found.changes if change.kind == "session"} == {("climate", "destroy")}


def test_targets_and_excludes_hold_within_the_part() -> None:
    where = declared(CLIMATE, RIVER, OWN)
    found = plan(where, world(where), label="region=eu", targets=("climate", "river"), excludes=("endpoint/eu2",))
    assert objects(found) == {"create session/climate @ eu1"}


def test_silence_outside_of_the_part_is_not_noticed_and_within_it_names_its_sessions_alone() -> None:
    where, made = declared(CLIMATE, RIVER, OWN, OCEAN), lived_in(CLIMATE, RIVER, OWN, OCEAN)
    made.hosts["us1"].silence = "no answer"
    assert not plan(where, made, label="region=eu").silent
    made.hosts["us2"].silence = "no answer"
    found = plan(where, made, label="region=eu")
    assert found.silent == ("us2",)
    assert any("what session wide there needs is unknown" in note for note in found.notes)


def test_suspended_things_of_other_parts_are_not_mentioned() -> None:
    where = declared(CLIMATE + "suspend: true\n", RIVER + "suspend: true\n")
    notes = plan(where, world(where), label="region=eu").notes
    assert [note for note in notes if "session climate is suspended" in note]
    assert not [note for note in notes if "river" in note]


TRANSFERS = "".join(
    f"# transfers/{name}\nfrom: {source}:/data/a\nto: {destination}:/data/b\ntool: rsync\nsession: {session}\n"
    for name, source, destination, session in (("run1", "eu1", "eu2", "climate"), ("run2", "us1", "us2", "river"))
)


def test_a_transfer_goes_with_its_session_and_a_copy_that_cannot_be_seen_is_noted() -> None:
    where = declared(CLIMATE, RIVER, TRANSFERS)
    assert chosen(where).transfers == {"run1"}
    found = plan(where, world(where), label="region=eu")
    assert {change.name for change in found.changes if change.kind == "transfer"} == {"run1"}
    (note,) = (note for note in found.notes if "were not asked" in note)
    assert "if `from` of a transfer that starts ever named one of them" in note


def test_what_a_run_left_of_a_transfer_is_cleaned_up_by_its_part() -> None:
    made = lived_in(CLIMATE, RIVER, TRANSFERS)
    again = declared(CLIMATE, RIVER, TRANSFERS.replace("tool: rsync", "tool: rsync\ngeneration: 2"))
    found = plan(again, made, label="region=us")
    assert {change.name for change in found.changes} == {"run2"}


WIDE = session("wide", "eu1, us1", "labels: {region: eu}\nsettings: {data_port_range: [50100, 50103]}\n")
MEASURED = "# transfers/m\nfrom: eu1\nto: us1\ntool: iperf3\nsession: wide\n"


def measuring() -> World:
    """A measurement between two regions runs: its job on eu1, its server on us1."""
    where = declared(WIDE, RIVER, MEASURED)
    for effects in range(60):
        made = lived_in(WIDE, RIVER)
        made.budget = effects
        with suppress(KilledError):
            made.apply(plan(where, made))
        made.budget = None
        job = made.hosts["eu1"].by_name("lab.m.g1a1")
        if job is not None and job.state == "running":
            return made
    raise AssertionError("it never started")


def test_a_transfer_whose_file_is_gone_goes_with_the_session_that_it_runs_in_to_its_last_container() -> None:
    without, made = declared(WIDE, RIVER), measuring()
    assert plan(without, made, label="region=us").is_empty
    found = plan(without, made, label="region=eu", interrupt=("m",))
    assert objects(found) == {"destroy transfer/m @ eu1", "destroy transfer/m @ us1"}
    assert {change.code for change in plan(without, made, label="region=eu").changes} == {HELD}


def test_a_server_stays_where_its_job_may_run_on_an_endpoint_that_this_run_does_not_ask() -> None:
    without, made = declared(RIVER), measuring()
    held = [change for change in plan(without, made, label="region=us").changes if change.kind == "transfer"]
    assert [(change.mark, change.endpoint) for change in held] == [("blocked", "us1")]
    assert "transfer m on us1 waits" in held[0].cause.text


def test_only_secrets_of_the_part_are_looked_up() -> None:
    env = "settings: {env: {T: {secret: 'env:T'}}}\n"
    where = declared(session("climate", "eu1, eu2", env), session("river", "us1", env))
    assert {use.session for use in secret_uses(where, NOW, Scope(label="region=eu"))} == {"climate"}


def test_a_selector_is_worked_out_once() -> None:
    where = declared(CLIMATE)
    scope = with_selection(Scope(label="region=eu"), where, NOW)
    assert with_selection(scope, where, NOW) is scope
    assert with_selection(Scope(), where, NOW) == Scope()


def test_nothing_is_selected_by_a_value_that_no_file_has_and_those_there_are_can_be_shown() -> None:
    where = declared(CLIMATE, OWN)
    assert chosen(where, "region=mars").is_empty
    assert known_labels(where) == "region is eu, us"
    assert label_mistake(where, chosen(where, "region=mars")) == "--label region=mars selects nothing; region is eu, us"


def test_a_selector_that_only_leaves_out_may_leave_out_all() -> None:
    assert not chosen(declared(CLIMATE), "region notin (eu,us)").is_empty
    assert not chosen(declared(CLIMATE), "region notin (eu)").is_empty
    assert chosen(declared(CLIMATE), "region=eu,region!=eu").is_empty


def test_a_value_that_nothing_has_is_noted_since_leaving_it_out_leaves_out_nothing() -> None:
    where = declared(CLIMATE)
    (note,) = plan(where, world(where), label="region notin (ue,us)").notes
    assert note == "no endpoint or session has what --label region notin (ue,us) asks for: region=ue; region is eu, us"


def test_a_name_that_nothing_has_is_refused_whether_it_selects_nothing_or_everything() -> None:
    where = declared(CLIMATE)
    for typed in ("regoin!=eu", "regoin=eu", "regoin notin (eu)", "region=eu,regoin!=us"):
        refused = label_mistake(where, chosen(where, typed))
        assert refused == f"--label {typed}: no endpoint or session has a label regoin; region is eu, us"
    bare = site("# endpoints/a\ndocker: unix:///run/a.sock\nhost: a.example.net\n")
    assert label_mistake(bare, chosen(bare, "region!=eu")).endswith("no endpoint or session has `labels:`")


def test_a_name_that_only_a_session_has_can_be_selected_by() -> None:
    where = declared(session("climate", "eu1", "labels: {tier: test}\n"))
    assert not label_mistake(where, chosen(where, "tier!=test"))


def test_a_value_that_nothing_has_may_come_later_but_spares_nothing_when_all_else_is_removed() -> None:
    where = declared(CLIMATE)
    for typed in ("region!=ue", "region notin (eu,asia)", "region in (eu,asia)"):
        assert not label_mistake(where, chosen(where, typed))
        refused = label_mistake(where, chosen(where, typed), destroy=True)
        assert refused.startswith(f"--label {typed} would remove what it may be meant to spare: nothing has region=")
    assert not label_mistake(where, chosen(where, "region!=eu"), destroy=True)


def test_targets_that_name_nothing_of_the_part_are_known() -> None:
    where = declared(CLIMATE, RIVER, TRANSFERS)
    scope = with_selection(Scope(("river", "endpoint/us1", "climate", "run1", "run*", "endpoint/eu1"), label="region=eu"), where, NOW)
    assert scope.beside(real_objects(where, world(where).observe())) == (
        "--label region=eu selects nothing of river",
        "--label region=eu selects nothing of endpoint/us1",
    )
    assert Scope(("river",)).beside(()) == ()


def test_a_list_of_the_part_has_no_containers_of_sessions_that_are_left_out() -> None:
    where, made = declared(CLIMATE, OCEAN), lived_in(CLIMATE, OCEAN)
    part = chosen(where).part_of(made.observe())
    containers: Mapping[str, EndpointSeen] = part.endpoints
    assert {(name, item.owner) for name, seen in containers.items() for item in seen.containers if item.kind == "service"} == {
        ("eu1", "climate"),
        ("eu2", "climate"),
    }
    near = chosen(where).within(where)
    assert (set(near.endpoints), set(near.sessions)) == ({"eu1", "eu2"}, {"climate"})
    assert replace(near, endpoints=where.endpoints, sessions=where.sessions) == where


def test_a_target_may_name_what_a_session_of_another_part_left_in_this_one() -> None:
    made = lived_in(CLIMATE, RIVER, session("lake", "eu1"))
    moved = declared(CLIMATE, RIVER, session("lake", "us1"))
    scope = with_selection(Scope(("lake",), label="region=eu"), moved, NOW)
    assert scope.beside(real_objects(moved, made.observe())) == ()
    assert objects(plan(moved, made, label="region=eu", targets=("lake",))) == {"destroy session/lake @ eu1"}
