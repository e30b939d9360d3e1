"""What shaping does to packets: frames go in at one end of a veth and come out at the other, later, slower, or not at all."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable

import pytest
from dtn_agent.protocol.qos import QosSettings
from dtn_agent.queueing.abilities import queueing_abilities
from dtn_agent.queueing.making import make_tree
from dtn_agent.queueing.tree import kinds_of, tree_of
from dtn_agent.queueing.wire import open_wire

from tests.agent.namespace_host import needs_root, with_veth

pytestmark = [pytest.mark.lab, needs_root]
ETH_IPV4 = 0x0800
SECONDS = 5.0
OURS = 0x44544E  # the first bytes of what we send, so that nobody else's frames count


def frame(port: int, payload: int = 100) -> bytes:
    """A UDP packet to this port, whose checksums nobody looks at."""
    data = struct.pack("!I", OURS) + bytes(payload)
    udp = struct.pack("!HHHH", 40000, port, 8 + len(data), 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(data), 0, 0, 64, 17, 0, bytes((10, 9, 9, 2)), bytes((10, 9, 9, 1)))
    return bytes(6) + bytes((2, 0, 0, 0, 0, 1)) + struct.pack("!H", ETH_IPV4) + ip + udp + data


class Line:
    """Both ends of the veth, as packet sockets; what is sent goes through the queueing of `near`."""

    def __init__(self) -> None:
        self.near = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_IPV4))
        self.far = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_IPV4))
        self.near.bind(("near", ETH_IPV4))
        self.far.bind(("far", ETH_IPV4))
        self.far.settimeout(SECONDS)

    def send(self, *ports: int, payload: int = 100) -> None:
        for port in ports:
            self.near.send(frame(port, payload))

    def receive(self) -> int:
        """The port of the next packet of ours."""
        while True:
            data = self.far.recv(2048)
            if data[42:46] == struct.pack("!I", OURS):
                return int(struct.unpack("!H", data[36:38])[0])

    def close(self) -> None:
        self.near.close()
        self.far.close()


def shaped(settings: QosSettings, scene: Callable[[Line], object]) -> object:
    """What the scene returns on a line that is shaped so."""
    lacks = {ability.name: ability.lacks for ability in queueing_abilities()}
    for kind in kinds_of(settings):
        if lacks[kind]:
            pytest.skip(lacks[kind])

    def work() -> object:
        with open_wire() as wire:
            link = wire.link("near")
            assert link is not None
            make_tree(wire, link, tree_of(settings, link.mtu))
        line = Line()
        try:
            return scene(line)
        finally:
            line.close()

    return with_veth(work)


def seconds_for(line: Line, count: int, payload: int) -> float:
    """How long so many packets take from the first one's sending to the last one's arrival."""
    start = time.monotonic()
    line.send(*([8000] * count), payload=payload)
    for _ in range(count):
        line.receive()
    return time.monotonic() - start


def test_rate_makes_packets_take_their_time() -> None:
    """12 packets of 1 kB at 400 kbit/s; about 3 of them go at once."""
    duration = shaped(QosSettings(rate=400), lambda line: seconds_for(line, 12, 958))
    assert isinstance(duration, float)
    assert duration > 0.15


def test_only_packets_to_the_named_port_are_delayed() -> None:
    def scene(line: Line) -> list[int]:
        line.send(8000, 9000)
        return [line.receive(), line.receive()]

    assert shaped(QosSettings(delay=50.0, ports=(8000,)), scene) == [9000, 8000]


def test_only_packets_to_the_named_port_are_lost() -> None:
    def scene(line: Line) -> list[int]:
        line.send(8000, 9000, 8000, 9001)
        return [line.receive(), line.receive()]

    assert shaped(QosSettings(loss=100.0, ports=(8000, 443)), scene) == [9000, 9001]


def test_everything_together_lets_packets_through() -> None:
    settings = QosSettings(rate=10_000, pacing=5_000, delay=1.0, jitter=0.1, ports=(8000,))

    def scene(line: Line) -> list[int]:
        line.send(8000, 9000, 8000, 9000)
        return sorted(line.receive() for _ in range(4))

    assert shaped(settings, scene) == [8000, 8000, 9000, 9000]
