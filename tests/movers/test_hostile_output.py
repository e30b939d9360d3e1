"""What tools and servers write comes from containers of other people: no number in it, however odd, ends the judging of a transfer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.tools import TOOLS
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Entry, Evidence, Listing, mover_of
from tests.movers.jobs import THERE, request

FILE = Listing("file", {"": Entry(10, "1")}, root=Entry(10, "1"))
NUMBERS = ["9" * 5000, "9" * 400, ",", "1..2", "1e999", "Infinity", "[1]", "0"]
OUTPUTS = {
    "iperf3": (
        '{{"end": {{"sum_received": {{"bytes": {0}, "bits_per_second": {0}}}}}}}',
        '{{"end": [{0}]}}',
        "[  5]   0.00-1.00   sec  {0} GBytes  {0} Gbits/sec",
        "[SUM] 0.00-1.00 sec 1 GBytes 1 Gbits/sec {0}   sender",
    ),
    "nuttcp": ("megabytes={0} real_sec=1.00 rate_Mbps={0}", "megabytes={0} real_seconds=1.0 retrans={0}"),
    "rclone": ('{{"stats": {{"bytes": {0}, "speed": 1.5}}}}',),
    "rdma": ("rcopy has mapped {0} kB in {0} ticks", "{0} bytes in {0}.00 seconds = {0}.00 Gb/sec"),
    "rdma_bw": (" {0}  {0}  1.0  1.0  1.0 ",),
    "rsync": ("Matched data: {0} bytes", "  {0}  50% 1.00MB/s 0:00:01"),
    "scp": ("in  50% {0}KB  {0}MB/s   00:01",),
    "xrootd": ("[{0}MB/10MB][ 50%][==][{0}MB/s]", "[#{0}: {0}% {0}MB/s]", "Job: {0}/{0}"),
    "gridftp": ("  {0} bytes   {0} MB/sec avg   {0} MB/sec inst",),
}
LINES = [(tool, pattern.format(number)) for tool, patterns in OUTPUTS.items() for pattern in patterns for number in NUMBERS]


def test_every_tool_is_tried() -> None:
    assert set(OUTPUTS) == set(TOOLS)


@pytest.mark.parametrize(("tool", "line"), LINES, ids=[f"{tool}-{line[:40]}" for tool, line in LINES])
def test_odd_numbers_are_passed_over(tool: str, line: str) -> None:
    mover, own = mover_of(tool), TOOLS[tool].own
    options = TransferOptions(own=own() if own is not None else None, verify="size")
    asked = replace(request("/data/in", "/out/in", THERE), options=options)
    mover.reader(asked, {"": 10}).feed(f"{line}\r\n{line}\n".encode())
    text = f"{line}\n{line}"
    for code in (0, 1):
        evidence = Evidence(code, text, before=FILE, source=FILE, destination=FILE, server_log=line, server_exit_code=0)
        assert mover.judge(evidence, options).verdict in ("succeeded", "failed")
