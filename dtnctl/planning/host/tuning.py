"""Settings of a host that its file declares: set where they differ, restored where nothing declares them any more. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dtnctl.model.actions import HostRequest
from dtnctl.model.kinds import ChangeKind
from dtnctl.model.plan import Cause, Change, FieldChange, Step
from dtnctl.model.site import Document, Endpoint, Location, Site
from dtnctl.model.tuning import Tuning, tuning_items, tuning_keys
from dtnctl.planning.host.resource import HostResource, Planned, PlannedHost
from dtnctl.planning.step_ids import tune_id, untune_id

if TYPE_CHECKING:
    from dtn_agent.protocol import Held, Host

GROUPS = {"sysctl": "sysctls", "interface": "interfaces", "block": "block"}  # first word of a key, where it stands in the file


class HostTuning(HostResource):
    """What `tuning:` of the endpoint's file declares, under the keys that the agent has for it."""

    plural = "settings of the host"

    def names(self, site: Site, endpoint: Document[Endpoint], held: Held | None) -> Iterable[tuple[ChangeKind, str]]:
        del site, held
        return [("tuning", endpoint.name)] if endpoint.value.agent is not None else []

    def deferred(self, here: PlannedHost) -> Iterable[str]:
        return (tune_id(here.name, key) for key in tuning_keys(here.document.value.tuning))

    def beside(self, here: PlannedHost, steps: tuple[Step, ...]) -> Iterable[Planned]:
        del steps
        declared = here.document.value.tuning
        return _planned(here.site, here.document, declared, here.host) if here.covers("tuning", here.name) else ()


def _planned(site: Site, document: Document[Endpoint], tuning: Tuning, host: Host) -> Iterator[Planned]:
    """One change for all that can be set, and one that is blocked for what the host does not have."""
    items = tuning_items(tuning, [device.name for device in host.facts.block_devices])
    held = {item.key: item for item in host.held.tuning if item.site == site.name}
    endpoint = document.name
    missing = [key for key in items if host.readings.get(key) is None]
    steps: list[Step] = []
    tuned: list[str] = []
    fields: list[FieldChange] = []
    was_set: list[bool] = []
    for key, value in items.items():
        now = host.readings.get(key)
        if now is not None and (now != value or key not in held):
            steps.append(Step(tune_id(endpoint, key), endpoint, _tune(site.name, key, value), _after(endpoint, tuned, key)))
            tuned.append(key)
            fields.append(FieldChange(key, now or "(empty)", value, False, _cause(document, key)))
            was_set.append(key in held and held[key].wanted == value)
    forgotten = sorted(held.keys() - items.keys())
    for number, key in enumerate(forgotten):
        needs = _after_numbers(endpoint, forgotten[:number], key)
        steps.append(Step(untune_id(endpoint, key), endpoint, _untune(site.name, key), needs))
        fields.append(FieldChange(key, held[key].now or "(empty)", held[key].found or "(not set)", False, Cause("not declared any more")))
        was_set.append(False)
    if steps:
        yield _change(endpoint, tuple(steps), tuple(fields), is_drift=all(was_set)), tuple(steps)
    if missing:
        yield _blocked(document, missing), ()


def _after(endpoint: str, keys: Iterable[str], key: str) -> tuple[str, ...]:
    """The step before it that it builds on: an interface's channels come before its interrupts, CPUs before all that names them."""
    subject = key.rpartition("/")[0]
    return tuple(tune_id(endpoint, other) for other in keys if other == "smt" or (subject and other.rpartition("/")[0] == subject))[-1:]


def _after_numbers(endpoint: str, keys: Iterable[str], key: str) -> tuple[str, ...]:
    """A scheduler is restored after the numbers of its queue: they were found under the one that goes."""
    device, _, what = key.rpartition("/")
    return tuple(untune_id(endpoint, other) for other in keys if what == "scheduler" and other.rpartition("/")[0] == device)


def _tune(site: str, key: str, value: str) -> HostRequest:
    from dtn_agent.protocol.tuning import Tune

    return HostRequest(Tune(site=site, key=key, value=value), "tune", f"{key} = {value}")


def _untune(site: str, key: str) -> HostRequest:
    from dtn_agent.protocol.tuning import Untune

    return HostRequest(Untune(site=site, key=key), "restore", key)


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
        code="E0477",
        fix="to remove it; the kernel or the device lacks it",
    )
