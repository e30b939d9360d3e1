"""Endpoints that are or may be one engine: whose objects would be whose cannot be known, so nothing is planned on any of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dtnctl.model.plan import Cause
from dtnctl.model.resources import LABEL_REPOSITORY, LABEL_SELF, LABEL_SITE, EndpointSeen, ForeignSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Twin:
    """That an endpoint is one engine with `other`. With `container`: it may be, since that one of the other's is on it."""

    endpoint: str
    other: str
    container: str = ""

    @property
    def text(self) -> str:
        """Which two are one, or may be."""
        if self.container:
            return f"{self.endpoint} has the container {self.container} of {self.other}, which was not seen: they may be one engine"
        return " and ".join(sorted((self.endpoint, self.other))) + " are one engine"

    @property
    def note(self) -> str:
        """The same, and what follows from it."""
        return f"{self.text}: nothing is planned on {'it' if self.container else 'either'}"


def find_twins(site: Site, snapshot: Snapshot) -> Mapping[str, Twin]:
    """By endpoint, the first other endpoint that shows the same engine, or whose container it has and which was not seen itself.

    The second is all that two runs of `--label` can know of each other's endpoints.
    """
    by_engine: dict[str, list[str]] = {}
    found: dict[str, Twin] = {}
    for name, seen in sorted(snapshot.endpoints.items()):
        if seen.is_silent:
            continue
        if seen.engine_id:
            by_engine.setdefault(seen.engine_id, []).append(name)
        if (twin := _may_be(site, snapshot, seen)) is not None:
            found[name] = twin
    for names in by_engine.values():
        if len(names) > 1:
            found |= {name: Twin(name, next(other for other in names if other != name)) for name in names}
    return found


def _may_be(site: Site, snapshot: Snapshot, seen: EndpointSeen) -> Twin | None:
    for item in sorted(seen.foreign, key=lambda item: item.name):
        other = _endpoint_of(site, item)
        there = snapshot.endpoints.get(other)
        if other != seen.name and other in site.endpoints and (there is None or there.is_silent):
            return Twin(seen.name, other, item.name)
    return None


def _endpoint_of(site: Site, item: ForeignSeen) -> str:
    """The endpoint that a container of this site was made on, by its labels; empty if it is none of ours."""
    is_ours = item.labels.get(LABEL_SITE) == site.name and item.labels.get(LABEL_REPOSITORY, "") == site.repository
    return item.labels.get(LABEL_SELF, "").partition("/")[0] if is_ours else ""


def without_twins(snapshot: Snapshot, twins: Mapping[str, Twin]) -> Snapshot:
    """The snapshot in which nothing is known of endpoints that are or may be one engine."""
    if not twins:
        return snapshot
    seen = {name: EndpointSeen(name, silence=twins[name].text) if name in twins else item for name, item in snapshot.endpoints.items()}
    return replace(snapshot, endpoints=seen)


def refuse_twin(site: Site, twin: Twin) -> Refusal:
    """Why nothing is planned on the endpoint: the line that leads to the same engine as another one's."""
    document = site.endpoints[twin.endpoint]
    field = document.value.address_field
    cause = Cause(twin.text, document.file, document.mark((field,)).line, field)
    fix = f"`{field}:` of {twin.endpoint} or {twin.other} with the address of another engine, or one endpoint for both"
    if twin.container:
        fix = f"a run that asks {twin.other}, too; if they are two engines, remove that container; else {fix}"
    return Refusal("E0491", cause, fix)
