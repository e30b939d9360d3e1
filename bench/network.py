"""P6: iperf3 between two services, on the host's network and on macvlan, against iperf3 between the two hosts themselves.

How fast a host sends to itself changes from second to second, by far more than the goal's 2 %. So runs are short and many, each
run of a service stands next to a native one, the two ends stay on a processor each, and it is the ratios of neighbours that count.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Callable, Iterator

from bench.figures import Figure, Goal, Options, Pairs, Run, at_least, in_turn, not_measured
from bench.place import Place, place
from bench.runs import apply
from bench.services import declare_data_network, declare_service, in_service, inspect

GOAL = at_least(0.98)
NETWORKS = ("host", "macvlan")
PORTS = {"native": "5301", "host": "5302", "macvlan": "5301"}
ROUNDS = 15
SECONDS = "1"
GIGA = 1e9

# the command line that runs a command at one end
At = Callable[..., list[str]]


def measure(options: Options) -> Iterator[Figure]:
    if shutil.which("iperf3") is None:
        for network in NETWORKS:
            yield not_measured(_name(network), GOAL, "iperf3 is missing here; `hack/system-packages.sh --bench` installs it")
        return
    with place(2, "both") as here, contextlib.ExitStack() as stack:
        declare_data_network(here)
        declare_service(here, "host", mgmt_net="host")
        declare_service(here, "macvlan", data_nets=["data"])
        apply(here)
        host, native, macvlan = (stack.enter_context(_served(here, name)) for name in ("host", "native", "macvlan"))
        host(), native(), macvlan()
        rates = in_turn(options.rounds_or(ROUNDS), host, native, macvlan)
    for network, above in zip(NETWORKS, (rates[0], rates[2]), strict=True):
        yield figure(_name(network), Pairs(above, rates[1]), GOAL)


def _name(network: str) -> str:
    return f"P6 iperf3 between services ({network}) / natively"


def figure(name: str, pairs: Pairs, goal: Goal) -> Figure:
    """The line of two rates in bits per second; it says so where the goal lies within what the noise leaves open."""
    low, high = pairs.paired_spread
    detail = f"{_gigabits(pairs.above)} Gbit/s, natively {_gigabits(pairs.below)}, {len(pairs.above)} pairs"
    if low < goal.bound < high:
        detail += f"; noise hides it: the median may be {low:.2f} to {high:.2f}"
    return Figure(name, pairs.paired_ratio, goal, pairs.spread, detail)


def received(answer: str) -> float:
    """Bits per second that arrived, from what `iperf3 --json` printed."""
    value = json.loads(answer)
    if "error" in value:
        raise RuntimeError(f"iperf3: {value['error']}")
    return float(value["end"]["sum_received"]["bits_per_second"])


def _gigabits(rates: tuple[float, ...]) -> str:
    return f"{statistics.median(rates) / GIGA:.3g}"


def _ends(here: Place, name: str) -> tuple[At, At, str]:
    """Client, server, and the address that the server is reached at."""
    if name == "native":
        return _on_host(here, "dtn1"), _on_host(here, "dtn2"), here.lab.endpoint("dtn2").data_ip
    address = here.lab.endpoint("dtn2").data_ip if name == "host" else _address(here, "dtn2")
    return _in(here, "dtn1", name), _in(here, "dtn2", name), address


@contextlib.contextmanager
def _served(here: Place, name: str) -> Iterator[Run]:
    """A run from one end to the other, while a server listens there."""
    client, server, address = _ends(here, name)
    with subprocess.Popen(server("iperf3", "-s", "-p", PORTS[name], "--forceflush"), stdout=subprocess.PIPE, text=True) as listening:
        try:
            assert listening.stdout is not None
            while "listening" not in (line := listening.stdout.readline()).lower():
                if not line:
                    raise RuntimeError("the iperf3 server ended before it listened")
            yield lambda: _rate(client, PORTS[name], address)
        finally:
            listening.kill()  # in a container the server itself goes with the lab


def _on_host(here: Place, endpoint: str) -> At:
    return lambda *command: here.lab.command(endpoint, command)


def _in(here: Place, endpoint: str, session: str) -> At:
    return lambda *command: in_service(here, endpoint, session, *command)


def _address(here: Place, endpoint: str) -> str:
    return str(inspect(here, endpoint, "macvlan")["NetworkSettings"]["Networks"]["data"]["IPAddress"])


def _rate(client: At, port: str, address: str) -> float:
    """Bits per second that arrive, in one stream, each end on a processor of its own."""
    processors = sorted(os.sched_getaffinity(0))
    pinned = f"{processors[0]},{processors[-1]}"
    command = client("iperf3", "-c", address, "-p", port, "-t", SECONDS, "-A", pinned, "--json")
    return received(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
