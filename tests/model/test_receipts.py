"""The mirror of records: of two records of one attempt the one that says more counts, and a claim is never forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.ledger import Attempt
from dtnctl.model.receipts import differing, git_object, is_about, merged, mirror_path, mirrored_content, more_final, to_be_mirrored

CLAIM = Attempt("run14", 1, 1, "c0ffee", "2026-11-29T16:00:00Z", who="ops@host", engine="ABCD")
LATER = replace(CLAIM, container="later", claimed_at="2026-11-29T17:00:00Z")
RELEASED = replace(CLAIM, released=True)
UNKNOWN = replace(CLAIM, verdict="unknown", cause="gone")
RECEIPT = replace(CLAIM, verdict="failed", cause="disk full")
DECIDED = replace(UNKNOWN, verdict="succeeded", resolution="succeeded", resolved_by="ops@host", resolved_at="2026-11-29T18:00:00Z")
AGAIN = replace(DECIDED, verdict=None, released=True, resolution="run-again", resolved_at="2026-11-29T19:00:00Z")


@pytest.mark.parametrize(
    ("less", "more"),
    [(CLAIM, LATER), (RELEASED, LATER), (LATER, UNKNOWN), (UNKNOWN, RECEIPT), (RECEIPT, DECIDED), (DECIDED, AGAIN)],
)
def test_the_record_that_says_more_of_the_end_counts_in_whatever_order(less: Attempt, more: Attempt) -> None:
    assert more_final(less, more) == more_final(more, less) == more


def test_of_two_that_say_as_much_the_ledgers_counts() -> None:
    assert more_final(CLAIM, RELEASED) == CLAIM
    assert more_final(RELEASED, CLAIM) == RELEASED


def test_what_only_the_claim_knows_is_kept_in_the_result_of_one_who_did_not_see_it() -> None:
    blind = Attempt("run14", 1, 1, "", "", verdict="unknown", cause="gone")
    assert more_final(blind, CLAIM) == replace(blind, container="c0ffee", claimed_at=CLAIM.claimed_at, who="ops@host", engine="ABCD")


def test_records_of_both_are_each_there_once_in_order() -> None:
    second = replace(CLAIM, attempt=2)
    assert merged([second], [RECEIPT, replace(second, verdict="succeeded")]) == (RECEIPT, replace(second, verdict="succeeded"))
    assert merged([CLAIM], []) == merged([], [CLAIM]) == (CLAIM,)


def test_a_record_that_is_there_twice_in_the_ledger_stays_twice() -> None:
    assert merged([RECEIPT, UNKNOWN], [CLAIM]) == (RECEIPT, UNKNOWN)


@pytest.mark.parametrize(
    ("attempt", "known", "written"),
    [
        (CLAIM, None, CLAIM),
        (CLAIM, CLAIM, None),
        (CLAIM, RECEIPT, None),
        (RECEIPT, CLAIM, RECEIPT),
        (RELEASED, CLAIM, RELEASED),
        (replace(UNKNOWN, cause="cannot be read"), UNKNOWN, None),
        (DECIDED, UNKNOWN, DECIDED),
        (replace(DECIDED, verdict="unknown"), UNKNOWN, replace(DECIDED, verdict="unknown")),
    ],
)
def test_the_mirror_gets_what_says_more_than_it_has(attempt: Attempt, known: Attempt | None, written: Attempt | None) -> None:
    assert to_be_mirrored(attempt, known) == written


def test_what_the_mirror_holds_as_it_is_does_not_differ() -> None:
    path = mirror_path("lab", CLAIM)
    assert differing("lab", [CLAIM], {}) == {path: CLAIM}
    for algorithm in ("sha1", "sha256"):
        files = {path: git_object(mirrored_content(CLAIM), algorithm=algorithm)}
        assert differing("lab", [CLAIM], files) == {}
        assert differing("lab", [RECEIPT], files) == {path: RECEIPT}


def test_the_id_of_a_file_is_the_one_that_git_gives_it() -> None:
    assert git_object(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


@pytest.mark.parametrize(
    ("path", "is_ours"),
    [
        ("lab/run14.g1a1.json", True),
        ("lab/run14.g1a12.json", True),
        ("lab/run14.g2a1.json", False),
        ("lab/run14.g1202611290230a1.json", True),
        ("lab/run14.g2202611290230a1.json", False),
        ("lab/other.g1a1.json", False),
        ("far/run14.g1a1.json", False),
        ("lab/README", False),
    ],
)
def test_a_file_is_known_by_its_name(path: str, is_ours: bool) -> None:
    assert is_about(path, "lab", {"run14": 1}) is is_ours


def test_passwords_in_addresses_are_left_out_of_causes_and_reasons() -> None:
    attempt = replace(RECEIPT, cause="sftp://ops:secret@dtn1/x and http://dtn1:80/@", reason="see https://a:b@c")
    content = mirrored_content(attempt).decode()
    assert "secret" not in content
    assert "sftp://***@dtn1/x and http://dtn1:80/@" in content
    assert "https://***@c" in content
