"""What a running copy goes through stays until it has ended, and the plan says what waits, for what, and how far that is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.impact import Cut, Progress
from dtnctl.model.plan import Plan
from dtnctl.model.resources import Snapshot
from tests.planning.building import NOW, applied, change, drop, plan, site
from tests.planning.listing import changes, details, notes, says, steps
from tests.planning.transfers.declared import DECLARED, SESSION, end_job, job, running, transfer
from tests.properties.world import World

RSYNC = SESSION + transfer(tool="rsync", retries=1)
REPLACED = "user: dtn\nsettings: {init: true}"
GONE = "# profiles/default\n{}\n"
ALL = "100%"
OTHER = "# sessions/other\nendpoints: [a, b]\nimage: dtn:1\nsettings: {data_port_range: [50200, 50203]}\n"
STOPPED = "this replace would stop transfer t, not resumable"


def at(made: World, **progress: Progress) -> Snapshot:
    """What is seen while the transfers are so far."""
    return replace(made.observe(), progress=progress)


def held(found: Plan) -> dict[tuple[str, str, str], str]:
    """(kind, name, endpoint) of what waits, with the reason."""
    assert {item.code for item in found.blocked} <= {"E0492"}
    return {(item.kind, item.name, item.endpoint): item.summary for item in found.blocked}


# --- services -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "blocked"),
    [
        (
            "overrides: {a: {init: true}}",
            {"a": f"session s on a waits: {STOPPED}; replaces container lab.s, because init differs"},
        ),
        (
            "overrides: {b: {init: true}}",
            {"b": f"session s on b waits: {STOPPED}; replaces container lab.s, because init differs"},
        ),
        (
            "state: stopped",
            {
                end: f"session s on {end} waits: this change would stop transfer t, not resumable; stops container lab.s, because"
                for end in "ab"
            },
        ),
        ("settings: {mgmt_net: bridge, data_nets: [net]}", dict.fromkeys("ab", "")),
        ("overrides: {a: {memory: 9GiB}}", {}),
    ],
)
def test_nothing_that_a_running_copy_goes_through_is_stopped(more: str, blocked: dict[str, str]) -> None:
    text = "# networks/net\ndriver: macvlan\nsubnet: 10.0.0.0/24\n" + DECLARED.replace("user: dtn", f"user: dtn\n{more}")
    made = running()
    waiting = plan(site(text), made)
    found = {item.endpoint: item for item in waiting.blocked}
    assert found.keys() == blocked.keys()
    for end, reason in blocked.items():
        assert reason in found[end].summary
        assert found[end].code == "E0492"
        assert found[end].cause.place.startswith("state/sessions/s.yaml:")
        assert found[end].fix == (
            "apply again when it has ended (`dtnctl transfers logs -f t`), or `--interrupt t`, or `dtnctl transfers cancel t`"
        )
    made.apply(waiting)
    assert job(made).state == "running"  # type: ignore[union-attr]  # it is there as long as it runs
    end_job(made)
    made.apply(plan(site(text), made))
    made.apply(plan(site(text), made))
    assert plan(site(text), made).is_empty


def test_a_replacement_that_is_asked_for_by_name_waits_for_a_running_copy_too() -> None:
    [one, other] = plan(site(DECLARED), running(), replace=("s",)).blocked
    assert {one.code, other.code} == {"E0492"}
    assert "asked for by --replace" in one.summary
    assert (one.held, other.held) == ("replace", "replace")


def test_several_copies_through_one_service_are_all_named() -> None:
    two = DECLARED + transfer(to="b:/data/y").replace("transfers/t", "transfers/u")
    made = running(two, running(), "lab.u.g1a1")
    [item, _] = plan(site(two.replace("user: dtn", REPLACED)), made).blocked
    assert "would stop transfer t, not resumable and transfer u, not resumable; replaces" in item.summary
    assert item.fix == (
        "apply again when they have ended (`dtnctl transfers logs -f t`), or `--interrupt t --interrupt u`, or `dtnctl transfers cancel t`"
    )
    assert len(plan(site(two.replace("user: dtn", REPLACED)), made, interrupt=("t",)).blocked) == 2, "u runs through it, too"


def test_what_interrupts_no_copy_is_done_while_one_runs() -> None:
    """The destination's container is gone: its creation stops nothing."""
    made = running()
    drop(made, "b", "lab.s")
    assert changes(plan(site(DECLARED), made)) == ["create session/s @ b: creates container lab.s"]


def test_a_copy_that_cannot_be_seen_is_said_where_it_would_be_cut_off() -> None:
    made = running()
    made.hosts["a"].silence = "no answer"
    text = DECLARED.replace("user: dtn", "user: dtn\noverrides: {b: {init: true}}")
    said = notes(plan(site(text), made))
    assert any(item.startswith("whether transfer t runs is not known while a does not answer: s on b is down") for item in said), said
    assert not any(item.startswith("whether transfer t runs") for item in notes(plan(site(DECLARED), made)))


# --- how far it is ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "progress", "said"),
    [
        (RSYNC, Progress(62, 100), "transfer t at 62 %, resumable"),
        (RSYNC, Progress(1000, 1000), "transfer t at 99 %, resumable"),  # it still runs
        (RSYNC, Progress(62), "transfer t, resumable"),
        (RSYNC, Progress(0, 0), "transfer t, resumable"),
        (RSYNC.replace("retries: 1", "retries: 0"), Progress(5, 100), "transfer t at 5 %, not resumable"),  # no try follows
        (DECLARED, Progress(62, 100), "transfer t at 62 %, not resumable"),  # gridftp begins again
    ],
)
def test_how_far_a_copy_is_and_whether_it_goes_on_from_there_is_said(text: str, progress: Progress, said: str) -> None:
    made = running(text)
    [item, _] = plan(site(text.replace("user: dtn", REPLACED)), at(made, t=progress)).blocked
    assert f"this replace would stop {said}; " in item.summary
    assert [(cut.transfer, cut.endpoint, cut.progress) for cut in item.cuts] == [("t", "a", progress)]


def test_how_far_a_copy_is_changes_no_hash() -> None:
    made, declared = running(RSYNC), site(RSYNC.replace("user: dtn", REPLACED))
    assert plan(declared, at(made, t=Progress(1, 100))).hash == plan(declared, made).hash


def test_a_copy_of_an_earlier_generation_is_not_resumed() -> None:
    made = running(RSYNC)
    raised = RSYNC.replace("retries: 1", "retries: 1\ngeneration: 2").replace("user: dtn", REPLACED)
    item = next(item for item in plan(site(raised), made).blocked if item.kind == "session")
    assert item.cuts == (Cut("t", "a", is_resumable=False),)


# --- told otherwise -----------------------------------------------------------------------------------------


def test_a_copy_that_may_be_interrupted_is_and_the_plan_says_so() -> None:
    made = running(RSYNC)
    found = plan(site(RSYNC.replace("user: dtn", REPLACED)), at(made, t=Progress(62, 100)), interrupt=("t",))
    assert not found.blocked
    assert [item.interrupts.partition("; ")[2] for item in found.changes] == ["the running transfer t is cut off at 62 %, resumable"] * 2
    assert {cut.transfer for item in found.changes for cut in item.cuts} == {"t"}


@pytest.mark.parametrize("pattern", ["transfer/t", "*", "t*"])
def test_transfers_that_may_be_interrupted_are_named_by_patterns(pattern: str) -> None:
    assert not plan(site(DECLARED.replace("user: dtn", REPLACED)), running(), interrupt=(pattern,)).blocked


def test_the_site_may_say_that_changes_do_not_wait_and_one_run_that_they_do() -> None:
    hasty = f"# site\nname: lab\nlimits: {{running_transfers: interrupt}}\n{DECLARED.replace('user: dtn', REPLACED)}"
    made = running()
    assert not plan(site(hasty), made).blocked
    assert len(plan(site(hasty), made, defer=True).blocked) == 2
    assert not plan(site(hasty), made, defer=True, interrupt=("t",)).blocked


# --- removals -----------------------------------------------------------------------------------------------


def test_the_removal_of_a_session_waits_for_the_transfer_that_runs_through_it() -> None:
    """Also where the transfer is not declared any more, so that only its source is known: the other end stays, too."""
    made = running()
    waiting = plan(site(GONE), at(made, t=Progress(62, 100)), prune=ALL)
    because = "because no file state/sessions/s.yaml any more"
    assert held(waiting) == {
        ("session", "s", end): f"session s on {end} waits: this removal would stop transfer t at 62 %, not resumable; "
        f"removes container lab.s, running, {because}"
        for end in "ab"
    } | {
        ("transfer", "t", "a"): "transfer t on a waits: this removal would stop transfer t at 62 %, not resumable; "
        "removes job lab.t.g1a1, running, because no file state/transfers/t.yaml any more"
    }
    assert not waiting.steps
    assert {item.held for item in waiting.blocked} == {"destroy"}
    end_job(made)
    made.apply(plan(site(GONE), made, prune=ALL))
    assert plan(site(GONE), made).is_empty


def test_an_expired_session_is_removed_when_its_transfer_has_ended() -> None:
    expired = site(RSYNC.replace("user: dtn", f"user: dtn\nexpires: {NOW.isoformat()}"))
    made = running(RSYNC)
    assert held(plan(expired, made, prune=ALL)).keys() == {("session", "s", "a"), ("session", "s", "b")}
    assert "because the session has expired" in held(plan(expired, made, prune=ALL))["session", "s", "a"]
    end_job(made)
    assert not plan(expired, made, prune=ALL).blocked


def test_the_running_job_of_a_removed_transfer_goes_on() -> None:
    made = running()
    says(
        details(plan(site(SESSION), made)),
        """
        blocked transfer/t @ a: E0492
          because transfer t on a waits: this removal would stop transfer t, not resumable; removes job lab.t.g1a1, running,
              because no file state/transfers/t.yaml any more
          fix: apply again when it has ended (`dtnctl transfers logs -f t`), or `--interrupt t`, or `dtnctl transfers cancel t`
        """,
    )
    found = plan(site(SESSION), made, interrupt=("t",))
    assert steps(found) == [
        "a/cancel/lab.t.g1a1",
        "a/stop/lab.t.g1a1 <- a/cancel/lab.t.g1a1",
        "a/record/lab.t.g1a1 <- a/stop/lab.t.g1a1",
        "a/remove/lab.t.g1a1 <- a/stop/lab.t.g1a1, a/record/lab.t.g1a1",
    ]
    assert [item.interrupts for item in found.changes] == ["the running transfer t is cut off, not resumable"]


def test_the_rest_of_what_is_removed_does_not_wait() -> None:
    two = DECLARED.replace("# transfers/t", f"{OTHER}# transfers/t") + "session: s\n"
    made = running_in(two)
    found = plan(site(GONE), made, prune=ALL)
    assert {item.name for item in found.changes if item.mark == "destroy"} == {"other"}


def test_a_session_that_leaves_an_endpoint_without_a_copy_does_not_wait() -> None:
    three = "".join(
        f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\nallow: {{volumes: ['*']}}\n" for name in "abc"
    )
    everywhere = three + DECLARED.replace("[a, b]", "[a, b, c]")
    made = running_in(everywhere)
    found = plan(site(three + DECLARED), made)
    assert changes(found) == ["destroy session/s @ c: removes container lab.s, running"]
    assert found.changes[0].cause.text == "the session does not name this endpoint any more"


def running_in(text: str) -> World:
    made = applied(site(text.partition("# transfers/")[0]))
    made._ensure_ledger(made.hosts["a"])
    return running(text, made)


def test_destroy_names_the_running_transfer_that_it_cuts_off() -> None:
    destroyed = plan(site(DECLARED), at(running(), t=Progress(3, 4)), destroy=True)
    assert [(item.name, item.cause.text, item.interrupts) for item in destroyed.changes if item.kind == "transfer"] == [
        ("t", "destroy was asked for", "the running transfer t is cut off at 75 %, not resumable")
    ]
    assert [item.interrupts for item in destroyed.changes if item.kind == "session"] == [
        "s on a ends; the running transfer t is cut off at 75 %, not resumable",
        "s on b ends; the running transfer t is cut off at 75 %, not resumable",
    ]


def test_a_session_whose_container_is_paused_ends_without_cutting_anything_off() -> None:
    made = running()
    change(made, "a", "lab.s", state="exited", exit_code=0)
    destroyed = plan(site(DECLARED), made, destroy=True)
    assert [item.cuts for item in destroyed.changes if (item.kind, item.endpoint) == ("session", "a")] == [()]
