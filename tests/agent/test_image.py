"""The agent's image is built by its recipe, runs with the options that the recipe tells, and does there what the agent does on a host."""

from __future__ import annotations

import re
import shlex
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dtn_agent.queueing.abilities import queueing_abilities

from lab import Lab, unavailable
from lab.images import build_tar
from lab.layout import default_cache
from lab.wheels import build_agent_wheel, download_wheels
from tests.e2e.playground import Playground
from tests.lab.docker_command import Docker

pytestmark = [pytest.mark.lab, pytest.mark.slow]
RECIPE = Path(__file__).parents[2] / "images/agent/Dockerfile"
ENDPOINT, AGENT = "dtn1", "dtn-agent"
READY_SECONDS = 120.0
# the certificates of its engine serve the agent as well
CERTIFICATES = """
install -D -m 644 /run/lab/cert.pem /etc/dtn-agent/server.pem
install -m 600 /run/lab/key.pem /etc/dtn-agent/server.key
install -m 644 /run/lab/ca.pem /etc/dtn-agent/client-ca.pem
"""
READ_SYSCTL = ["cat", "/proc/sys/net/ipv4/tcp_mtu_probing"]


def documented_command() -> list[str]:
    """`docker run …` as the head of the recipe tells it, without `docker`."""
    (lines,) = re.findall(r"^#   docker (run (?:.*\\\n)*.*)$", RECIPE.read_text(), re.MULTILINE)
    return shlex.split(lines.replace("\\\n#", ""))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """An endpoint whose agent is a container."""
    if reason := unavailable():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("image")
    context, tar = folder / "context", folder / "agent.tar"
    context.mkdir()
    download_wheels(context)
    build_agent_wheel(context)
    shutil.copy(RECIPE, context)
    build_tar(context, AGENT, tar, default_cache(), print)
    with Lab(folder / "lab", 1, image="tiny") as lab:
        lab.exec(ENDPOINT, ["sh", "-ec", CERTIFICATES])
        docker = Docker(lab, ENDPOINT)
        docker("load", f"--input={tar}")
        docker(*documented_command())
        yield lab


@pytest.fixture
def play(running: Lab, tmp_path: Path) -> Playground:
    """A site on that endpoint, whose agent answers."""
    playground = Playground(running, tmp_path)
    declare(playground)
    wait_for_agent(playground)
    return playground


def declare(play: Playground, **more: Any) -> None:
    endpoint = play.lab.endpoint(ENDPOINT)
    tls = {name: str(getattr(endpoint.tls, name)) for name in ("ca", "cert", "key")}
    play.endpoint(ENDPOINT, agent=f"https://{endpoint.control_ip}:5050", agent_tls=tls, **more)


def wait_for_agent(play: Playground) -> None:
    """Return when it has answered. `endpoints show` succeeds also while it is silent, and shows that."""
    end = time.monotonic() + READY_SECONDS
    while (shown := play.run("endpoints", "show", ENDPOINT, "-o", "json").expect(0).json)["host"] is None:
        assert time.monotonic() < end, (shown, Docker(play.lab, ENDPOINT)("logs", AGENT))
        time.sleep(0.5)


def test_it_tells_of_the_host_and_of_its_processes(play: Playground) -> None:
    facts = play.run("endpoints", "show", ENDPOINT, "-o", "json").expect(0).json["host"]["facts"]
    addresses = {item["name"]: item["addresses"] for item in facts["interfaces"]}
    assert f"{play.lab.endpoint(ENDPOINT).data_ip}/24" in addresses["eth1"]
    listeners = {item["port"]: (item["process"], bool(item["container"])) for item in facts["listeners"]}
    assert listeners == {22: ("sshd", False), 2376: ("dockerd", False), 5050: (AGENT, True)}
    assert facts["system"]["hostname"] == ENDPOINT


def test_it_changes_the_host_and_restores_it_also_after_it_was_killed(play: Playground) -> None:
    docker = Docker(play.lab, ENDPOINT)
    before = play.lab.exec(ENDPOINT, READ_SYSCTL).stdout.strip()
    declare(play, tuning={"sysctls": {"net.ipv4.tcp_mtu_probing": 1}})
    play.converge()
    assert (before, play.lab.exec(ENDPOINT, READ_SYSCTL).stdout.strip()) == ("0", "1")
    docker("kill", "--signal=KILL", AGENT)
    docker("start", AGENT)
    wait_for_agent(play)
    play.assert_nothing_to_do()
    declare(play)
    play.converge()
    assert play.lab.exec(ENDPOINT, READ_SYSCTL).stdout.strip() == before


def test_it_reaches_into_the_networks_of_containers(play: Playground) -> None:
    if reason := {ability.name: ability.lacks for ability in queueing_abilities()}["tbf"]:
        pytest.skip(reason)
    play.data_network()
    play.profile("shaped", qos={"rate": "8mbit"}, data_nets=["data"], mgmt_net=None, ctrl_port_range=None)
    play.session("run", profile="shaped")
    play.converge()
    pid = Docker(play.lab, ENDPOINT)("inspect", "--format={{.State.Pid}}", "play.run")
    enter = ["nsenter", f"--net=/proc/{pid}/ns/net", "tc", "qdisc", "show", "dev", "eth0"]
    assert "rate 8Mbit" in play.lab.exec(ENDPOINT, enter).stdout
    play.remove("sessions/run")
    play.converge()


def test_it_is_the_network_driver_of_the_engine(play: Playground) -> None:
    refused = Docker(play.lab, ENDPOINT).run("network", "create", "--driver=dtnctl", "--subnet=10.77.0.0/24", "data")
    assert "the network names no physical function: option dtnctl.pf" in refused.stderr
