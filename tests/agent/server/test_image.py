"""What is written twice is the same: the image and the page follow the package and the unit."""

from __future__ import annotations

import re
from pathlib import Path

from dtn_agent.server.limits import ServerLimits

from dtnctl.installing.wheel import agent_requirements
from lab.wheels import AGENT_PACKAGES

CLONE = Path(__file__).parents[3]
DOCKERFILE = (CLONE / "images/agent/Dockerfile").read_text()
UNIT = (CLONE / "agent/dtn_agent/dtn-agent.service").read_text()
PAGE = (CLONE / "docs/agent.md").read_text()


def test_the_image_installs_what_the_agent_needs() -> None:
    assert tuple(text.partition(">=")[0] for text in agent_requirements()) == AGENT_PACKAGES


def test_the_container_has_the_units_capabilities() -> None:
    (line,) = re.findall(r"^CapabilityBoundingSet=(.+)$", UNIT, re.MULTILINE)
    assert [f"CAP_{name}" for name in re.findall(r"--cap-add ([A-Z_]+)", DOCKERFILE)] == line.split()
    assert all(name.removeprefix("CAP_") in PAGE for name in line.split())
    assert "privileged " not in DOCKERFILE.partition("FROM")[0].replace("Not privileged", "")


def test_the_container_serves_with_the_units_files() -> None:
    (listen,) = re.findall(r'^Environment="DTN_AGENT_LISTEN=(.+)"$', UNIT, re.MULTILINE)
    (words,) = re.findall(r"^CMD \[(.+)\]$", DOCKERFILE, re.MULTILINE)
    assert "ExecStart=/opt/dtn-agent/bin/dtn-agent serve $DTN_AGENT_LISTEN $DTN_AGENT_OPTIONS\n" in UNIT
    assert re.findall(r'"([^"]+)"', words) == ["serve", *listen.split()]


def test_the_page_tells_the_limits() -> None:
    limits = ServerLimits()
    for row in (
        f"| {limits.body // 1024} KiB | 413",
        f"| {limits.receiving:g} s | 408",
        f"| {limits.handshake:g} s | closed",
        f"line and headers | {limits.headers // 1024} KiB | 431",
        f"| {limits.requests} | further ones wait for their turn, {limits.turn:g} s; then 503",
        f"| {limits.connections} | further ones wait in the kernel's queue ({limits.queue:,})",
    ):
        assert row in PAGE
