"""The readable part of a site, and how problems in it are said: what references and claims are checked against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias

from dtnctl.errors import Problem
from dtnctl.model.effective import DEFAULT_PROFILE, Layer, layers, merge, profile_chain, winner
from dtnctl.model.nearest import suggestion
from dtnctl.model.profile import ProfileFields
from dtnctl.model.site import BUILT_IN_NETWORKS, Declarations, Document, Location, Network, Session
from dtnctl.model.suitable import ends, suitable_sessions
from dtnctl.model.transfer import Transfer

MOST_PROBLEMS = 1000  # of one run
MOST_SUGGESTIONS = 100

Place: TypeAlias = tuple[Document[Any], Location]


@dataclass(frozen=True)
class DeclaredSettings:
    """The settings of one service, or of a profile by itself, with the place that set each of them."""

    layers: tuple[Layer, ...]
    fallback: Place

    @cached_property
    def profile(self) -> ProfileFields:
        return merge(self.layers)

    def origin(self, name: str, key: str | None = None) -> Place:
        return winner(self.layers, name, key) or self.fallback

    def attached_by(self, network: str) -> str:
        """The field that attaches the network."""
        mgmt = self.profile.mgmt_net
        return "mgmt_net" if mgmt is not None and mgmt.name == network else "data_nets"

    def where(self, name: str) -> str:
        """`file:line` of what set the field."""
        document, location = self.origin(name)
        return document.where(*location)


@dataclass(frozen=True)
class DeclaredService(DeclaredSettings):
    """The settings of one session on one endpoint."""

    session: Document[Session]
    endpoint: str


@dataclass(frozen=True)
class Known:
    """The readable objects, the names whose files are broken, and the time."""

    site: Declarations
    broken: Mapping[str, AbstractSet[str]]
    now: datetime
    problems: set[Problem] = field(default_factory=set)
    _names: dict[str, AbstractSet[str]] = field(default_factory=dict)
    _suitable: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def names(self, kind: str) -> AbstractSet[str]:
        """Every name that has a file, broken or not."""
        if kind not in self._names:
            self._names[kind] = frozenset(getattr(self.site, kind)) | frozenset(self.broken.get(kind, ()))
        return self._names[kind]

    @property
    def is_full(self) -> bool:
        """Whether there are more problems than one run lists."""
        return len(self.problems) > MOST_PROBLEMS

    def report(self, place: Place, code: str, message: str, hint: str = "") -> None:
        if self.is_full:
            return
        document, location = place
        mark = document.mark(location)
        self.problems.add(Problem(document.file, mark.line, mark.column, code, message, hint))

    def suggest(self, name: str, names: Iterable[str], otherwise: str) -> str:
        """What to try instead of a name that does not exist; only the first problems of a run are worth comparing all names."""
        return suggestion(name, names, otherwise) if len(self.problems) < MOST_SUGGESTIONS else otherwise

    @cached_property
    def used_profiles(self) -> AbstractSet[str]:
        """Profiles that others build on."""
        by_profiles = {profile.value.extends for profile in self.site.profiles.values()}
        return {name for name in by_profiles if name is not None} | {session.value.profile for session in self.site.sessions.values()}

    def suitable(self, transfer: Transfer) -> tuple[str, ...]:
        """Names of the sessions that could carry the transfer; the same for all transfers between the same two endpoints."""
        pair = ends(transfer)
        if pair not in self._suitable:
            self._suitable[pair] = suitable_sessions(self.site, transfer, self.now)
        return self._suitable[pair]

    def network(self, name: str) -> Network | None:
        """The network if it has a file that could be read; those of the engine itself have none that counts."""
        document = self.site.networks.get(name)
        return None if document is None or name in BUILT_IN_NETWORKS else document.value

    def has_readable_settings(self, profile: str) -> bool:
        """Whether the whole chain of profiles is there; otherwise what a service gets is not known."""
        chain = profile_chain(self.site, profile)
        end = chain[0].value.extends if chain else profile
        is_cut_cycle = end in self.site.profiles
        return end is None or is_cut_cycle or (end == DEFAULT_PROFILE and end not in self.names("profiles"))

    @cached_property
    def services(self) -> tuple[DeclaredService, ...]:
        """Every service whose settings are known, in name order; expired sessions count as removed."""
        return tuple(self._services())

    @cached_property
    def service_of(self) -> Mapping[tuple[str, str], DeclaredService]:
        """The same by endpoint and session."""
        return {(service.endpoint, service.session.name): service for service in self.services}

    def _services(self) -> Iterator[DeclaredService]:
        for session in self.site.sessions.values():
            if session.value.is_expired(self.now) or not self.has_readable_settings(session.value.profile):
                continue
            for endpoint in session.value.endpoints:
                if endpoint in self.names("endpoints"):
                    yield DeclaredService(layers(self.site, session, endpoint), (session, ("profile",)), session, endpoint)

    def readable_networks(self, profile: ProfileFields) -> bool:
        """Whether every network that the settings name is built in or could be read."""
        nets = (*profile.data_nets, *((profile.mgmt_net,) if profile.mgmt_net is not None else ()))
        return all(net.name in BUILT_IN_NETWORKS or net.name in self.site.networks for net in nets)
