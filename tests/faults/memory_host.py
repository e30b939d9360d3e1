"""The resources of an agent on a host in memory, with the agent's real ledger file: what each request does to both, write by write.

Virtual functions and VLANs are those of the model that the property tests have. Settings are a dictionary. What a container sends
is shaped as soon as it runs, as the agent's watcher does it. `effect` is called before each write, to the ledger or to the host, and may
raise.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import get_args

from dtn_agent import protocol as p
from dtn_agent.errors import RefusedError
from dtn_agent.host_resource import AnyResource, HostResource
from dtn_agent.ledger import Ledger
from dtn_agent.protocol.driver import PF_OPTION, VF_OPTION
from dtn_agent.protocol.qos import ClearQos, HeldQos, QosRequest, QosSettings, SetQos
from dtn_agent.protocol.tuning import HeldTuning, Tune, TuneRequest, Untune
from dtn_agent.protocol.vfs import HeldPf, HeldVf, VfRequest
from dtn_agent.protocol.vlans import HeldVlan, MakeVlan, RemoveVlan, VlanRequest

from tests.fakes.core import Engine
from tests.fakes.errors import server_error
from tests.fakes.state import Container, Json
from tests.properties.agent import USUAL_MTU, Agent, AgentRefusedError

HeldPart = HeldPf | HeldVf | HeldVlan | HeldTuning | HeldQos


@dataclass(slots=True)
class ModelOnDisk(Agent):
    """The model, which writes what it holds to the ledger's file and knows nothing that is not there."""

    ledger: Ledger = field(kw_only=True)

    def _note(self, **lists: Iterable[HeldPf] | Iterable[HeldVf] | Iterable[HeldVlan]) -> None:
        Agent._note(self, **lists)
        ours = {name: getattr(self.machine.held, name) for name in lists}
        self.ledger.write(lambda held: held.model_copy(update=ours))

    def recall(self) -> None:
        self.machine = self.machine.model_copy(update={"held": self.ledger.read()})

    def restore(self) -> None:
        """What a started agent does: everything that the ledger says is made so, and what is so already is left alone."""
        self.recall()
        for pf in self.machine.held.pfs:
            interface = self.interface(pf.pf)
            if interface.sriov is not None and interface.sriov.current != pf.wanted:
                self._resize(interface, pf.wanted)
        for held in self.machine.held.vfs:
            vf = self._find(held.pf, held.index)
            if vf is not None:
                self._set(vf, held.found.model_copy(update=held.wanted.model_dump(exclude_none=True)))
        for vlan in self.machine.held.vlans:
            self.perform(MakeVlan(site=vlan.site, parent=vlan.parent, vlan=vlan.vlan, mtu=vlan.mtu), lambda: None)


class MemoryHost:
    """One endpoint's host and its agent's resources, all four at once. Every access happens under the lock that engines share."""

    def __init__(self, engine: Engine, machine: p.Host, values: Mapping[str, str], ledger: Ledger, effect: Callable[[], None]) -> None:
        self.engine = engine
        self.ledger = ledger
        self.values = dict(values)
        self.unshaped: set[str] = set()
        self._effect = effect
        ledger.write(lambda held: machine.held)
        self.model = ModelOnDisk(machine, ledger=ledger)
        self._show_interfaces()

    def facts(self) -> p.Facts:
        with self.engine.changed:
            self._look()
            return self.model.host().facts

    # --- virtual functions and VLANs ------------------------------------------------------------------------------

    def remove(self, request: RemoveVlan) -> p.Done:
        name = f"{request.parent}.{request.vlan}"
        users = [network.name for network in self.engine.state.networks.values() if network.parent == name]
        assert not users, f"{name} goes from under {users}"
        return self.perform(request)

    def perform(self, request: p.Request) -> p.Done:
        """Have the model do it, as the agent does."""
        self._look()
        before = self.model.machine
        try:
            self.model.perform(request, self._effect)
        except AgentRefusedError as refusal:
            raise RefusedError("conflict", str(refusal)) from refusal
        finally:
            self._show_interfaces()
        return p.Done(changed=self.model.machine != before)

    def _look(self) -> None:
        """Interfaces of containers that do not run any more are back."""
        self.model.recall()
        self.model.only(self._functions())

    def _functions(self) -> set[tuple[str, str]]:
        """Who has which function, by what runs: PCI address and container."""
        return {
            (endpoint.driver_options[VF_OPTION], container.id)
            for container in self.engine.state.containers.values()
            for endpoint in container.endpoints.values()
            if endpoint.endpoint_id and endpoint.driver_options and VF_OPTION in endpoint.driver_options
        }

    def _show_interfaces(self) -> None:
        """The engine looks for parents of its networks among the host's interfaces."""
        self.engine.machine.interfaces = {"eth0", "eth1", *(item.name for item in self.model.machine.facts.interfaces)}

    # --- the network driver at the engine ---------------------------------------------------------------------------

    def create(self, options: Mapping[str, str]) -> None:
        if not any(item.name == options.get(PF_OPTION) and item.sriov for item in self.model.machine.facts.interfaces):
            raise server_error(f"{options.get(PF_OPTION)} is no physical function")

    def join(self, container: str, network_options: Mapping[str, str], options: Mapping[str, str]) -> str:
        self._look()
        pci = options.get(VF_OPTION, "")
        held = next((item for item in self.model.machine.held.vfs if item.pci == pci), None)
        if held is None:
            raise server_error(f"the virtual function {pci} is not reserved on this host")
        if held.pf != network_options[PF_OPTION]:
            raise server_error(f"the virtual function {pci} is one of {held.pf}")
        try:
            self.model.join(container, held.owner, pci)
        except AgentRefusedError as refusal:
            raise server_error(str(refusal)) from refusal
        return self.model.inside[pci].mac

    # --- settings ---------------------------------------------------------------------------------------------------

    def tune(self, request: Tune) -> p.Done:
        held = {item.key: item for item in self.ledger.read().tuning}
        before, now = held.get(request.key), self.values.get(request.key)
        if now is None:
            raise RefusedError("not-found", f"there is no {request.key} here")
        if before is not None and before.site != request.site:
            raise RefusedError("conflict", f"{request.key} is tuned by site {before.site}")
        if before is not None and (before.wanted, now) == (request.value, request.value):
            return p.Done(changed=False)
        found = before.found if before is not None else now
        held[request.key] = HeldTuning(key=request.key, found=found, wanted=request.value, now=None, site=request.site)
        self._effect()
        self._keep("tuning", held.values())
        self._effect()
        self.values[request.key] = request.value
        return p.Done(changed=True)

    def untune(self, request: Untune) -> p.Done:
        held = {item.key: item for item in self.ledger.read().tuning}
        entry = held.pop(request.key, None)
        if entry is None:
            return p.Done(changed=False)
        if entry.site != request.site:
            raise RefusedError("conflict", f"{request.key} is tuned by site {entry.site}")
        assert entry.found is not None
        self._effect()
        self.values[request.key] = entry.found
        self._effect()
        self._keep("tuning", held.values())
        return p.Done(changed=True)

    def read(self, keys: Collection[str]) -> dict[str, str | None]:
        return {key: self.values.get(key) for key in sorted(keys)}

    # --- shaping ----------------------------------------------------------------------------------------------------

    def set(self, request: SetQos) -> p.Done:
        if self._container(request.container) is None:
            raise RefusedError("not-found", f"there is no container {request.container}")
        held = {item.container: item for item in self.ledger.read().qos}
        wanted = QosSettings.model_validate(request.model_dump(include=set(QosSettings.model_fields)))
        owner = p.Owner(site=request.site, session=request.session, network=request.network)
        entry = HeldQos(container=request.container, owner=owner, address=request.address, wanted=wanted, now=None)
        self._effect()
        self._keep("qos", ({**held, request.container: entry}).values())
        self.unshaped.add(request.container)
        self._effect()
        self.unshaped.discard(request.container)
        return p.Done(changed=held.get(request.container) != entry)

    def clear(self, request: ClearQos) -> p.Done:
        held = {item.container: item for item in self.ledger.read().qos}
        if held.pop(request.container, None) is None:
            return p.Done(changed=False)
        self._effect()
        self._keep("qos", held.values())
        return p.Done(changed=True)

    def _shaped(self, entry: HeldQos) -> QosSettings | None:
        container = self._container(entry.container)
        is_there = container is not None and any(item.address == entry.address for item in container.endpoints.values())
        return entry.wanted if is_there and entry.container not in self.unshaped else None

    def _container(self, name: str) -> Container | None:
        return next((item for item in self.engine.state.containers.values() if item.name == name), None)

    # --- the ledger -------------------------------------------------------------------------------------------------

    def _keep(self, kind: str, entries: Iterable[HeldPart]) -> None:
        self.ledger.write(lambda held: held.model_copy(update={kind: tuple(sorted(entries, key=str))}))

    def held_vfs(self) -> tuple[HeldVf, ...]:
        with self.engine.changed:
            self._look()
            return self.model.host().held.vfs

    def held_tuning(self) -> tuple[HeldTuning, ...]:
        return tuple(item.model_copy(update={"now": self.values.get(item.key)}) for item in self.ledger.read().tuning)

    def held_qos(self) -> tuple[HeldQos, ...]:
        with self.engine.changed:
            return tuple(item.model_copy(update={"now": self._shaped(item)}) for item in self.ledger.read().qos)

    def restore_links(self) -> None:
        with self.engine.changed:
            self._look()
            self.model.restore()
            self._show_interfaces()

    def restore_settings(self) -> None:
        self.values |= {item.key: item.wanted for item in self.ledger.read().tuning}

    def restore_shaping(self) -> None:
        self.unshaped.clear()

    @property
    def resources(self) -> tuple[AnyResource, ...]:
        return (_Settings(self), _VirtualFunctions(self), _Vlans(self), _Shaping(self))

    # --- states as values -------------------------------------------------------------------------------------------

    def view(self) -> Json:
        """The host and the ledger as JSON, equal for equal outcomes."""
        held = self.ledger.read()
        return {
            "facts": self.model.machine.facts.model_dump(mode="json"),
            "mtus": {pci: mtu for pci, mtu in sorted(self.model.mtus.items()) if mtu != USUAL_MTU},
            "settings": dict(sorted(self.values.items())),
            "held": held.model_dump(mode="json"),
            "shaped": [item.container for item in self.held_qos() if item.now is not None],
        }

    def freeze(self) -> bytes:
        kept = (self.model.machine, self.model.mtus, self.model.inside, self.values, self.unshaped, self.ledger.read())
        return pickle.dumps(kept)

    def thaw(self, frozen: bytes) -> None:
        machine, mtus, inside, values, unshaped, held = pickle.loads(frozen)
        self.model = ModelOnDisk(machine, mtus=mtus, inside=inside, ledger=self.ledger)
        self.values, self.unshaped = values, unshaped
        self.ledger.write(lambda _: held)
        self._show_interfaces()


class _Part:
    """What each kind has in common here."""

    def __init__(self, host: MemoryHost) -> None:
        self.host = host

    def abilities(self, facts: p.Facts) -> tuple[p.Ability, ...]:
        del facts
        return tuple(p.Ability(name=name) for name in ABILITIES[type(self)])


class _VirtualFunctions(_Part, HostResource[VfRequest]):
    name = "virtual functions"
    requests = get_args(VfRequest)
    entry = HeldVf

    def perform(self, request: VfRequest) -> p.Done:
        return self.host.perform(request)

    def held(self) -> tuple[HeldVf, ...]:
        return self.host.held_vfs()

    def restore(self) -> None:
        self.host.restore_links()


class _Vlans(_Part, HostResource[VlanRequest]):
    name = "VLANs"
    requests = get_args(VlanRequest)
    entry = HeldVlan

    def perform(self, request: VlanRequest) -> p.Done:
        return self.host.perform(request) if isinstance(request, MakeVlan) else self.host.remove(request)

    def held(self) -> tuple[HeldVlan, ...]:
        return self.host.ledger.read().vlans


class _Settings(_Part, HostResource[TuneRequest]):
    name = "tuning"
    requests = get_args(TuneRequest)
    entry = HeldTuning

    def perform(self, request: TuneRequest) -> p.Done:
        return self.host.tune(request) if isinstance(request, Tune) else self.host.untune(request)

    def held(self) -> tuple[HeldTuning, ...]:
        return self.host.held_tuning()

    def readings(self, keys: Collection[str], facts: p.Facts) -> dict[str, str | None]:
        del facts
        return self.host.read(keys)

    def restore(self) -> None:
        self.host.restore_settings()


class _Shaping(_Part, HostResource[QosRequest]):
    """Restored as its watch does it once the engine tells events, which is at once here."""

    name = "QoS"
    requests = get_args(QosRequest)
    entry = HeldQos

    def perform(self, request: QosRequest) -> p.Done:
        return self.host.set(request) if isinstance(request, SetQos) else self.host.clear(request)

    def held(self) -> tuple[HeldQos, ...]:
        return self.host.held_qos()

    def restore(self) -> None:
        self.host.restore_shaping()


ABILITIES: dict[type[_Part], tuple[str, ...]] = {
    _VirtualFunctions: ("vf",),
    _Vlans: ("vlan",),
    _Settings: ("tune",),
    _Shaping: ("netem", "tbf", "fq"),
}
