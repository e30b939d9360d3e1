"""A notification that is due because the run that recorded the end was cut off: a step of the next plan."""

from __future__ import annotations

from dtnctl.model.notification import DUE
from dtnctl.planning.report import transfer_rows
from tests.planning.building import NOW, plan, site
from tests.planning.listing import details, notes, says, steps
from tests.planning.transfers.scene import SESSION, idle, record, transfer

NOTIFIED = SESSION + transfer("t", notify="{url_env: DTN_HOOK}")


def test_what_is_due_is_sent_and_nothing_starts() -> None:
    made = idle()
    record(made, verdict="failed", cause="disk full", notified=DUE)
    found = plan(site(NOTIFIED), made)
    assert steps(found) == ["a/finish/t"]
    says(
        details(found),
        """
        transfer transfer/t @ a: generation 1 sends its notification; starts nothing: a:/data/t → b:/data/t by gridftp
          because its end was recorded, and not reported yet (state/transfers/t.yaml:4)
          session = s
          streams = 4
          verify = checksum by md5, from 1 GiB on by sha256 where both ends compute that faster
        """,
    )
    assert notes(found) == ["t generation 1 failed: disk full; raise `generation` to run it again"]


def test_what_was_sent_or_given_up_is_left() -> None:
    for notified in ("2026-06-01T00:00:00Z", "not sent at 2026-06-01T00:00:00Z: the webhook answered 500", ""):
        made = idle()
        record(made, verdict="succeeded", notified=notified)
        assert plan(site(NOTIFIED), made).is_empty
        (row,) = transfer_rows(site(NOTIFIED), made.observe(), NOW)
        assert row.notified == notified


def test_it_waits_for_the_destination_and_ends_with_the_field() -> None:
    made = idle()
    record(made, verdict="succeeded", notified=DUE)
    assert plan(site(SESSION + transfer("t")), made).is_empty
    made.hosts["b"].silence = "no answer within 10 s"
    assert not plan(site(NOTIFIED), made).steps
