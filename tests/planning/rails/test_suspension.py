"""`suspend: true`: nothing of it is changed, and the plan says once what is held back."""

from __future__ import annotations

from dtnctl.model.site import Site
from dtnctl.planning.rails.suspension import held_sessions
from tests.planning.building import ANYTHING, applied, change, plan, site, world
from tests.planning.listing import changes
from tests.planning.transfers.declared import DECLARED, SESSION, idle


def declared(*, a: str = "", one: str = "", two: str = "") -> Site:
    return site(
        "# site\nname: lab\nlimits: {max_prune: 100%}\n"
        f"# endpoints/a\ndocker: unix:///run/a.sock\nhost: a.example.net\nallow: {ANYTHING}\n{a}"
        f"# endpoints/b\ndocker: unix:///run/b.sock\nhost: b.example.net\nallow: {ANYTHING}\n"
        f"# sessions/one\nendpoints: [a, b]\nimage: dtn:1\n{one}"
        f"# sessions/two\nendpoints: [a]\nimage: dtn:1\n{two}"
    )


def test_a_suspended_session_is_left_as_it_is_and_the_others_are_not() -> None:
    made = applied(declared())
    changed = "settings: {env: {A: b}}\n"
    found = plan(declared(one=f"suspend: true\n{changed}", two=changed), made)
    assert changes(found) == ["replace session/two @ a: replaces container lab.two"]
    assert found.notes == (
        "session one is suspended (state/sessions/one.yaml:3), so nothing of it is changed; "
        "held back: session/one @ a replaces container lab.one; session/one @ b replaces container lab.one",
    )


def test_sessions_that_are_suspended_or_on_such_an_endpoint_are_held() -> None:
    assert held_sessions(declared()) == ()
    assert held_sessions(declared(two="suspend: true\n")) == ("two",)
    assert held_sessions(declared(a="suspend: true\n")) == ("one", "two")


def test_a_suspended_session_that_is_as_declared_is_named_all_the_same() -> None:
    found = plan(declared(one="suspend: true\n"), applied(declared()))
    assert (found.changes, found.notes) == ((), ("session one is suspended (state/sessions/one.yaml:3), so nothing of it is changed",))


def test_drift_of_what_is_suspended_is_shown() -> None:
    made = applied(declared())
    change(made, "a", "lab.one", memory=1)
    found = plan(declared(one="suspend: true\n"), made)
    assert not found.steps
    assert found.notes[0].endswith("held back: session/one @ a changes container lab.one in place (drift)")
    assert [item.is_drift for item in plan(declared(one="suspend: true\n"), made, sees_suspended=True).changes] == [True]


def test_nothing_is_made_on_a_suspended_endpoint() -> None:
    wanted = declared(a="suspend: true\n")
    found = plan(wanted, world(wanted))
    assert {step.endpoint for step in found.steps} == {"b"}
    assert found.notes == (
        "endpoint a is suspended (state/endpoints/a.yaml:4), so nothing of it is changed; "
        "held back: session/one @ a creates container lab.one; session/two @ a creates container lab.two",
    )


def test_many_changes_that_are_held_back_are_counted() -> None:
    wanted = site(
        f"# endpoints/a\ndocker: unix:///run/a.sock\nhost: a.example.net\nallow: {ANYTHING}\nsuspend: true\n"
        + "".join(f"# sessions/s{number}\nendpoints: [a]\nimage: dtn:1\n" for number in range(5))
    )
    assert plan(wanted, world(wanted)).notes[0].endswith("session/s2 @ a creates container lab.s2; and 2 more")


def test_a_suspended_session_that_has_expired_stays_and_so_it_does_when_everything_is_destroyed() -> None:
    made = applied(declared())
    expired = declared(one="suspend: true\nexpires: 2026-05-01T00:00:00Z\n")
    assert not plan(expired, made).steps
    assert {step.id for step in plan(expired, made, destroy=True).steps} == {"a/stop/lab.two", "a/remove/lab.two"}


def test_a_suspended_transfer_does_not_start() -> None:
    text = DECLARED.replace("tool: gridftp", "tool: gridftp\nsuspend: true")
    found = plan(site(text), idle())
    assert found.is_empty
    assert found.notes == (
        "transfer t is suspended (state/transfers/t.yaml:4), so nothing of it is changed; "
        "held back: transfer/t @ a generation 1 starts once: a:/data/x → b:/data/x by gridftp",
    )


def test_transfers_through_a_suspended_session_or_endpoint_do_not_start() -> None:
    session = site(DECLARED.replace("user: dtn", "user: dtn\nsuspend: true", 1))
    assert plan(session, idle()).is_empty
    endpoint = site(
        "".join(
            f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\nallow: {ANYTHING}\n{more}"
            for name, more in (("a", ""), ("b", "suspend: true\n"))
        )
        + DECLARED
    )
    assert plan(endpoint, idle()).is_empty


def test_a_suspended_session_records_no_protection() -> None:
    made = applied(site(SESSION))
    assert plan(site(SESSION.replace("user: dtn", "user: dtn\nprotect: true\nsuspend: true")), made).is_empty
    assert plan(site(SESSION.replace("user: dtn", "user: dtn\nprotect: true")), made).steps
