"""The plan's table, a row for each endpoint, before and after; and what is not known. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dtnctl.model.actions import CreateContainer, RemoveContainer, ReplaceContainer
from dtnctl.model.plan import EndpointSummary, Step
from dtnctl.model.resources import main_name
from dtnctl.planning.host.resources import WHAT_IT_MAKES
from dtnctl.planning.host.usage import cpu_usage, vf_usage
from dtnctl.planning.study import Study


def summary_rows(found: Study, by_endpoint: Mapping[str, Sequence[Step]]) -> Iterator[EndpointSummary]:
    """A row for each endpoint, by the steps that are planned there."""
    for name, seen in sorted(found.snapshot.endpoints.items()):
        steps = list(by_endpoint.get(name, ()))
        before = {item.name: len(item.spec.ports) for item in seen.containers if item.kind == "service" and not item.is_aside}
        after = dict(before)
        for step in steps:
            if isinstance(step.action, RemoveContainer):
                after.pop(step.action.container, None)
        for step in steps:
            if isinstance(step.action, (CreateContainer, ReplaceContainer)):
                after[main_name(step.action.container)] = len(step.action.spec.ports)
        yield EndpointSummary(
            name=name,
            silence="" if name in found.twins else seen.silence,
            lock=seen.lease.who if seen.lease is not None else "",
            sessions_before=len(before),
            sessions_after=len(after),
            ports_before=sum(before.values()),
            ports_after=sum(after.values()),
            vfs=vf_usage(seen, found.site.name, found.allocations.hardware.pfs.get(name, {}), steps),
            cpus=cpu_usage(seen, steps),
            agent_silence=seen.agent_silence,
            identity="" if name in found.twins else seen.identity,
        )


def silence_notes(found: Study) -> Iterator[str]:
    """Sentences about what did not answer, or answers for two."""
    for endpoint, seen in sorted(found.snapshot.endpoints.items()):
        services = found.by_endpoint[endpoint] if seen.is_silent else ()
        names = [item.session.name for item in services if found.scope.selects("session", item.session.name, endpoint)]
        if names and endpoint not in found.twins:
            what = f"session {names[0]}" if len(names) == 1 else f"sessions {', '.join(names)}"
            yield f"{endpoint} does not answer: what {what} there needs is unknown, and left alone until it does"
        if endpoint in found.twins:
            yield found.twins[endpoint].note
        if seen.agent_silence:
            what = f"{WHAT_IT_MAKES} are unknown, and left alone"
            yield f"the agent of {endpoint} does not answer ({seen.agent_silence}): {what}"
        yield from (f"the login of {endpoint} may not see {what}" for what in seen.unseen)
        yield from (f"{endpoint}: {sentence}" for sentence in seen.damaged)
