"""The unit's capabilities are enough, and not one of them is too many: each is taken away and missed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.server.tries import TRIES

HERE = Path(__file__)
UNIT = HERE.parents[3] / "agent" / "dtn_agent" / "dtn-agent.service"
CONTAINER = """
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print("ready", flush=True)
sys.stdin.read()
"""

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes a network namespace and drops capabilities"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv (util-linux)"),
]


def capabilities() -> list[str]:
    """Those of the unit, as setpriv writes them."""
    (line,) = re.findall(r"^CapabilityBoundingSet=(.+)$", UNIT.read_text(), re.MULTILINE)
    return [word.removeprefix("CAP_").lower() for word in line.split()]


@pytest.fixture(scope="module")
def stranger() -> Iterator[int]:
    """A process of another user in a network namespace of its own, listening on a port: what a container's looks like."""
    python = "/usr/bin/python3"  # another user can run it
    command = [
        "unshare",
        "--net",
        "sh",
        "-c",
        'ip link set lo up; exec setpriv --reuid 65534 --clear-groups "$@"',
        "sh",
        python,
        "-c",
        CONTAINER,
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process.pid
        process.communicate("")


def works(name: str, pid: int, given: list[str]) -> bool:
    """Whether the try works with these capabilities and no others."""
    bounds = ",".join(["-all", *(f"+{item}" for item in given)])
    command = ["setpriv", "--bounding-set", bounds, "--inh-caps", "-all", "--no-new-privs", sys.executable, str(HERE.with_name("tries.py"))]
    ran = subprocess.run([*command, name, str(pid)], capture_output=True, text=True, check=False)
    with contextlib.suppress(IndexError):
        last = ran.stderr.splitlines()[-1]
        assert ran.returncode == 0 or "PermissionError" in last or "NetlinkError: (1," in last, ran.stderr
    return ran.returncode == 0


@pytest.mark.parametrize("name", TRIES)
def test_the_units_capabilities_are_enough(stranger: int, name: str) -> None:
    assert works(name, stranger, capabilities())


@pytest.mark.parametrize("missing", capabilities())
def test_each_of_the_units_capabilities_is_needed(stranger: int, missing: str) -> None:
    given = [item for item in capabilities() if item != missing]
    assert not all(works(name, stranger, given) for name in TRIES)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/dtn-agent/bin/dtn-agent", "/bin/true"))
    ran = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
