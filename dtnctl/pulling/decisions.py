"""What the loop does next, and what it reports: pure functions of what it remembers and what it has just seen.

A thing that lasts (the remote does not answer, the newest commit is refused, runs fail) is a condition: reported when it begins, when it
becomes another one and when it ends, however many rounds it lasts and however often the loop is restarted meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from dtnctl.printable import plural
from dtnctl.pulling.journal import MOST_RUNS, MOST_UNSENT, Condition, ConditionName, Journal, Notice, NoticeState, Run
from dtnctl.pulling.outcomes import ApplyResult

SHORT = 12
CLEARED: dict[ConditionName, str] = {
    "remote": "the repository answers again",
    "commit": "the branch's newest commit is accepted",
    "run": "runs end without an error again",
}
REFUSED_FOR = {
    "unsigned": "has no valid signature",
    "trespassing": "brings changes by others than the owners of the files",
    "broken": "is broken",
}
STOPPED = (129, 130, 143)  # a run that a person or the system ended is neither a success nor a failure
REFUSED, UNREACHABLE = 65, 7  # exit codes of `--once`


@dataclass(frozen=True, slots=True)
class Fetched:
    """What asking the repository gave: the branch's commit, or why it could not be had.

    `is_rewritten`: it does not continue the commit that was fetched last.
    """

    commit: str = ""
    trouble: str = ""
    is_rewritten: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a commit is not carried out: its signature, who changed what in it, or what is wrong in its files."""

    commit: str
    cause: Literal["unsigned", "trespassing", "broken"]
    text: str


@dataclass(frozen=True, slots=True)
class Carried:
    """A run of `dtnctl apply` at a commit. Times are UTC, `seconds` are those of a clock that does not jump."""

    commit: str
    began: str
    ended: str
    seconds: float
    result: ApplyResult


@dataclass(frozen=True, slots=True)
class Next:
    """The journal as it is to be written, and what is to be reported."""

    journal: Journal
    notices: tuple[Notice, ...] = ()


def commit_to_judge(journal: Journal, fetched: Fetched) -> str:
    """The newest known commit, if it was not accepted yet; empty if there is nothing to judge.

    One that was refused is judged again in each round: what it was judged by, such as the list of signers, may have changed.
    """
    newest = fetched.commit or journal.fetched
    return "" if newest == journal.good else newest


def after_fetch(journal: Journal, fetched: Fetched, refusal: Refusal | None, at: str) -> Next:
    """What is remembered and reported once the repository was asked and its newest commit judged; written before anything is applied.

    A commit that is accepted counts from now on, also if the loop dies while it is carried out and the repository is gone afterwards.
    """
    newest = fetched.commit or journal.fetched
    good = journal.good if refusal is not None else newest
    remote = Condition("remote", "unreachable", _remote_text(journal, fetched, good), at) if fetched.trouble else None
    commit = Condition("commit", f"{refusal.cause} {refusal.commit}", _refusal_text(refusal, good), at) if refusal is not None else None
    accepted = good or journal.accepted
    following = _with_condition(Next(replace(journal, fetched=newest, good=good, accepted=accepted)), "remote", remote, newest, at)
    if fetched.is_rewritten:
        text = f"{journal.branch} was rewritten: {newest[:SHORT]} does not continue {journal.fetched[:SHORT]}"
        following = _reported(following, "rewritten", "happened", newest, text, at)
    return _with_condition(following, "commit", commit, newest, at)


def after_run(journal: Journal, carried: Carried) -> Next:
    """What is remembered and reported of a run that ended."""
    result = carried.result
    following = Next(replace(journal, runs=with_run(journal.runs, run_of(carried))))
    if result.exit_code in STOPPED:
        return following
    wrong = None
    if result.exit_code != 0:
        text = f"{result.exit_name} at {carried.commit[:SHORT]}: {result.text or f'exit code {result.exit_code}'}"
        wrong = Condition("run", _cause(carried), text, carried.ended)
    following = _with_condition(following, "run", wrong, carried.commit, carried.ended)
    if wrong is None:
        if text := _achievement(journal, carried):
            following = _reported(following, "applied", "happened", carried.commit, text, carried.ended)
        journal = replace(following.journal, applied=carried.commit, last_success=carried.ended)
        following = replace(following, journal=journal)
    return following


def _cause(carried: Carried) -> str:
    """What makes two failures the same: endpoints that do not answer, whatever is to be done there, else the error and the commit."""
    result = carried.result
    if result.silent and all(step.result in ("done", "skipped") for step in result.steps) and not result.summary.get("blocked", 0):
        return f"silent {', '.join(result.silent)}"
    return f"{result.exit_name} {carried.commit}"


def run_of(carried: Carried) -> Run:
    """The entry of the history."""
    result = carried.result
    counts = (result.summary.get("changes", 0), result.summary.get("drift", 0))
    return Run(
        carried.commit,
        carried.began,
        carried.ended,
        round(carried.seconds, 3),
        result.exit_code,
        result.exit_name,
        *counts,
        result.plan_hash if counts[0] else "",
        result.text,
    )


def with_run(runs: tuple[Run, ...], run: Run) -> tuple[Run, ...]:
    """The history with one more run, oldest first. Where the same nothing or the same failure follows itself, one entry counts them."""
    if runs and _is_repetition(runs[-1], run):
        last = replace(run, began=runs[-1].began, repeats=runs[-1].repeats + 1)
        return (*runs[:-1], last)
    return (*runs, run)[-MOST_RUNS:]


def _is_repetition(before: Run, run: Run) -> bool:
    same = (before.commit, before.exit_code, before.plan_hash) == (run.commit, run.exit_code, run.plan_hash)
    return same and (not run.is_success or run.changes == 0)


def exit_code_of(journal: Journal, result: ApplyResult | None) -> int:
    """The exit code of `--once`: that of the run, else 65 for a newest commit that was refused, 7 for a repository that does not answer."""
    if result is not None and result.exit_code != 0:
        return result.exit_code if result.exit_code > 0 else 1
    if journal.condition("commit") is not None:
        return REFUSED
    return UNREACHABLE if journal.condition("remote") is not None or result is None else 0


# --- conditions and notices ---------------------------------------------------------------------------------


def _with_condition(before: Next, name: ConditionName, found: Condition | None, commit: str, at: str) -> Next:
    """The condition as it is now; its begin, another identity and its end are reported, its going on is not."""
    journal, last = before.journal, before.journal.condition(name)
    if found is not None and last is not None and found.identity == last.identity:
        found = replace(found, since=last.since)
    others = tuple(item for item in journal.conditions if item.name != name)
    now = replace(journal, conditions=(*others, found) if found is not None else others)
    after = replace(before, journal=now)
    if found is None:
        return after if last is None else _reported(after, name, "cleared", commit, CLEARED[name], at)
    is_news = last is None or last.identity != found.identity
    return _reported(after, name, "raised", commit, found.text, at) if is_news else after


def _reported(before: Next, event: str, state: NoticeState, commit: str, text: str, at: str) -> Next:
    """With one more notice, which also waits to be sent until it was."""
    journal = before.journal
    number = journal.sequence + 1
    notice = Notice(f"{at}-{number}", event, state, commit, text, at)
    unsent = (*journal.unsent, notice)[-MOST_UNSENT:]
    return Next(replace(journal, sequence=number, unsent=unsent), (*before.notices, notice))


def _remote_text(journal: Journal, fetched: Fetched, good: str) -> str:
    return f"{journal.branch} cannot be fetched: {fetched.trouble}; {_going_on(good)}"


def _refusal_text(refusal: Refusal, good: str) -> str:
    return f"commit {refusal.commit[:SHORT]} {REFUSED_FOR[refusal.cause]}: {refusal.text}; {_going_on(good)}"


def _going_on(good: str) -> str:
    return f"going on with {good[:SHORT]}, the last good commit" if good else "there is no good commit yet, so nothing is done"


def _achievement(journal: Journal, carried: Carried) -> str:
    """What a run that ended well did; empty if the commit had been applied before and nothing was to do.

    A plan cannot see that what is missing was there before; that the same commit was applied before shows it.
    """
    changes, drift = carried.result.summary.get("changes", 0), carried.result.summary.get("drift", 0)
    is_new = carried.commit != journal.applied
    if not changes:
        return f"{carried.commit[:SHORT]} is applied: no changes on the endpoints" if is_new else ""
    of_them = f", {drift} of them drift" if drift else ""
    return f"{carried.commit[:SHORT]} is applied{'' if is_new else ' again'}: {plural(changes, 'change')}{of_them}"
