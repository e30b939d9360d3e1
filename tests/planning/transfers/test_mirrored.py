"""Records that the repository mirrors count like those of the ledger: what ran once never runs again because its endpoint lost it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dtnctl.model.actions import FinishTransfer, StartTransfer
from dtnctl.model.ledger import Attempt
from dtnctl.model.site import Site
from dtnctl.planning.report import transfer_rows
from tests.planning.building import NOW, applied, plan, site, world
from tests.planning.transfers.declared import DECLARED, SESSION, at, idle, record, transfer
from tests.properties.host import MOMENT
from tests.properties.world import World

CLAIM = Attempt("t", 1, 1, "gone", MOMENT, endpoint="a")
VERIFIED = "md5 of 1 file equal at both ends"
RECEIPT = replace(CLAIM, verdict="succeeded", bytes=9, files=1, seconds=1.0, finished_at=MOMENT, verified=VERIFIED)


def mirrored(*attempts: Attempt, text: str = DECLARED) -> Site:
    return replace(site(text), receipts=attempts)


def starts(declared: Site, made: World) -> bool:
    return any(isinstance(step.action, StartTransfer) for step in plan(declared, made).steps)


def state(declared: Site, made: World) -> tuple[str, str]:
    [note] = plan(declared, made).transfers
    return note.state, note.text


def test_a_finished_transfer_is_not_started_again_after_both_endpoints_were_wiped() -> None:
    wiped = world(mirrored(RECEIPT))
    assert starts(site(DECLARED), wiped)
    assert not starts(mirrored(RECEIPT), wiped)
    assert state(mirrored(RECEIPT), wiped) == (
        "succeeded",
        f"9 bytes in 1.0 s, {VERIFIED}, receipt of {MOMENT}",
    )
    [row] = transfer_rows(mirrored(RECEIPT), wiped.observe(), NOW)
    assert (row.state, row.bytes, row.finished_at, row.attempt) == ("succeeded", 9, RECEIPT.finished_at, 1)


def test_a_mirrored_claim_without_result_is_unknown_and_gets_a_record_but_no_start() -> None:
    made = applied(site(SESSION))  # nothing keeps a record there yet
    found = plan(mirrored(CLAIM), made)
    assert [type(step.action).__name__ for step in found.steps] == ["EnsureLedger", "FinishTransfer"]
    assert state(mirrored(CLAIM), made)[0] == "unknown"
    assert "dtnctl transfers resolve t" in state(mirrored(CLAIM), made)[1]


def test_a_failed_try_in_the_mirror_leaves_the_tries_that_are_left() -> None:
    failed = replace(CLAIM, verdict="failed", retryable=True, cause="the connection broke")
    declared = mirrored(failed, text=SESSION + transfer(retries=1))
    [start] = [step.action for step in plan(declared, idle()).steps if isinstance(step.action, StartTransfer)]
    assert start.attempt == 2
    assert not starts(mirrored(failed), idle())


def test_the_ledgers_receipt_counts_where_the_mirror_has_the_claim_alone() -> None:
    made = idle()
    record(made, verdict="succeeded", finished_at=MOMENT)
    assert state(mirrored(CLAIM), made)[0] == "succeeded"
    assert plan(mirrored(CLAIM), made).is_empty


def test_a_claim_that_was_released_in_the_ledger_starts_although_the_mirror_has_the_claim() -> None:
    made = idle()
    record(made, released=True)
    assert starts(mirrored(CLAIM), made)


def test_a_mirrored_record_of_another_generation_counts_for_that_alone() -> None:
    assert starts(mirrored(RECEIPT, text=SESSION + transfer(generation=2)), idle())


def renamed(*attempts: Attempt) -> Site:
    """Endpoint a is called c by now."""
    text = (SESSION + transfer()).replace("[a, b]", "[c, b]").replace("from: a:", "from: c:")
    hosts = "".join(
        f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\nallow: {{mounts: [/]}}\n" for name in "bc"
    )
    return mirrored(*attempts, text=hosts + text)


def test_a_transfer_does_not_run_again_because_its_endpoint_has_another_name() -> None:
    assert starts(renamed(), world(renamed()))
    assert not starts(renamed(RECEIPT), world(renamed()))
    assert state(renamed(RECEIPT), world(renamed()))[0] == "succeeded"
    assert state(renamed(CLAIM), world(renamed()))[0] == "unknown"


def test_a_transfer_whose_from_changed_to_another_endpoint_waits_although_the_first_one_was_wiped() -> None:
    text = SESSION + "# transfers/t\nfrom: b:/data/x\nto: a:/data/y\ntool: gridftp\n"
    made = idle()
    assert state(mirrored(RECEIPT, text=text), made) == (
        "waiting",
        "it was started on a before `from` changed; raise `generation` to run it from here",
    )


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ((RECEIPT,), "succeeded"),
        ((replace(CLAIM, verdict="failed", cause="disk full"),), "failed"),
        ((CLAIM,), "unknown"),
        ((replace(CLAIM, verdict="failed", retryable=True), replace(RECEIPT, attempt=2)), "succeeded"),
        ((replace(CLAIM, released=True),), "unknown"),
        ((), "unknown"),
    ],
)
def test_a_source_that_does_not_answer_has_its_result_from_the_mirror(attempts: tuple[Attempt, ...], expected: str) -> None:
    made = applied(site(SESSION))
    made.hosts["a"].silence = "no answer within 10 s"
    declared = mirrored(*attempts, text=SESSION + transfer(retries=1))
    assert state(declared, made)[0] == expected
    assert not starts(declared, made)


def test_what_follows_a_transfer_starts_where_the_mirror_alone_knows_that_it_succeeded() -> None:
    hosts = at(a="a.example.net", b="b.example.net", c="c.example.net").replace("host:", "allow: {volumes: ['*']}\nhost:")
    session = hosts + SESSION.replace("[a, b]", "[a, b, c]")
    made = applied(site(session))
    made.hosts["a"].silence = "no answer within 10 s"
    text = session + transfer() + "# transfers/u\nfrom: b:/data/u\nto: c:/data/u\ntool: gridftp\nafter: [t]\n"
    found = {note.name: note.text for note in plan(mirrored(text=text), made).transfers}
    assert found["u"] == "it starts after t, which is not known to have succeeded while a does not answer"
    known = plan(mirrored(RECEIPT, text=text), made)
    assert [note.name for note in known.transfers] == ["t"]


def decided(**values: Any) -> Attempt:
    return replace(CLAIM, resolved_by="ops@host", resolved_at=MOMENT, **values)


def test_what_a_person_decided_of_an_unknown_result_is_shown_with_who_and_why() -> None:
    made = idle()
    record(made, verdict="unknown", cause="gone")
    because = decided(verdict="succeeded", resolution="succeeded", reason="sizes looked at")
    assert state(mirrored(because), made) == ("succeeded", f"as ops@host decided at {MOMENT}: sizes looked at")
    assert state(mirrored(decided(verdict="failed", resolution="failed")), made) == ("failed", f"as ops@host decided at {MOMENT}")


def test_run_again_starts_the_next_try_once() -> None:
    made = idle()
    record(made, verdict="unknown", cause="gone")
    again = decided(released=True, resolution="run-again")
    [start] = [step.action for step in plan(mirrored(again), made).steps if isinstance(step.action, StartTransfer)]
    assert start.attempt == 2
    record(made, attempt=2, container="gone too")
    found = plan(mirrored(again), made)
    assert [type(step.action) for step in found.steps] == [FinishTransfer]


def test_a_plan_without_a_mirror_is_as_it_was() -> None:
    made = idle()
    record(made, verdict="failed", cause="disk full")
    assert plan(site(DECLARED), made) == plan(mirrored(), made)
