"""The record of a run in Git: what `apply` and `destroy` planned and did, written when they end, however they end."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dtnctl import __version__
from dtnctl.client.receipts import WITHOUT
from dtnctl.errors import DtnctlError, UsageError

if TYPE_CHECKING:
    from dtnctl.client.workplace import Workplace
    from dtnctl.model.outcome import Outcome
    from dtnctl.model.plan import Plan
    from dtnctl.model.runs import RunRecord
    from dtnctl.planning.planner import Scope
    from dtnctl.render.context import Command
    from dtnctl.repository.runs import Runs
    from dtnctl.runtime.reconcile import Applied

LATER = "nothing is lost, the next apply brings it there"
CRASHED = "crashed"


def runs_of(workplace: Workplace, who: str = "dtnctl") -> Runs:
    """The record of the site's runs, at the remote that has its receipts, too."""
    from dtnctl.repository.runs import Runs

    site = workplace.site
    return Runs(workplace.root, site.name, site.settings.value.receipts.remote or "", who)


@dataclass(slots=True)
class Recording:
    """One run, as far as it has come. Without a plan there is nothing to record. `error`: what it ends with, where it is not raised."""

    command: Command
    scope: Scope
    began: datetime
    workplace: Workplace | None = None
    plan: Plan | None = None
    outcomes: tuple[Outcome, ...] = field(default_factory=tuple)
    error: DtnctlError | None = None

    def planned(self, workplace: Workplace, plan: Plan) -> None:
        """The run is about this plan."""
        self.workplace, self.plan = workplace, plan

    def applied(self, applied: Applied) -> None:
        """What became of it."""
        self.plan, self.outcomes = applied.plan, applied.outcomes

    def end(self, exit_code: int, result: str) -> None:
        """Keep the record; a note if that cannot be. A mistake on the command line, or a no to the question, is no run."""
        if self.workplace is None or self.plan is None or result == UsageError.exit_name:
            return
        if self.workplace.head.result().absence in WITHOUT:
            return
        from dtnctl.runtime.lease import operator

        who = operator()
        trouble = runs_of(self.workplace, who).write(self._record(self.workplace, self.plan, who, exit_code, result))
        if trouble:
            self.workplace.say(f"note: this run is not recorded in Git: {trouble}; {LATER}")

    def _record(self, workplace: Workplace, plan: Plan, who: str, exit_code: int, result: str) -> RunRecord:
        from dtnctl.model.runs import Asked, RunRecord, ci_account, run_changes, steps_by_result
        from dtnctl.planning.rails.suspension import held_sessions
        from dtnctl.runtime.reconcile import touched_endpoints

        head = workplace.head.result()
        changes, left_out = run_changes(plan, self.outcomes)
        return RunRecord(
            command=self.command,
            commit=head.commit,
            branch=head.branch,
            uncommitted=head.is_dirty,
            asked=Asked(who, *ci_account(os.environ)),
            plan=plan.hash,
            began=_text(self.began),
            ended=_text(datetime.now(UTC)),
            exit_code=exit_code,
            result=result,
            scope=_options(self.scope),
            steps=steps_by_result(self.outcomes),
            endpoints=touched_endpoints(plan),
            changes=changes,
            left_out=left_out,
            dtnctl=__version__,
            override_freeze=self.scope.override_freeze,
            held=held_sessions(workplace.site),
        )


@contextlib.contextmanager
def recorded(command: Command, scope: Scope) -> Iterator[Recording]:
    """A run that is recorded when this ends, with the exit code of the error that it ends with."""
    from dtnctl.model.runs import GOOD

    run = Recording(command, scope, datetime.now(UTC))
    try:
        yield run
    except DtnctlError as error:
        run.end(error.exit_code, error.exit_name)
        raise
    except BaseException:
        run.end(1, CRASHED)
        raise
    if run.error is None:
        run.end(0, GOOD)
    else:
        run.end(run.error.exit_code, run.error.exit_name)


def _options(scope: Scope) -> str:
    """What limited the run, as it is typed."""
    words = [
        ("--target", scope.targets),
        ("--exclude", scope.excludes),
        ("--label", (scope.label,) if scope.label else ()),
        ("--replace", scope.replace),
    ]
    return " ".join(f"{option} {value}" for option, values in words for value in values)


def _text(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
