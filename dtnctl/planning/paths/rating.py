"""How much goes over a path from one service to the other, and what of it is lost: by a short iperf3, and what it writes. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dtnctl.model.fields import show_rate
from dtnctl.model.path_checks import PathFinding, PathProbe

SECONDS = 5
PORT = 52017  # of no service by habit; iperf3 asks for one
LONGEST = 20  # seconds that the serving side waits for the other one
CONNECT_MILLISECONDS = 3000
ENOUGH = 0.8  # of what is promised: one TCP stream over few seconds, without headers
LOST = 1e-4  # of all packets; more slows a single stream over a long distance
NOT_THERE = (126, 127)


@dataclass(frozen=True, slots=True)
class Measured:
    """What arrived, in kbit a second, and how many packets of how many were sent again. `trouble` is why nothing was measured."""

    rate: int = 0
    packets: int = 0
    resent: int = 0
    trouble: str = ""


def serving_command(probe: PathProbe) -> tuple[str, ...]:
    """At the far side: takes one test and ends."""
    return ("timeout", str(LONGEST), "iperf3", "-s", "-1", "-B", probe.far_address, "-p", str(PORT))


def sending_command(probe: PathProbe) -> tuple[str, ...]:
    times = ("-t", str(SECONDS), "--connect-timeout", str(CONNECT_MILLISECONDS))
    return ("iperf3", "-c", probe.far_address, "-B", probe.address, "-p", str(PORT), *times, "-J")


def is_refused(output: str) -> bool:
    """Whether the far side did not listen yet."""
    return "Connection refused" in output


def read_measured(exit_code: int, output: str) -> Measured:
    """`output` is all that the sending side wrote."""
    if exit_code in NOT_THERE:
        return Measured(trouble="its image has no iperf3")
    try:
        result: dict[str, Any] = json.loads(output[output.index("{") : output.rindex("}") + 1])
        if error := str(result.get("error", "")):
            return Measured(trouble=f"iperf3: {error}")
        sent, received = result["end"]["sum_sent"], result["end"]["sum_received"]
        packets = int(sent["bytes"]) // max(1, int(result["start"]["tcp_mss_default"]))
        return Measured(int(received["bits_per_second"]) // 1000, packets, int(sent["retransmits"]))
    except (ValueError, LookupError, TypeError, AttributeError):
        return Measured(trouble=f"iperf3 ended with exit code {exit_code} and no result")


def measured_findings(probe: PathProbe, measured: Measured) -> Iterator[PathFinding]:
    """One of the rate, and one of loss."""
    if measured.trouble:
        fix = "`iperf3` in the image" if measured.trouble.startswith("its ") else ""
        yield PathFinding("rate", probe.where, "unknown", measured.trouble, fix)
        return
    yield _rate_finding(probe, measured)
    share = measured.resent / max(1, measured.packets)
    text = f"{measured.resent:,} of {measured.packets:,} packets were sent again ({share:.2%})"
    fix = f"look at errors and drops of both interfaces; then ask {probe.maker}"
    yield PathFinding("loss", probe.where, *(("ok", text) if share <= LOST else ("wrong", text, fix)))


def _rate_finding(probe: PathProbe, measured: Measured) -> PathFinding:
    rate = f"{show_rate(measured.rate // 1000 * 1000)} in {SECONDS} s, by one TCP stream"
    if not probe.bandwidth:
        return PathFinding("rate", probe.where, "ok", rate)
    text = f"{rate}; {show_rate(probe.bandwidth)} are promised"
    if measured.rate >= ENOUGH * probe.bandwidth:
        return PathFinding("rate", probe.where, "ok", text)
    fix = f"`dtnctl endpoints doctor` at both ends, and `bench network`: hosts may be slower than the path; then ask {probe.maker}"
    return PathFinding("rate", probe.where, "wrong", text, fix)
