"""The record of one run of `apply` or `destroy`: who ran which commit, what it planned, and what became of it. Pure.

A record is one JSON file in the tree of a ref of the state repository. It never changes; no message of an error is in it, since a tool's or
an engine's words may have a password in them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Plan

REF = "refs/dtnctl/runs"
VERSION = 1
MOST_RECORDS = 200  # in the tree of the ref; older ones are in its history
MOST_CHANGES = 1000  # in one record
MOST_NUMBER = 10**12  # for any count; far more than there are
CLOCKS_DIFFER = timedelta(days=1)  # by more than that a record's time is a wrong one
FILE_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}\.json")
GOOD = "ok"
RESULTS = ("failed", "undone", "skipped", "done")  # of steps, the worst first
LIMITING = ("--target ", "--exclude ", "--label ")  # options after which not all of the state was looked at
DONE = "done"
BLOCKED = "blocked"  # of a change without steps


@dataclass(frozen=True, slots=True)
class RunChange:
    """What a run did about one object. `result`: the worst of its steps (done, skipped, undone, failed), or blocked."""

    mark: str
    kind: str
    name: str
    endpoint: str
    result: str


@dataclass(frozen=True, slots=True)
class Asked:
    """On whose account a run was: the operator as leases name one; in CI who started it, and the address of its page."""

    who: str
    ci_actor: str = ""
    ci_url: str = ""

    @property
    def text(self) -> str:
        """One name for a table."""
        return self.ci_actor or self.who


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. Times as in `2026-11-29T16:00:00Z`; `result` is `ok` or the name of its exit code.

    `scope`: the options of its scope, as typed. `steps`: how many by outcome.

    `left_out`: changes beyond those that are listed. `override_freeze`: why it passed over windows of `freeze:`; empty if it did not.

    `held`: sessions of which nothing, or not all, was looked at, since they or an endpoint of theirs are suspended.
    """

    command: str
    commit: str
    branch: str
    uncommitted: bool
    asked: Asked
    plan: str
    began: str
    ended: str
    exit_code: int
    result: str
    scope: str = ""
    steps: tuple[tuple[str, int], ...] = ()
    endpoints: tuple[str, ...] = ()
    changes: tuple[RunChange, ...] = ()
    left_out: int = 0
    dtnctl: str = ""
    override_freeze: str = ""
    held: tuple[str, ...] = ()

    @property
    def did_something(self) -> bool:
        """Whether a step was carried out, or tried."""
        return any(count and result != "skipped" for result, count in self.steps)

    def says_the_same(self, other: RunRecord) -> bool:
        """Whether the second one need not be kept: both did nothing, or failed alike, for the same commit and plan."""
        names = ("command", "commit", "uncommitted", "plan", "exit_code", "result", "scope", "steps", "changes")
        alike = all(getattr(self, name) == getattr(other, name) for name in names)
        return alike and (not self.did_something or self.exit_code != 0)

    def of_session(self, name: str) -> tuple[RunChange, ...]:
        """What it did about the session."""
        return tuple(change for change in self.changes if (change.kind, change.name) == ("session", name))

    def is_good_for(self, session: str) -> bool:
        """Whether the session was as its commit says when the run ended: all of the run was good, or all that it did about the session.

        What waits, is blocked or is suspended was never made as the commit says, also where the run ended well.
        """
        own = self.of_session(session)
        if self.command != "apply" or self.uncommitted or not self.commit or session in self.held:
            return False
        if any(change.result != DONE for change in own):
            return False
        return bool(own) or (self.exit_code == 0 and not any(option in self.scope for option in LIMITING))


def steps_by_result(outcomes: Iterable[Outcome]) -> tuple[tuple[str, int], ...]:
    """How many steps had each outcome; only those that there are."""
    found = [outcome.result for outcome in outcomes]
    return tuple((result, found.count(result)) for result in sorted(set(found)))


def run_changes(plan: Plan, outcomes: Iterable[Outcome]) -> tuple[tuple[RunChange, ...], int]:
    """What the run did about each object of its plan, and how many are left out because they are too many."""
    results: dict[str, str] = {outcome.step: outcome.result for outcome in outcomes}
    found = []
    for change in plan.changes:
        of_steps = {results.get(step, "skipped") for step in change.steps}
        worst = next((result for result in RESULTS if result in of_steps), "skipped")
        found.append(RunChange(change.mark, change.kind, change.name, change.endpoint, BLOCKED if change.mark == "blocked" else worst))
    kept = sorted(found, key=lambda item: item.result == DONE)[:MOST_CHANGES]  # of too many those that were not done
    return tuple(sorted(kept, key=lambda item: (item.kind, item.name, item.endpoint, item.mark))), len(found) - len(kept)


# --- files --------------------------------------------------------------------------------------------------


def encode_run(record: RunRecord) -> bytes:
    """The file's content."""
    data = asdict(record) | {"version": VERSION, "steps": dict(record.steps)}
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=True).encode() + b"\n"


def run_path(site: str, record: RunRecord) -> str:
    """Where the record's file is in the tree of the ref: in the order of time, and no two at one place."""
    began = record.began.replace("-", "").replace(":", "")
    return f"{site}/{began}-{hashlib.sha256(encode_run(record)).hexdigest()[:8]}.json"


def run_id(path: str) -> str:
    """What people call the run: the name of its file without the ending."""
    return path.rpartition("/")[2].removesuffix(".json")


def is_run(path: str) -> bool:
    """Whether the name of a file is that of a record."""
    return FILE_NAME.fullmatch(path.rpartition("/")[2]) is not None


def decode_run(content: bytes) -> RunRecord | None:
    """The record in a file; None for one that a newer dtnctl wrote, or that is none."""
    try:
        data = json.loads(content)
        if data.pop("version") != VERSION:
            return None
        return _record(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _record(data: dict[str, Any]) -> RunRecord:
    taken = {name: data[name] for name in ("command", "commit", "branch", "plan", "began", "ended", "result", "scope", "dtnctl")}
    return RunRecord(
        **{name: _text(value) for name, value in taken.items()},
        uncommitted=data["uncommitted"] is True,
        asked=Asked(**{name: _text(value) for name, value in data["asked"].items()}),
        exit_code=_number(data["exit_code"]),
        steps=tuple(sorted((_text(name), _number(count)) for name, count in data["steps"].items())),
        endpoints=tuple(_text(name) for name in data["endpoints"]),
        changes=tuple(RunChange(**{name: _text(value) for name, value in item.items()}) for item in data["changes"]),
        left_out=_number(data["left_out"]),
        override_freeze=_text(data.get("override_freeze", "")),  # records from before there were windows have none
        held=tuple(_text(name) for name in data.get("held", ())),  # same
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("is no text")
    value.encode()  # half a surrogate pair could not be printed
    return value


def _number(value: object) -> int:
    """A whole number; JSON has `Infinity` and `1e999`, too."""
    if type(value) is not int or abs(value) > MOST_NUMBER:
        raise TypeError("is no number of ours")
    return value


def beyond_the_bound(paths: Iterable[str], now: datetime) -> tuple[str, ...]:
    """The oldest files, as far as there are too many for one tree. Those of a time that is yet to come are the first to go."""
    latest = f"{now + CLOCKS_DIFFER:%Y%m%dT%H%M%SZ}"
    runs = (path for path in paths if is_run(path))
    return tuple(sorted(runs, key=lambda path: (run_id(path) <= latest, path), reverse=True)[MOST_RECORDS:])


def ci_account(environment: Mapping[str, str]) -> tuple[str, str]:
    """Who started the CI job that runs us, and the address of its page; empty outside of CI.

    Sources: the variables that GitHub Actions, GitLab CI and Jenkins set. DTNCTL_ACTOR and DTNCTL_RUN_URL win over them.
    """
    get = environment.get
    address = get("CI_JOB_URL") or get("BUILD_URL") or ""
    if get("GITHUB_RUN_ID") and get("GITHUB_REPOSITORY"):
        address = f"{get('GITHUB_SERVER_URL', '')}/{get('GITHUB_REPOSITORY')}/actions/runs/{get('GITHUB_RUN_ID')}"
    actor = get("DTNCTL_ACTOR") or get("GITHUB_ACTOR") or get("GITLAB_USER_LOGIN") or ""
    return _printed(actor), _printed(_without_login(get("DTNCTL_RUN_URL") or address))


def _printed(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:300]


def _without_login(address: str) -> str:
    """An address without the user and password that some servers are called with."""
    return re.sub(r"(?<=://)[^/\s@]*@", "", address)
