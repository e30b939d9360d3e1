"""An endpoint with an agent: what the engine and the agent tell as one answer, and each action to the one who can do it."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.origin import claimed_by
from dtnctl.model.plan import (
    Action,
    ClearQos,
    ConfigureVf,
    HostAction,
    MakeVlan,
    ReleaseVf,
    RemoveVlan,
    SetQos,
    SetVfCount,
    Tune,
    Untune,
)
from dtnctl.model.resources import EndpointSeen, Wanted
from dtnctl.providers.agent.client import connect_agent
from dtnctl.providers.docker.engine import DockerEngine, DockerObserver, Place

if TYPE_CHECKING:
    from dtn_agent.protocol import Host, Request

BY_SITE, BY_OWNER = ("pfs", "vlans", "tuning"), ("vfs", "qos")  # what an agent keeps, by where it says whose it is


class ObserverWithAgent(DockerObserver):
    """Asks both at the same time. An agent that does not answer leaves the engine's answer as it is, and says why."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._agent = connect_agent(place.name, place.endpoint, read_only=True, root=place.root, timeouts=place.timeouts)

    def observe(self, wanted: Wanted) -> EndpointSeen:
        asked = self._pool.submit(self._agent.host, wanted.readings, inside=wanted.inside)
        return _joined(super().observe(wanted), asked, self._place)

    def close(self) -> None:
        super().close()
        self._agent.close()


class EngineWithAgent(DockerEngine):
    """The same, for a client that may write."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._agent = connect_agent(place.name, place.endpoint, read_only=False, root=place.root, timeouts=place.timeouts)

    def observe(self, wanted: Wanted) -> EndpointSeen:
        asked = self._pool.submit(self._agent.host, wanted.readings, inside=wanted.inside)
        return _joined(super().observe(wanted), asked, self._place)

    def perform(self, action: Action) -> None:
        if isinstance(action, HostAction):
            self._agent.perform(host_request(action, agent_site(self._place)))
        else:
            super().perform(action)

    def close(self) -> None:
        super().close()
        self._agent.close()


def agent_site(place: Place) -> str:
    """What the agent knows us by: the site's name, and the repository's id where only objects with it are ours."""
    return place.site if place.unlabelled else f"{place.site}-{place.repository}"


def _with_our_name(host: Host, place: Place, *, is_claimed: bool) -> Host:
    """The agent's answer with the plain name of our site where something is ours, and another one where it is not."""
    ours = "" if is_claimed and place.unlabelled else agent_site(place)

    def named(site: str) -> str:
        if site == ours:
            return place.site
        return f"{site} of another repository" if site == place.site else site

    held = host.held
    by_site = {kind: [item.model_copy(update={"site": named(item.site)}) for item in getattr(held, kind)] for kind in BY_SITE}
    by_owner = {
        kind: [
            item.model_copy(update={"owner": item.owner.model_copy(update={"site": named(item.owner.site)})})
            for item in getattr(held, kind)
        ]
        for kind in BY_OWNER
    }
    changed = {kind: tuple(items) for kind, items in (by_site | by_owner).items()}
    return host.model_copy(update={"held": held.model_copy(update=changed)})


def _joined(seen: EndpointSeen, asked: Future[Host], place: Place) -> EndpointSeen:
    if seen.is_silent:
        asked.cancel()
        return seen
    try:
        is_claimed = bool(claimed_by(seen, place.site, place.repository))
        return replace(seen, host=_with_our_name(asked.result(), place, is_claimed=is_claimed))
    except (EngineError, UnreachableError) as error:
        return replace(seen, agent_silence=str(error))


def host_request(action: HostAction, site: str) -> Request:
    """What the agent is asked for an action of the plan."""
    from dtn_agent import protocol

    match action:
        case SetVfCount():
            return protocol.SetVfCount(site=site, pf=action.interface, count=action.count)
        case ConfigureVf():
            return _configure_vf(action, site)
        case ReleaseVf():
            return protocol.ReleaseVf(site=site, pf=action.interface, index=action.index)
        case MakeVlan():
            return protocol.MakeVlan(site=site, parent=action.parent, vlan=action.vlan, mtu=action.mtu)
        case RemoveVlan():
            return protocol.RemoveVlan(site=site, parent=action.parent, vlan=action.vlan)
        case Tune():
            return protocol.Tune(site=site, key=action.key, value=action.value)
        case Untune():
            return protocol.Untune(site=site, key=action.key)
        case SetQos():
            return _set_qos(action, site)
        case ClearQos():
            return protocol.ClearQos(site=site, container=action.container)
        case _:
            assert_never(action)


def _configure_vf(action: ConfigureVf, site: str) -> Request:
    from dtn_agent import protocol

    return protocol.ConfigureVf(
        site=site,
        session=action.session,
        network=action.network,
        pf=action.interface,
        index=action.index,
        mac=action.mac,
        vlan=action.vlan,
        vlan_priority=action.vlan_priority,
        spoofchk=action.spoofchk,
        trust=action.trust,
        min_rate=action.min_rate,
        max_rate=action.max_rate,
        mtu=action.mtu,
    )


def _set_qos(action: SetQos, site: str) -> Request:
    from dtn_agent.protocol import SetQos as Asked

    fixed = {"site": site, "session": action.session, "network": action.network}
    return Asked.model_validate(fixed | {"container": action.container, "address": action.address} | dict(action.settings))
