"""The journal is one document: what was written is read again, anything else is refused."""

from __future__ import annotations

import pytest

from dtnctl.pulling.decisions import Fetched, Refusal, after_fetch
from dtnctl.pulling.journal import BrokenJournalError, Journal, decode_journal, encode_journal


def test_journal_that_was_written_is_read_again() -> None:
    journal = after_fetch(Journal(branch="main"), Fetched("a" * 40), Refusal("a" * 40, "broken", "no\n✖"), "2026-06-01T00:00:00Z").journal
    assert decode_journal(encode_journal(journal)) == journal


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "1 mistakes, the first: Invalid JSON"),
        (b'{"format_version": 2}', "its format is 2, not 1"),
        (b'{"runs": [{}]}', "9 mistakes, the first: Field required"),
        (encode_journal(Journal())[:40], "Invalid JSON"),
    ],
)
def test_anything_else_is_refused_with_the_reason(document: bytes, reason: str) -> None:
    with pytest.raises(BrokenJournalError, match=reason):
        decode_journal(document)
