"""Draws the verdict from evidence: first how the job ended, then what changed at the source, then what is at the destination. Pure.

No single sign is trusted: a mover's exit code 0 was seen with a cut-off file (a copy that was interrupted while SIGINT was
ignored), and a file under its final name is there from the first byte on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from dtnctl.model.checksums import Algorithm, named_algorithm
from dtnctl.model.transfer_about import Passed
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.accounted import Accounted, account_for
from dtnctl.movers.base import Evidence, Judgement, Listing
from dtnctl.movers.causes import KnownFailure, find_cause
from dtnctl.movers.checksums import checksum_of_all
from dtnctl.printable import plural

KILLED, TERMINATED, TIMED_OUT = 137, 143, 124
NOT_STARTED = (126, 127)
NAMES_LISTED = 20
MOST_OF_SUMS = 24 * 1024  # characters in a record, which has at most 64 KiB


def failure(evidence: Evidence, cause: str, *, retryable: bool) -> Judgement:
    """A failed attempt; its cause ends with what is at the destination."""
    ours, complete = _at_destination(evidence)
    text = f"{cause}; {_describe(evidence, ours, complete)}" if evidence.destination is not None else cause
    return Judgement("failed", text, retryable, bytes=sum(ours.values()), files=len(ours))


def cancellation(evidence: Evidence) -> Judgement:
    """An attempt that a person stopped."""
    judged = failure(evidence, "cancelled", retryable=False)
    return Judgement("cancelled", judged.cause, bytes=judged.bytes, files=judged.files)


def judge_end(evidence: Evidence, options: TransferOptions) -> Judgement | None:
    """The verdict on a job that was ended from outside, or that never ran; None if what became of it is for its tool to say."""
    code = evidence.exit_code
    if evidence.stopped == "stalled":
        return failure(evidence, f"stalled: no progress for {options.stall_timeout:.0f} s", retryable=True)
    if evidence.stopped == "deadline" or (code == TIMED_OUT and options.deadline is not None):
        return failure(evidence, f"not finished within its deadline of {options.deadline or 0:.0f} s", retryable=False)
    if evidence.out_of_memory:
        return failure(evidence, "the job ran out of memory and was killed", retryable=True)
    if evidence.disrupted and code != 0:
        return failure(evidence, f"the cluster ended the job: {evidence.ended_by}", retryable=True)
    if code in NOT_STARTED:
        return failure(evidence, f"its program cannot be run in the image (exit code {code})", retryable=False)
    if code in (KILLED, TERMINATED):
        why = f": {evidence.ended_by}" if evidence.ended_by else ""
        return failure(evidence, f"somebody or something stopped the job (exit code {code}){why}", retryable=False)
    return None


def judge_copy(evidence: Evidence, options: TransferOptions, program: str, failures: Iterable[KnownFailure]) -> Judgement:
    """The verdict on a copy whose program ends with 0 if all went well, and else says one of these failures."""
    if judged := judge_end(evidence, options):
        return judged
    if evidence.exit_code == 0:
        return judge_copies(evidence, options)
    if judged := judge_partly(evidence, options):
        return judged
    cause, retryable = find_cause(evidence.log, failures) or (f"{program} failed and does not say why", True)
    return failure(evidence, f"{cause} (exit code {evidence.exit_code})", retryable=retryable)


def judge_partly(evidence: Evidence, options: TransferOptions) -> Judgement | None:
    """The verdict on a program that went on where a file failed, and says that one did; None if that may not be, or nothing arrived."""
    judged = judge_copies(evidence, options) if options.on_file_error == "skip" else None
    return None if judged is None or judged.verdict == "failed" else judged


def judge_copies(evidence: Evidence, options: TransferOptions) -> Judgement:
    """The verdict on a job that ended well by its own account, or that went on where a file failed and may do so."""
    accounted = account_for(evidence, options)
    evidence = accounted.compared
    before = evidence.before or evidence.source or Listing("unknown")  # what was noted before may be lost
    if options.verify == "none" and options.on_file_error == "fail":
        return _success(accounted, options, before)
    for look, place in ((evidence.source, "source"), (evidence.destination, "destination")):
        if look is None or look.kind == "unknown":
            reason = f": {look.problem}" if look is not None else ""
            return failure(evidence, f"it ended well, but the {place} cannot be looked at{reason}", retryable=False)
    if problem := _source_changes(evidence) or _written_between(evidence, options) or _differences(evidence):
        return failure(evidence, problem, retryable=True)
    if problem := _unexpected(evidence, options):
        return failure(evidence, problem, retryable=False)
    if problem := _unequal_sums(evidence):
        return failure(evidence, problem, retryable=True)
    if options.verify == "checksum" and evidence.sums is None:
        return failure(evidence, f"it ended well, but there are no checksums: {evidence.no_sums}", retryable=False)
    if accounted.missing and not before.files and not accounted.kept:
        return failure(evidence, f"no file arrived: {_list(accounted.missing)}", retryable=True)
    return _success(accounted, options, before)


def _success(accounted: Accounted, options: TransferOptions, before: Listing) -> Judgement:
    evidence, files = accounted.compared, before.files
    checksum = "" if accounted.kept or accounted.missing else _source_checksum(evidence, options)
    judged = Judgement("succeeded", bytes=before.bytes, files=len(files), checksum=checksum, verified=_verified(accounted, options, before))
    if options.items:
        judged = replace(judged, sums=_sums_of_items(evidence))
    if accounted.missing:
        cause = f"{plural(len(accounted.missing), 'name')} did not arrive: {_list(accounted.missing)}"
        return replace(judged, verdict="partial", cause=cause)
    return judged


def _sums_of_items(evidence: Evidence) -> Passed:
    """The checksums by name; nothing if they are too much for a record."""
    sums = tuple(sorted(evidence.sums[0].items())) if evidence.sums is not None else ()
    return sums if len(json.dumps(sums)) <= MOST_OF_SUMS else ()


def with_incomplete_items(judged: Judgement, evidence: Evidence, options: TransferOptions) -> Judgement:
    """The verdict on a failed attempt with the names of the files that have not arrived with their full size, if they were items."""
    there, before = evidence.destination, evidence.before
    if judged.verdict != "failed" or not options.items or before is None or there is None or there.kind != "folder":
        return judged
    late = [name for name, size in before.files.items() if there.files.get(name) != size]
    return replace(judged, cause=f"{judged.cause}; not whole there: {_list(late)}") if late else judged


def _list(names: Iterable[str]) -> str:
    ordered = sorted(names)
    rest = len(ordered) - NAMES_LISTED
    return ", ".join(repr(name) for name in ordered[:NAMES_LISTED]) + (f" and {rest} more" if rest > 0 else "")


def _verified(accounted: Accounted, options: TransferOptions, before: Listing) -> str:
    kept = f"{plural(len(accounted.kept), 'file')} left as they were (sync_level {options.sync_level})" if accounted.kept else ""
    if options.verify == "none" and options.on_file_error == "fail":
        return "; ".join(text for text in ("nothing was compared, as asked for", kept) if text)
    evidence, files = accounted.compared, before.files
    compared = "sizes" if evidence.sums is None else _algorithm(evidence, options)
    verified = f"{compared} of {plural(len(files), 'file')} equal at both ends"
    if options.expected is not None:
        verified += ", as expected"
    if before.others:
        verified += f"; left out {before.others} that are neither file nor folder"
    if evidence.sums is None and evidence.source is not None and _times(evidence.source) != _times(before):
        verified += "; the source was written to meanwhile"
    return "; ".join(text for text in (verified, kept) if text)


def _algorithm(evidence: Evidence, options: TransferOptions) -> Algorithm:
    """That of the checksums."""
    return evidence.algorithm or named_algorithm(options.algorithm) or "md5"


def _source_checksum(evidence: Evidence, options: TransferOptions) -> str:
    """`ALGORITHM:VALUE` of what was copied; empty if there are no checksums."""
    algorithm = _algorithm(evidence, options)
    return "" if evidence.sums is None else f"{algorithm}:{checksum_of_all(evidence.sums[0], algorithm)}"


def _unexpected(evidence: Evidence, options: TransferOptions) -> str:
    found = _source_checksum(evidence, options)
    if options.expected is None or found in ("", options.expected):
        return ""
    return f"the source is not what is expected: it has {found}, `expected` is {options.expected}"


def _times(listing: Listing) -> Mapping[str, str]:
    return {name: entry.modified for name, entry in listing.entries.items() if not entry.is_folder}


def sizes_agree(evidence: Evidence) -> bool:
    """Whether checksums are worth their time: without equal sizes they cannot be equal."""
    return not _source_changes(evidence) and not _differences(evidence)


def _source_changes(evidence: Evidence) -> str:
    if evidence.before is None or evidence.source is None:
        return ""
    before, now = evidence.before.files, evidence.source.files
    changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if not changed:
        return ""
    first = changed[0]
    sizes = f"{_size(before.get(first))} before, {_size(now.get(first))} after"
    return f"the source changed while it was copied: {_named(first)} had {sizes}{_more(changed)}; copy when nothing writes to it"


def _written_between(evidence: Evidence, options: TransferOptions) -> str:
    """A copy that went on after a break has parts of two times; sizes alone do not show that."""
    if not options.restarts or evidence.sums is not None or evidence.before is None or evidence.source is None:
        return ""
    before, now = _times(evidence.before), _times(evidence.source)
    changed = sorted(name for name in before if before[name] != now.get(name))
    if not changed:
        return ""
    return f"the source was written to while it was copied: {_named(changed[0])}{_more(changed)}; what arrived may have parts of both"


def _differences(evidence: Evidence) -> str:
    source, destination = evidence.source, evidence.destination
    if source is None or destination is None:
        return ""
    if destination.kind == "missing":
        return "it ended well, but nothing is at the destination"
    there = destination.files
    wrong = [(name, size) for name, size in source.files.items() if there.get(name) != size]
    if wrong:
        name, size = wrong[0]
        found = f"{_named(name)} has {_size(there.get(name))} instead of {size}"
        return f"it ended well, but at the destination {found}{_more([name for name, _ in wrong])}"
    missing = sorted(source.folders - destination.folders)
    return f"it ended well, but at the destination folder {missing[0]!r} is missing{_more(missing)}" if missing else ""


def _unequal_sums(evidence: Evidence) -> str:
    if evidence.sums is None:
        return ""
    here, there = evidence.sums
    wrong = sorted(name for name in here if here[name] != there.get(name))
    if not wrong:
        return ""
    name = wrong[0]
    return f"the checksums of {_named(name)} differ: {here[name]} at the source, {there.get(name, 'none')} at the destination{_more(wrong)}"


def _named(name: str) -> str:
    return repr(name) if name else "the file"


def _size(size: int | None) -> str:
    return "no file" if size is None else f"{size} bytes"


def _more(names: Iterable[str]) -> str:
    rest = len(list(names)) - 1
    return f" (and {rest} more)" if rest else ""


def _at_destination(evidence: Evidence) -> tuple[Mapping[str, int], int]:
    """Sizes of the files at the destination that may come from this attempt, and how many of them are as big as at the source."""
    if evidence.destination is None or evidence.before is None or _is_as_before(evidence):
        return {}, 0
    wanted = evidence.before.files
    ours = {name: size for name, size in evidence.destination.files.items() if name in wanted}
    return ours, sum(1 for name, size in ours.items() if wanted[name] == size)


def _is_as_before(evidence: Evidence) -> bool:
    """Whether a single file at the destination was not touched. Trees are not listed before the start, so this is not known."""
    old, now = evidence.old, evidence.destination
    return old is not None and now is not None and now.kind == "file" and old.kind == "file" and dict(old.entries) == dict(now.entries)


def _describe(evidence: Evidence, ours: Mapping[str, int], complete: int) -> str:
    destination, before = evidence.destination, evidence.before
    if destination is None or destination.kind == "unknown":
        return "what is at the destination is unknown"
    if destination.kind == "missing":
        return "nothing is at the destination"
    if _is_as_before(evidence):
        return "at the destination is what was there before"
    if list(ours) == [""] and before is not None:
        return f"at the destination are {ours['']} of {before.bytes} bytes"
    count = len(before.files) if before is not None else 0
    return f"at the destination {complete} of {plural(count, 'file')} {'has its' if count == 1 else 'have their'} full size"
