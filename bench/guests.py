"""P10: iperf3 between two services on virtual functions, against iperf3 between the NICs themselves, on two emulated machines.

An emulator's rates say nothing about a real card's: what the line shows is whether the way that a service gets its function costs
anything, on top of what both sides have in common. So neighbours are compared, as for P6.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, Options, Pairs, Run, at_least, in_turn, not_measured
from bench.network import figure, received
from bench.place import dtnctl, folder, write_state
from lab.hardware import NEAR_NIC, Guests, unavailable
from lab.layout import LabError

NAME = "P10 iperf3 between services with VFs / between their NICs"
GOAL = at_least(0.9)
ROUNDS = 15
SECONDS = 2
CLIENT, SERVER = "dtn1", "dtn2"
NIC_ADDRESSES = {CLIENT: "10.41.0.1", SERVER: "10.41.0.2"}
FIRST_ADDRESSES = {CLIENT: "10.40.0.10", SERVER: "10.40.0.11"}
IN_SERVICE = "docker exec bench.run "
SERVED_SECONDS = 1200.0


def measure(options: Options) -> Iterator[Figure]:
    if reason := unavailable():
        yield not_measured(NAME, GOAL, reason)
        return
    try:
        pairs = _pairs(options.rounds_or(ROUNDS))
    except (LabError, RuntimeError) as error:  # an emulated machine may hang; the other figures are worth writing all the same
        yield not_measured(NAME, GOAL, str(error))
        return
    yield figure(NAME, pairs, GOAL)


def _pairs(rounds: int) -> Pairs:
    with folder() as made, Guests(made / "guests") as guests:
        _declare(guests, made)
        dtnctl(made, "apply", "--yes", "--timeout", "60")
        for name, address in NIC_ADDRESSES.items():
            guests.remote(name).run(f"ip link set {NEAR_NIC} up; ip address replace {address}/24 dev {NEAR_NIC}")
        with _served(guests, "", NIC_ADDRESSES[SERVER]) as native, _served(guests, IN_SERVICE, FIRST_ADDRESSES[SERVER]) as ours:
            native(), ours()
            return Pairs(*in_turn(rounds, ours, native))


def _declare(guests: Guests, root: Path) -> None:
    """A session across both guests, with a function of the near NIC each."""
    write_state(root, "site", {"name": "bench"})
    for guest in guests.all:
        more = {"interfaces": {"star": NEAR_NIC}, "vfs": {NEAR_NIC: 1}, "allow": {"mounts": ["/usr"]}}
        write_state(root, f"endpoints/{guest.name}", {**guest.state, **more})
    write_state(root, "networks/star", {"driver": "sriov", "subnet": "10.40.0.0/24", "addresses": "10.40.0.10-10.40.0.60"})
    tools = {"image": "tools:1", "arguments": ["sleep", "infinity"], "volumes": ["/usr:/usr:ro"], "data_nets": ["star"], "tty": False}
    write_state(root, "profiles/tools", {**tools, "mgmt_net": None, "ctrl_port_range": None, "memory": None, "init": True})
    write_state(root, "sessions/run", {"endpoints": list(FIRST_ADDRESSES), "profile": "tools"})


@contextlib.contextmanager
def _served(guests: Guests, inside: str, address: str) -> Iterator[Run]:
    """A run from the one guest to the other, while a server listens there; it goes with the guests."""
    with guests.remote(SERVER).start(f"exec {inside}iperf3 -s --bind {address} --forceflush", seconds=SERVED_SECONDS) as listening:
        try:
            assert listening.stdout is not None
            while "listening" not in (line := listening.stdout.readline()).lower():
                if not line:
                    raise RuntimeError("the iperf3 server ended before it listened")
            yield lambda: received(guests.remote(CLIENT).run(f"{inside}iperf3 -c {address} -t {SECONDS} --json || true"))
        finally:
            listening.kill()
