"""The loop: asks the repository, judges its newest commit, carries out the last good one, reports, waits. One thread does all of it.

What it decides is in `decisions`; what has to survive is in the journal, which is written before anything depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from dtnctl.errors import DtnctlError
from dtnctl.printable import printable_text
from dtnctl.pulling.decisions import Carried, Fetched, Next, Refusal, after_fetch, after_run, commit_to_judge
from dtnctl.pulling.folder import LoopFolder
from dtnctl.pulling.journal import CommitStatus, Journal
from dtnctl.pulling.outcomes import ApplyResult
from dtnctl.pulling.ownership import owners_problem
from dtnctl.pulling.sending import StatusPage, Webhook, send_notices, send_statuses
from dtnctl.pulling.statuses import statuses_of_refusal, statuses_of_run, with_statuses
from dtnctl.pulling.systemd import Notifier
from dtnctl.pulling.tally import Tally
from dtnctl.pulling.waking import Waking
from dtnctl.repository.followed import CloneError, FollowingClone
from dtnctl.runtime.clock import Clock

SHORTEST_PAUSE = 1.0  # seconds between two rounds, however many triggers come
MOST_LINES = 200  # of a run, where they are not written as they come
BEAT = 5.0  # seconds of waiting after which the service manager hears of us


class JournalError(DtnctlError):
    """What a run depends on is not written down."""


class Runs(Protocol):
    """What carries a checked-out commit out: dtnctl itself, as a program."""

    def mistakes(self, tree: Path) -> str:
        """What is wrong with the state files; empty if they can be planned."""

    def apply(self, tree: Path, events: Path, reviewed: Path | None = None, log: Path | None = None) -> ApplyResult:
        """What `dtnctl apply` came to; what it writes for people goes into `log`, or to where the loop writes."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How the loop is to run. `interval` in seconds. `allowed_signers` and `secrets` are paths, empty without.

    `checks_owners`: commits since the good one may change only files of their authors, as `owners:` of the good one says.
    `signed_since`: the commit after which all have to be signed where no earlier one is known to be good; empty for none.
    `uses_reviews`: the plan that was reviewed for a commit's state is what runs, or `review:` of site.yaml decides.
    """

    interval: float
    allowed_signers: str = ""
    secrets: str = ""
    uses_reviews: bool = False
    checks_owners: bool = False
    signed_since: str = ""


@dataclass(slots=True)
class Loop:
    """`say` writes a line for a person. `beaten` is when the loop last came round, by the clock that does not jump."""

    folder: LoopFolder
    clone: FollowingClone
    runs: Runs
    terms: Terms
    clock: Clock
    waking: Waking
    tally: Tally
    say: Callable[[str], None]
    webhook: Webhook | None = None
    status_page: StatusPage | None = None
    notifier: Notifier = field(default_factory=Notifier)
    journal: Journal = field(default_factory=Journal)
    last: ApplyResult | None = None
    unwritten: str = ""  # why the journal could not be written the last time
    beaten: float = 0.0

    def open(self) -> None:
        """Read what an earlier loop left."""
        self.journal, trouble = self.folder.read_journal()
        if trouble:
            self.say(trouble)
        followed = self.clone.followed
        if (self.journal.repository, self.journal.branch) != (followed.url, followed.branch):
            self.journal = replace(Journal(), repository=followed.url, branch=followed.branch, runs=self.journal.runs)
        self.clone.open()
        self.journal = replace(self.journal, accepted=self.journal.accepted or self.journal.good or self.clone.kept())
        if self.terms.allowed_signers and self.journal.good and self.clone.has(self.journal.good):
            problem = self.clone.signature_problem(self.journal.good, self.terms.allowed_signers)
            if problem:
                self.say(f"{self.journal.good[:12]} was accepted before and is not any more: {problem}")
                self.journal = replace(self.journal, good="")
        self.tally.remember(self.journal)
        self.beat()

    def run(self) -> None:
        """Rounds until somebody asks for the end."""
        self.notifier.send("READY=1", f"STATUS=following {self.journal.branch}")
        while not self.waking.is_stopped:
            self.round()
            self._wait()
        self.notifier.send("STOPPING=1")

    def round(self) -> None:
        """Ask, judge, carry out, report. A round that cannot be done, here or on the disk, is a failed run and changes nothing."""
        self.last = None
        fetched = self._fetched()
        if self._is_ending():
            return
        try:
            refusal = self._judged(commit_to_judge(self.journal, fetched))
            if self._is_ending():
                return
            statuses = statuses_of_refusal(refusal, self.clone.followed.label) if refusal is not None else ()
            self._accept(after_fetch(self.journal, fetched, refusal, self._now()), statuses)
            if self.unwritten:
                raise JournalError(self.unwritten)
            if self.journal.good and not self._is_ending():
                self._carry_out(self.journal.good)
        except (DtnctlError, OSError) as error:
            failed = self._failed(error)
            self._accept(after_run(self.journal, failed), self._statuses(failed))
        self._report()

    def _is_ending(self) -> bool:
        """Whether the end was asked for by now; it may be at any moment."""
        return self.waking.is_stopped

    def beat(self) -> None:
        """The loop is alive."""
        self.beaten = self.clock.monotonic()
        self.notifier.send("WATCHDOG=1")

    def _fetched(self) -> Fetched:
        known = self.journal.fetched
        try:
            commit = self.clone.fetch()
            is_rewritten = bool(known) and commit != known and not self.clone.continues(commit, known)
        except (DtnctlError, OSError) as error:
            self.tally.fetched("failed")
            return Fetched(trouble=str(error))
        finally:
            self.beat()
        self.tally.fetched("same" if commit == known else "new")
        return Fetched(commit, is_rewritten=is_rewritten)

    def _judged(self, commit: str) -> Refusal | None:
        """Why the commit is not carried out; None if it is, or if there is nothing to judge."""
        if not commit:
            return None
        if self.terms.allowed_signers:
            since = self.journal.accepted or self.terms.signed_since
            if problem := self.clone.unsigned_since(since, commit, self.terms.allowed_signers):
                return Refusal(commit, "unsigned", problem)
            if not since:
                self.say(
                    f"{commit[:12]} is accepted without a check of the commits before it: it is the first here, without --signed-since"
                )
        rules = (self.journal.good or self.clone.kept()) if self.terms.checks_owners else ""
        if rules and (problem := owners_problem(self.clone.root, rules, commit)):
            return Refusal(commit, "trespassing", problem)
        try:
            self.clone.check_out(commit, self.terms.secrets)
            mistakes = self.runs.mistakes(self.clone.root)
            if not mistakes:
                self.clone.keep(commit)
                if self.terms.checks_owners and not rules:
                    self.say(
                        f"{commit[:12]} is accepted without a check of owners: it is the first commit here, and its rules hold from now on"
                    )
        except CloneError as error:
            mistakes = str(error)
        return Refusal(commit, "broken", mistakes) if mistakes else None

    def _carry_out(self, commit: str) -> None:
        self.clone.check_out(commit, self.terms.secrets)
        reviewed = self._reviewed(commit) if self.terms.uses_reviews else None
        is_news = commit != self.journal.applied and self.journal.condition("run") is None
        log = None if is_news else self.folder.log
        began, start = self._now(), self.clock.monotonic()
        self.last = self.runs.apply(self.clone.root, self.folder.events, reviewed, log)
        carried = Carried(commit, began, self._now(), self.clock.monotonic() - start, self.last)
        self.tally.ran(carried)
        following = after_run(self.journal, carried)
        if log is not None and following.journal.runs[-1].repeats == 1:
            self._relay(log)
        self._accept(following, self._statuses(carried))

    def _statuses(self, carried: Carried) -> Sequence[CommitStatus]:
        return statuses_of_run(carried, self.clone.followed.label) if carried.commit else ()

    def _relay(self, log: Path) -> None:
        """What a run wrote that could have been a repetition and was none: a log that says the same each minute is not read."""
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-MOST_LINES:]:
            self.say(printable_text(line))

    def _reviewed(self, commit: str) -> Path:
        """Where the reviewed plan of the commit is; no file is there if there was none."""
        file = self.folder.reviewed
        file.unlink(missing_ok=True)
        document = self.clone.reviewed_plan(commit)
        if document is not None:
            file.write_text(document, encoding="utf-8")
        return file

    def _failed(self, error: DtnctlError | OSError) -> Carried:
        """A round that failed before or beside its run, as a run that failed."""
        code, name = (DtnctlError.exit_code, DtnctlError.exit_name) if isinstance(error, OSError) else (error.exit_code, error.exit_name)
        self.last = ApplyResult(code, name, text=str(error))
        now = self._now()
        return Carried(self.journal.good, now, now, 0.0, self.last)

    def _accept(self, following: Next, statuses: Sequence[CommitStatus] = ()) -> None:
        """Write what is remembered, then report."""
        self.journal = (
            with_statuses(following.journal, statuses) if self.status_page is not None else replace(following.journal, statuses=())
        )
        if self.webhook is None:
            self.journal = replace(self.journal, unsent=())
        self._write_journal()
        self.tally.remember(self.journal)
        for notice in following.notices:
            self.say(printable_text(notice.text))

    def _write_journal(self) -> None:
        """Where that is not possible, it is said once; each round tries again, and carries nothing out before it is written."""
        before, self.unwritten = self.unwritten, ""
        try:
            self.folder.write_journal(self.journal)
        except OSError as error:
            self.unwritten = f"the journal cannot be written: {error}"
            if self.unwritten != before:
                self.say(printable_text(self.unwritten))

    def _report(self) -> None:
        """Send what waits to be sent, and report to the service manager how things are."""
        remaining = send_notices(self.journal, self.webhook, self.tally, self.say)
        remaining = send_statuses(remaining, self.status_page, self.tally, self.say)
        if remaining != self.journal:
            self._accept(Next(remaining))
        states = ", ".join(item.name for item in self.journal.conditions) or "as declared"
        self.notifier.send(f"STATUS=at {self.journal.good[:12] or 'no commit'}: {states}")

    def _wait(self) -> None:
        """Until the interval is over by the clock that does not jump, or, after a trigger, the shortest pause is."""
        begin = self.clock.monotonic()
        end = begin + self.terms.interval
        while not self.waking.is_stopped and (left := end - self.clock.monotonic()) > 0:
            self.beat()
            if self.waking.wait(min(left, BEAT)):
                end = min(end, begin + SHORTEST_PAUSE)

    def _now(self) -> str:
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
