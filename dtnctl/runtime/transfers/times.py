"""Carries out `preserve_times`: after a copy that arrived, the destination's user sets the source's times there."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.errors import EngineError
from dtnctl.model.transfer_items import targets_of
from dtnctl.movers.accounted import account_for
from dtnctl.movers.base import Evidence, Judgement
from dtnctl.movers.times import time_commands, times_to_set
from dtnctl.runtime.transfers.attempt import Task


def with_times(task: Task, evidence: Evidence, judgement: Judgement) -> Judgement:
    """The judgement, after the times were set; a failed one if they could not be, because they were asked for.

    Doing it twice is the same as doing it once. Files that were left as they were keep their times.
    """
    if not task.options.preserve_times or judgement.verdict not in ("succeeded", "partial"):
        return judgement
    end = task.destination
    times = times_to_set(account_for(evidence, task.options).compared)
    targets = targets_of(times, task.options.items)
    for command in time_commands(end.path, {target: times[name] for name, target in targets.items()}):
        try:
            ran = task.there.run(end.container, command, user=end.user)
        except EngineError as error:
            return _without_times(judgement, str(error))
        if ran.exit_code != 0:
            return _without_times(judgement, ran.stderr.decode("utf-8", "replace").strip().split("\n")[0] or f"exit code {ran.exit_code}")
    return judgement


def _without_times(judgement: Judgement, reason: str) -> Judgement:
    return replace(judgement, verdict="failed", cause=f"what was copied arrived, but its times could not be set: {reason}", retryable=False)
