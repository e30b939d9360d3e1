"""What `--label` means in a site: which endpoints, sessions and transfers a run is about, and which endpoints it has to ask. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dtnctl.model.actions import StartTransfer
from dtnctl.model.labels import Requirement, parse_selector
from dtnctl.model.plan import Step
from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.model.site import Document, Session, Site
from dtnctl.planning.resolve import Key, Service, declared_transfers, resolve_services
from dtnctl.planning.shared_pools import pool_endpoints, pooled_networks
from dtnctl.printable import plural

NAMED = 3  # sessions that a note names; of the others it says how many they are


@dataclass(frozen=True, slots=True)
class Selection:
    """What a run is about. `asked` are the endpoints that it looks at: its own, those of its sessions, and those that share a network.

    `declared` are the services and transfers that files declare, as (endpoint, session) and ("", transfer): of everything else the
    endpoint decides. `volumes` are those of its sessions, which have ends on other endpoints. `parted` are sessions that are left out
    although endpoints of theirs are selected, with what these have.
    """

    text: str
    endpoints: frozenset[str]
    sessions: frozenset[str]
    transfers: frozenset[str]
    asked: frozenset[str]
    declared: frozenset[Key] = field(repr=False)
    volumes: frozenset[str] = frozenset()
    parted: Mapping[str, str] = field(default_factory=dict)

    def covers(self, kind: str, name: str, endpoint: str) -> bool:
        """Whether the run may touch it. What no file declares any more is removed only from endpoints that are selected themselves."""
        if kind == "session" and (endpoint, name) in self.declared:
            return name in self.sessions
        if kind == "transfer" and ("", name) in self.declared:
            return name in self.transfers
        return endpoint in self.endpoints or (kind == "volume" and name in self.volumes)

    def with_undeclared(self, snapshot: Snapshot) -> Selection:
        """With the transfers that no file declares any more and whose containers are seen: they go with the session that they run in."""
        found: dict[Key, str] = {}
        for endpoint, seen in snapshot.endpoints.items():
            sessions = {f"container:{item.id}": item.owner for item in seen.containers if item.kind == "service"}
            for item in seen.containers:
                session, key = sessions.get(item.spec.network, ""), ("", item.owner)
                if item.kind in ("transfer", "server") and key not in self.declared and (endpoint, session) in self.declared:
                    found[key] = session
        selected = {name for (_, name), session in found.items() if session in self.sessions}
        return replace(self, declared=self.declared | found.keys(), transfers=self.transfers | selected)

    def names(self, kind: str, name: str) -> bool:
        """Whether the run is about this endpoint, session or transfer, by its name alone."""
        return name in {"endpoint": self.endpoints, "session": self.sessions, "transfer": self.transfers}.get(kind, frozenset())

    def may_have(self, kind: str, name: str, endpoint: str) -> bool:
        """Whether an object that a pattern can name may be one that the run is about."""
        return endpoint in self.asked if endpoint else self.names(kind, name) or kind not in ("session", "transfer")

    @property
    def is_empty(self) -> bool:
        """Whether it selects nothing although it names what to select; what only leaves out may leave out all."""
        return not (self.endpoints or self.sessions) and not all(one.negated for one in parse_selector(self.text))

    def within(self, site: Site) -> Site:
        """The site with nothing but what the run is about, and the endpoints that it asks."""
        return replace(
            site,
            endpoints={name: item for name, item in site.endpoints.items() if name in self.asked},
            sessions={name: item for name, item in site.sessions.items() if name in self.sessions},
            transfers={name: item for name, item in site.transfers.items() if name in self.transfers},
        )

    def seen(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with nothing of endpoints that the run does not ask, whoever looked at them."""
        return replace(snapshot, endpoints={name: seen for name, seen in snapshot.endpoints.items() if name in self.asked})

    def part_of(self, snapshot: Snapshot) -> Snapshot:
        """As `seen`, with only those containers that the run is about: what a list of its objects is made from."""
        seen = self.seen(snapshot)
        return replace(seen, endpoints={name: self._part_of(item) for name, item in seen.endpoints.items()})

    def _part_of(self, seen: EndpointSeen) -> EndpointSeen:
        left_out = {name for endpoint, name in self.declared if endpoint == seen.name} - self.sessions
        return replace(seen, containers=tuple(item for item in seen.containers if item.kind != "service" or item.owner not in left_out))


def select(site: Site, text: str, now: datetime) -> Selection:
    """What the selector means in the site. SelectorError if the text is none.

    An endpoint has its labels. A session has its own, and for a label that it does not write all of its endpoints have to meet the
    condition: it is wholly selected or not at all. A transfer goes with the session that carries it.
    """
    wanted = parse_selector(text)
    endpoints = frozenset(name for name, item in site.endpoints.items() if all(one.is_met_by(item.value.labels) for one in wanted))
    sessions = frozenset(name for name, item in site.sessions.items() if _is_meant(site, item, wanted))
    transfers = declared_transfers(site, now)
    services = resolve_services(site, now)
    shared = {net.name for service in services if service.session.name in sessions for net in service.nets} & pooled_networks(site)
    volumes = _volumes_of(services, sessions)
    asked = endpoints.union(
        pool_endpoints(site, services, shared),
        _ends_of(site, services, volumes),
        *(site.sessions[name].value.endpoints for name in sessions),
    )
    return Selection(
        text=text,
        endpoints=endpoints,
        sessions=sessions,
        transfers=frozenset(item.transfer.name for item in transfers if item.session in sessions),
        asked=asked,
        volumes=volumes,
        declared=frozenset(
            {(endpoint, name) for name, item in site.sessions.items() for endpoint in item.value.endpoints}
            | {("", name) for name in site.transfers}
        ),
        parted={
            name: _labels_text(site, item, wanted)
            for name, item in site.sessions.items()
            if name not in sessions and not endpoints.isdisjoint(item.value.endpoints) and _is_torn(site, item, wanted)
        },
    )


def _volumes_of(services: Iterable[Service], sessions: frozenset[str]) -> frozenset[str]:
    return frozenset(mount.nvme for item in services if item.session.name in sessions for mount in item.profile.volumes if mount.nvme)


def _ends_of(site: Site, services: Iterable[Service], volumes: frozenset[str]) -> set[str]:
    """The endpoints that export one of these volumes, and all that mount one: one of them writes at most."""
    targets = {site.volumes[name].value.target.endpoint for name in volumes}
    users = {item.endpoint.name for item in services if any(mount.nvme in volumes for mount in item.profile.volumes)}
    return {name for name in targets if name is not None} | users


def _is_meant(site: Site, session: Document[Session], wanted: Iterable[Requirement]) -> bool:
    return all(one.is_met_by(labels) for one in wanted for labels in _labels_for(site, session, one.name))


def _labels_for(site: Site, session: Document[Session], name: str) -> list[Mapping[str, str]]:
    """Whose labels decide: the session's own if it writes this one, else those of all its endpoints."""
    if name in session.value.labels:
        return [session.value.labels]
    return [site.endpoints[endpoint].value.labels for endpoint in session.value.endpoints]


def _is_torn(site: Site, session: Document[Session], wanted: Iterable[Requirement]) -> bool:
    """Whether some of its endpoints meet a condition and others do not: no label of its own says where it belongs."""
    return any(len({one.is_met_by(labels) for labels in _labels_for(site, session, one.name)}) > 1 for one in wanted)


def _labels_text(site: Site, session: Document[Session], wanted: Iterable[Requirement]) -> str:
    """`dtn1 has region=eu, dtn2 has no region`."""
    found = {one.name for one in wanted if one.name not in session.value.labels}
    return ", ".join(
        f"{endpoint} has {f'{name}={labels[name]}' if name in labels else f'no {name}'}"
        for endpoint in session.value.endpoints
        for name in sorted(found)
        for labels in (site.endpoints[endpoint].value.labels,)
    )


def known_labels(site: Site) -> str:
    """`region is eu, us`: what there is to select by."""
    found: dict[str, set[str]] = {}
    for labels in _all_labels(site):
        for name, value in labels.items():
            found.setdefault(name, set()).add(value)
    return "; ".join(f"{name} is {', '.join(sorted(values))}" for name, values in sorted(found.items()))


def _all_labels(site: Site) -> Iterator[Mapping[str, str]]:
    yield from (item.value.labels for documents in (site.endpoints, site.sessions) for item in documents.values())


def label_mistake(site: Site, selection: Selection, *, destroy: bool = False) -> str:
    """Why no run may be about what the selector selects; empty if one may.

    A mistyped name in `regoin!=eu` leaves out nothing, so the run would be about the whole site. A value may be one that endpoints get
    later, but not where everything that is selected is removed.
    """
    there = known_labels(site) or "no endpoint or session has `labels:`"
    names = {name for labels in _all_labels(site) for name in labels}
    if unknown := sorted({one.name for one in parse_selector(selection.text)} - names):
        return f"--label {selection.text}: no endpoint or session has a label {', '.join(unknown)}; {there}"
    if selection.is_empty:
        return f"--label {selection.text} selects nothing; {there}"
    if destroy and (values := unknown_labels(site, selection.text)):
        return f"--label {selection.text} would remove what it may be meant to spare: nothing has {', '.join(values)}; {there}"
    return ""


def unknown_labels(site: Site, text: str) -> tuple[str, ...]:
    """`region=ue`: what the selector names and no endpoint or session has."""
    known = {pair for labels in _all_labels(site) for pair in labels.items()}
    return tuple(f"{one.name}={value}" for one in parse_selector(text) for value in sorted(one.values) if (one.name, value) not in known)


def selection_notes(site: Site, selection: Selection | None, steps: Iterable[Step]) -> Iterator[str]:
    """Sentences about what a run of these steps does not touch or know because of `--label`."""
    if selection is None:
        return
    if unknown := unknown_labels(site, selection.text):
        yield f"no endpoint or session has what --label {selection.text} asks for: {', '.join(unknown)}; {known_labels(site)}"
    if selection.parted:
        shown = [f"{name} ({text})" for name, text in sorted(selection.parted.items())]
        more = f" and {len(shown) - NAMED} more" if len(shown) > NAMED else ""
        yield (
            f"left out by --label {selection.text}, since only some of their endpoints have it: "
            f"{plural(len(shown), 'session')}, {'; '.join(shown[:NAMED])}{more}; `labels:` of a session says where it belongs"
        )
    if any(isinstance(step.action, StartTransfer) for step in steps):
        yield (
            f"endpoints outside of --label {selection.text} were not asked: if `from` of a transfer that starts ever named one of them, "
            "look there first for a copy of this generation"
        )
