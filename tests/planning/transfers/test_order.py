"""Transfers that follow others: in the same plan, after a record, or not at all and why."""

from __future__ import annotations

from typing import Any

import pytest

from tests.planning.building import applied, plan, site, world
from tests.planning.listing import changes, notes, says, steps
from tests.planning.transfers.scene import SESSION, end_job, idle, record, running, transfer
from tests.properties.world import World


def declared(*names: str, **after: str) -> str:
    """The session, transfers by these names, and further ones that follow what is written."""
    plain = "".join(transfer(name) for name in names)
    return SESSION + plain + "".join(transfer(name, after=value) for name, value in after.items())


def starts(made: World, text: str, **scope: Any) -> list[str]:
    """The steps that start something."""
    return [line for line in steps(plan(site(text), made, **scope)) if "/transfer/" in line.partition(" <- ")[0]]


# --- in one plan --------------------------------------------------------------------------------------------


def test_a_transfer_that_follows_another_starts_in_the_same_apply_after_that_one_has_succeeded() -> None:
    made, text = idle(), declared("t", u="t", v="[u, t]")
    assert steps(plan(site(text), made)) == [
        "a/transfer/t",
        "a/finish/t <- a/transfer/t",
        "a/transfer/u <- a/finish/t",
        "a/finish/u <- a/transfer/u",
        "a/transfer/v <- a/finish/t, a/finish/u",
        "a/finish/v <- a/transfer/v",
    ]
    found = {change.name: change.notes for change in plan(site(text), made).changes}
    assert found == {"t": (), "u": ("starts after t, if that succeeds",), "v": ("starts after t, u, if that succeeds",)}
    made.apply(plan(site(text), made))
    assert plan(site(text), made).is_empty


def test_names_say_nothing_about_the_order() -> None:
    assert starts(idle(), declared("t", a1="z9", z9="t")) == ["a/transfer/t", "a/transfer/z9 <- a/finish/t", "a/transfer/a1 <- a/finish/z9"]


def test_the_ledger_is_made_for_all_of_them_in_name_order() -> None:
    text = declared("t", b="t")
    found = plan(site(text), world(site(text)))
    assert next(change.cause.text for change in found.changes if change.kind == "ledger") == "transfers b, t keep their record here"


def test_one_that_ended_and_is_judged_in_this_plan_is_followed_in_it() -> None:
    text = declared("t", u="t")
    made = running(text)
    end_job(made)
    assert steps(plan(site(text), made)) == ["a/finish/t", "a/transfer/u <- a/finish/t", "a/finish/u <- a/transfer/u"]


# --- after a record -----------------------------------------------------------------------------------------


def test_what_has_succeeded_before_is_not_waited_for() -> None:
    made = idle()
    record(made, verdict="succeeded")
    assert starts(made, declared("t", u="t")) == ["a/transfer/u"]


@pytest.mark.parametrize(
    ("verdict", "cause", "expected"),
    [
        ("failed", "disk full", "failed: disk full"),
        ("cancelled", "", "was cancelled"),
        ("unknown", "it cannot be read", "has an unknown result: it cannot be read"),
    ],
)
def test_what_follows_a_transfer_that_will_not_succeed_is_blocked_with_its_reason(verdict: Any, cause: str, expected: str) -> None:
    made, text = idle(), declared("t", u="t", v="u")
    record(made, verdict=verdict, cause=cause)
    found = plan(site(text), made)
    assert [(item.name, item.code, item.cause.text, item.cause.place) for item in found.blocked] == [
        ("u", "E0497", f"it follows t, which {expected}", "state/transfers/u.yaml:4")
    ]
    assert found.blocked[0].fix == "`generation` of t raised, once its cause is gone; or `after` without it"
    assert "v generation 1 waiting: it starts after u, which is blocked" in notes(found)
    assert not found.steps


def test_a_claim_without_a_result_blocks_what_follows_it_while_it_is_closed() -> None:
    made, text = idle(), declared("t", u="t")
    record(made)
    found = plan(site(text), made)
    assert steps(found) == ["a/finish/t"]
    assert [change.cause.text for change in found.blocked] == [
        "it follows t, which has an unknown result: claimed at 2026-06-01T00:00:00Z, but its container and its result are gone: "
        "it may have run"
    ]


def test_a_further_try_is_followed_and_a_try_that_is_only_cleaned_up_is_not() -> None:
    text = SESSION + transfer("t", retries=1) + transfer("u", after="t")
    made = idle()
    record(made, verdict="failed", cause="reset", retryable=True)
    assert starts(made, text) == ["a/transfer/t", "a/transfer/u <- a/finish/t"]
    made = running(text)
    end_job(made)
    job = made.hosts["a"].by_name("lab.t.g1a1")
    assert job is not None
    record(made, container=job.id, verdict="failed", cause="reset", retryable=True)
    found = plan(site(text), made)
    assert steps(found) == ["a/finish/t"]
    assert notes(found) == ["u generation 1 waiting: it starts after t, which failed and is tried again by the next apply"]


# --- waiting ------------------------------------------------------------------------------------------------


def test_it_waits_while_the_other_one_runs_and_says_which_apply_starts_it() -> None:
    text = declared("t", u="t")
    made = running(text)
    assert "u generation 1 waiting: it starts after t, which still runs; the first apply after its end starts this one" in notes(
        plan(site(text), made)
    )
    assert not plan(site(text), made).steps


def test_it_waits_as_long_as_the_other_one_waits() -> None:
    made, text = idle(), declared("t", u="t")
    made.hosts["b"].silence = "no answer within 10 s"
    says(
        [line for line in notes(plan(site(text), made)) if "generation" in line],
        """
        t generation 1 waiting: b does not answer
        u generation 1 waiting: b does not answer
        """,
    )


def from_c() -> tuple[World, str]:
    """A transfer t from an endpoint c, one that follows it, and the world where the session runs."""
    hosts = "".join(f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\n{ALLOW}" for name in "abcd")
    sessions = f"{SESSION}# sessions/q\nendpoints: [b, c]\nimage: dtn:1\nuser: dtn\n{OTHER_PORTS}{hosts}"
    made = applied(site(sessions))
    made._ensure_ledger(made.hosts["a"])
    return made, sessions + transfer("t", **{"from": "c:/data/x"}) + transfer("u", after="t")


OTHER_PORTS = "settings: {data_port_range: [50200, 50203]}\n"
ALLOW = "allow: {mounts: [/], volumes: ['*']}\n"


def test_it_waits_for_what_is_on_an_endpoint_that_does_not_answer() -> None:
    made, text = from_c()
    made.hosts["c"].silence = "no answer within 10 s"
    expected = "u generation 1 waiting: it starts after t, which is not known to have succeeded while c does not answer"
    assert expected in notes(plan(site(text), made))


def test_it_waits_for_one_that_is_blocked_before_its_record_is_read() -> None:
    made, text = from_c()
    made.hosts["c"].engine_id = made.hosts["d"].engine_id = "one"
    found = plan(site(text), made)
    assert "t" in [change.name for change in found.blocked]
    assert "u generation 1 waiting: it starts after t, which is blocked" in notes(found)


def test_it_waits_for_one_that_waits_for_its_window() -> None:
    text = SESSION + transfer("t", when="{from: '01:00', to: '01:01', zone: UTC}") + transfer("u", after="t")
    (said,) = [line for line in notes(plan(site(text), idle())) if line.startswith("u ")]
    assert said.startswith("u generation 1 waiting: it starts after t, which waits itself: ")


def test_one_that_this_run_leaves_alone_counts_by_its_record() -> None:
    made, text = idle(), declared("t", u="t")
    found = plan(site(text), made, targets=("transfer/u",))
    assert notes(found) == ["u generation 1 waiting: it starts after t, which has not succeeded, and this run leaves it alone"]
    record(made, verdict="succeeded")
    assert starts(made, text, targets=("transfer/u",)) == ["a/transfer/u"]


def test_nothing_waits_that_does_not_start_anyway() -> None:
    made, text = idle(), declared("t", u="t")
    record(made, transfer="u", verdict="succeeded")
    assert steps(plan(site(text), made)) == ["a/transfer/t", "a/finish/t <- a/transfer/t"]
    assert [line for line in changes(plan(site(text), made)) if "/u" in line] == []


def endpoints() -> str:
    hosts = "".join(f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\n" for name in "abc")
    return hosts.replace("example.net\n", "example.net\nallow: {mounts: [/], volumes: ['*']}\n")
