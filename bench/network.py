"""P6: iperf3 between two services, on the host's network and on macvlan, against iperf3 between the two hosts themselves."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
from collections.abc import Callable, Iterator

from bench.figures import Figure, Options, Pairs, at_least, figure_of, in_turn, not_measured
from bench.place import Place, place
from bench.runs import apply
from bench.services import declare_data_network, declare_service, in_service, inspect

GOAL = at_least(0.98)
NETWORKS = ("host", "macvlan")
PORT = "5301"
SECONDS = 3
GIGA = 1e9

# the command line that runs a command at one end
At = Callable[..., list[str]]


def measure(options: Options) -> Iterator[Figure]:
    if shutil.which("iperf3") is None:
        for network in NETWORKS:
            yield not_measured(_name(network), GOAL, "iperf3 is missing here; `hack/system-packages.sh --bench` installs it")
        return
    with place(2, "both") as here:
        declare_data_network(here)
        declare_service(here, "host", mgmt_net="host")
        declare_service(here, "macvlan", data_nets=["data"])
        apply(here)
        length = options.size(SECONDS, 1)
        native, host, macvlan = in_turn(
            options.rounds_or(9),
            lambda: _rate(_on_host(here, "dtn1"), _on_host(here, "dtn2"), here.lab.endpoint("dtn2").data_ip, length),
            lambda: _rate(_in(here, "dtn1", "host"), _in(here, "dtn2", "host"), here.lab.endpoint("dtn2").data_ip, length),
            lambda: _rate(_in(here, "dtn1", "macvlan"), _in(here, "dtn2", "macvlan"), _address(here, "dtn2"), length),
        )
    for network, rates in zip(NETWORKS, (host, macvlan), strict=True):
        yield _figure(network, Pairs(rates, native))


def _name(network: str) -> str:
    return f"P6 iperf3 between services ({network}) / natively"


def _figure(network: str, pairs: Pairs) -> Figure:
    low, high = min(pairs.below) / GIGA, max(pairs.below) / GIGA
    natively = f"natively {statistics.median(pairs.below) / GIGA:.1f} ({low:.1f} to {high:.1f})"
    detail = f"{statistics.median(pairs.above) / GIGA:.1f} Gbit/s, {natively}"
    if low < GOAL.bound * high:
        detail += "; native runs alone differ by more than the goal's 2 %, so noise hides it"
    return figure_of(_name(network), pairs, GOAL, detail)


def _on_host(here: Place, endpoint: str) -> At:
    return lambda *command: here.lab.command(endpoint, command)


def _in(here: Place, endpoint: str, session: str) -> At:
    return lambda *command: in_service(here, endpoint, session, *command)


def _address(here: Place, endpoint: str) -> str:
    return str(inspect(here, endpoint, "macvlan")["NetworkSettings"]["Networks"]["data"]["IPAddress"])


def _rate(client: At, server: At, address: str, length: int) -> float:
    """Bits per second that arrive, in one stream."""
    with subprocess.Popen(server("iperf3", "-s", "-1", "-p", PORT, "--forceflush"), stdout=subprocess.PIPE, text=True) as listening:
        assert listening.stdout is not None
        while "listening" not in (line := listening.stdout.readline()).lower():
            if not line:
                raise RuntimeError("the iperf3 server ended before it listened")
        command = client("iperf3", "-c", address, "-p", PORT, "-t", str(length), "--json")
        answer = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
        if "error" in answer:
            listening.kill()
            raise RuntimeError(f"iperf3: {answer['error']}")
        listening.communicate()
    return float(answer["end"]["sum_received"]["bits_per_second"])
