"""The lines of `apply -o jsonl`: one JSON object each, keys sorted, as docs/json.md says. They are as stable as the documents are."""

from __future__ import annotations

import json
from typing import Any

from dtnctl.errors import ConfigError, DtnctlError
from dtnctl.model.actions import FinishTransfer, RecordCancel, RecordEnd, StartTransfer
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Step, action_type
from dtnctl.model.progress import Measured
from dtnctl.render.json import FORMAT_VERSION, error_document, outcome_data, problems_document

Json = dict[str, Any]


def render_event(event: str, at: str, content: Json) -> str:
    """One line. `at` is UTC. In a CI log it is no command."""
    line = {"format_version": FORMAT_VERSION, "kind": "event", "event": event, "at": at} | content
    return json.dumps(line, sort_keys=True, separators=(",", ":"), allow_nan=False).replace("##", "#\\u0023") + "\n"


def document_data(document: Json) -> Json:
    """A document inside of an event, under its kind: the plan, the outcomes, an error or problems."""
    return {document["kind"]: {key: value for key, value in document.items() if key not in ("format_version", "kind")}}


def started_data(step: Step) -> Json:
    """A step that begins."""
    return {"step": step.id, "endpoint": step.endpoint, "action": action_type(step.action), "transfer": _transfer_of(step)}


def ended_data(outcome: Outcome, step: Step) -> Json:
    """A step that ended, with what came of it."""
    return outcome_data(outcome, step) | {"transfer": _transfer_of(step)}


def progress_data(measured: Measured) -> Json:
    """How far a transfer is."""
    return {
        "transfer": measured.transfer,
        "bytes": measured.bytes,
        "total_bytes": measured.total,
        "bytes_per_second": measured.rate,
        "average_bytes_per_second": measured.average,
        "seconds_left": measured.eta,
        "seconds_still": measured.still,
        "files": measured.files,
        "total_files": measured.total_files,
    }


def error_data(error: DtnctlError) -> Json:
    """Why the command failed."""
    return document_data(problems_document(error.problems) if isinstance(error, ConfigError) else error_document(error))


def _transfer_of(step: Step) -> str:
    return step.action.transfer if isinstance(step.action, (StartTransfer, FinishTransfer, RecordCancel, RecordEnd)) else ""
