"""Windows of `freeze:`: what they hold back, until when, and what goes on."""

from __future__ import annotations

import pytest

from dtnctl.model.plan import Plan
from dtnctl.model.schedule import firing_text
from dtnctl.model.site import Site
from dtnctl.planning.rails.freezing import freeze_beginnings
from dtnctl.planning.scope import Scope
from tests.planning.building import ANYTHING, NOW, applied, plan, site, world
from tests.planning.dtns import after, dtn
from tests.planning.dtns import endpoint as agent_endpoint
from tests.planning.listing import changes, details, says
from tests.planning.transfers.declared import DECLARED, idle

OPEN = "[{from: '22:00', to: '02:00', reason: beam time}]"  # it is midnight, UTC
CLOSED = "[{from: '01:00', to: '02:00'}]"
ENDLESS = "[{from: 2026-01-01T00:00:00Z}]"
FIX = "apply again then, or `--override-freeze REASON` if it cannot wait"


def declared(*, site_: str = "", endpoint: str = "", session: str = "", settings: str = "{}", more: str = "") -> Site:
    line = {"site": site_, "endpoint": endpoint, "session": session}
    frozen = {name: f"freeze: {text}\n" if text else "" for name, text in line.items()}
    return site(
        f"# site\nname: lab\nlimits: {{max_prune: 100%}}\n{frozen['site']}"
        f"# endpoints/a\ndocker: unix:///run/a.sock\nhost: a.example.net\nallow: {ANYTHING}\n{frozen['endpoint']}"
        f"# endpoints/b\ndocker: unix:///run/b.sock\nhost: b.example.net\nallow: {ANYTHING}\n"
        f"# sessions/one\nendpoints: [a, b]\nimage: dtn:1\nsettings: {settings}\n{frozen['session']}{more}"
    )


CHANGED = "{env: {A: b}}"


@pytest.mark.parametrize(
    ("level", "place", "name"),
    [
        ("site_", "state/site.yaml:3", "site lab"),
        ("endpoint", "state/endpoints/a.yaml:4", "endpoint a"),
        ("session", "state/sessions/one.yaml:4", "session one"),
    ],
)
def test_a_change_is_held_back_while_a_window_is_open(level: str, place: str, name: str) -> None:
    made = applied(declared())
    found = plan(declared(settings=CHANGED, **{level: OPEN}), made)
    assert not found.steps
    assert {(item.code, item.cause.text, item.cause.place, item.fix) for item in found.blocked} == {
        ("E0442", f"{name} is frozen until 2026-06-01T02:00Z: beam time", place, FIX)
    }


@pytest.mark.parametrize(
    ("site_", "ahead", "note"),
    [
        (OPEN, 3 * 3600, "is open by this machine's clock, which counts, and not by that of a, 10800 s ahead"),
        ("[{from: '00:01', to: '02:00'}]", 90, "is not open by this machine's clock, which counts, but by that of a, 90 s ahead"),
        ("[{from: '00:00', to: '02:00'}]", -90, "is open by this machine's clock, which counts, and not by that of a, 90 s behind"),
        (OPEN, 3600, ""),
        ("[{from: '00:00', to: '02:00'}]", -5, ""),
        ("[{from: '00:00', to: '02:00'}]", None, ""),
    ],
)
def test_a_window_that_is_open_by_one_clock_alone_is_named_once(site_: str, ahead: int | None, note: str) -> None:
    made = applied(declared())
    made.hosts["a"].clock_ahead = ahead
    found = [text for text in plan(declared(site_=site_), made).notes if "freeze of" in text]
    assert found == ([f"the freeze of site lab (state/site.yaml:3) {note}"] if note else [])


def test_windows_of_a_session_are_compared_with_the_clocks_of_its_endpoints() -> None:
    made = applied(declared())
    made.hosts["b"].clock_ahead = 3 * 3600
    found = [text for text in plan(declared(session=OPEN, endpoint=OPEN), made).notes if "freeze of" in text]
    assert [text.partition(")")[0] for text in found] == ["the freeze of session one (state/sessions/one.yaml:4"]


def test_what_does_not_change_is_not_held_back() -> None:
    assert plan(declared(site_=OPEN), applied(declared())).is_empty


def test_a_window_that_is_not_open_holds_nothing_back() -> None:
    found = plan(declared(settings=CHANGED, site_=CLOSED, endpoint=CLOSED, session=CLOSED), applied(declared()))
    assert len(found.steps) > 2
    assert not found.blocked


def test_a_new_session_waits_until_the_window_ends() -> None:
    wanted = declared(session=ENDLESS)
    found = plan(wanted, world(wanted))
    assert not found.steps
    assert found.blocked[0].summary == "session one is frozen without an end"


def test_the_nearest_window_is_named_and_the_end_is_that_of_all() -> None:
    found = plan(declared(settings=CHANGED, site_="[{to: '03:00'}]", session="[{to: '01:00'}]"), applied(declared()))
    assert {(item.summary, item.cause.place) for item in found.blocked} == {
        ("session one is frozen until 2026-06-01T03:00Z", "state/sessions/one.yaml:4")
    }


def test_an_endpoint_holds_back_what_is_removed_from_it() -> None:
    made = applied(declared())
    wanted = site(
        f"# site\nname: lab\nlimits: {{max_prune: 100%}}\n"
        f"# endpoints/a\ndocker: unix:///run/a.sock\nhost: a.example.net\nallow: {ANYTHING}\nfreeze: {OPEN}\n"
        f"# endpoints/b\ndocker: unix:///run/b.sock\nhost: b.example.net\nallow: {ANYTHING}\n"
        "# sessions/two\nendpoints: [b]\nimage: dtn:1\n"
    )
    found = plan(wanted, made)
    assert "blocked session/one @ a: E0442" in changes(found)
    assert "destroy session/one @ b: removes container lab.one, running" in changes(found)


def test_destroy_waits_too() -> None:
    found = plan(declared(session=OPEN), applied(declared()), destroy=True)
    assert (found.steps, {item.code for item in found.blocked}) == ((), {"E0442"})


def test_an_override_changes_it_and_the_plan_says_why() -> None:
    made = applied(declared())
    found = plan(declared(settings=CHANGED, endpoint=OPEN, session=ENDLESS), made, override_freeze="ticket 4711")
    assert found.steps
    assert not found.blocked
    assert found.notes == (
        "the freeze of endpoint a until 2026-06-01T02:00Z (state/endpoints/a.yaml:4) is overridden: ticket 4711",
        "the freeze of session one without an end (state/sessions/one.yaml:4) is overridden: ticket 4711",
    )


def test_an_override_without_an_open_window_says_nothing() -> None:
    assert plan(declared(site_=CLOSED), applied(declared()), override_freeze="ticket 4711").is_empty


def test_a_protected_session_is_recorded_after_the_window() -> None:
    made = applied(declared())
    found = plan(declared(session=OPEN, more="protect: true\n"), made)
    assert {text.partition(":")[0] for text in changes(found)} == {"blocked protection/one @ a", "blocked protection/one @ b"}
    assert plan(declared(more="protect: true\n"), made).steps


NETWORK = "# networks/mgmt\ndriver: bridge\nsubnet: 10.9.0.0/24\n"


def test_networks_and_settings_of_a_frozen_endpoint_stay() -> None:
    def tuned(text: str, freeze: str = "") -> Site:
        return dtn("# networks/star\ndriver: sriov\nsubnet: 10.2.0.0/24\n", on=agent_endpoint(more=f"vfs: {{ens1f0: {text}}}\n{freeze}"))

    made = after(tuned("4"))
    found = plan(tuned("6", f"freeze: {OPEN}\n"), made)
    assert changes(found) == ["blocked vfs/ens1f0 @ a: E0442"]
    assert not found.steps


def test_a_transfer_starts_in_a_freeze() -> None:
    """Moving data is what the endpoints are for; a freeze holds changes of them back."""
    frozen = site(f"# site\nname: lab\nfreeze: {OPEN}\n" + DECLARED)
    assert [item.mark for item in plan(frozen, idle()).changes if item.kind == "transfer"] == ["transfer"]


def test_a_transfer_starts_although_a_change_of_its_session_is_held_back() -> None:
    frozen = site(f"# site\nname: lab\nfreeze: {OPEN}\n" + DECLARED.replace("user: dtn", "user: dtn\nsettings: {env: {A: b}}", 1))
    made = idle()
    found = plan(frozen, made)
    says(
        [line for line in details(found) if line.startswith(("blocked", "transfer"))],
        """
        blocked session/s @ a: E0442
        blocked session/s @ b: E0442
        transfer transfer/t @ a: generation 1 starts once: a:/data/x → b:/data/x by gridftp
        """,
    )


# --- what opens while a plan is carried out -----------------------------------------------------------------


def beginnings(wanted: Site, found: Plan, reason: str = "") -> dict[str, tuple[str, str]]:
    """By step: when it is held back from, and why."""
    held = freeze_beginnings(wanted, found, NOW, Scope(override_freeze=reason))
    return {step: (firing_text(item.at), item.reason) for step, item in held.items()}


def test_each_step_of_a_plan_has_the_moment_at_which_the_next_window_opens_for_it() -> None:
    wanted = declared(settings=CHANGED, site_="[{from: '05:00', to: '06:00'}]", endpoint="[{from: '01:00', to: '02:00', reason: beam}]")
    found = plan(wanted, applied(declared()))
    held = beginnings(wanted, found)
    assert held.keys() == {step.id for step in found.steps}
    assert {value for step, value in held.items() if step.startswith("a/")} == {
        ("2026-06-01T01:00Z", "E0442 endpoint a is frozen until 2026-06-01T02:00Z: beam (state/endpoints/a.yaml:4)")
    }
    assert {value for step, value in held.items() if step.startswith("b/")} == {
        ("2026-06-01T05:00Z", "E0442 site lab is frozen until 2026-06-01T06:00Z (state/site.yaml:3)")
    }
    assert not beginnings(wanted, found, "INC-4711")


def test_a_session_has_windows_of_its_own_and_one_that_has_ended_does_not_begin() -> None:
    wanted = declared(settings=CHANGED, session="[{to: 2026-01-01T00:00:00Z}, {from: 2026-06-01T00:30:00Z}]")
    found = plan(wanted, applied(declared()))
    assert set(beginnings(wanted, found).values()) == {
        ("2026-06-01T00:30Z", "E0442 session one is frozen without an end (state/sessions/one.yaml:4)")
    }
    wanted = declared(settings=CHANGED, session="[{to: 2026-01-01T00:00:00Z}]")
    assert not beginnings(wanted, plan(wanted, applied(declared())))


def test_transfers_and_their_records_are_not_held_back_by_a_window_that_opens() -> None:
    wanted = site(f"# site\nname: lab\nfreeze: {CLOSED}\n" + DECLARED)
    found = plan(wanted, idle())
    assert found.steps
    assert not beginnings(wanted, found)
