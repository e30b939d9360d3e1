"""Settings of a network interface: by netlink what every one has, by ethtool what only NICs have."""

from __future__ import annotations

from dtn_agent.ethtool import (
    ADAPTIVE_RX,
    CHANNELS,
    COALESCE,
    COMBINED,
    MOST_COMBINED,
    PAUSE,
    PAUSE_RX,
    PAUSE_TX,
    RINGS,
    RX_CHANNELS,
    RX_RING,
    TX_CHANNELS,
    TX_RING,
    KernelNic,
    Row,
    Rows,
)
from dtn_agent.queueing.making import make_multiqueue, make_single, restore_exactly
from dtn_agent.queueing.wire import QueuedLink, Wire, open_wire
from dtn_agent.queueing.words import exact_words, is_multiqueue, normal_words, options_of, spoken
from dtn_agent.tuning.interrupts import Interrupts
from dtn_agent.tuning.setting import Root, Setting, number, one_of

LINK_NUMBERS = {"mtu": ("mtu", "mtu"), "tx_queue_len": ("tx_queue_len", "txqlen")}


class LinkNumber(Setting):
    """`mtu` or `tx_queue_len`."""

    def __init__(self, interface: str, name: str) -> None:
        self.interface = interface
        self.field, self.parameter = LINK_NUMBERS[name]

    def read(self) -> str | None:
        with open_wire() as wire:
            link = wire.link(self.interface)
        return None if link is None else str(getattr(link, self.field))

    def normal(self, value: str) -> str:
        return number(value)

    def write(self, value: str) -> None:
        with open_wire() as wire:
            wire.change_link(_present(wire, self.interface), **{self.parameter: int(value)})


class Qdisc(Setting):
    """The queueing on the way out: see `queueing/words.py` for its words.

    The kernel's own default is not restored as such: ours is removed, and the kernel sets what is its default by then.
    """

    def __init__(self, interface: str) -> None:
        self.interface = interface

    def read(self) -> str | None:
        with open_wire() as wire:
            link = wire.link(self.interface)
            return None if link is None else spoken(wire.queues(link))

    def normal(self, value: str) -> str:
        return normal_words(value)

    def write(self, value: str) -> None:
        make = make_multiqueue if is_multiqueue(value) else make_single
        with open_wire() as wire:
            make(wire, _present(wire, self.interface), *options_of(value))

    def found(self) -> str | None:
        with open_wire() as wire:
            queues = wire.queues(_present(wire, self.interface))
        return exact_words(queues) if any(queue.handle for queue in queues) else None

    def restore(self, found: str | None) -> None:
        with open_wire() as wire:
            link = _present(wire, self.interface)
            if found is None:
                wire.remove_root(link)
            else:
                restore_exactly(wire, link, found)


class NicNumber(Setting):
    """One number of a row that the driver keeps; `places` are where it stands, the same number in each."""

    def __init__(self, nic: Rows, row: Row, *places: int) -> None:
        self.nic, self.row, self.places = nic, row, places

    def read(self) -> str | None:
        now = self.nic.get(self.row)
        return None if now is None else " ".join(dict.fromkeys(str(now[place]) for place in self.places))

    def normal(self, value: str) -> str:
        return number(value)

    def write(self, value: str) -> None:
        """Two words are one for each place, as they may have been found."""
        now = self.nic.get(self.row)
        if now is not None:
            words = value.split()
            for place, word in zip(self.places, words if len(words) > 1 else words * len(self.places), strict=True):
                now[place] = int(word)
            self.nic.set(self.row, now)


class NicChannels(NicNumber):
    """Queues: the combined ones where the driver has such, else as many to receive as to send."""

    def __init__(self, nic: Rows) -> None:
        now = nic.get(CHANNELS)
        super().__init__(nic, CHANNELS, *((COMBINED,) if now is None or now[MOST_COMBINED] else (RX_CHANNELS, TX_CHANNELS)))


class NicSwitch(NicNumber):
    """A number that is 0 or 1, as off or on."""

    def read(self) -> str | None:
        now = super().read()
        return None if now is None else "on" if now == "1" else "off"

    def normal(self, value: str) -> str:
        return one_of(value, ("on", "off"))

    def write(self, value: str) -> None:
        super().write("1" if value == "on" else "0")


def nic_setting(nic: Rows, name: str) -> Setting | None:
    """The setting of this name that a driver keeps, if it is one."""
    match name:
        case "rx_ring":
            return NicNumber(nic, RINGS, RX_RING)
        case "tx_ring":
            return NicNumber(nic, RINGS, TX_RING)
        case "channels":
            return NicChannels(nic)
        case "adaptive_rx":
            return NicSwitch(nic, COALESCE, ADAPTIVE_RX)
        case "pause_rx":
            return NicSwitch(nic, PAUSE, PAUSE_RX)
        case "pause_tx":
            return NicSwitch(nic, PAUSE, PAUSE_TX)
        case _:
            return None


def interface_setting(root: Root, interface: str, name: str) -> Setting | None:
    """One setting of an interface; None if there is none with this name."""
    match name:
        case "mtu" | "tx_queue_len":
            return LinkNumber(interface, name)
        case "qdisc":
            return Qdisc(interface)
        case "irqs":
            return Interrupts(root, interface)
        case _:
            return nic_setting(KernelNic(interface), name)


def _present(wire: Wire, interface: str) -> QueuedLink:
    link = wire.link(interface)
    if link is None:
        raise OSError(f"there is no interface {interface}")
    return link
