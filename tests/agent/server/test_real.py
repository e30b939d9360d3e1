"""The agent as it is installed: this host's probe and resources, the unit's capabilities and no others. Nothing of the host is changed."""

from __future__ import annotations

import grp
import io
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.server.serving import Agent, MemoryResource, ask_socket, with_certificates
from tests.free_ports import free_port
from tests.providers.certificates import authority

CLONE = Path(__file__).parents[3]
GROUP = "daemon"  # of every Debian; root is not in it
UNIT = (CLONE / "agent/dtn_agent/dtn-agent.service").read_text()

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: the agent runs as root, with few capabilities"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv (util-linux)"),
]


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    ca = authority()
    credentials = with_certificates(tmp_path, ca)
    port = free_port()
    places = {"cert": credentials.cert, "key": credentials.key, "client-ca": credentials.client_ca}
    places |= {name: tmp_path / name for name in ("ledger", "plugin-socket", "engine-socket")}
    words = [word for name, path in places.items() for word in (f"--{name}", str(path))]
    given = ",".join(f"+{name.removeprefix('CAP_').lower()}" for name in re.findall(r"CapabilityBoundingSet=(.+)", UNIT)[0].split())
    bounds = ["setpriv", "--bounding-set", f"-all,{given}", "--inh-caps", "-all", "--no-new-privs"]
    words += ["--socket", str(tmp_path / "agent.sock"), "--group", GROUP]
    command = [*bounds, sys.executable, "-m", "dtn_agent", "serve", "--listen", f"127.0.0.1:{port}", *words]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, (tmp_path / "lines").open("wb") as lines:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(120)
        environment = {**os.environ, "PYTHONPATH": str(CLONE / "agent"), "NOTIFY_SOCKET": str(tmp_path / "notify")}
        process = subprocess.Popen(command, env=environment, stdout=lines)
        try:
            assert systemd.recv(100) == b"READY=1"
            yield Agent(tmp_path, port, MemoryResource(), ca, io.StringIO())
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()


def test_its_socket_is_for_root_and_the_group_with_the_units_capabilities(agent: Agent) -> None:
    path = agent.folder / "agent.sock"
    found = path.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o660, 0, grp.getgrnam(GROUP).gr_gid)
    assert ask_socket(path)[1]["facts"]["system"]["hostname"] == socket.gethostname()


def test_it_tells_of_this_host_and_refuses_what_is_not_there(agent: Agent) -> None:
    status, host = agent.ask(agent.known(), path="/v1/host?readings=sysctl/net.core.somaxconn")
    assert status == 200
    assert host["facts"]["system"]["hostname"] == socket.gethostname()
    assert {"driver", "tune", "vf", "vlan"} <= {ability["name"] for ability in host["abilities"]}
    assert next(ability["lacks"] for ability in host["abilities"] if ability["name"] == "driver") == ""
    assert host["readings"] == {"sysctl/net.core.somaxconn": Path("/proc/sys/net/core/somaxconn").read_text().strip()}
    ours = [item for item in host["facts"]["listeners"] if item["port"] == agent.port]
    assert [item["process"] != "" for item in ours] == [True]
    assert agent.perform({"do": "tune", "site": "demo", "key": "sysctl/net.core.no_such_thing", "value": "1"})[0] == 404
    assert agent.perform({"do": "set-vf-count", "site": "demo", "pf": "lo", "count": 1})[0] in (404, 422)
    assert agent.ask(agent.known())[1]["held"]["tuning"] == []
