"""A pure in-memory model of an endpoint's agent: what its requests do to the host and to its ledger, and what it refuses.

Made after the words of dtn_agent/protocol/, not after its code. Every write is an effect of its own, the ledger's first, so that a
kill can fall between them. An interface that is in a container keeps the MAC and MTU that it went in with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import assert_never

from dtn_agent.protocol import Held, Host, Interface, Owner, RdmaDevice, Reported, Request, Sriov, Vf
from dtn_agent.protocol.qos import ClearQos, HeldQos, QosSettings, SetQos
from dtn_agent.protocol.tuning import HeldTuning, Tune, Untune
from dtn_agent.protocol.vfs import ConfigureVf, HeldPf, HeldVf, ReleaseVf, SetVfCount, VfSettings
from dtn_agent.protocol.vlans import HeldVlan, MakeVlan, RemoveVlan
from dtn_agent.protocol.volumes import ConnectVolume, DisconnectVolume, ExportVolume, MountVolume, UnmountVolume, WithdrawVolume

from tests.properties.vf_addresses import address_of

TABLE = ("mac", "vlan", "vlan_priority", "spoofchk", "trust", "min_rate", "max_rate")
FOR_USER_SPACE = ("vfio-pci",)
USUAL_MTU = 1500


class AgentRefusedError(Exception):
    """The agent would answer no."""


@dataclass(frozen=True, slots=True)
class Inside:
    """An interface in a container: whose it is, and the settings that it went in with."""

    container: str
    mac: str
    mtu: int


@dataclass(slots=True)
class Agent:
    """`machine` is the host with every interface at home. `silence` not empty: it does not answer. `mtus` and `inside` by PCI address.

    `engines` are sub-interfaces that the container engine made itself, for want of an agent that could.
    """

    machine: Host
    silence: str = ""
    mtus: dict[str, int] = field(default_factory=dict)
    inside: dict[str, Inside] = field(default_factory=dict)
    engines: set[str] = field(default_factory=set)

    # --- what it tells ---

    def host(self) -> Host:
        """Its answer: who has which function, and how those that somebody has are now."""
        facts = self.machine.facts
        interfaces = tuple(self._interface(item) for item in facts.interfaces)
        held = tuple(item.model_copy(update={"now": self._now(item.pf, item.index)}) for item in self.machine.held.vfs)
        tuning = tuple(item.model_copy(update={"now": self.machine.readings.get(item.key)}) for item in self.machine.held.tuning)
        return self.machine.model_copy(
            update={
                "facts": facts.model_copy(update={"interfaces": interfaces}),
                "held": self.machine.held.model_copy(update={"vfs": held, "tuning": tuning}),
            }
        )

    def _interface(self, item: Interface) -> Interface:
        if item.sriov is None:
            return item
        vfs = tuple(self._vf(vf) for vf in item.sriov.vfs)
        return item.model_copy(update={"sriov": item.sriov.model_copy(update={"vfs": vfs})})

    def _vf(self, vf: Vf) -> Vf:
        owner = next((item.owner for item in self.machine.held.vfs if item.pci == vf.pci), None)
        is_away = vf.pci in self.inside
        nobody = vf.driver if vf.driver in FOR_USER_SPACE else "another namespace" if is_away or (vf.driver and not vf.netdev) else ""
        return vf.model_copy(
            update={"netdev": "" if is_away else vf.netdev, "holder": f"{owner.site}/{owner.session}" if owner else nobody}
        )

    def _now(self, pf: str, index: int) -> VfSettings | None:
        vf = self._find(pf, index)
        if vf is None:
            return None
        mtu = None if vf.pci in self.inside else self.mtus.get(vf.pci, USUAL_MTU)
        return VfSettings(mtu=mtu, **{name: getattr(vf, name) for name in TABLE})

    # --- what it is asked for ---

    def perform(self, request: Request, effect: Callable[[], None]) -> None:  # noqa: C901  one line for each of a closed set
        """Carry it out; `effect` is called before each write."""
        match request:
            case SetVfCount():
                self._set_count(request, request.site, effect)
            case ConfigureVf():
                self._configure(request, request.site, effect)
            case ReleaseVf():
                self._release(request, request.site, effect)
            case MakeVlan():
                self._make_vlan(request, request.site, effect)
            case RemoveVlan():
                self._remove_vlan(request, request.site, effect)
            case Tune():
                self._tune(request, request.site, effect)
            case Untune():
                self._untune(request, request.site, effect)
            case SetQos():
                self._set_qos(request, request.site, effect)
            case ClearQos():
                effect()
                self._ledger(qos=tuple(item for item in self.machine.held.qos if item.container != request.container))
            case ExportVolume() | WithdrawVolume() | ConnectVolume() | MountVolume() | UnmountVolume() | DisconnectVolume():
                raise AssertionError("volumes have two ends: tests/properties/volumes.py models them")
            case _:
                assert_never(request)

    # --- tuning and queueing ---

    def _tune(self, action: Tune, site: str, effect: Callable[[], None]) -> None:
        now = self.machine.readings.get(action.key)
        if now is None:
            raise AgentRefusedError(f"there is no setting {action.key} here")
        known = next((item for item in self.machine.held.tuning if item.key == action.key), None)
        entry = HeldTuning(key=action.key, found=known.found if known else now, wanted=action.value, now=None, site=site)
        effect()
        self._ledger(tuning=(*(item for item in self.machine.held.tuning if item.key != action.key), entry))
        effect()
        self._read(action.key, action.value)

    def _untune(self, action: Untune, site: str, effect: Callable[[], None]) -> None:
        entry = next((item for item in self.machine.held.tuning if (item.key, item.site) == (action.key, site)), None)
        if entry is not None:
            effect()
            self._read(action.key, entry.found)
            effect()
            self._ledger(tuning=tuple(item for item in self.machine.held.tuning if item.key != action.key))

    def _set_qos(self, action: SetQos, site: str, effect: Callable[[], None]) -> None:
        owner = Owner(site=site, session=action.session, network=action.network)
        wanted = QosSettings.model_validate(action.model_dump(include=set(QosSettings.model_fields)))
        entry = HeldQos(container=action.container, owner=owner, address=action.address, wanted=wanted, now=wanted)
        effect()
        self._ledger(qos=(*(item for item in self.machine.held.qos if item.container != action.container), entry))

    def _read(self, key: str, value: str | None) -> None:
        self.machine = self.machine.model_copy(update={"readings": {**self.machine.readings, key: value}})
        if key.startswith("interface/") and key.endswith("/mtu") and value is not None:
            self._replace(self.interface(key.split("/")[1]).model_copy(update={"mtu": int(value)}))

    def _ledger(self, **entries: tuple[HeldTuning, ...] | tuple[HeldQos, ...]) -> None:
        self.machine = self.machine.model_copy(update={"held": self.machine.held.model_copy(update=dict(entries))})

    # --- virtual functions and VLANs ---

    def _set_count(self, action: SetVfCount, site: str, effect: Callable[[], None]) -> None:
        pf = self.interface(action.pf)
        if pf.sriov is None or action.count > pf.sriov.total:
            raise AgentRefusedError(f"{pf.name} cannot have {action.count} virtual functions")
        held = next((item for item in self.machine.held.pfs if item.pf == pf.name), None)
        current, wanted = pf.sriov.current, action.count
        if wanted == 0:
            if held is None or held.site != site:
                return
            wanted = held.found
        if wanted != current:
            if current:
                self._check_ours(pf, held, site)
            if action.count:
                found = held.found if held is not None else current
                entry = HeldPf(pf=pf.name, pci=pf.pci, found=found, wanted=wanted, site=site)
                effect()
                self._note(pfs=[entry, *(item for item in self.machine.held.pfs if item.pf != pf.name)])
            effect()
            self._resize(pf, wanted)
        if action.count == 0:
            effect()
            self._note(pfs=[item for item in self.machine.held.pfs if item.pf != pf.name])

    def _check_ours(self, pf: Interface, held: HeldPf | None, site: str) -> None:
        if held is None or held.site != site:
            raise AgentRefusedError(f"the virtual functions of {pf.name} were made by somebody else")
        if any(item.pf == pf.name for item in self.machine.held.vfs):
            raise AgentRefusedError(f"somebody has virtual functions of {pf.name}")
        assert pf.sriov is not None
        for vf in pf.sriov.vfs:
            if vf.driver and (use := self._foreign_use(vf)):
                raise AgentRefusedError(f"{vf.pci} {use}")

    def _resize(self, pf: Interface, count: int) -> None:
        """All functions that were there are gone; those that are there now are new, with verbs devices if the PF has one."""
        assert pf.sriov is not None
        gone = {vf.pci for vf in pf.sriov.vfs}
        made = tuple(
            Vf(index=index, pci=address_of(pf, index), netdev=f"{pf.name}v{index}", driver=pf.driver or "mlx5_core")
            for index in range(count)
        )
        others = [item for item in self.machine.facts.rdma if item.pci not in gone]
        if any(item.pci == pf.pci for item in others):
            numbers = (number for number in range(100) if f"uverbs{number}" not in {item.uverbs for item in others})
            others += [RdmaDevice(name=f"mlx5_{number}", uverbs=f"uverbs{number}", pci=vf.pci) for vf, number in zip(made, numbers)]  # noqa: B905  the second is endless
        self.mtus = {pci: mtu for pci, mtu in self.mtus.items() if pci not in gone}
        self._replace(pf.model_copy(update={"sriov": pf.sriov.model_copy(update={"current": count, "vfs": made})}), rdma=others)

    def _configure(self, action: ConfigureVf, site: str, effect: Callable[[], None]) -> None:
        vf = self._find(action.pf, action.index)
        owner = Owner(site=site, session=action.session, network=action.network)
        if vf is None:
            raise AgentRefusedError(f"{action.pf} has no virtual function {action.index}")
        held = next((item for item in self.machine.held.vfs if item.pci == vf.pci), None)
        if held is not None and (held.owner.site, held.owner.session) != (site, action.session):
            raise AgentRefusedError(f"{vf.pci} is held by {held.owner.site}/{held.owner.session}")
        if held is None and (use := self._foreign_use(vf)):
            raise AgentRefusedError(f"{vf.pci} {use}")
        if action.mtu is not None and action.mtu > self.interface(action.pf).mtu:
            raise AgentRefusedError(f"{vf.pci} cannot have the MTU {action.mtu}: its PF has a smaller one")
        wanted = _asked(action)
        found = held.found if held is not None else self._settings(vf)
        entry = HeldVf(
            pf=action.pf,
            pf_pci=self.interface(action.pf).pci,
            index=action.index,
            pci=vf.pci,
            owner=owner,
            found=found,
            wanted=wanted,
        )
        effect()
        self._note(vfs=[entry, *(item for item in self.machine.held.vfs if item.pci != vf.pci)])
        effect()
        self._set(vf, found.model_copy(update=wanted.model_dump(exclude_none=True)))

    def _release(self, action: ReleaseVf, site: str, effect: Callable[[], None]) -> None:
        held = next((item for item in self.machine.held.vfs if (item.pf, item.index) == (action.pf, action.index)), None)
        if held is None or held.owner.site != site:
            return
        if held.pci in self.inside:
            raise AgentRefusedError(f"{held.pci} is in container {self.inside[held.pci].container}")
        vf = self._find(held.pf, held.index)
        if vf is not None:
            effect()
            self._set(vf, held.found)
        effect()
        self._note(vfs=[item for item in self.machine.held.vfs if item.pci != held.pci])

    def _make_vlan(self, action: MakeVlan, site: str, effect: Callable[[], None]) -> None:
        parent, name = self.interface(action.parent), f"{action.parent}.{action.vlan}"
        there = next((item for item in self.machine.facts.interfaces if item.name == name), None)
        is_ours = any(item.name == name for item in self.machine.held.vlans)
        if there is not None and not is_ours:
            return
        mtu = action.mtu or parent.mtu
        if mtu > parent.mtu:
            raise AgentRefusedError(f"{name} cannot have the MTU {mtu}: {parent.name} has {parent.mtu}")
        entry = HeldVlan(name=name, parent=parent.name, vlan=action.vlan, mtu=action.mtu, site=site)
        effect()
        self._note(vlans=[entry, *(item for item in self.machine.held.vlans if item.name != name)])
        effect()
        self._replace(Interface(name=name, index=100 + action.vlan, kind="vlan", parent=parent.name, vlan=action.vlan, mtu=mtu))

    def _remove_vlan(self, action: RemoveVlan, site: str, effect: Callable[[], None]) -> None:
        name = f"{action.parent}.{action.vlan}"
        if not any((item.name, item.site) == (name, site) for item in self.machine.held.vlans):
            return
        effect()
        self.take_away(name)
        effect()
        self._note(vlans=[item for item in self.machine.held.vlans if item.name != name])

    # --- its network driver at the engine ---

    def join(self, container: str, owner: Owner, pci: str) -> None:
        """Hand the function's interface to a container, made again what the ledger says."""
        held = next((item for item in self.machine.held.vfs if item.pci == pci), None)
        vf = self._find(held.pf, held.index) if held is not None else None
        if held is None or vf is None:
            raise AgentRefusedError(f"the virtual function {pci} is not reserved on this host")
        if held.owner != owner:
            raise AgentRefusedError(f"{pci} is held by {held.owner}, not by {owner}")
        if pci in self.inside and self.inside[pci].container != container:
            raise AgentRefusedError(f"{pci} is in container {self.inside[pci].container}")
        self._set(vf, held.found.model_copy(update=held.wanted.model_dump(exclude_none=True)))
        vf = self._find(held.pf, held.index)
        assert vf is not None
        self.inside[pci] = Inside(container, vf.mac, self.mtus.get(pci, USUAL_MTU))

    def only(self, used: Iterable[tuple[str, str]]) -> None:
        """Interfaces of containers that do not run any more came back; `used` are those that run, as (PCI address, container)."""
        still = set(used)
        back = {pci for pci, item in self.inside.items() if (pci, item.container) not in still}
        self.inside = {pci: item for pci, item in self.inside.items() if pci not in back}

    # --- sub-interfaces, as the engine's own drivers use them ---

    @property
    def makes_vlans(self) -> bool:
        return not self.silence and not self.machine.lacks("vlan")

    def has_below(self, name: str) -> bool:
        """Whether what a network sits on is there: any interface but a sub-interface that is missing."""
        names = {item.name for item in self.machine.facts.interfaces}
        return name in names or name.rpartition(".")[0] not in names

    def make_for_engine(self, name: str) -> None:
        parent, _, number = name.rpartition(".")
        self.engines.add(name)
        mtu = self.interface(parent).mtu
        self._replace(Interface(name=name, index=100 + int(number), kind="vlan", parent=parent, vlan=int(number), mtu=mtu))

    def remove_for_engine(self, name: str) -> None:
        if name in self.engines:
            self.engines.remove(name)
            self.take_away(name)

    # --- what others do to the host ---

    def take_away(self, interface: str) -> None:
        """Somebody removes an interface."""
        left = tuple(item for item in self.machine.facts.interfaces if item.name != interface)
        self.machine = self.machine.model_copy(update={"facts": self.machine.facts.model_copy(update={"interfaces": left})})

    def change_vf(self, pf: str, index: int, **values: object) -> None:
        """Somebody changes a function by hand: its settings, its driver, the name of its interface."""
        vf = self._find(pf, index)
        assert vf is not None, f"{pf} has no virtual function {index}"
        self._put(vf.model_copy(update=values))

    def lose_ledger(self) -> None:
        """Its file is gone."""
        self.machine = self.machine.model_copy(update={"held": Held()})

    def boot(self, *, restores: bool) -> None:
        """The host starts again: functions and VLANs are gone, and come back as the ledger says if the agent did its part."""
        held = self.machine.held
        for pf in [item for item in self.machine.facts.interfaces if item.sriov is not None]:
            made = next((item.wanted for item in held.pfs if item.pf == pf.name), 0)
            assert pf.sriov is not None
            is_always_there = not any(item.pf == pf.name for item in held.pfs)
            self._resize(pf, pf.sriov.current if is_always_there else made if restores else 0)
        for vlan in held.vlans:
            self.take_away(vlan.name)
            if restores:
                mtu = vlan.mtu or self.interface(vlan.parent).mtu
                self._replace(Interface(name=vlan.name, index=100 + vlan.vlan, kind="vlan", parent=vlan.parent, vlan=vlan.vlan, mtu=mtu))
        for item in held.vfs if restores else ():
            vf = self._find(item.pf, item.index)
            if vf is not None:
                self._set(vf, item.found.model_copy(update=item.wanted.model_dump(exclude_none=True)))

    # --- small things ---

    def interface(self, name: str) -> Interface:
        found = next((item for item in self.machine.facts.interfaces if item.name == name), None)
        if found is None:
            raise AgentRefusedError(f"there is no interface {name}")
        return found

    def _find(self, pf: str, index: int) -> Vf | None:
        interface = next((item for item in self.machine.facts.interfaces if item.name == pf), None)
        vfs = interface.sriov.vfs if interface is not None and interface.sriov is not None else ()
        return next((vf for vf in vfs if vf.index == index), None)

    def _foreign_use(self, vf: Vf) -> str:
        """Why nobody gets it, although nobody has it by the ledger."""
        if vf.driver in FOR_USER_SPACE:
            return f"is bound to {vf.driver}"
        if not vf.driver:
            return "has no driver"
        if vf.pci in self.inside or not vf.netdev:
            return "has its interface in another network namespace"
        link = next((item for item in self.machine.facts.interfaces if item.name == vf.netdev), None)
        if link is not None and (link.master or any(not address.startswith("fe80:") for address in link.addresses)):
            return "is used on the host"
        return "carries other interfaces" if any(item.parent == vf.netdev for item in self.machine.facts.interfaces) else ""

    def _settings(self, vf: Vf) -> VfSettings:
        return VfSettings(mtu=self.mtus.get(vf.pci, USUAL_MTU), **{name: getattr(vf, name) for name in TABLE})

    def _set(self, vf: Vf, settings: VfSettings) -> None:
        """What the table has; the interface's own MTU waits while it is in a container."""
        self._put(vf.model_copy(update={name: getattr(settings, name) for name in TABLE}))
        if vf.pci not in self.inside:
            self.mtus[vf.pci] = settings.mtu or USUAL_MTU

    def _put(self, vf: Vf) -> None:
        (pf,) = (item for item in self.machine.facts.interfaces if item.sriov is not None and vf.pci in _addresses(item.sriov))
        assert pf.sriov is not None
        vfs = tuple(vf if item.index == vf.index else item for item in pf.sriov.vfs)
        self._replace(pf.model_copy(update={"sriov": pf.sriov.model_copy(update={"vfs": vfs})}))

    def _replace(self, interface: Interface, rdma: Iterable[RdmaDevice] | None = None) -> None:
        others = [item for item in self.machine.facts.interfaces if item.name != interface.name]
        facts = self.machine.facts.model_copy(
            update={
                "interfaces": tuple(sorted([*others, interface], key=lambda item: item.name)),
                "rdma": self.machine.facts.rdma if rdma is None else tuple(sorted(rdma, key=lambda item: item.name)),
            }
        )
        self.machine = self.machine.model_copy(update={"facts": facts})

    def _note(self, **lists: Iterable[HeldPf] | Iterable[HeldVf] | Iterable[HeldVlan]) -> None:
        held = {name: tuple(sorted(items, key=_place)) for name, items in lists.items()}
        self.machine = self.machine.model_copy(update={"held": self.machine.held.model_copy(update=held)})


def _asked(action: ConfigureVf) -> VfSettings:
    return VfSettings.model_validate(action.model_dump(include=set(VfSettings.model_fields)))


def _addresses(sriov: Sriov) -> set[str]:
    return {vf.pci for vf in sriov.vfs}


def _place(entry: Reported) -> tuple[str, int]:
    match entry:
        case HeldVf():
            return entry.pf_pci, entry.index
        case HeldPf():
            return entry.pci, 0
        case HeldVlan():
            return entry.name, 0
    raise AssertionError(f"the ledger has no place for {entry}")
