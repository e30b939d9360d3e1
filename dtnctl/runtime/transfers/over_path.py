"""Reads the counters of both ends of a transfer that a path joins, before it starts and after its end, and writes what they say."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.actions import JobEnd
from dtnctl.model.ledger import Attempt
from dtnctl.model.tools import Side
from dtnctl.movers.carried import COUNTERS, UNREAD, PathUse, Readings, both_ends, use_of
from dtnctl.providers.base import Engine
from dtnctl.runtime.transfers.attempt import Task

SIDES: tuple[Side, Side] = ("source", "destination")


def read_counters(task: Task) -> Mapping[Side, str]:
    """What the counters are now, by end, or why they are not known; nothing of a transfer that no path joins."""
    if not task.source.path_name:
        return {}
    with ThreadPoolExecutor(len(SIDES), thread_name_prefix="counters") as pool:
        texts = pool.map(lambda place: _read(*place), task.ends)
        return dict(zip(SIDES, texts, strict=True))


def _read(engine: Engine, end: JobEnd) -> str:
    """Without IPv6 one of the files is not there; the others are written all the same."""
    try:
        ran = engine.run(end.container, COUNTERS, user=end.user)
    except (EngineError, UnreachableError) as error:
        return f"{UNREAD}{error}"
    said = ran.stderr.decode("utf-8", "replace").splitlines() or [f"cat ended with {ran.exit_code}"]
    return ran.stdout.decode("utf-8", "replace") or f"{UNREAD}{said[0].strip()}"


def with_path_use(task: Task, receipt: Attempt, before: Mapping[Side, str]) -> Attempt:
    """The receipt with what became of the path; a failed one if the transfer requires it and its bytes are not known to be carried."""
    if not task.source.path_name:
        return receipt
    use = _use(task, receipt.bytes - receipt.resumed, before)
    receipt = replace(receipt, network_path=task.source.path_name, path_verdict=use.verdict, path_evidence=use.evidence)
    if not task.options.require_path or use.verdict == "carried" or receipt.verdict not in ("succeeded", "partial"):
        return receipt
    went = "its bytes went around" if use.verdict == "bypassed" else "it is not known that its bytes went over"
    return replace(
        receipt, verdict="failed", retryable=False, cause=f"it requires its path, and {went} {task.source.path_name}: {use.evidence}"
    )


def _use(task: Task, moved: int, before: Mapping[Side, str]) -> PathUse:
    after = read_counters(task)
    ends = zip(SIDES, (task.source, task.destination), strict=True)
    source, destination = (use_of(Readings(side, end.path_address, before.get(side, ""), after[side]), moved) for side, end in ends)
    return both_ends(source, destination)
