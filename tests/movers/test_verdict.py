"""Verdicts: no single sign is trusted, and a failure says what is at the destination."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Entry, Evidence, Judgement, Listing
from dtnctl.movers.gridftp import MOVER
from dtnctl.movers.verdict import cancellation, sizes_agree

SAMPLES = Path(__file__).parent / "samples"
ONE = TransferOptions(verify="checksum")
SUM = "d41d8cd98f00b204e9800998ecf8427e"


def one(size: int, modified: str = "1") -> Listing:
    return Listing("file", {"": Entry(size, modified)})


def tree(others: int = 0, folders: tuple[str, ...] = ("",), **files: int) -> Listing:
    entries = {name: Entry(size, "1") for name, size in files.items()}
    return Listing("folder", entries | {name: Entry(0, "1", is_folder=True) for name in folders}, others)


WELL = Evidence(0, "", before=one(100), old=Listing("missing"), source=one(100), destination=one(100), sums=({"": SUM}, {"": SUM}))


def test_equal_checksums_are_success() -> None:
    assert replace(MOVER.judge(WELL, ONE), served="") == Judgement(
        "succeeded", bytes=100, files=1, checksum=f"md5:{SUM}", verified="md5 of 1 file equal at both ends"
    )


def test_the_checksum_of_a_tree_is_that_of_its_list() -> None:
    sums = {"b": "2" * 32, "a": "1" * 32}
    evidence = replace(WELL, before=tree(a=1, b=2), source=tree(a=1, b=2), destination=tree(a=1, b=2, extra=7), sums=(sums, sums))
    judged = MOVER.judge(evidence, ONE)
    lines = f"{'1' * 32}  a\n{'2' * 32}  b\n"
    assert judged.checksum == f"md5:{hashlib.md5(lines.encode()).hexdigest()}"
    assert (judged.bytes, judged.files, judged.verified) == (3, 2, "md5 of 2 files equal at both ends")


def test_exit_code_0_with_a_short_file_is_a_failure() -> None:
    judged = MOVER.judge(replace(WELL, destination=one(60), sums=None), ONE)
    assert replace(judged, served="") == Judgement(
        "failed",
        "it ended well, but at the destination the file has 60 bytes instead of 100; at the destination are 60 of 100 bytes",
        retryable=True,
        bytes=60,
        files=1,
    )


def test_exit_code_0_after_an_ignored_interrupt_is_a_failure_even_if_nothing_is_compared() -> None:
    judged = MOVER.judge(Evidence(0, "Cancelling copy...\n", before=one(100)), TransferOptions(verify="none"))
    assert (judged.verdict, judged.retryable) == ("failed", True)
    assert "interrupted, although its exit code is 0" in judged.cause


def test_exit_code_0_with_nothing_there_is_a_failure() -> None:
    judged = MOVER.judge(replace(WELL, destination=Listing("missing"), sums=None), ONE)
    assert judged.cause == "it ended well, but nothing is at the destination; nothing is at the destination"
    assert judged.verdict == "failed"


def test_different_checksums_are_a_failure_that_may_be_tried_again() -> None:
    judged = MOVER.judge(replace(WELL, sums=({"": SUM}, {"": "0" * 32})), ONE)
    assert (judged.verdict, judged.retryable, judged.checksum) == ("failed", True, "")
    assert judged.cause.startswith(f"the checksums of the file differ: {SUM} at the source, {'0' * 32} at the destination")


EXPECTED = TransferOptions(expected=f"md5:{SUM}")


def test_a_source_that_is_what_is_expected_is_success_and_says_so() -> None:
    assert MOVER.judge(WELL, EXPECTED).verified == "md5 of 1 file equal at both ends, as expected"


def test_a_source_that_is_not_what_is_expected_is_a_failure_that_no_retry_helps() -> None:
    other = "0" * 32
    judged = MOVER.judge(replace(WELL, sums=({"": other}, {"": other})), EXPECTED)
    assert (judged.verdict, judged.retryable) == ("failed", False)
    assert judged.cause == (
        f"the source is not what is expected: it has md5:{other}, `expected` is md5:{SUM}; at the destination are 100 of 100 bytes"
    )
    changed = MOVER.judge(replace(WELL, before=one(99), sums=None), EXPECTED)
    assert changed.cause.startswith("the source changed while it was copied")
    assert changed.retryable
    assert "there are no checksums" in MOVER.judge(replace(WELL, sums=None, no_sums="x"), EXPECTED).cause


def test_missing_checksums_are_no_success() -> None:
    judged = MOVER.judge(replace(WELL, sums=None, no_sums="x on b: md5sum: not found"), ONE)
    assert judged.cause.startswith("it ended well, but there are no checksums: x on b: md5sum: not found")
    assert not judged.retryable


def test_a_source_that_grew_is_a_failure() -> None:
    judged = MOVER.judge(replace(WELL, source=one(150), destination=one(150), sums=None), TransferOptions(verify="size"))
    assert judged.verdict == "failed"
    assert judged.cause.startswith("the source changed while it was copied: the file had 100 bytes before, 150 bytes after")


def test_a_source_file_that_came_or_went_is_a_failure() -> None:
    judged = MOVER.judge(replace(WELL, before=tree(a=1), source=tree(a=1, b=2), destination=tree(a=1, b=2), sums=None), ONE)
    assert "'b' had no file before, 2 bytes after" in judged.cause


def test_a_source_that_was_rewritten_in_place_is_told_when_only_sizes_are_compared() -> None:
    judged = MOVER.judge(replace(WELL, source=one(100, "2"), sums=None), TransferOptions(verify="size"))
    assert (judged.verdict, judged.verified) == ("succeeded", "sizes of 1 file equal at both ends; the source was written to meanwhile")


def test_a_missing_empty_folder_is_a_failure() -> None:
    evidence = replace(WELL, before=tree(folders=("", "e")), source=tree(folders=("", "e")), destination=tree(), sums=None)
    assert MOVER.judge(evidence, ONE).cause.startswith("it ended well, but at the destination folder 'e' is missing")


def test_the_first_of_many_wrong_files_is_named_and_the_rest_counted() -> None:
    both = tree(a=1, b=2, c=3)
    judged = MOVER.judge(replace(WELL, before=both, source=both, destination=tree(a=1, b=1), sums=None), ONE)
    assert judged.cause == (
        "it ended well, but at the destination 'b' has 1 bytes instead of 2 (and 1 more); "
        "at the destination 1 of 3 files have their full size"
    )


def test_what_is_neither_file_nor_folder_is_told() -> None:
    judged = MOVER.judge(replace(WELL, before=tree(others=2), source=tree(others=2), destination=tree(), sums=({}, {})), ONE)
    assert judged.verified == "md5 of 0 files equal at both ends; left out 2 that are neither file nor folder"


def test_without_a_note_of_before_the_source_of_now_counts() -> None:
    judged = MOVER.judge(replace(WELL, before=None), ONE)
    assert (judged.verdict, judged.bytes, judged.files) == ("succeeded", 100, 1)
    assert MOVER.judge(replace(WELL, before=None, exit_code=1), ONE).bytes == 0


def test_nothing_compared_says_so() -> None:
    judged = MOVER.judge(Evidence(0, "", before=one(100)), TransferOptions(verify="none"))
    assert replace(judged, served="") == Judgement("succeeded", bytes=100, files=1, verified="nothing was compared, as asked for")


@pytest.mark.parametrize("place", ["source", "destination"])
def test_an_end_that_cannot_be_looked_at_is_no_success(place: str) -> None:
    hidden = Listing("unknown", problem="Permission denied")
    evidence = replace(WELL, source=hidden) if place == "source" else replace(WELL, destination=hidden)
    judged = MOVER.judge(evidence, ONE)
    assert judged.verdict == "failed"
    assert f"the {place} cannot be looked at: Permission denied" in judged.cause
    assert "cannot be looked at" in MOVER.judge(Evidence(0, "", before=one(1)), ONE).cause


@pytest.mark.parametrize(
    ("code", "cause", "retryable"),
    [
        (127, "its program cannot be run in the image (exit code 127)", False),
        (137, "somebody or something stopped the job (exit code 137)", False),
        (143, "somebody or something stopped the job (exit code 143)", False),
        (1, "globus-url-copy failed and does not say why (exit code 1)", True),
    ],
)
def test_exit_codes_without_words(code: int, cause: str, retryable: bool) -> None:
    judged = MOVER.judge(replace(WELL, exit_code=code, destination=Listing("missing"), sums=None), ONE)
    assert (judged.cause, judged.retryable) == (f"{cause}; nothing is at the destination", retryable)


ENDED = replace(WELL, exit_code=137, destination=Listing("missing"), sums=None)


def test_an_end_that_the_backend_explains_is_explained() -> None:
    cause = "somebody or something stopped the job (exit code 137): its Job was deleted; nothing is at the destination"
    judged = MOVER.judge(replace(ENDED, ended_by="its Job was deleted"), ONE)
    assert (judged.cause, judged.retryable) == (cause, False)


@pytest.mark.parametrize("code", [1, 20, 137, 143])
def test_an_end_for_a_reason_of_the_clusters_own_may_be_tried_again(code: int) -> None:
    evicted = replace(ENDED, exit_code=code, ended_by="Evicted: The node was low on resource: memory.", disrupted=True)
    judged = MOVER.judge(evicted, ONE)
    assert judged.cause == "the cluster ended the job: Evicted: The node was low on resource: memory.; nothing is at the destination"
    assert judged.retryable


def test_a_copy_that_was_complete_before_its_pod_was_evicted_is_complete() -> None:
    assert MOVER.judge(replace(WELL, ended_by="Evicted", disrupted=True), ONE).verdict == "succeeded"


def test_a_failed_copy_leaves_an_empty_file_and_the_cause_says_so() -> None:
    log = (SAMPLES / "bad-missing.log").read_text()
    judged = MOVER.judge(Evidence(1, log, before=one(100), source=one(100), destination=one(0)), ONE)
    assert judged.cause == "/data/nope: no such file or folder (exit code 1); at the destination are 0 of 100 bytes"


def test_an_old_file_that_was_not_touched_is_not_taken_for_ours() -> None:
    judged = MOVER.judge(Evidence(1, "", before=one(100), old=one(100, "7"), source=one(100), destination=one(100, "7")), ONE)
    assert judged.cause.endswith("; at the destination is what was there before")
    assert (judged.bytes, judged.files) == (0, 0)


def test_a_destination_that_nobody_can_ask_is_unknown() -> None:
    judged = MOVER.judge(Evidence(1, "", before=one(100), destination=Listing("unknown", problem="gone")), ONE)
    assert judged.cause.endswith("; what is at the destination is unknown")
    assert MOVER.judge(Evidence(1, "", before=one(100)), ONE).cause == "globus-url-copy failed and does not say why (exit code 1)"


def test_a_stalled_job_may_be_tried_again_and_a_late_one_not() -> None:
    stalled = MOVER.judge(Evidence(143, "", stopped="stalled"), TransferOptions(stall_timeout=30))
    late = MOVER.judge(Evidence(143, "", stopped="deadline"), TransferOptions(deadline=60))
    assert (stalled.cause, stalled.retryable) == ("stalled: no progress for 30 s", True)
    assert (late.cause, late.retryable) == ("not finished within its deadline of 60 s", False)


def test_a_job_that_kept_its_deadline_by_itself_is_told_from_a_failure() -> None:
    assert MOVER.judge(Evidence(124, ""), TransferOptions(deadline=60)).cause == "not finished within its deadline of 60 s"
    assert MOVER.judge(Evidence(124, ""), TransferOptions()).cause == "globus-url-copy failed and does not say why (exit code 124)"


def test_a_job_without_memory_says_so() -> None:
    assert MOVER.judge(Evidence(137, "", out_of_memory=True), ONE).cause == "the job ran out of memory and was killed"


def test_a_cancelled_attempt_says_what_is_there() -> None:
    judged = cancellation(Evidence(143, "", before=one(100), destination=one(30)))
    assert judged == Judgement("cancelled", "cancelled; at the destination are 30 of 100 bytes", bytes=30, files=1)


def test_checksums_are_not_worth_their_time_where_sizes_differ() -> None:
    assert sizes_agree(WELL)
    assert not sizes_agree(replace(WELL, destination=one(99)))
    assert not sizes_agree(replace(WELL, before=one(99)))
    assert sizes_agree(Evidence(0, "")), "nothing is known against it"


def test_exit_code_1_is_no_failure_where_files_may_be_skipped_and_some_arrived() -> None:
    both, skip = tree(a=1, b=2), TransferOptions(recursive=True, verify="size", on_file_error="skip")
    evidence = Evidence(1, "error: 500 Permission denied\n", before=both, source=both, destination=tree(a=1))
    assert MOVER.judge(evidence, skip).verdict == "partial"
    assert MOVER.judge(replace(evidence, exit_code=0), skip).verdict == "partial"
    assert MOVER.judge(evidence, TransferOptions(recursive=True, verify="size")).verdict == "failed"
    nothing = MOVER.judge(replace(evidence, destination=tree()), skip)
    assert nothing.verdict == "failed"
    assert nothing.cause.startswith("globus-url-copy says: 500 Permission denied (exit code 1); "), "why nothing came counts, not that"


def test_a_copy_that_went_on_after_a_break_is_no_success_if_the_source_was_written_to() -> None:
    """What arrived may be half of one and half of the other, of the right size."""
    went_on, evidence = TransferOptions(restarts=3, verify="size"), replace(WELL, source=one(100, "2"), sums=None)
    judged = MOVER.judge(evidence, went_on)
    assert (judged.verdict, judged.retryable) == ("failed", True)
    assert judged.cause.startswith("the source was written to while it was copied: the file; what arrived may have parts of both")
    assert MOVER.judge(replace(WELL, sums=None), went_on).verdict == "succeeded"
    compared = MOVER.judge(replace(WELL, source=one(100, "2")), replace(went_on, verify="checksum"))
    assert compared.verdict == "succeeded", "equal checksums are more than times"
    assert MOVER.judge(replace(WELL, before=None, sums=None), went_on).verdict == "succeeded"
