"""The machine's facts, without which no figure means anything."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

PACKAGES = ("docker", "pydantic", "typer")


def facts() -> Mapping[str, Any]:
    """What the figures were taken on. The load is that before the first run: above one or two, others were at work."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "kernel": platform.release(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "python": platform.python_version(),
        "engine": _first_line("dockerd", "--version"),
        "commit": _first_line("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"),
        "packages": {name: version(name) for name in PACKAGES},
    }


def line(facts: Mapping[str, Any]) -> str:
    """The same on one line, as far as a reader of figures needs it."""
    load = " ".join(f"{value:.1f}" for value in facts["load"])
    return f"{facts['cores']} cores, {facts['memory_gib']} GiB, Linux {facts['kernel']}, Python {facts['python']}, load {load}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((text.partition(":")[2].strip() for text in lines if text.startswith("model name")), "unknown")


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return next(iter(done.stdout.splitlines()), "unknown")
