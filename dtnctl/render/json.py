"""Plans, outcomes, problems and lists as JSON documents: a contract (docs/json.md). Text for people may change; these keys may not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dtnctl.errors import DtnctlError, Problem
from dtnctl.model.basis import SeenObject, basis_of
from dtnctl.model.head import Head
from dtnctl.model.impact import Cut
from dtnctl.model.kinds import PLAN_KINDS
from dtnctl.model.ledger import Attempt
from dtnctl.model.outcome import Outcome
from dtnctl.model.path_rows import PathRow, PromisedBandwidth
from dtnctl.model.plan import Cause, Change, EndpointSummary, FieldChange, Mark, Plan, Step, TransferNote, Usage, action_type, as_data
from dtnctl.model.policy import PolicyResult
from dtnctl.model.resources import Pairs
from dtnctl.render.context import RenderContext
from dtnctl.render.passwords import without_passwords
from dtnctl.render.results import ResultCounts, change_results, count_results
from dtnctl.render.summary import count, count_by_endpoint, exact_command, shown_hash, starting_steps, verb_of

if TYPE_CHECKING:
    from dtnctl.model.path_checks import PathFinding
    from dtnctl.model.report import DeclaredRow, EndpointRow, ServiceRow, SessionRow, TransferRow
    from dtnctl.model.samples import Sample
    from dtnctl.model.volume_rows import VolumeRow

FORMAT_VERSION = 1
Json = dict[str, Any]

# Lists as Terraform has them, so that a search for "delete" finds replacements.
ACTIONS: dict[Mark, list[str]] = {
    "blocked": [],
    "destroy": ["delete"],
    "replace": ["delete", "create"],
    "transfer": ["start"],
    "update": ["update"],
    "create": ["create"],
}


def render_json(document: Json) -> str:
    """The document's one and only form: keys sorted, two spaces, ASCII, a newline at the end; in a CI log it is no command."""
    return json.dumps(document, sort_keys=True, indent=2, allow_nan=False).replace("##", "#\\u0023") + "\n"


def document_of(kind: str, content: Json) -> Json:
    """A document of that kind, with what all of them have."""
    return {"format_version": FORMAT_VERSION, "kind": kind} | content


# --- plan ---------------------------------------------------------------------------------------------------


def plan_document(plan: Plan, context: RenderContext) -> Json:
    """The whole plan: what a reader sees as `changes`, what is done as `steps`."""
    starting, counts = starting_steps(plan), count_by_endpoint(plan)
    return document_of(
        "plan",
        {
            "command": context.command,
            "version": context.version,
            "site": plan.site,
            "git": _head(context.head),
            "plan_hash": shown_hash(plan, context),
            "exact_command": exact_command(plan, context),
            "reproduce": context.reproduce,
            **({"label": context.label} if context.label else {}),
            "partial": bool(plan.unanswered),
            "inventory": [
                {"endpoint": age.endpoint, "taken_at": age.taken_at, "age": age.seconds, "fingerprint": age.fingerprint}
                for age in context.inventory
            ],
            "policy": _policy(context.policy) if context.policy is not None else None,
            "summary": _summary(plan),
            "endpoints": [_endpoint(row, counts) for row in plan.endpoints],
            "changes": [_change(change, verb_of(change, starting)) for change in plan.changes],
            "steps": [_step(step) for step in plan.steps],
            "transfers": [_transfer_note(note) for note in plan.transfers],
            "notes": list(plan.notes),
            "unchanged": list(plan.unchanged),
            "failing": list(plan.failing),
            "paths": [_path(row) for row in plan.paths],
            "promised": [_promised(row) for row in plan.promised],
            "silent_providers": list(plan.silent_providers),
            "seen": [_seen(item) for item in basis_of(plan.snapshot)] if plan.snapshot is not None else [],
        },
    )


def _seen(item: SeenObject) -> Json:
    return {"endpoint": item.endpoint, "kind": item.kind, "name": item.name, "owner": item.owner, "facts": _pairs(item.facts)}


def _path(row: PathRow) -> Json:
    return asdict(row) | {"ends": list(row.ends)}


def _promised(row: PromisedBandwidth) -> Json:
    """Rates in kbit/s; a total of null is unknown."""
    usage = _usage(row.usage) | ({} if row.usage.total else {"total": None})
    return {"endpoint": row.endpoint, "interface": row.interface} | usage


def volumes_document(rows: Sequence[VolumeRow]) -> Json:
    """Both ends of volumes over NVMe-oF."""
    return document_of("volumes", {"volumes": [_volume(row) for row in rows]})


def _volume(row: VolumeRow) -> Json:
    return asdict(row) | {"sessions": list(row.sessions)}


def paths_document(rows: Sequence[PathRow], promised: Sequence[PromisedBandwidth]) -> Json:
    """All paths, and what interfaces are promised."""
    return document_of("paths", {"paths": [_path(row) for row in rows], "promised": [_promised(row) for row in promised]})


def path_check_document(name: str, findings: Sequence[PathFinding]) -> Json:
    """What was found of one path."""
    found = [{"aspect": item.aspect, "where": item.where, "verdict": item.verdict, "text": item.text, "fix": item.fix} for item in findings]
    return document_of("path-check", {"path": name, "findings": found})


def _policy(found: PolicyResult) -> Json:
    return {
        "command": found.command,
        "verdict": found.verdict,
        "reasons": list(found.reasons),
        "warnings": list(found.warnings),
    }


def _head(head: Head) -> Json:
    """Null where nothing is known: without a commit there is nothing that the files could differ from."""
    return {
        "commit": head.commit,
        "branch": head.branch,
        "dirty": head.is_dirty if head.commit else None,
        "absence": head.absence,
    }


def _summary(plan: Plan) -> Json:
    counts: Json = as_data(count(plan))
    del counts["type"]
    kinds = {PLAN_KINDS[kind].plural.lower(): number for kind, number in counts.pop("kinds")}
    return {"changes": counts.pop("changes")} | kinds | counts | {"owned": plan.owned, "silent": len(plan.silent), "steps": len(plan.steps)}


def _endpoint(row: EndpointSummary, counts: Counter[tuple[str, Mark]]) -> Json:
    """Counts of what is there are null where nothing is known."""
    known = not row.silence
    return {
        "name": row.name,
        "silence": row.silence,
        "agent_silence": row.agent_silence,
        "identity": row.identity,
        "lock": row.lock,
        "sessions": {"before": row.sessions_before, "after": row.sessions_after} if known else None,
        "ports": {"before": row.ports_before, "after": row.ports_after} if known else None,
        "vfs": _usage(row.vfs) if row.vfs is not None else None,
        "cpus": [{"node": node} | _usage(usage) for node, usage in row.cpus],
        "changes": {mark: counts[row.name, mark] for mark in ACTIONS},
    }


def _usage(usage: Usage) -> Json:
    return {"before": usage.before, "after": usage.after, "total": usage.total}


def _change(change: Change, verb: str) -> Json:
    return {
        "mark": change.mark,
        "actions": ACTIONS[change.mark] if verb != "finish" else ["finish"],
        "kind": change.kind,
        "name": change.name,
        "endpoint": change.endpoint,
        "summary": change.summary,
        "cause": _cause(change.cause),
        "fields": [_field(field) for field in change.fields],
        "allocations": _pairs(change.allocations),
        "kept": _pairs(change.kept),
        "powers": [{"label": power.label, "value": power.value, "over_host": power.is_over_host} for power in change.powers],
        "notes": list(change.notes),
        "interrupts": change.interrupts,
        "cuts": [_cut(cut) for cut in change.cuts],
        "held": change.held or "",
        "is_drift": change.is_drift,
        "may_be_drift": change.may_be_drift,
        "code": change.code,
        "fix": change.fix,
        "steps": list(change.steps),
    }


def _cut(cut: Cut) -> Json:
    progress = cut.progress
    return {
        "transfer": cut.transfer,
        "endpoint": cut.endpoint,
        "is_resumable": cut.is_resumable,
        "progress": None if progress is None else {"bytes": progress.bytes, "total": progress.total, "percent": progress.percent},
    }


def _cause(cause: Cause) -> Json:
    return {"text": cause.text, "file": cause.file, "line": cause.line, "field": cause.field}


def _field(field: FieldChange) -> Json:
    return {
        "field": field.field,
        "before": field.before,
        "after": field.after,
        "forces_replace": field.forces_replace,
        "cause": _cause(field.cause),
    }


def _pairs(pairs: Pairs) -> list[Json]:
    return [{"label": label, "value": value} for label, value in pairs]


def _step(step: Step) -> Json:
    return {
        "id": step.id,
        "endpoint": step.endpoint,
        "action": as_data(without_passwords(step.action)),
        "needs": list(step.needs),
        "follows": list(step.follows),
        "group": step.group,
        "undo": as_data(step.undo) if step.undo else None,
    }


def _transfer_note(note: TransferNote) -> Json:
    return {
        "name": note.name,
        "generation": note.generation,
        "state": note.state,
        "text": note.text,
        "place": note.place,
        "unseen": note.is_unseen,
    }


# --- outcomes -----------------------------------------------------------------------------------------------


def outcomes_document(plan: Plan, outcomes: Sequence[Outcome], remaining: Plan | None = None) -> Json:
    """What became of each change and of each step. `remaining` is the plan of a last look after the apply, if there was one."""
    results = change_results(plan, outcomes)
    counts = count_results(results)
    steps = {step.id: step for step in plan.steps}
    return document_of(
        "outcomes",
        {
            "site": plan.site,
            "plan_hash": plan.hash,
            "converged": _is_converged(plan, counts, remaining),
            "summary": {
                "changes": counts.changes,
                "applied": counts.applied,
                "failed": counts.failed,
                "put_back": counts.put_back,
                "unfinished": counts.unfinished,
                "not_tried": counts.not_tried,
                "blocked": plan.count("blocked"),
                "silent": len(plan.silent),
            },
            "changes": [
                _change_key(entry.change) | {"result": entry.result.replace(" ", "_"), "reasons": list(entry.reasons)} for entry in results
            ],
            "steps": [outcome_data(outcome, steps.get(outcome.step)) for outcome in outcomes],
            "remaining": None if remaining is None else [_change_key(change) for change in remaining.changes],
            "failing": list((remaining or plan).failing),
            "unsettled": [_transfer_note(note) for note in (remaining or plan).unsettled],
        },
    )


def _is_converged(plan: Plan, counts: ResultCounts, remaining: Plan | None) -> bool:
    """All was done, nothing was held back, no endpoint is unknown, and a last look (if there was one) found nothing to do."""
    last = remaining or plan
    is_clean = not last.failing and (remaining is None or (remaining.is_empty and not remaining.unanswered))
    return counts.applied == counts.changes and not plan.blocked and not plan.unanswered and is_clean


def _change_key(change: Change) -> Json:
    return {"mark": change.mark, "kind": change.kind, "name": change.name, "endpoint": change.endpoint}


def outcome_data(outcome: Outcome, step: Step | None) -> Json:
    """What became of one step."""
    return {
        "step": outcome.step,
        "endpoint": step.endpoint if step else "",
        "action": action_type(step.action) if step else "",
        "result": outcome.result,
        "reason": outcome.reason,
        "error": outcome.error,
        "detail": outcome.detail,
        "check_output": list(outcome.check_output),
        "log": list(outcome.log),
        "seconds": outcome.seconds,
    }


# --- problems -----------------------------------------------------------------------------------------------


def error_document(error: DtnctlError) -> Json:
    """A run that ended with an error that is not one of what people wrote."""
    return document_of("error", {"exit_code": error.exit_code, "exit_name": error.exit_name, "message": str(error)})


def problems_document(problems: Sequence[Problem]) -> Json:
    """What is wrong in what people wrote. `line` and `column` count from 1; 0 is the file as a whole."""
    entries = [
        {
            "file": problem.file,
            "line": problem.line,
            "column": problem.column,
            "code": problem.code,
            "message": problem.message,
            "hint": problem.hint,
        }
        for problem in sorted(problems)
    ]
    files = len({problem.file for problem in problems})
    return document_of("problems", {"problems": entries, "summary": {"problems": len(entries), "files": files}})


# --- lists --------------------------------------------------------------------------------------------------


def sessions_document(rows: Sequence[SessionRow]) -> Json:
    return document_of("sessions", {"sessions": [_row(row) for row in rows]})


def session_document(row: SessionRow, services: Sequence[ServiceRow]) -> Json:
    """One session with its services."""
    own = [_row(service) for service in services if service.session == row.name]
    return document_of("session", {"session": _row(row), "services": own})


def transfers_document(rows: Sequence[TransferRow]) -> Json:
    return document_of("transfers", {"transfers": [_transfer(row) for row in rows]})


def transfer_document(row: TransferRow) -> Json:
    return document_of("transfer", {"transfer": _transfer(row)})


def samples_document(attempt: Attempt, samples: Sequence[Sample]) -> Json:
    """How an attempt went over time."""
    key = {"transfer": attempt.transfer, "generation": attempt.generation, "attempt": attempt.attempt}
    rows = [{"seconds": sample.seconds, "bytes": sample.bytes, "bytes_per_second": sample.rate} for sample in samples]
    return document_of("samples", key | {"started_at": attempt.started_at, "samples": rows})


def endpoints_document(rows: Sequence[EndpointRow]) -> Json:
    return document_of("endpoints", {"endpoints": [_row(row) for row in rows]})


def endpoint_document(row: EndpointRow, host: Json | None) -> Json:
    """`host` is what the agent reports, in its own words; None without one."""
    return document_of("endpoint", {"endpoint": _row(row), "host": host})


def declared_document(kind: str, rows: Sequence[DeclaredRow]) -> Json:
    """`networks` or `profiles` as their files say."""
    return document_of(kind, {kind: [{"name": row.name, "file": row.file, "fields": dict(row.fields)} for row in rows]})


def status_document(
    sessions: Sequence[SessionRow],
    services: Sequence[ServiceRow],
    transfers: Sequence[TransferRow],
    endpoints: Sequence[EndpointRow],
    paths: Sequence[PathRow] = (),
    promised: Sequence[PromisedBandwidth] = (),
    volumes: Sequence[VolumeRow] = (),
) -> Json:
    """All lists in one document."""
    return document_of(
        "status",
        {
            "sessions": [_row(row) for row in sessions],
            "services": [_row(row) for row in services],
            "transfers": [_transfer(row) for row in transfers],
            "endpoints": [_row(row) for row in endpoints],
            "paths": [_path(row) for row in paths],
            "promised": [_promised(row) for row in promised],
            "volumes": [_volume(row) for row in volumes],
        },
    )


def _row(row: SessionRow | ServiceRow | TransferRow | EndpointRow) -> Json:
    data: Json = as_data(row)
    del data["type"]
    return data


def _transfer(row: TransferRow) -> Json:
    """`from` and `to` as people write them; Python has its own use for one of the words. `verified` is a word, `evidence` a sentence."""
    data = _row(row)
    data |= {"evidence": data.pop("verified"), "verified": data.pop("compared")}
    data |= {"labels": dict(row.labels), "metadata": dict(row.metadata)}
    return data | {"from": data.pop("source"), "to": data.pop("destination")}
