"""Chooses virtual functions: what a service has stays, else the lowest free one, else one that is released in this plan. Pure.

A function that another service releases is assigned only after that service's steps. So that no two services wait for each other, only
those release one whose own choices are all made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dtnctl.planning.choices.host_view import HostView, sriov_networks
from dtnctl.planning.choices.parents import mtu_steps, mtu_then
from dtnctl.planning.choices.physical_functions import PfPlan
from dtnctl.planning.resolve import Key, Service
from dtnctl.planning.step_ids import count_id, release_id

if TYPE_CHECKING:
    from dtn_agent.protocol.vfs import ConfigureVf, HeldVf


@dataclass(frozen=True, slots=True)
class VfChoice:
    """The virtual function that a service gets for a network, with its settings. `pci` is its address.

    `held` is how the ledger has it for the session already. `exists`: it is there before this plan. `needs` are the steps that make
    it, or give it back.
    """

    settings: ConfigureVf
    pci: str
    node: int | None
    held: HeldVf | None
    exists: bool
    needs: tuple[str, ...] = ()

    @property
    def network(self) -> str:
        return self.settings.network


def stable_mac(site: str, endpoint: str, session: str, network: str) -> str:
    """A MAC of our own (locally administered, unicast) that depends on names alone, so that peers see the same one after a replacement."""
    digest = hashlib.sha256(f"{site}/{endpoint}/{session}/{network}".encode()).hexdigest()
    return ":".join(["02", *(digest[place : place + 2] for place in range(0, 10, 2))])


class VfChooser:
    """The choices on one endpoint; services that cannot have what they ask for are refused with who has it."""

    def __init__(self, view: HostView, pfs: Mapping[str, PfPlan]) -> None:
        self.view = view
        self.pfs = pfs
        self.given: dict[str, dict[int, str]] = {name: {} for name in pfs}  # in this plan: session by index
        self.chosen: dict[Key, dict[str, VfChoice]] = {service.key: {} for service in view.services}

    def run(self) -> Mapping[Key, Mapping[str, VfChoice]]:
        for service, network in self._missing():
            self._choose(service, network, self._kept(service, network))
        for candidates in (self._renamed, self._new):
            for service, network in self._missing():
                if not self.view.is_left(service):
                    self._choose(service, network, candidates(service, network))
        for service, network in self._missing():
            if not self.view.is_left(service):
                self._choose(service, network, self._given_up(service, network))
                if network not in self.chosen[service.key]:
                    self._refuse(service, network)
        return self.chosen

    def _missing(self) -> Iterator[tuple[Service, str]]:
        """Each service that has not been refused, with each of its networks that it has no function for yet."""
        for service in self.view.services:
            for network in sriov_networks(service):
                if service.key not in self.view.refused and network not in self.chosen[service.key]:
                    yield service, network

    def _pf(self, service: Service, network: str) -> PfPlan:
        return self.pfs[service.endpoint.value.interfaces[network]]

    def _choose(self, service: Service, network: str, indices: list[int]) -> None:
        """The first of these that is not assigned yet."""
        plan = self._pf(service, network)
        free = [index for index in indices if index < plan.count and index not in self.given[plan.name]]
        if free:
            self.given[plan.name][free[0]] = service.session.name
            choice = self._choice(service, network, plan, free[0])
            self.chosen[service.key][network] = choice
            self._check_mtu(service, plan, choice)

    # --- candidates ---

    def _kept(self, service: Service, network: str) -> list[int]:
        """Those that the ledger has for it, the one that its live container names first; or that one alone, if no one else has it."""
        plan = self._pf(service, network)
        held = [item.index for item in self._held(service, plan) if item.owner.network == network]
        named = [index for index in self._own(service, plan) if self._named(service, network) == plan.pci(index)]
        return [*(index for index in named if index in held or not held), *held]

    def _renamed(self, service: Service, network: str) -> list[int]:
        """Those of the session for networks that it has no more: a network that got another name keeps its function."""
        plan = self._pf(service, network)
        wanted = sriov_networks(service)
        return [item.index for item in self._held(service, plan) if item.owner.network not in wanted]

    def _new(self, service: Service, network: str) -> list[int]:
        plan = self._pf(service, network)
        leaving = [index for index, holder in sorted(plan.taken.items()) if holder.freed_by]
        return [*(index for index in range(plan.count) if index not in plan.taken), *leaving]

    def _given_up(self, service: Service, network: str) -> list[int]:
        """Those of services that do not use them any more and have all that they need."""
        plan = self._pf(service, network)
        missing = {other.session.name for other, _ in self._missing()}
        givers = self.view.works - missing - {session for endpoint, session in self.view.refused if endpoint == self.view.name}
        held = [item for item in self.view.host.held.vfs if item.pf == plan.name and item.owner.site == self.view.site.name]
        return sorted(item.index for item in held if item.owner.session in givers)

    def _held(self, service: Service, plan: PfPlan) -> list[HeldVf]:
        mine = (self.view.site.name, service.session.name, plan.name)
        found = [item for item in self.view.host.held.vfs if (item.owner.site, item.owner.session, item.pf) == mine]
        return sorted(found, key=lambda item: item.index)

    def _own(self, service: Service, plan: PfPlan) -> list[int]:
        """Those that only the session itself has."""
        others = {index for index, holder in plan.taken.items() if holder.session != service.session.name}
        return [index for index in range(plan.count) if index not in others]

    def _named(self, service: Service, network: str) -> str | None:
        """The PCI address that its live container names for the network."""
        seen = self.view.living(service)
        return next((item.vf for item in seen.spec.attachments if item.network == network and item.vf), None) if seen is not None else None

    # --- what comes out ---

    def _choice(self, service: Service, network: str, plan: PfPlan, index: int) -> VfChoice:
        from dtn_agent.protocol.vfs import ConfigureVf

        declared = service.site.networks[network].value
        endpoint, session = self.view.name, service.session.name
        settings = ConfigureVf(
            site=service.site.name,
            session=session,
            network=network,
            pf=plan.name,
            index=index,
            mac=None if declared.mac == "keep" else stable_mac(service.site.name, endpoint, session, network),
            vlan=declared.vlan,
            vlan_priority=declared.vlan_priority,
            trust=declared.trust,
            spoofchk=declared.spoofchk,
            min_rate=declared.min_rate,
            max_rate=declared.max_rate,
            mtu=declared.mtu,
        )
        held = next((item for item in self._held(service, plan) if item.index == index), None)
        needs = [count_id(endpoint, plan.name)] if plan.is_resized else []
        needs += mtu_steps(self.view.endpoint, self.view.host, plan.name)
        holder = plan.taken.get(index)
        if holder is not None and holder.freed_by:
            needs.append(holder.freed_by)
        elif holder is not None and holder.session != session:
            needs.append(release_id(endpoint, plan.pci(index)))
        return VfChoice(settings, plan.pci(index), plan.interface.numa_node, held, plan.exists(index), tuple(needs))

    def _check_mtu(self, service: Service, plan: PfPlan, choice: VfChoice) -> None:
        """No function sends longer packets than its interface; one that was set when it did is left as it is."""
        wanted, most = choice.settings.mtu, mtu_then(self.view.site.name, self.view.endpoint.value, self.view.host, plan.interface)
        if wanted is None or wanted <= most or (choice.held is not None and choice.held.wanted.mtu == wanted):
            return
        text = f"network {choice.network} has MTU {wanted}, its interface {plan.name} of {self.view.name} has {most}"
        fix = f"`mtu: {most}` in state/networks/{choice.network}.yaml, or an MTU of {wanted} on the interface"
        self.view.refuse(service, "E0476", text, service.field_of(choice.network), fix)

    def _refuse(self, service: Service, network: str) -> None:
        plan = self._pf(service, network)
        given = {index: f"session {session}" for index, session in self.given[plan.name].items()}
        holders = {index: holder.text for index, holder in plan.taken.items()} | given
        held = ", ".join(f"{index} by {who}" for index, who in sorted(holders.items()) if index < plan.count)
        text = f"no free virtual function on {plan.name} of {self.view.name}: it has {plan.count}; held are {held}"
        more = f"why there are not more says vfs/{plan.name}" if plan.obstacle else f"or more of them: `vfs:` in {service.endpoint.file}"
        self.view.refuse(service, "E0472", text, service.field_of(network), f"one session less; {more}")
