"""Settings of a host that its file declares: set where they differ, put back where nothing declares them any more. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dtnctl.model.plan import Cause, Change, FieldChange, Step, Tune, Untune
from dtnctl.model.site import Document, Endpoint, Location
from dtnctl.model.tuning import tuning_items

if TYPE_CHECKING:
    from dtn_agent.protocol import Host

GROUPS = {"sysctl": "sysctls", "interface": "interfaces", "block": "block"}  # first word of a key, where it stands in the file


def plan_tuning(site: str, document: Document[Endpoint], host: Host) -> Iterator[tuple[Change, tuple[Step, ...]]]:
    """One change for all that can be set, and one that is blocked for what the host does not have."""
    items = tuning_items(document.value.tuning) if document.value.tuning is not None else {}
    held = {item.key: item for item in host.held.tuning if item.site == site}
    endpoint = document.name
    missing = [key for key in sorted(items) if host.readings.get(key) is None]
    steps, fields, was_set = [], [], []
    for key in sorted(items.keys() - set(missing)):
        now = host.readings[key] or ""
        if now != items[key] or key not in held:
            steps.append(Step(f"{endpoint}/tune/{key}", endpoint, Tune(key, items[key])))
            fields.append(FieldChange(key, now or "(empty)", items[key], False, _cause(document, key)))
            was_set.append(key in held and held[key].wanted == items[key])
    for key in sorted(held.keys() - items.keys()):
        steps.append(Step(f"{endpoint}/untune/{key}", endpoint, Untune(key)))
        fields.append(FieldChange(key, held[key].now or "(empty)", held[key].found or "(not set)", False, Cause("not declared any more")))
        was_set.append(False)
    if steps:
        yield _change(endpoint, tuple(steps), tuple(fields), is_drift=all(was_set)), tuple(steps)
    if missing:
        yield _blocked(document, missing), ()


def _cause(document: Document[Endpoint], key: str) -> Cause:
    return Cause(f"{key.rpartition('/')[2]} is declared", document.file, document.mark(_location(key)).line, "tuning")


def _location(key: str) -> Location:
    head, *rest = key.split("/")
    return ("tuning", GROUPS.get(head, head), *rest)


def _change(endpoint: str, steps: tuple[Step, ...], fields: tuple[FieldChange, ...], *, is_drift: bool) -> Change:
    return Change(
        mark="update",
        kind="tuning",
        name=endpoint,
        endpoint=endpoint,
        cause=fields[0].cause,
        summary=f"changes {len(steps)} setting{'s' * (len(steps) != 1)} of the host",
        fields=fields,
        steps=tuple(step.id for step in steps),
        is_drift=is_drift,
    )


def _blocked(document: Document[Endpoint], missing: list[str]) -> Change:
    text = f"{document.name} has no setting {', '.join(missing)}"
    cause = Cause(text, document.file, document.mark(_location(missing[0])).line, "tuning")
    return Change(
        mark="blocked",
        kind="tuning",
        name=document.name,
        endpoint=document.name,
        cause=cause,
        summary=text,
        code="E0475",
        fix="to remove it; the kernel or the device lacks it",
    )
