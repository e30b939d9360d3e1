"""Reads the document of a plan back into the values that renderers take: a comment can be made where no endpoint can be reached.

Of the steps only those are made again that start transfers, as far as a reader needs them; the document states the plan's hash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from dtnctl.model.actions import JobEnd, StartTransfer
from dtnctl.model.head import Head
from dtnctl.model.inventory import Age
from dtnctl.model.path_rows import PathRow, PromisedBandwidth
from dtnctl.model.plan import Change, EndpointSummary, Plan, Step, TransferNote
from dtnctl.model.policy import PolicyResult
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.render.context import RenderContext, Stated
from dtnctl.render.json import FORMAT_VERSION

Document = Mapping[str, Any]


class NotADocumentError(ValueError):
    """Why a text is no document of ours that can be reported."""


def read_plan(document: Document) -> tuple[Plan, RenderContext]:
    """The plan, and what its renderers need besides. NotADocumentError if it is none, or of another format."""
    if document.get("kind") != "plan" or document.get("format_version") != FORMAT_VERSION:
        raise NotADocumentError(f"it is no plan in format {FORMAT_VERSION}, as `dtnctl plan -o json` prints it")
    try:
        return _plan(document), _context(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotADocumentError(f"it is no whole plan: {type(error).__name__} of {str(error).splitlines()[0][:100]}") from error


def _plan(document: Document) -> Plan:
    return Plan(
        site=_text(document["site"]),
        changes=tuple(_change(item) for item in document["changes"]),
        steps=tuple(_step(item) for item in document["steps"] if item["action"]["type"] == "StartTransfer"),
        endpoints=tuple(_endpoint(item) for item in document["endpoints"]),
        transfers=tuple(_checked(TransferNote, item | {"is_unseen": item.get("unseen", False)}) for item in document["transfers"]),
        notes=_texts(document["notes"]),
        owned=int(document["summary"]["owned"]),
        unchanged=_texts(document["unchanged"]),
        failing=_texts(document["failing"]),
        paths=tuple(_checked(PathRow, item) for item in document.get("paths", ())),
        promised=tuple(_promised(item) for item in document.get("promised", ())),
        silent_providers=_texts(document.get("silent_providers", [])),
    )


def _context(document: Document) -> RenderContext:
    git = document["git"]
    command = document["command"]
    if command not in ("plan", "apply", "drift", "destroy"):
        raise ValueError("a command")
    return RenderContext(
        command=command,
        head=_checked(Head, git | {"is_dirty": bool(git["dirty"])}),
        version=_text(document["version"]),
        reproduce=_text(document.get("reproduce", "")),
        label=_text(document.get("label", "")),
        inventory=tuple(
            Age(item["endpoint"], item["taken_at"], item["age"], item["fingerprint"]) for item in document.get("inventory", ())
        ),
        policy=_checked(PolicyResult, policy) if (policy := document.get("policy")) is not None else None,
        stated=Stated(_text(document["plan_hash"]), _text(document["exact_command"])),
    )


def _change(item: Document) -> Change:
    held = {
        **item,
        "allocations": _pairs(item["allocations"]),
        "kept": _pairs(item["kept"]),
        "powers": [power | {"is_over_host": power["over_host"]} for power in item["powers"]],
        "held": item.get("held") or None,
    }
    change: Change = _checked(Change, held)
    return change


def _pairs(items: list[Document]) -> list[tuple[Any, Any]]:
    return [(item["label"], item["value"]) for item in items]


def _endpoint(item: Document) -> EndpointSummary:
    sessions, ports = item["sessions"] or {"before": 0, "after": 0}, item["ports"] or {"before": 0, "after": 0}
    counts = {f"{name}_{when}": held[when] for name, held in (("sessions", sessions), ("ports", ports)) for when in ("before", "after")}
    summary: EndpointSummary = _checked(EndpointSummary, {**item, **counts, "cpus": [(row["node"], row) for row in item["cpus"]]})
    return summary


def _promised(item: Document) -> PromisedBandwidth:
    promised: PromisedBandwidth = _checked(PromisedBandwidth, {**item, "usage": {**item, "total": item["total"] or 0}})
    return promised


def _step(item: Document) -> Step:
    action = item["action"]
    nowhere = JobEnd("", "", "", "", 0, "")
    start = StartTransfer(
        action["transfer"], action["generation"], action["attempt"], action["tool"], nowhere, nowhere, "", TransferOptions()
    )
    return Step(_text(item["id"]), _text(item["endpoint"]), start)


def _texts(items: list[Any]) -> tuple[str, ...]:
    return tuple(_text(item) for item in items)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text")
    return value


def _checked(kind: Any, held: Mapping[str, Any]) -> Any:
    """The value with each field of the type that the model says; further keys are ignored."""
    return _validator(kind)(held)


@cache
def _validator(kind: Any) -> Callable[[Mapping[str, Any]], Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind).validate_python
