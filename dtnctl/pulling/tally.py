"""Counts of the loop since it started, and their text for Prometheus. Written by the loop, read by its listeners' threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dtnctl import __version__
from dtnctl.pulling.decisions import Carried
from dtnctl.pulling.journal import Journal
from dtnctl.pulling.outcomes import ApplyResult

PREFIX = "dtnctl_reconcile_"
CONDITIONS = ("commit", "remote", "run")
PLAN_COUNTS = ("changes", "drift", "blocked", "silent", "unchanged", "owned", "unsettled")
Labels = tuple[tuple[str, str], ...]
Samples = Iterable[tuple[Labels, float]]


@dataclass(slots=True)
class Tally:
    """What is counted. Nothing here survives a restart but what the journal has."""

    journal: Journal = field(default_factory=Journal)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _fetches: Counter[str] = field(default_factory=Counter)
    _runs: Counter[str] = field(default_factory=Counter)
    _webhooks: Counter[str] = field(default_factory=Counter)
    _notices: Counter[str] = field(default_factory=Counter)
    _statuses: Counter[str] = field(default_factory=Counter)
    _steps: Counter[tuple[str, str]] = field(default_factory=Counter)
    _step_seconds: Counter[tuple[str, str]] = field(default_factory=Counter)
    _last: Carried | None = None
    _corrections: int = 0

    def fetched(self, result: str) -> None:
        """The repository was asked: `same`, `new` or `failed`."""
        with self._lock:
            self._fetches[result] += 1

    def webhook(self, result: str) -> None:
        """A request came in: `accepted`, or why it was refused."""
        with self._lock:
            self._webhooks[result] += 1

    def notice(self, result: str) -> None:
        """A notice was `sent`, is `waiting` for a further try, or was `dropped`."""
        with self._lock:
            self._notices[result] += 1

    def status(self, result: str) -> None:
        """A commit's status was `sent`, is `waiting` for a further try, or was `dropped`."""
        with self._lock:
            self._statuses[result] += 1

    def ran(self, carried: Carried) -> None:
        """A run ended."""
        with self._lock:
            self._last = carried
            self._runs[carried.result.exit_name] += 1
            if carried.commit == self.journal.applied:
                self._corrections += carried.result.applied
            for step in carried.result.steps:
                self._steps[step.action, step.result] += 1
                # a counter of seconds: Counter is typed for whole numbers, and holds any
                self._step_seconds[step.action, step.result] += step.seconds  # type: ignore[assignment]

    def remember(self, journal: Journal) -> None:
        """The journal as it was written last."""
        with self._lock:
            self.journal = journal

    def text(self) -> str:
        """The exposition format of Prometheus, version 0.0.4."""
        with self._lock:
            return "".join(self._families())

    def _families(self) -> Iterable[str]:
        journal, last = self.journal, self._last
        result = last.result if last is not None else None
        yield family("info", "gauge", "Version and branch.", [((("branch", journal.branch), ("version", __version__)), 1)])
        commits = {"fetched": journal.fetched, "good": journal.good, "applied": journal.applied}
        yield family(
            "commit_info",
            "gauge",
            "The newest commit of the branch, the last one accepted, the last one of which a run ended well.",
            [((("commit", commit), ("role", role)), 1) for role, commit in commits.items() if commit],
        )
        yield family(
            "condition",
            "gauge",
            "1 while it lasts: the remote does not answer, the newest commit is refused, runs fail.",
            [((("name", name),), float(any(item.name == name for item in journal.conditions))) for name in CONDITIONS],
        )
        yield family("fetches_total", "counter", "Times that the repository was asked.", by("result", self._fetches))
        yield family("webhooks_total", "counter", "Requests at the webhook.", by("result", self._webhooks))
        yield family("notices_total", "counter", "Notices for the webhook of DTNCTL_REPORT_URL.", by("result", self._notices))
        yield family("statuses_total", "counter", "Statuses of commits for the forge of --statuses.", by("result", self._statuses))
        yield family("runs_total", "counter", "Runs of apply, by the name of their exit code.", by("result", self._runs))
        yield from _of_last_run(journal, last, result)
        yield family("corrections_total", "counter", "Changes made for a commit that had been applied before.", [((), self._corrections)])
        labels = {key: (("action", key[0]), ("result", key[1])) for key in sorted(self._steps)}
        yield family("steps_total", "counter", "Steps of runs.", [(labels[key], self._steps[key]) for key in labels])
        yield family("step_seconds_total", "counter", "What they took.", [(labels[key], self._step_seconds[key]) for key in labels])


def _of_last_run(journal: Journal, last: Carried | None, result: ApplyResult | None) -> Iterable[str]:
    if journal.last_success:
        seconds = datetime.fromisoformat(journal.last_success).timestamp()
        yield family("last_success_timestamp_seconds", "gauge", "When a run ended without an error; also over a restart.", [((), seconds)])
    if last is None or result is None:
        return
    ended = datetime.fromisoformat(last.ended).timestamp()
    yield family("last_run_timestamp_seconds", "gauge", "When the last run ended.", [((), ended)])
    yield family("last_run_exit_code", "gauge", "Its exit code (docs/exit-codes.md).", [((), result.exit_code)])
    yield family("last_run_seconds", "gauge", "How long it took.", [((), last.seconds)])
    yield family("last_run_remaining", "gauge", "Changes that it left, as a last look found them.", [((), result.remaining)])
    counts = [((("what", name),), result.summary[name]) for name in PLAN_COUNTS if name in result.summary]
    yield family("plan", "gauge", "Counts of the last plan: changes, drift among them, blocked, silent endpoints, ...", counts)
    yield family("transfers", "gauge", "Declared transfers with nothing to do, by state.", by("state", result.transfers))


def by(label: str, counts: Mapping[str, float]) -> Samples:
    """One sample for each key."""
    return [(((label, key),), value) for key, value in sorted(counts.items())]


def family(name: str, kind: str, about: str, samples: Samples) -> str:
    """One metric with its samples; nothing for none."""
    lines = [f"{PREFIX}{name}{_labels(labels)} {number(value)}" for labels, value in samples]
    return "\n".join([f"# HELP {PREFIX}{name} {about}", f"# TYPE {PREFIX}{name} {kind}", *lines, ""]) if lines else ""


def number(value: float) -> str:
    """A whole number without a point, any other with enough digits."""
    return str(int(value)) if value == int(value) else f"{value:.6f}".rstrip("0")


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = (f'{name}="{_escaped(value)}"' for name, value in labels)
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
