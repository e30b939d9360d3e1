"""What `host:` in a case's `seen.yaml` says, and the agent's answer that it stands for. README.md beside this file describes the form."""

from __future__ import annotations

from collections.abc import Iterator

from dtn_agent.protocol import Held, Host, Interface, Listener, Owner, RdmaDevice, Vf
from dtn_agent.protocol.vfs import HeldPf, HeldVf, VfSettings
from dtn_agent.protocol.vlans import HeldVlan
from dtn_agent.protocol.volumes import HeldVolume

from dtnctl.model.hardware import cpu_numbers, cpu_text, nodes_of
from dtnctl.model.site import Site
from dtnctl.planning.choices.virtual_functions import stable_mac
from tests.cases.form import Connected, HeldFor, Machine, MadeVlan, Nic
from tests.planning.machines import machine, pf, verbs
from tests.planning.volumes import held_export, held_volume, nvme_facts

TABLE = ("mac", "vlan", "vlan_priority", "spoofchk", "trust", "min_rate", "max_rate")


def memory_nodes(cpus: str) -> str:
    return cpu_text(nodes_of(machine(), cpu_numbers(cpus)))


def machine_of(site: Site, endpoint: str, seen: Machine) -> Host:
    """The agent's answer. A function that is held for a running container is in it, so its interface is not on the host."""
    cards = [_card(name, nic) for name, nic in seen.interfaces.items()]
    entries = [_held(site, endpoint, item, cards) for item in seen.held]
    vlans = {name: _vlan(site, name, vlan) for name, vlan in seen.vlans.items()}
    held = Held(
        pfs=tuple(_made(site, name, count, cards) for name, count in seen.made.items()),
        vfs=tuple(entry.model_copy(update={"now": _now(entry, cards)}) for entry in entries),
        vlans=tuple(entry for entry, _ in vlans.values()),
        exports=tuple(held_export(site, name, item.at, item.hosts, item.fault, item.change) for name, item in seen.exports.items()),
        volumes=tuple(_connected(site, name, item) for name, item in seen.volumes.items()),
    )
    shown = [_with_holders(card, entries) for card in cards]
    rdma = [device for card in cards if seen.interfaces[card.name].rdma for device in _verbs(card)]
    there = [interface for name, (_, interface) in vlans.items() if not seen.vlans[name].gone]
    host = machine(*shown, *there, held=held, rdma=rdma, lacks=seen.lacks)
    listeners = tuple(Listener(protocol="tcp", address="0.0.0.0", port=port, process=who) for port, who in seen.listeners.items())
    facts = {"listeners": listeners, "nvme": nvme_facts(endpoint).model_copy(update=seen.nvme)}
    return host.model_copy(update={"readings": seen.readings, "facts": host.facts.model_copy(update=facts)})


def _card(name: str, nic: Nic) -> Interface:
    card = pf(name, nic.node, vfs=nic.vfs, total=nic.total).model_copy(update={"mtu": nic.mtu, "addresses": tuple(nic.addresses)})
    if not nic.total or card.sriov is None:
        return card.model_copy(update={"sriov": None})
    vfs = tuple(vf.model_copy(update=nic.by_hand.get(vf.index, {})) for vf in card.sriov.vfs)
    return card.model_copy(update={"sriov": card.sriov.model_copy(update={"vfs": vfs})})


def _verbs(card: Interface) -> Iterator[RdmaDevice]:
    if card.sriov is None:
        yield RdmaDevice(name="mlx5_0", uverbs="uverbs0", pci=card.pci)
    else:
        yield from verbs(card)


def _connected(site: Site, name: str, item: Connected) -> HeldVolume:
    return held_volume(site, name, item.at, item.own, state=item.state, mounted=item.mounted, mode=item.mode, change=item.change)


def _made(site: Site, name: str, count: int, cards: list[Interface]) -> HeldPf:
    pci = next(card.pci for card in cards if card.name == name)
    return HeldPf(pf=name, pci=pci, found=0, wanted=count, site=site.name)


def _vlan(site: Site, name: str, vlan: MadeVlan) -> tuple[HeldVlan, Interface]:
    """The ledger's entry, and the sub-interface."""
    parent, _, number = name.rpartition(".")
    entry = HeldVlan(name=name, parent=parent, vlan=int(number), mtu=vlan.mtu, site=site.name)
    return entry, Interface(name=name, index=100, kind="vlan", parent=parent, vlan=int(number), mtu=vlan.mtu)


def _held(site: Site, endpoint: str, item: HeldFor, cards: list[Interface]) -> HeldVf:
    """`function` is INTERFACE/INDEX."""
    name, _, index = item.function.partition("/")
    card = next(card for card in cards if card.name == name)
    declared = site.networks[item.network].value if item.network in site.networks else None
    wanted = VfSettings()
    if declared is not None:
        wanted = VfSettings(
            mac=None if declared.mac == "keep" else stable_mac(site.name, endpoint, item.session, item.network),
            vlan=declared.vlan,
            vlan_priority=declared.vlan_priority,
            spoofchk=declared.spoofchk,
            trust=declared.trust,
            min_rate=declared.min_rate,
            max_rate=declared.max_rate,
            mtu=declared.mtu,
        )
    return HeldVf(
        pf=name,
        pf_pci=card.pci,
        index=int(index),
        pci=_vf(card, int(index)).pci,
        owner=Owner(site=item.site or site.name, session=item.session, network=item.network),
        found=VfSettings(),
        wanted=wanted.model_copy(update=item.change),
    )


def _vf(card: Interface, index: int) -> Vf:
    assert card.sriov is not None, f"{card.name} has no functions"
    return card.sriov.vfs[index]


def _now(entry: HeldVf, cards: list[Interface]) -> VfSettings:
    """As it was asked for, but for what was done to it by hand."""
    vf = _vf(next(card for card in cards if card.name == entry.pf), entry.index)
    by_hand = {name: getattr(vf, name) for name in TABLE if name in vf.model_fields_set and name not in ("index", "pci")}
    return entry.wanted.model_copy(update=by_hand)


def _with_holders(card: Interface, entries: list[HeldVf]) -> Interface:
    if card.sriov is None:
        return card
    holders = {item.pci: f"{item.owner.site}/{item.owner.session}" for item in entries}
    vfs = tuple(vf.model_copy(update={"holder": holders.get(vf.pci, vf.holder)}) for vf in card.sriov.vfs)
    return card.model_copy(update={"sriov": card.sriov.model_copy(update={"vfs": vfs})})
