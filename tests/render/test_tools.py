"""Tools of transfers as they are listed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.tools import TOOLS
from dtnctl.render.context import RenderContext
from dtnctl.render.tools import render_tool, render_tools, tool_row


def test_a_table_has_what_a_tool_moves_needs_and_takes_beyond_what_all_take() -> None:
    rows = [tool_row(TOOLS["nuttcp"]), replace(tool_row(TOOLS["rsync"]), name="ours", file="state/tools/ours.yaml")]
    lines = render_tools(rows, RenderContext(width=200)).splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [["nuttcp", "memory", "server"], ["ours", "files", "none"]]
    assert "parallelism, tcp_buffer, seconds, reverse" in lines[1]
    assert "retries" not in lines[1]
    assert lines[1].endswith("built in")
    assert lines[2].endswith("state/tools/ours.yaml")


def test_one_tool_shows_everything() -> None:
    text = render_tool(tool_row(TOOLS["iperf3"]), RenderContext())
    assert text == (
        "tool: iperf3\nfile: built in\nmoves: memory\nlogs in at:\ndata ports: one\nprograms at the source: iperf3\n"
        "programs at the destination: iperf3\n"
        "options: parallelism, tcp_buffer, retries, backoff, deadline, stall_timeout, labels, metadata, max_rate, notify, require_path\n"
        "own options: seconds, reverse, bidirectional\n"
    )


@pytest.mark.parametrize(
    ("tool", "ports"),
    [
        ("scp", "none, the service's sshd is all"),
        ("gridftp", "one for each file that is copied at the same time"),
        ("nuttcp", "one, and one for each parallel stream, in a row"),
    ],
)
def test_ports_are_explained(tool: str, ports: str) -> None:
    assert f"data ports: {ports}\n" in render_tool(tool_row(TOOLS[tool]), RenderContext())
