"""What became of each file of a transfer that leaves some as they were, or goes on where one fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.transfer_options import SyncLevel, TransferOptions
from dtnctl.movers.accounted import account_for
from dtnctl.movers.base import Entry, Evidence, Listing
from dtnctl.movers.verdict import judge_copies


def listing(**entries: Entry) -> Listing:
    return Listing("folder", {"": Entry(0, "1", is_folder=True), **entries})


def entry(size: int, modified: str, change: str = "") -> Entry:
    return Entry(size, modified, trace=change)


SOURCE = listing(new=entry(1, "50.5"), other=entry(2, "50.5"), same=entry(3, "50.5"), older=entry(4, "50.5"))
OLD = listing(other=entry(9, "60", "c1"), same=entry(3, "50.0", "c2"), older=entry(4, "49.9", "c3"))
SUMS = {"new": "1", "other": "2", "older": "4"}


def after(level: SyncLevel) -> Evidence:
    """The destination after a copy that did what the level asks for."""
    copied = {"exists": ["new"], "size": ["new", "other"], "checksum": ["new", "other"], "mtime": ["new", "other", "older"]}[level]
    now = {name: entry(SOURCE.entries[name].size, "70", "c9") for name in copied}
    there = replace(OLD, entries={**OLD.entries, **now})
    sums = {name: value for name, value in SUMS.items() if name in copied}
    return Evidence(0, "", before=SOURCE, old=OLD, source=SOURCE, destination=there, sums=(sums, sums))


@pytest.mark.parametrize(
    ("level", "kept"),
    [("exists", {"other", "same", "older"}), ("size", {"same", "older"}), ("mtime", {"same"}), ("checksum", {"same", "older"})],
)
def test_what_the_level_leaves_is_neither_compared_nor_counted(level: SyncLevel, kept: set[str]) -> None:
    options = TransferOptions(recursive=True, sync_level=level)
    assert account_for(after(level), options).kept == kept
    judged = judge_copies(after(level), options)
    copied = {"new": 1, "other": 2, "same": 3, "older": 4}.keys() - kept
    assert (judged.verdict, judged.files, judged.checksum) == ("succeeded", len(copied), "")
    files = "1 file" if len(kept) == 1 else f"{len(kept)} files"
    assert judged.verified.endswith(f"equal at both ends; {files} left as they were (sync_level {level})")
    unverified = judge_copies(after(level), replace(options, verify="none"))
    assert unverified.verified == f"nothing was compared, as asked for; {files} left as they were (sync_level {level})"


def test_what_the_level_asks_to_copy_and_was_not_is_a_failure() -> None:
    judged = judge_copies(after("exists"), TransferOptions(recursive=True, sync_level="size"))
    assert judged.cause.startswith("it ended well, but at the destination 'other' has 9 bytes instead of 2")


def test_a_file_that_was_written_again_is_compared_although_it_looks_the_same() -> None:
    evidence = after("size")
    assert evidence.destination is not None
    again = replace(evidence.destination, entries={**evidence.destination.entries, "same": entry(3, "50.0", "c8")})
    assert "same" not in account_for(replace(evidence, destination=again), TransferOptions(sync_level="size")).kept


def test_nothing_is_left_without_a_level_or_where_what_was_there_is_not_known() -> None:
    options = TransferOptions(recursive=True, sync_level="size")
    for evidence, asked in (
        (after("size"), replace(options, sync_level=None)),
        (after("size"), replace(options, expected="md5:00")),
        (replace(after("size"), old=None), options),
        (replace(after("size"), source=None, before=None), options),
        (replace(after("size"), destination=None), options),
    ):
        assert account_for(evidence, asked).kept == frozenset()


SKIP = TransferOptions(recursive=True, on_file_error="skip", verify="size")


def skipped(there: Listing, now: Listing = SOURCE) -> Evidence:
    return Evidence(1, "", before=SOURCE, old=Listing("missing"), source=now, destination=there)


def test_what_did_not_arrive_is_named_and_the_rest_counts() -> None:
    there = listing(new=entry(1, "70"), same=entry(3, "70"), older=entry(1, "70"))
    judged = judge_copies(skipped(there), SKIP)
    assert (judged.verdict, judged.retryable, judged.files, judged.bytes) == ("partial", False, 2, 4)
    assert judged.cause == "2 names did not arrive: 'older', 'other'"
    assert judged.verified == "sizes of 2 files equal at both ends"


def test_a_file_that_changed_or_went_while_it_was_copied_did_not_arrive() -> None:
    now = listing(new=entry(5, "71"), other=entry(2, "50.5"), same=entry(3, "50.5"))
    there = listing(new=entry(5, "71"), other=entry(2, "70"), same=entry(3, "70"), older=entry(4, "70"))
    assert judge_copies(skipped(there, now), SKIP).cause == "2 names did not arrive: 'new', 'older'"


def test_a_file_with_another_checksum_did_not_arrive() -> None:
    there = listing(**{name: entry(SOURCE.entries[name].size, "70") for name in SOURCE.files})
    here = {name: name for name in SOURCE.files}
    judged = judge_copies(replace(skipped(there), sums=(here, {**here, "same": "x"})), replace(SKIP, verify="checksum"))
    assert (judged.verdict, judged.cause) == ("partial", "1 name did not arrive: 'same'")
    whole = judge_copies(replace(skipped(there), sums=(here, here)), replace(SKIP, verify="checksum"))
    assert (whole.verdict, whole.cause, whole.files) == ("succeeded", "", 4)


def test_a_folder_that_is_missing_is_named_with_the_files() -> None:
    source = listing(hollow=Entry(0, "1", is_folder=True), a=entry(1, "1"))
    evidence = Evidence(1, "", before=source, source=source, destination=listing(a=entry(1, "2")))
    assert judge_copies(evidence, SKIP).cause == "1 name did not arrive: 'hollow'"


def test_a_copy_of_which_nothing_arrived_has_failed() -> None:
    judged = judge_copies(skipped(listing()), SKIP)
    assert (judged.verdict, judged.retryable) == ("failed", True)
    assert judged.cause.startswith("no file arrived: 'new', 'older', 'other', 'same'; ")


def test_a_long_list_of_what_is_missing_is_cut() -> None:
    source = listing(**{f"f{number:02}": entry(1, "1") for number in range(25)})
    evidence = Evidence(1, "", before=source, source=source, destination=listing(f00=entry(1, "1")))
    assert judge_copies(evidence, SKIP).cause.endswith("'f19', 'f20' and 4 more")


def test_an_end_that_cannot_be_looked_at_is_no_partial_success() -> None:
    judged = judge_copies(skipped(Listing("unknown", problem="gone")), SKIP)
    assert judged.cause.startswith("it ended well, but the destination cannot be looked at: gone")
    assert judge_copies(replace(skipped(listing()), destination=None), SKIP).verdict == "failed"


def test_what_was_left_and_what_did_not_arrive_are_two_things() -> None:
    there = replace(OLD, entries={**OLD.entries, "other": entry(2, "70")})
    judged = judge_copies(replace(skipped(there), old=OLD), replace(SKIP, sync_level="size"))
    assert (judged.verdict, judged.files, judged.cause) == ("partial", 1, "1 name did not arrive: 'new'")
    assert judged.verified == "sizes of 1 file equal at both ends; 2 files left as they were (sync_level size)"
