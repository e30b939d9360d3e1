"""A session, a transfer and drift through a Portainer, an endpoint by each of its two proxies: a stand-in, before real engines."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.playground import Playground
from tests.fakes.portainer import KEY

pytestmark = pytest.mark.lab
URLS = {"dtn1": "unix:///var/run/docker.sock", "dtn2": "tcp://10.10.0.12:2376"}


@pytest.fixture
def portainer(play: Playground) -> Iterator[Playground]:
    """Both endpoints are environments of a Portainer on the controller."""
    words = [f"{item.name}={item.socket}={URLS[item.name]}" for item in play.lab.endpoints]
    command = play.lab.command("ctl", [sys.executable, "-m", "tests.fakes.portainer", *words])
    environment = play.lab.environment() | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        (play.root / "key").write_text(KEY)
        for name in URLS:
            docker = f"portainer+http://127.0.0.1:{port}/{name}"
            play.endpoint(name, docker=docker, portainer={"key": {"secret": "file:key"}})
        yield play
        process.stdin.close()


def test_a_session_and_a_transfer_converge_through_portainer_and_drift_is_repaired(portainer: Playground) -> None:
    play = portainer
    play.data_network()
    profile = {"volumes": ["/data:/data"], "init": True, "memory": "256MiB", "user": "dtnaas", "data_nets": ["data"]}
    play.write("profiles/dtn", profile | {"data_port_range": [50100, 50199], "stop_timeout": "2s"})
    play.write("sessions/pair", {"endpoints": ["dtn1", "dtn2"], "image": "dtn:1", "profile": "dtn"})
    play.write("transfers/copy", {"from": "dtn1:/data/in", "to": "dtn2:/data/out", "tool": "gridftp"})
    play.lab.exec("dtn1", ["sh", "-c", "head -c 8388608 /dev/urandom > /data/in && chmod 1777 /data"])
    play.lab.exec("dtn2", ["chmod", "1777", "/data"])
    play.converge()
    there, here = (play.lab.exec(name, ["md5sum", path]).stdout.split()[0] for name, path in (("dtn1", "/data/in"), ("dtn2", "/data/out")))
    assert there == here
    play.engines["dtn2"].update_container("play.pair", mem_limit="200m", memswap_limit="400m")
    play.engines["dtn1"].remove_container("play.pair", force=True)
    assert set(play.changes()) == {("create", "pair", "dtn1"), ("update", "pair", "dtn2")}
    play.converge()
    assert play.container("pair", "dtn2")["HostConfig"]["Memory"] == 256 * 1024**2
