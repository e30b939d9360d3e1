"""What the agent keeps in its ledger: what it changed, for whom, and how it found it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import field_validator, model_validator

from dtn_agent.protocol.base import HeldEntry, Reported
from dtn_agent.protocol.volumes import HeldExport, HeldVolume


def with_new_names(stored: Any, names: Mapping[str, str]) -> Any:
    """An entry of a ledger as it is called now. `names`: old to new; a value that has its new name already wins."""
    if not isinstance(stored, Mapping):
        return stored
    return {new: stored[old] for old, new in names.items() if old in stored} | {key: stored[key] for key in stored if key not in names}


class Owner(Reported):
    """Who asked for something. `network` is empty where the thing is not one of a network."""

    site: str
    session: str = ""
    network: str = ""


class VfSettings(Reported):
    """The settings of a virtual function in its PF's table, and its interface's MTU. None: left as it is."""

    mac: str | None = None
    vlan: int | None = None
    vlan_priority: int | None = None
    spoofchk: bool | None = None
    trust: bool | None = None
    min_rate: int | None = None
    max_rate: int | None = None
    mtu: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_version_2(cls, stored: Any) -> Any:
        return with_new_names(stored, {"qos": "vlan_priority"})


class HeldPf(HeldEntry):
    """A PF whose number of VFs we changed. `found` is what it was before."""

    pf: str
    pci: str
    found: int
    wanted: int
    site: str

    @model_validator(mode="before")
    @classmethod
    def _read_version_2(cls, stored: Any) -> Any:
        return with_new_names(stored, {"interface": "pf"})

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.pci,)


class FoundInterface(Reported):
    """A VF's interface on the host as it was found. `mac` is its own, not the one in the PF's table. `boot`: when it had this name."""

    name: str
    mac: str
    is_up: bool
    boot: str = ""


class HeldVf(HeldEntry):
    """A VF that is in use. `found` is how it was, `wanted` how it was asked for; `now` what the kernel reports of the same settings.

    `written` are the settings that we ever wrote: what is not among them is not restored either. `raised_pf`: the PF was down, and
    goes down again with the last VF in use.
    """

    pf: str
    pf_pci: str
    index: int
    pci: str
    owner: Owner
    found: VfSettings
    wanted: VfSettings
    now: VfSettings | None = None
    interface: FoundInterface | None = None
    written: tuple[str, ...] = ()
    raised_pf: bool = False

    @field_validator("written")
    @classmethod
    def _written_version_2(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        return tuple("vlan_priority" if name == "qos" else name for name in written)

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.pci,)

    @property
    def rank(self) -> tuple[str | int, ...]:
        return (self.pf_pci, self.index)


class HeldNetwork(HeldEntry):
    """A network of our driver at the container engine, which reports its options once, when the network is created.

    `gateways` are those that containers get (IPv4, IPv6; empty: none).
    """

    id: str
    pf: str
    mtu: int | None = None
    gateways: tuple[str, str] = ("", "")

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.id,)


class HeldEndpoint(HeldEntry):
    """A container's place on such a network, by the engine's ids, and the VF that it was made for."""

    id: str
    network: str
    vf: str

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.id,)


class HeldVlan(HeldEntry):
    """A VLAN sub-interface that the agent made."""

    name: str
    parent: str
    vlan: int
    mtu: int | None
    site: str

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def rank(self) -> tuple[str | int, ...]:
        return (self.name,)


class HeldTuning(HeldEntry):
    """A setting of the host that we own. `found` is what it was before (None: it was not set), to be restored."""

    key: str
    found: str | None
    wanted: str
    now: str | None
    site: str

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.key,)

    @property
    def rank(self) -> tuple[str | int, ...]:
        return (self.key,)


class QosSettings(Reported):
    """What happens to packets that a service sends. Rates in kbit/s, times in ms, shares in percent.

    `rate` shapes everything that it sends (tbf, or netem's own); `pacing` paces each of its flows (fq maxrate). `ports` limits delay, loss,
    corruption and reordering to packets to these TCP or UDP ports, `destinations` limits that and the pacing to packets to these addresses
    and networks; empty: all packets.
    """

    rate: int | None = None
    pacing: int | None = None
    delay: float | None = None
    jitter: float | None = None
    loss: float | None = None
    corrupt: float | None = None
    reorder: float | None = None
    ports: tuple[int, ...] = ()
    destinations: tuple[str, ...] = ()


class HeldQos(HeldEntry):
    """QoS of one container's interface. `now` is None while the container does not run, or when its queueing is not as asked for.

    `found` is the queueing before ours, in the words of a tuned qdisc; None: the kernel's own, which comes back by itself.
    """

    container: str
    owner: Owner
    address: str
    wanted: QosSettings
    now: QosSettings | None
    found: str | None = None

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.container, self.owner.network)  # the address may be another one some day

    @property
    def rank(self) -> tuple[str | int, ...]:
        return self.identity


class Held(Reported):
    """Everything in the agent's ledger, of all sites. `pfs` are in the order in which they got their functions."""

    pfs: tuple[HeldPf, ...] = ()
    vfs: tuple[HeldVf, ...] = ()
    vlans: tuple[HeldVlan, ...] = ()
    tuning: tuple[HeldTuning, ...] = ()
    qos: tuple[HeldQos, ...] = ()
    networks: tuple[HeldNetwork, ...] = ()
    endpoints: tuple[HeldEndpoint, ...] = ()
    exports: tuple[HeldExport, ...] = ()
    volumes: tuple[HeldVolume, ...] = ()
