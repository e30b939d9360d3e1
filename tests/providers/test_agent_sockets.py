"""dtnctl and an agent on a unix socket, through a real sshd or on this machine: it works, it recovers, and what fails is one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from dtn_agent.protocol.tuning import Tune

from dtnctl.errors import NotFoundError, UnreachableError
from dtnctl.model.agent_addresses import parse_agent
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.site import Endpoint
from dtnctl.providers import ssh
from dtnctl.providers.agent.client import AgentClient, connect_agent
from dtnctl.providers.agent.errors import MAY_OPEN, RUNS, reason
from dtnctl.providers.agent.reach import SshReach
from dtnctl.providers.ssh import FarSocket
from dtnctl.providers.timeouts import Timeouts
from tests.agent.server.serving import TUNE, refusal, running_on_socket
from tests.providers import sshd

PATIENT = Timeouts(connect=5.0, answer=20.0, read=20.0, write=20.0, login=20.0)
ASKED = Tune(site="demo", key=TUNE["key"], value=TUNE["value"])

needs_sshd = pytest.mark.skipif(sshd.unavailable() is not None, reason=str(sshd.unavailable()))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sshd.Server]:
    with sshd.running_sshd(tmp_path) as running:
        monkeypatch.setenv("PATH", f"{running.bin}:{os.environ['PATH']}")
        yield running


def through_ssh(server: sshd.Server, path: Path) -> AgentClient:
    """A client of the agent at this path, by the login of an engine that nobody asks."""
    endpoint = Endpoint(docker=parse_engine(f"ssh://{server.user}@box"), agent=parse_agent(f"ssh:{path}"))
    return connect_agent("dtn1", endpoint, read_only=False, root=Path("/"), timeouts=PATIENT)


def on_this_machine(path: Path) -> AgentClient:
    endpoint = Endpoint(docker=parse_engine("unix:///run/docker.sock"), host="dtn1", agent=parse_agent(f"unix://{path}"))
    return connect_agent("dtn1", endpoint, read_only=False, root=Path("/"), timeouts=PATIENT)


def tunnel_of(client: AgentClient) -> psutil.Process:
    reach = client._lines.reach
    assert isinstance(reach, SshReach)
    assert reach.tunnel is not None
    return psutil.Process(reach.tunnel.process.pid)


def complaint(client: AgentClient) -> str:
    with pytest.raises(UnreachableError) as raised:
        client.host()
    return str(raised.value)


@needs_sshd
def test_an_agent_is_asked_through_the_endpoints_login_by_several_threads_over_one_ssh(server: sshd.Server, tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with running_on_socket(path) as agent, closing(through_ssh(server, path)) as client, ThreadPoolExecutor(6) as pool:
        assert client.perform(ASKED).changed
        tunnel = tunnel_of(client)
        hosts = list(pool.map(lambda _: client.host(frozenset({TUNE["key"]})), range(12)))
        assert {host.readings[TUNE["key"]] for host in hosts} == {TUNE["value"]}
        assert tunnel_of(client) == tunnel
        client.close()
        _, alive = psutil.wait_procs([tunnel], timeout=20)
        assert alive == []
    assert {line["who"] for line in agent.events("audit")} == {f"uid {os.geteuid()}"}


@needs_sshd
def test_after_ssh_ended_the_next_question_makes_a_new_one(server: sshd.Server, tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with running_on_socket(path), closing(through_ssh(server, path)) as client:
        client.host()
        tunnel = tunnel_of(client)
        (below,) = tunnel.children()
        below.kill()
        psutil.wait_procs([below], timeout=20)
        assert client.host().facts.system.hostname == "dtn1"
        assert tunnel_of(client) != tunnel


@needs_sshd
def test_an_agent_that_is_started_again_is_asked_over_the_same_ssh(server: sshd.Server, tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with closing(through_ssh(server, path)) as client:
        with running_on_socket(path):
            client.host()
            tunnel = tunnel_of(client)
        assert f"{path} on box takes no connections; {RUNS}" in complaint(client)
        with running_on_socket(path):
            assert client.host().facts.system.hostname == "dtn1"
        assert tunnel_of(client) == tunnel


@needs_sshd
def test_an_agent_that_is_not_there_is_reported_with_what_to_check(server: sshd.Server, tmp_path: Path) -> None:
    with closing(through_ssh(server, tmp_path / "agent.sock")) as client:
        said = complaint(client)
    assert said == f"ssh://{server.user}@box: there is no socket {tmp_path}/agent.sock on box; {RUNS}?"


@needs_sshd
def test_a_login_that_is_refused_is_the_reason_of_the_agents_silence(server: sshd.Server, tmp_path: Path) -> None:
    server.authorized_keys.write_text((server.folder / "stranger.pub").read_text())
    with closing(through_ssh(server, tmp_path / "agent.sock")) as client:
        assert ssh.REFUSED in complaint(client)


@needs_sshd
def test_a_refusal_of_the_agent_names_its_socket(server: sshd.Server, tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with running_on_socket(path) as agent, closing(through_ssh(server, path)) as client:
        agent.resource.raises = refusal("not-found", "there is no such key")
        with pytest.raises(NotFoundError, match=f"ssh://{server.user}@box, agent at {path}: there is no such key"):
            client.perform(ASKED)


def test_an_agent_of_this_machine_is_asked_on_its_socket(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with running_on_socket(path) as agent, closing(on_this_machine(path)) as client:
        assert client.perform(ASKED).changed
        assert client.host().facts.system.hostname == "dtn1"
    assert {line["from"] for line in agent.events("request")} == {str(path)}


def test_an_agent_of_this_machine_that_does_not_run_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with closing(on_this_machine(path)) as client:
        assert complaint(client) == f"unix://{path}: there is no socket at {path}; {RUNS}?"


def test_a_socket_that_the_login_may_not_open_says_who_may() -> None:
    with pytest.raises(UnreachableError, match=r"the login on h may not open /run/dtnctl/agent\.sock; root and the agent's group may"):
        ssh._check_socket([ssh.DENIED, ssh.READY], parse_engine("ssh://h"), FarSocket("/run/dtnctl/agent.sock", RUNS, MAY_OPEN))
    assert reason(PermissionError(13, "Permission denied"), path="/a.sock") == f"this user may not open /a.sock; {MAY_OPEN}"
