"""Objects on an endpoint that are not ours and have to do with us: what they keep us from, what they are, and which are adopted. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dtnctl.model.actions import EnsureLedger
from dtnctl.model.origin import Origin, claimed_by, origin_of
from dtnctl.model.plan import Cause, Change, Step
from dtnctl.model.resources import LABEL_REPOSITORY, EndpointSeen, ForeignSeen, ledger_name, live_names
from dtnctl.model.site import BUILT_IN_NETWORKS, Site
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import ResolvedTransfer, Service
from dtnctl.planning.step_ids import ledger_id
from dtnctl.planning.transfers.declared import ledger_folder

NAMED = 3  # objects of one kind that are named; the others are counted


# --- what they keep us from ---------------------------------------------------------------------------------


def refuse_held(service: Service, seen: EndpointSeen) -> Iterator[Refusal]:
    """Names that the service needs and others have, and what the engine refuses to show of it."""
    site = service.site
    claim = claimed_by(seen, site.name, site.repository)
    if claim and site.counts_unlabelled:
        yield _claimed(site, seen, claim)
    for item in seen.foreign:
        if item.name in live_names(service.container):
            text, code, fix = _held(site, seen, item)
            yield Refusal(code, service.cause(text, "endpoints"), fix or "another session name, or remove that container")
    held = {network.name: network for network in seen.foreign_networks if network.name not in BUILT_IN_NETWORKS}
    for net in service.nets:
        if net.name in held:
            document, origin = site.networks[net.name], _origin(site, seen, net.name, held[net.name].labels)
            text = f"a network named {net.name} on {seen.name} {origin.text if origin else 'is not ours'}"
            fix = origin.fix if origin else "another network name, or remove that network"
            yield Refusal("E0421", Cause(text, document.file, document.mark().line), fix)
    trouble = seen.image_troubles.get(service.image)
    if trouble:
        text = f"the engine of {seen.name} does not take the image {service.image}: {trouble}"
        yield Refusal("E0531", service.cause(text, "image"), "another `image:`, or look at that engine")


def refuse_ledger(site: Site, resolved: ResolvedTransfer, seen: EndpointSeen) -> Refusal | None:
    """Why the record of the transfer cannot be kept on its source: its container's name is not ours to use there."""
    held = next((item for item in seen.foreign if item.name == ledger_name(site.name)), None)
    if held is None:
        return None
    text, code, fix = _held(site, seen, held)
    cause = Cause(text, resolved.transfer.file, resolved.transfer.mark().line)
    return Refusal("E0530" if code == "E0420" and fix else code, cause, fix or "to remove that container")


def _held(site: Site, seen: EndpointSeen, item: ForeignSeen) -> tuple[str, str, str]:
    """Text, code and fix for a container that has a name of ours; no fix if it is a stranger's."""
    if item.trouble:
        return f"the engine of {seen.name} does not show the container {item.name}: {item.trouble}", "E0532", "to look at that engine"
    origin = _origin(site, seen, item.name, item.labels)
    text = f"a container named {item.name} on {seen.name} {origin.text if origin else 'is not ours'}"
    return text, "E0420", origin.fix if origin else ""


def _claimed(site: Site, seen: EndpointSeen, claim: str) -> Refusal:
    settings = site.settings
    text = f"the site {site.name} on {seen.name} is that of another repository (id {claim})"
    fix = f"`id: {claim}` in {settings.file} if this is a copy of that repository, else another `name:` there"
    return Refusal("E0530", Cause(text, settings.file, settings.mark(("name",)).line, "name"), fix)


def _origin(site: Site, seen: EndpointSeen, name: str, labels: Mapping[str, str]) -> Origin | None:
    return origin_of(labels, site=site.name, repository=site.repository, endpoint=seen.name, object_name=name)


# --- what they are ------------------------------------------------------------------------------------------


def stranger_notes(site: Site, seen: EndpointSeen) -> Iterator[str]:
    """A sentence for what is not ours and has to do with us: where it comes from and how to go on."""
    found: dict[Origin, list[str]] = {}
    objects = [("container", item.name, item.labels) for item in seen.foreign]
    objects += [("network", item.name, item.labels) for item in seen.foreign_networks]
    for kind, name, labels in objects:
        origin = _origin(site, seen, name, labels)
        if origin is not None:
            found.setdefault(origin, []).append(f"{kind} {name}")
    for origin, names in found.items():
        yield f"on {seen.name}, not touched: {_listed(names)} {origin.text}; try {origin.fix}"


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:NAMED])} and {more} more, each of which"


# --- what is adopted ----------------------------------------------------------------------------------------


def plan_adoption(site: Site, seen: EndpointSeen) -> tuple[Change, Step] | None:
    """Objects from before the repository had an id become its own, for all to see, by the placeholder container that carries the id.

    None of them is changed: labels cannot be, and what is recreated some day gets the id by that.
    """
    placeholder = next((item for item in seen.containers if item.name == ledger_name(site.name)), None)
    is_claimed = placeholder is not None and LABEL_REPOSITORY in placeholder.labels
    names = [f"container {item.name}" for item in seen.containers if LABEL_REPOSITORY not in item.labels]
    names += [f"network {item.name}" for item in seen.networks if LABEL_REPOSITORY not in item.labels]
    if site.settings.value.adopts is None or is_claimed or not names:
        return None
    step = Step(ledger_id(seen.name), seen.name, EnsureLedger(ledger_folder(site.name)))
    settings = site.settings
    change = Change(
        mark="update",
        kind="ledger",
        name=ledger_name(site.name),
        endpoint=seen.name,
        cause=Cause("made before the repository had an id", settings.file, settings.mark(("adopts",)).line, "adopts"),
        summary=f"adopts {', '.join(names)} for the repository {site.repository}; none of them is changed",
        steps=(step.id,),
    )
    return change, step
