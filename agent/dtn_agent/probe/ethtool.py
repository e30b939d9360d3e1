"""Asks network cards by the ethtool call. Every question that a driver refuses is None, never an error.

pyroute2's ethtool has no call for the firmware, pause frames and the permanent address, so all are made here in one way.
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct
from collections.abc import Iterable, Sequence

from dtn_agent.probe.answers import Ethtool
from dtn_agent.protocol import Channels, Rings

SIOCETHTOOL = 0x8946
REQUEST = struct.Struct("16sP16x")  # struct ifreq: the name, and where the question is
DRIVER, COALESCE, RINGS, PAUSE, STRINGS, PERMANENT_ADDRESS = 0x03, 0x0E, 0x10, 0x12, 0x1B, 0x20
STRING_SETS, FEATURES, CHANNELS = 0x37, 0x3A, 0x3C
FEATURE_STRINGS = 4
STRING_LENGTH = 32
FIRMWARE_AT, FIRMWARE_LENGTH, DRIVER_LENGTH = 68, 32, 196
ADAPTIVE_RX_AT = 10  # words of struct ethtool_coalesce with its command; 11 is the same of tx
NO_FIRMWARE = ("", "N/A", "n/a")


class Card:
    """One interface, asked through a socket."""

    def __init__(self, asker: socket.socket, name: str) -> None:
        self._asker, self._name = asker, name.encode()

    def ask(self, question: bytes) -> bytes | None:
        """The question's bytes with the kernel's answer in them; None if it refuses."""
        answer = array.array("B", question)
        try:
            fcntl.ioctl(self._asker, SIOCETHTOOL, REQUEST.pack(self._name, answer.buffer_info()[0]))
        except OSError:  # EOPNOTSUPP, mostly; ENODEV for one that just went; EPERM in a container
            return None
        return answer.tobytes()

    def words(self, command: int, count: int) -> tuple[int, ...] | None:
        """A structure that is nothing but 32-bit numbers; the first is the command itself."""
        answer = self.ask(struct.pack("=I", command) + bytes(4 * (count - 1)))
        return None if answer is None else struct.unpack(f"={count}I", answer)


def ask(names: Iterable[str]) -> dict[str, Ethtool]:
    """The answers of these interfaces."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as asker:
        strings: tuple[str, ...] = ()
        found = {}
        for name in names:
            card = Card(asker, name)
            strings = strings or feature_names(card)  # the kernel's own list, the same for all
            found[name] = answers_of(card, strings)
    return found


def answers_of(card: Card, strings: Sequence[str]) -> Ethtool:
    """What the card reports; `strings` are the kernel's names of features."""
    coalesce, pause = card.words(COALESCE, 23), card.words(PAUSE, 4)
    return Ethtool(
        firmware=_firmware(card),
        permanent_mac=_permanent_mac(card),
        rings=_rings(card),
        channels=_channels(card),
        adaptive_rx=None if coalesce is None else bool(coalesce[ADAPTIVE_RX_AT]),
        pause_rx=None if pause is None else bool(pause[2]),
        pause_tx=None if pause is None else bool(pause[3]),
        features=_features(card, strings),
    )


def _firmware(card: Card) -> str | None:
    answer = card.ask(struct.pack("=I", DRIVER) + bytes(DRIVER_LENGTH - 4))
    if answer is None:
        return None
    text = answer[FIRMWARE_AT : FIRMWARE_AT + FIRMWARE_LENGTH].partition(b"\0")[0].decode(errors="replace").strip()
    return None if text in NO_FIRMWARE else text


def _permanent_mac(card: Card) -> str | None:
    answer = card.ask(struct.pack("=II", PERMANENT_ADDRESS, 32) + bytes(32))
    if answer is None:
        return None
    (length,) = struct.unpack_from("=I", answer, 4)
    address = answer[8 : 8 + length]
    return ":".join(f"{byte:02x}" for byte in address) if any(address) else None


def _rings(card: Card) -> Rings | None:
    words = card.words(RINGS, 9)
    if words is None:
        return None
    _, rx_max, _, _, tx_max, rx, _, _, tx = words
    return Rings(rx=rx, tx=tx, rx_max=rx_max, tx_max=tx_max)


def _channels(card: Card) -> Channels | None:
    words = card.words(CHANNELS, 9)
    if words is None:
        return None
    _, _, _, _, combined_max, rx, tx, _, combined = words
    return Channels(combined=combined, combined_max=combined_max, rx=rx, tx=tx)


# --- features -------------------------------------------------------------------------------------------------------


def feature_names(card: Card) -> tuple[str, ...]:
    """The names of all features that this kernel knows, in the order of their bits; none if it does not say."""
    answer = card.ask(struct.pack("=IIQI", STRING_SETS, 0, 1 << FEATURE_STRINGS, 0))
    if answer is None:
        return ()
    (count,) = struct.unpack_from("=I", answer, 16)
    answer = card.ask(struct.pack("=III", STRINGS, FEATURE_STRINGS, count) + bytes(count * STRING_LENGTH))
    if answer is None:
        return ()
    starts = range(12, 12 + count * STRING_LENGTH, STRING_LENGTH)
    return tuple(answer[start : start + STRING_LENGTH].partition(b"\0")[0].decode(errors="replace") for start in starts)


def _features(card: Card, names: Sequence[str]) -> tuple[str, ...] | None:
    blocks = (len(names) + 31) // 32
    answer = card.ask(struct.pack("=II", FEATURES, blocks) + bytes(16 * blocks)) if blocks else None
    if answer is None:
        return None
    active = [struct.unpack_from("=I", answer, 8 + 16 * block + 8)[0] for block in range(blocks)]
    return tuple(sorted(name for bit, name in enumerate(names) if name and active[bit // 32] >> bit % 32 & 1))
