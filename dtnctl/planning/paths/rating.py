"""How much goes over a path from one service to the other, and what of it is lost: by a short iperf3, and what it writes. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dtnctl.model.fields import show_rate
from dtnctl.model.path_checks import PathFinding, PathProbe

SECONDS = 5  # one stream has reached its rate by then; more would keep the path from those who use it, for it takes all that there is
PORT = 52017  # of no service by habit; iperf3 asks for one
LONGEST = 20  # seconds that the serving side waits for the other one
CONNECT_MILLISECONDS = 3000
ENOUGH = 0.8  # of what is promised: one TCP stream over few seconds, without headers
LOST = 1e-4  # of all packets; more slows a single stream over a long distance
NOT_THERE = (126, 127)
_SAID = re.compile(r"^iperf3: error - (.+)", re.MULTILINE)  # such as: unable to start listener for connections


@dataclass(frozen=True, slots=True)
class Measured:
    """What arrived, in kbit a second, and how many packets of how many were sent again.

    `trouble` is why nothing was measured, `fix` what to do then.
    """

    rate: int = 0
    packets: int = 0
    resent: int = 0
    trouble: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """How one side's iperf3 ended, and all that it wrote."""

    exit_code: int
    output: str


def serving_command(probe: PathProbe) -> tuple[str, ...]:
    """At the far side: takes one test and ends."""
    return ("timeout", str(LONGEST), "iperf3", "-s", "-1", "-B", probe.far_address, "-p", str(PORT))


def sending_command(probe: PathProbe) -> tuple[str, ...]:
    times = ("-t", str(SECONDS), "--connect-timeout", str(CONNECT_MILLISECONDS))
    return ("iperf3", "-c", probe.far_address, "-B", probe.address, "-p", str(PORT), *times, "-J")


def is_refused(output: str) -> bool:
    """Whether the far side did not listen yet."""
    return "Connection refused" in output


def read_measured(probe: PathProbe, sent: Ended, served: Ended) -> Measured:
    """By what the sending side wrote; where the far side refused it, by what kept that one from listening, if it is known."""
    if is_refused(sent.output) and (kept := _kept(probe.far_endpoint, served)) is not None:
        return kept
    try:
        result: dict[str, Any] = json.loads(sent.output[sent.output.index("{") : sent.output.rindex("}") + 1])
        if error := str(result.get("error", "")):
            return Measured(trouble=f"{probe.endpoint}: iperf3: {error}")
        total, received = result["end"]["sum_sent"], result["end"]["sum_received"]
        packets = int(total["bytes"]) // max(1, int(result["start"]["tcp_mss_default"]))
        return Measured(int(received["bits_per_second"]) // 1000, packets, int(total["retransmits"]))
    except (ValueError, LookupError, TypeError, AttributeError):
        unknown = Measured(trouble=f"{probe.endpoint}: iperf3 ended with exit code {sent.exit_code} and no result")
        return _kept(probe.endpoint, sent) or unknown


def _kept(endpoint: str, ended: Ended) -> Measured | None:
    """What kept one side from its work, by its own words; None if it has none."""
    if ended.exit_code in NOT_THERE:
        program = "timeout" if "timeout" in ended.output and "iperf3" not in ended.output else "iperf3"
        return Measured(trouble=f"{endpoint}: its image has no {program}", fix=f"`{program}` in the image")
    said = _SAID.search(ended.output)
    return None if said is None else Measured(trouble=f"{endpoint}: iperf3: {said[1]}")


def measured_findings(probe: PathProbe, measured: Measured) -> Iterator[PathFinding]:
    """One of the rate, and one of loss."""
    if measured.trouble:
        yield PathFinding("rate", probe.where, "unknown", measured.trouble, measured.fix)
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
