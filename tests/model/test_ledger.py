"""The record of one-shot jobs: what is written is read back, and what cannot be read is unknown, never absent."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.ledger import (
    FOLDER,
    LONGEST_RECORD,
    RECORDS,
    Attempt,
    Entry,
    LedgerSeen,
    decode_attempt,
    decode_ledger,
    encode_attempt,
    log_path,
    owner_path,
    record_path,
)

CLAIM = Attempt("sc20-1T", 1, 2, container="c0ffee", claimed_at="2026-11-22T10:00:00Z")
PATH = "/ledger/records/sc20-1T.g1a2.json"
ONE_BEFORE = "/ledger/records/sc20-1T.g1a1.json"
TEXTS = st.text(st.characters(codec="utf-8"))
NUMBERS = st.integers(0, 10**18)

ATTEMPTS = st.builds(
    Attempt,
    transfer=st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True),
    generation=NUMBERS.map(lambda n: n % 10**17),
    attempt=NUMBERS.map(lambda n: n % 10**17),
    container=TEXTS,
    claimed_at=TEXTS,
    released=st.booleans(),
    verdict=st.sampled_from([None, "succeeded", "failed", "cancelled", "unknown"]),
    cause=TEXTS,
    retryable=st.booleans(),
    exit_code=st.none() | st.integers(-1, 255),
    bytes=NUMBERS,
    files=NUMBERS,
    seconds=st.floats(0, 1e12, allow_nan=False),
    finished_at=TEXTS,
    checksum=TEXTS,
    verified=TEXTS,
    who=TEXTS,
    uncommitted=st.booleans(),
    rate=st.none() | st.floats(0, 1e12, allow_nan=False),
    streams=st.integers(0, 64),
    retransmits=st.none() | st.integers(0, 10**6),
    served=TEXTS,
    resolution=st.sampled_from(["", "succeeded", "failed", "run-again"]),
    labels=st.dictionaries(TEXTS, TEXTS, max_size=3).map(lambda pairs: tuple(sorted(pairs.items()))),
)


@given(ATTEMPTS)
def test_a_record_is_read_back_as_it_was_written(attempt: Attempt) -> None:
    path = record_path(attempt.transfer, attempt.generation, attempt.attempt)
    assert decode_attempt(path, encode_attempt(attempt)) == attempt


@given(st.binary(max_size=200))
def test_any_bytes_decode_to_an_unknown_attempt_of_the_name(content: bytes) -> None:
    attempt = decode_attempt(PATH, content)
    assert (attempt.transfer, attempt.generation, attempt.attempt) == ("sc20-1T", 1, 2)
    assert attempt.verdict == "unknown"
    assert attempt.cause


@given(st.integers(0, 400))
def test_a_record_cut_off_anywhere_is_unknown(length: int) -> None:
    whole = encode_attempt(CLAIM)
    attempt = decode_attempt(PATH, whole[: min(length, len(whole) - 3)])
    assert attempt.verdict == "unknown"


def _with(**changes: object) -> bytes:
    return json.dumps(json.loads(encode_attempt(CLAIM)) | changes).encode()


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "it is empty"),
        (b"[]", "not a JSON object"),
        (b"[" * 20000, "cannot be read"),
        (b" " * LONGEST_RECORD + b"{}", "too many"),
        (_with(version=3), "version 3, this dtnctl knows 2 and older"),
        (_with(version=True), "version True"),
        (_with(colour="red"), "unknown field 'colour'"),
        (json.dumps({"version": 1, "transfer": "sc20-1T"}).encode(), "field 'attempt' is missing"),
        (_with(bytes=True), "field 'bytes' has a wrong value"),
        (_with(bytes="3"), "field 'bytes' has a wrong value"),
        (_with(exit_code="1"), "field 'exit_code' has a wrong value"),
        (_with(seconds=float("nan")), "field 'seconds' has a wrong value"),
        (_with(released=0), "field 'released' has a wrong value"),
        (_with(verdict="fine"), "field 'verdict' has a wrong value"),
        (_with(cause=None), "field 'cause' has a wrong value"),
        (_with(rate="fast"), "field 'rate' has a wrong value"),
        (_with(labels=[["a", "b"]]), "field 'labels' has a wrong value"),
        (_with(labels={"a": 1}), "field 'labels' has a wrong value"),
        (_with(resolution="perhaps"), "field 'resolution' has a wrong value"),
        (_with(attempt=3), "is that of sc20-1T generation 1 attempt 3"),
    ],
)
def test_a_record_that_cannot_be_understood_says_why(content: bytes, cause: str) -> None:
    attempt = decode_attempt(PATH, content)
    assert attempt.verdict == "unknown"
    assert cause in attempt.cause
    assert "sc20-1T.g1a2.json" in attempt.cause


@pytest.mark.parametrize("name", ["notes.txt", "run.g1a1.json~", "run.g1.json", ".run.g1a1.json.swp", "run.g1a1.JSON", "a.b.g1a1.json"])
def test_a_file_that_could_be_any_record_makes_the_whole_ledger_unreadable(name: str) -> None:
    seen = decode_ledger({PATH: encode_attempt(CLAIM), f"{RECORDS}/{name}": encode_attempt(CLAIM)})
    assert (seen.readable, seen.attempts) == (False, ())
    assert repr(name) in seen.trouble


@pytest.mark.parametrize(
    "what", [FOLDER, "a symbolic link", "a hard link", "a named pipe", "a device", "there twice", "of an unknown kind"]
)
def test_what_has_a_records_name_and_is_no_file_makes_that_attempt_unknown(what: str) -> None:
    other = replace(CLAIM, attempt=1)
    seen = decode_ledger({RECORDS: FOLDER, PATH: what, f"{PATH}/inner.json": encode_attempt(CLAIM), ONE_BEFORE: encode_attempt(other)})
    assert seen.readable
    assert [(item.attempt, item.verdict) for item in seen.attempts] == [(1, None), (2, "unknown")]
    assert what in seen.attempts[1].cause


@pytest.mark.parametrize(("root", "words"), [("a symbolic link", "a symbolic link"), ("a named pipe", "a named pipe"), (b"{}", "a file")])
def test_a_records_folder_that_is_none_is_unreadable_and_not_empty(root: bytes | str, words: str) -> None:
    assert decode_ledger({RECORDS: root}) == LedgerSeen(trouble=f"its records folder is {words}")


def test_records_are_read_by_the_repository_that_the_folder_names_and_by_no_other() -> None:
    records: dict[str, Entry] = {RECORDS: FOLDER, PATH: encode_attempt(CLAIM), owner_path(): b"a1b2c3d4e5f6\n"}
    assert decode_ledger(records, "a1b2c3d4e5f6").attempts == (CLAIM,)
    for other in ("", "ffffffffffff"):
        assert decode_ledger(records, other) == LedgerSeen(
            trouble="its records folder belongs to the repository with the id 'a1b2c3d4e5f6'"
        )
    linked = decode_ledger({**records, owner_path(): "a symbolic link"}, "a1b2c3d4e5f6")
    assert linked.trouble.endswith("that is a symbolic link")


def test_records_of_a_folder_that_names_nobody_are_read() -> None:
    assert decode_ledger({PATH: encode_attempt(CLAIM)}, "a1b2c3d4e5f6").attempts == (CLAIM,)


def test_a_record_of_the_first_format_is_read() -> None:
    first = {
        "version": 1, "transfer": "sc20-1T", "generation": 1, "attempt": 2, "container": "c0ffee", "claimed_at": "2026-11-22T10:00:00Z",
        "released": False, "verdict": "succeeded", "cause": "", "retryable": False, "exit_code": 0, "bytes": 7, "files": 1,
        "seconds": 1.5, "finished_at": "2026-11-22T10:01:00Z", "checksum": "md5:00", "verified": "md5 of 1 file equal at both ends",
    }  # fmt: skip
    attempt = decode_attempt(PATH, json.dumps(first).encode())
    assert (attempt.verdict, attempt.bytes, attempt.who, attempt.retransmits) == ("succeeded", 7, "", None)
    assert json.loads(encode_attempt(attempt)) == {**first, "version": 2}


def test_fields_that_say_nothing_are_left_out_of_a_record() -> None:
    written = json.loads(encode_attempt(replace(CLAIM, who="ops@host", retransmits=0)))
    assert (written["who"], written["retransmits"]) == ("ops@host", 0)
    assert not {"commit", "streams", "rate", "resolution"} & written.keys()


def test_a_record_is_known_by_its_name_alone() -> None:
    assert decode_attempt(f"{RECORDS}/notes.txt", encode_attempt(CLAIM)).verdict == "unknown"


def test_the_ledger_is_in_the_order_of_transfer_generation_attempt() -> None:
    attempts = [replace(CLAIM, transfer=name, generation=g, attempt=a) for name in "ba" for g in (10, 2) for a in (2, 1)]
    records = {record_path(item.transfer, item.generation, item.attempt): encode_attempt(item) for item in attempts}
    seen = decode_ledger(records)
    assert seen.readable
    assert [(item.transfer, item.generation, item.attempt) for item in seen.attempts] == [
        (t, g, a) for t in "ab" for g in (2, 10) for a in (1, 2)
    ]


def test_an_empty_folder_is_a_readable_ledger() -> None:
    assert decode_ledger({}).readable


def test_a_log_lies_beside_the_records_with_the_same_name() -> None:
    assert log_path("sc20-1T", 1, 2) == "/ledger/logs/sc20-1T.g1a2.log"
