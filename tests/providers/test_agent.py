"""dtnctl and an agent that really serves: who is who, what is asked, and a sentence for everything that goes wrong."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from dtn_agent.protocol.tuning import Tune
from dtn_agent.server.limits import ServerLimits

from dtnctl.errors import ConflictError, EngineError, NotFoundError, UnreachableError
from dtnctl.model.agent_addresses import parse_agent
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.secret_fields import Secret
from dtnctl.model.site import AgentTls, Endpoint, Tls
from dtnctl.providers.agent.client import AgentClient, AgentObserver, connect_agent
from dtnctl.providers.base import ReadOnlyError
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.providers.timeouts import Timeouts
from tests.agent.server.serving import TOKEN, TUNE, Agent, refusal, running_agent, with_both, with_token
from tests.providers.certificates import CLIENT, DAY, authority, issue

SOON = Timeouts(connect=5.0, answer=5.0, read=5.0, write=5.0)
ASKED = Tune(site="demo", key=TUNE["key"], value=TUNE["value"])
OURS = AgentTls(ca="ca.pem", cert="cert.pem", key="cert-key.pem")


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with running_agent(tmp_path, with_both) as running:
        issue(running.ca, name="ci.example", uses=(CLIENT,)).write(tmp_path, "cert")
        yield running


def endpoint(port: int, **fields: Any) -> Endpoint:
    return Endpoint(
        docker=parse_engine("ssh://dtn@dtn1"), agent=parse_agent(f"https://127.0.0.1:{port}"), **(fields or {"agent_tls": OURS})
    )


def client(agent: Agent, **fields: Any) -> AgentClient:
    return connect_agent("dtn1", endpoint(agent.port, **fields), read_only=False, root=agent.folder, timeouts=SOON)


def complaint(folder: Path, port: int, **fields: Any) -> str:
    """What an observer says that gets no answer."""
    observer = connect_agent("dtn1", endpoint(port, **fields), read_only=True, root=folder, timeouts=SOON)
    with pytest.raises(UnreachableError) as raised:
        observer.host()
    observer.close()
    assert str(raised.value).startswith(f"https://127.0.0.1:{port}: ")
    return str(raised.value)


def test_facts_are_read_and_changes_made(agent: Agent) -> None:
    asked = client(agent)
    assert asked.perform(ASKED).changed
    assert not asked.perform(ASKED).changed
    host = asked.host(frozenset({TUNE["key"], "governor"}))
    assert host.facts.system.hostname == "dtn1"
    assert host.readings == {TUNE["key"]: TUNE["value"], "governor": None}
    assert {line["who"] for line in agent.events("audit")} == {"ci.example"}
    asked.close()


def test_an_observer_cannot_change_anything(agent: Agent) -> None:
    observer = connect_agent("dtn1", endpoint(agent.port), read_only=True, root=agent.folder, timeouts=SOON)
    assert type(observer) is AgentObserver
    assert not hasattr(observer, "perform")
    with pytest.raises(ReadOnlyError, match="POST /v1/perform was not sent"):
        AgentClient.perform(observer, ASKED)  # type: ignore[arg-type]  # somebody who insists
    observer.host()
    observer.close()
    assert agent.resource.asked == []
    assert not agent.events("audit")


@pytest.mark.parametrize("way", ["file", "environment"])
def test_a_token_does_instead_of_a_certificate(agent: Agent, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setenv("AGENT_TOKEN", TOKEN)
    token = {"agent_token_file": "token"} if way == "file" else {"agent_token_env": "AGENT_TOKEN"}
    asked = client(agent, agent_tls=AgentTls(ca="ca.pem"), **token)
    assert asked.perform(ASKED).changed
    asked.close()
    assert agent.events("audit")[0]["who"] == "token"


def test_a_token_by_reference_is_looked_up_when_it_is_needed(agent: Agent) -> None:
    asks = endpoint(agent.port, agent_tls=AgentTls(ca="ca.pem"), agent_token=Secret(secret="env:AGENT_TOKEN"))
    known = SecretSource(agent.folder, {"AGENT_TOKEN": TOKEN})
    asked = connect_agent("dtn1", asks, read_only=True, root=agent.folder, timeouts=SOON, secrets=known)
    assert asked.host().version
    asked.close()
    said = complaint(agent.folder, agent.port, agent_tls=AgentTls(ca="ca.pem"), agent_token=Secret(secret="env:NOSUCH"))
    assert "`agent_token` (env:NOSUCH) cannot be used: the environment variable NOSUCH is not set" in said


def test_without_certificates_of_its_own_the_engines_serve(agent: Agent) -> None:
    tls = Tls(ca="ca.pem", cert="cert.pem", key="cert-key.pem")
    both = Endpoint(docker=parse_engine("tcp://127.0.0.1:2376"), tls=tls, agent=parse_agent(f"https://127.0.0.1:{agent.port}"))
    observer = connect_agent("dtn1", both, read_only=True, root=agent.folder, timeouts=SOON)
    assert observer.host().facts.system.hostname == "dtn1"
    observer.close()


def test_a_connection_is_kept(agent: Agent) -> None:
    asked = client(agent)
    asked.host()
    kept = list(asked._lines.idle)
    asked.host()
    assert asked._lines.idle == kept
    assert len(kept) == 1
    asked.close()


def test_a_connection_that_the_agent_has_closed_is_made_anew(tmp_path: Path) -> None:
    with running_agent(tmp_path, limits=ServerLimits(waiting=2.0)) as agent:
        issue(agent.ca, uses=(CLIENT,)).write(tmp_path, "cert")
        asked = client(agent)
        asked.host()
        (kept,) = asked._lines.idle
        assert select.select([kept.sock], [], [], 30)[0]  # the agent has closed it
        assert asked.perform(ASKED).changed
        assert asked._lines.idle != [kept]
        asked.close()


def test_many_threads_share_one_client(agent: Agent) -> None:
    asked = client(agent)
    with ThreadPoolExecutor(8) as pool:
        hosts = list(pool.map(lambda _: asked.host(), range(40)))
    asked.close()
    assert len(hosts) == 40


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_the_environment_changes_nothing(agent: Agent, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9" if "PROXY" in name.upper() else str(authority("other").write(agent.folder, "other")[0]))
    asked = client(agent)
    asked.host()
    asked.close()


# --- the agent refuses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "kind"), [("conflict", ConflictError), ("not-found", NotFoundError), ("unsupported", EngineError)])
def test_a_refusal_is_an_error_with_the_agents_words(agent: Agent, code: str, kind: type[EngineError]) -> None:
    asked = client(agent)
    agent.resource.raises = refusal(code, "VF 3 of ens1f0 is held by prod/climate")
    with pytest.raises(kind, match="VF 3 of ens1f0 is held by prod/climate") as raised:
        asked.perform(ASKED)
    assert type(raised.value) is kind
    asked.close()


def test_a_wrong_token_is_told_with_what_to_check(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_TOKEN", "x" * 32)
    asked = client(agent, agent_tls=AgentTls(ca="ca.pem"), agent_token_env="AGENT_TOKEN")
    with pytest.raises(EngineError, match="bearer token; check `agent_tls:` or `agent_token_…:`") as raised:
        asked.host()
    assert "xxxx" not in str(raised.value)
    asked.close()


def test_a_busy_agent_is_asked_again(tmp_path: Path) -> None:
    with running_agent(tmp_path, limits=ServerLimits(requests=1, turn=0.1)) as agent, ThreadPoolExecutor() as pool:
        issue(agent.ca, uses=(CLIENT,)).write(tmp_path, "cert")
        agent.resource.gate = threading.Event()
        asked, other = client(agent), client(agent)
        first = pool.submit(asked.perform, ASKED)
        assert agent.resource.entered.acquire(timeout=30)
        waiting = pool.submit(other.host)
        while not [line for line in agent.events("request") if line["status"] == 503]:
            assert not waiting.done()
        agent.resource.gate.set()
        assert first.result().changed
        assert waiting.result().facts.system.hostname == "dtn1"
        asked.close()
        other.close()


# --- no answer --------------------------------------------------------------------------------------------------------


def test_a_certificate_of_ours_that_has_expired(agent: Agent) -> None:
    issue(agent.ca, uses=(CLIENT,), valid=(-2 * DAY, -timedelta(hours=1))).write(agent.folder, "cert")
    assert "the agent refuses our certificate; is `agent_tls: cert` signed by" in complaint(agent.folder, agent.port)


def test_an_agent_of_another_ca(agent: Agent) -> None:
    authority("another").write(agent.folder, "ca")
    assert "not signed by the CA in `agent_tls: ca`" in complaint(agent.folder, agent.port)


def test_an_agent_whose_certificate_is_for_another_host(agent: Agent) -> None:
    other = Endpoint(docker=parse_engine("ssh://dtn@dtn1"), agent=parse_agent(f"https://localhost:{agent.port}"), agent_tls=OURS)
    observer = connect_agent("dtn1", other, read_only=True, root=agent.folder, timeouts=SOON)
    with pytest.raises(UnreachableError, match="the agent's certificate is not for localhost"):
        observer.host()


@pytest.mark.parametrize("name", ["ca", "cert", "key"])
def test_a_file_that_is_missing_is_named(agent: Agent, name: Literal["ca", "cert", "key"]) -> None:
    path = agent.folder / getattr(OURS, name)
    path.unlink()
    assert f"`agent_tls: {name}`: cannot read {path}: No such file" in complaint(agent.folder, agent.port)


def test_files_without_certificates_are_told(agent: Agent) -> None:
    (agent.folder / "cert-key.pem").write_text("nothing of use")
    assert "are no PEM certificate and its key" in complaint(agent.folder, agent.port)
    (agent.folder / "ca.pem").write_text("nothing of use")
    assert "ca.pem holds no certificate (PEM)" in complaint(agent.folder, agent.port)


@pytest.mark.parametrize("value", ["", "two words", "line\nand another", "schlüssel-" * 4])
def test_a_token_that_is_none_is_told_and_not_shown(agent: Agent, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AGENT_TOKEN", value)
    said = complaint(agent.folder, agent.port, agent_tls=AgentTls(ca="ca.pem"), agent_token_env="AGENT_TOKEN")
    assert "AGENT_TOKEN (`agent_token_env`) holds no token" in said
    assert not value or value not in said


def test_a_port_where_nobody_listens(agent: Agent) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "no process listens there; does the agent run" in complaint(agent.folder, port)


def test_a_port_that_accepts_and_says_nothing(agent: Agent) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        impatient = Timeouts(connect=0.2, answer=0.2, read=0.2)
        observer = connect_agent("dtn1", endpoint(listener.getsockname()[1]), read_only=True, root=agent.folder, timeouts=impatient)
        with pytest.raises(UnreachableError, match="no answer in time"):
            observer.host()


def test_a_port_that_does_not_speak_tls(agent: Agent) -> None:
    def serve(listener: socket.socket) -> None:
        with listener.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as pool:
        serving = pool.submit(serve, listener)
        assert "does not speak TLS" in complaint(agent.folder, listener.getsockname()[1])
        serving.result()


def test_a_host_name_that_does_not_exist(agent: Agent) -> None:
    nowhere = Endpoint(docker=parse_engine("ssh://dtn@dtn1"), agent=parse_agent("https://no-such-host.invalid"), agent_tls=OURS)
    observer = connect_agent("dtn1", nowhere, read_only=True, root=agent.folder, timeouts=SOON)
    with pytest.raises(UnreachableError, match=r"there is no host of the name no-such-host\.invalid"):
        observer.host()


def test_an_endpoint_without_an_agent_has_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="dtn1 has no agent"):
        connect_agent("dtn1", Endpoint(docker=parse_engine("ssh://dtn@dtn1")), read_only=True, root=tmp_path, timeouts=SOON)


def test_token_only_agents_need_no_certificate_of_ours(tmp_path: Path) -> None:
    with running_agent(tmp_path, with_token) as agent:
        asked = client(agent, agent_tls=AgentTls(ca=str(agent.ca.write(tmp_path, "ca")[0])), agent_token_file="token")
        assert asked.host().facts.system.hostname == "dtn1"
        asked.close()
