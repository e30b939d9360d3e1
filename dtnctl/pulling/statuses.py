"""What the page of a commit at its forge shows: one status for the loop itself, and one for each endpoint. Pure.

A status that says what is shown already is not posted again, however many rounds there are and however often the loop starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dtnctl.printable import plural
from dtnctl.pulling.decisions import REFUSED_FOR, STOPPED, Carried, Refusal
from dtnctl.pulling.journal import MOST_STATUSES, CommitStatus, Journal, StatusState
from dtnctl.pulling.outcomes import ApplyResult, EndpointEnd
from dtnctl.render.review import status_name, status_text

UNREACHABLE = 7
AS_DECLARED = "as declared"


def statuses_of_refusal(refusal: Refusal, label: str = "") -> tuple[CommitStatus, ...]:
    """Of a commit that is not carried out."""
    text = f"not carried out: it {REFUSED_FOR[refusal.cause]}: {refusal.text}"
    return (_status(refusal.commit, _loop_name(label), "failure", text),)


def statuses_of_run(carried: Carried, label: str = "") -> tuple[CommitStatus, ...]:
    """Of a commit that was carried out; none where somebody ended the run. `label` is the part of the site that the loop applies."""
    result = carried.result
    if result.exit_code in STOPPED:
        return ()
    whole = _status(carried.commit, _loop_name(label), *_run_status(result))
    ends = (_status(carried.commit, status_name(result.site, end.name, "applied"), *_endpoint_status(end)) for end in result.endpoints)
    return (whole, *ends)


def with_statuses(journal: Journal, news: Sequence[CommitStatus]) -> Journal:
    """The journal with these to be posted, where they are news. Of commits before only what still waits is kept."""
    commits = {item.commit for item in news}
    known = {(item.commit, item.name): item for item in journal.statuses}
    kept = [item for item in journal.statuses if item.commit in commits or not item.is_posted] if news else journal.statuses
    chosen = {(item.commit, item.name): item for item in kept}
    for item in news:
        before = known.get((item.commit, item.name))
        chosen[item.commit, item.name] = before if before is not None and _shows(before, item) else item
    return replace(journal, statuses=tuple(chosen.values())[-MOST_STATUSES:])


def posted(statuses: Iterable[CommitStatus], done: CommitStatus) -> tuple[CommitStatus, ...]:
    """The same, of which this one is at the forge now."""
    return tuple(replace(item, is_posted=True) if item == done else item for item in statuses)


def _shows(before: CommitStatus, after: CommitStatus) -> bool:
    """Whether the one that is there will do: equal, or a success whose next round had nothing to do."""
    is_quiet = after.text == AS_DECLARED and before.state == after.state
    return is_quiet or (before.state, before.text) == (after.state, after.text)


def _run_status(result: ApplyResult) -> tuple[StatusState, str]:
    if result.exit_code == 0:
        return "success", _made(result.applied)
    state: StatusState = "error" if result.exit_code == UNREACHABLE or result.exit_code < 0 else "failure"
    return state, f"{result.exit_name}: {result.text}" if result.text else result.exit_name


def _endpoint_status(end: EndpointEnd) -> tuple[StatusState, str]:
    if end.silence:
        return "error", f"silent, what is there is unknown: {end.silence}"
    if end.failed:
        return "failure", f"{end.failed:,} of {plural(end.applied + end.failed, 'change')} not made: {end.reason or 'no reason is known'}"
    if end.blocked:
        return "failure", f"{_made(end.applied)}; {end.blocked:,} blocked" if end.applied else f"{end.blocked:,} blocked"
    return "success", _made(end.applied)


def _made(changes: int) -> str:
    return f"{plural(changes, 'change')} made" if changes else AS_DECLARED


def _loop_name(label: str) -> str:
    return status_name("reconcile", label) if label else status_name("reconcile")


def _status(commit: str, name: str, state: StatusState, text: str) -> CommitStatus:
    return CommitStatus(commit, name, state, status_text(text))
