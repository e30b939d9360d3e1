"""The agent over real TLS: who is let in, what is answered, and what is written down."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dtn_agent import protocol as p
from dtn_agent.protocol.qos import SetQos

from tests.agent.server.serving import TOKEN, TUNE, Agent, refusal, running_agent, with_both, with_token
from tests.providers.certificates import CLIENT, DAY, SERVER, Pair, authority, issue

BEARER = {"Authorization": f"Bearer {TOKEN}"}


def test_a_known_caller_gets_facts_and_readings(tmp_path: Path) -> None:
    with running_agent(tmp_path) as agent:
        agent.perform(TUNE)
        status, host = agent.ask(agent.known(), path="/v1/host?readings=sysctl/net.core.rmem_max&readings=governor")
    assert status == 200
    told = p.Host.model_validate(host)
    assert (told.version, told.facts.system.hostname, told.lacks("tune")) == (p.PROTOCOL_VERSION, "dtn1", "")
    assert told.readings == {"sysctl/net.core.rmem_max": "268435456", "governor": None}


def test_a_change_is_made_once_and_written_down_each_time(tmp_path: Path) -> None:
    with running_agent(tmp_path) as agent:
        caller = agent.known("ci.example")
        assert agent.perform(TUNE, caller) == (200, {"changed": True, "detail": "tune"})
        assert agent.perform(TUNE, caller) == (200, {"changed": False, "detail": "tune"})
        audits = agent.events("audit")
    assert [(line["who"], line["request"], line["result"], line["changed"]) for line in audits] == [
        ("ci.example", TUNE, "done", True),
        ("ci.example", TUNE, "done", False),
    ]
    assert all(line["from"].startswith("127.0.0.1:") and line["time"].endswith("Z") for line in audits)


def test_every_request_has_a_line(tmp_path: Path) -> None:
    with running_agent(tmp_path, with_both) as agent:
        agent.ask(agent.known("ci.example"))
        agent.ask(agent.context(), headers=BEARER)
        agent.ask(agent.context(), "POST", "/v1/perform", TUNE)
    lines = agent.events("request")  # the last one is written after its answer
    assert [(line["who"], line["method"], line["path"], line["status"]) for line in lines] == [
        ("ci.example", "GET", "/v1/host", 200),
        ("token", "GET", "/v1/host", 200),
        (None, "POST", "/v1/perform", 401),
    ]
    assert all(line["ms"] >= 0 for line in lines)


@pytest.mark.parametrize("value", ["4096\n87380", "1\n", "\r1", "1\x0b2", "fq\n", "1\u2028", "1\x00", "1\x85"])
@pytest.mark.parametrize("key", ["sysctl/net.ipv4.tcp_rmem", "governor", "interface/ens1f0/qdisc", "block/nvme0n1/nr_requests"])
def test_a_value_of_more_than_one_line_is_refused(tmp_path: Path, key: str, value: str) -> None:
    with running_agent(tmp_path) as agent:
        status, refused = agent.perform({"do": "tune", "site": "demo", "key": key, "value": value})
        assert (status, refused["code"]) == (400, "bad-request")
        assert refused["error"].startswith("tune.value: ")
        assert agent.resource.asked == []


# --- who is let in ----------------------------------------------------------------------------------------------------


def refused_handshake(agent: Agent, context: ssl.SSLContext) -> str:
    """How TLS refuses this client. With TLS 1.3 that comes with the first answer."""
    with pytest.raises((ssl.SSLError, ConnectionError)) as raised:
        agent.ask(context)
    return str(raised.value).lower()


def test_without_a_client_certificate_nobody_gets_in(tmp_path: Path) -> None:
    with running_agent(tmp_path) as agent:
        assert "certificate required" in refused_handshake(agent, agent.context()).replace("_", " ")
        assert_alive_and_unchanged(agent)


BAD_CLIENTS: dict[str, tuple[Callable[[Pair], Pair], str]] = {
    "another CA's": (lambda ca: issue(authority("another"), uses=(CLIENT,)), "unknown ca"),
    "a CA's that calls itself the same": (lambda ca: issue(authority("ca"), uses=(CLIENT,)), "decrypt error"),
    "expired": (lambda ca: issue(ca, uses=(CLIENT,), valid=(-2 * DAY, -timedelta(hours=1))), "certificate expired"),
    "not valid yet": (lambda ca: issue(ca, uses=(CLIENT,), valid=(DAY, 2 * DAY)), "certificate"),
    "a server's": (lambda ca: issue(ca, uses=(SERVER,)), "certificate"),
}


@pytest.mark.parametrize("wrong", BAD_CLIENTS)
def test_a_client_certificate_that_is_not_good(tmp_path: Path, wrong: str) -> None:
    make, alert = BAD_CLIENTS[wrong]
    with running_agent(tmp_path) as agent:
        assert alert in refused_handshake(agent, agent.context(make(agent.ca))).replace("_", " ")
        assert_alive_and_unchanged(agent)
    assert agent.events("no-handshake")[0]["from"].startswith("127.0.0.1:")


def test_old_tls_is_not_spoken(tmp_path: Path) -> None:
    with running_agent(tmp_path) as agent:
        old = agent.known()
        old.minimum_version = ssl.TLSVersion.TLSv1_2
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert agent.ask(old)[0] == 200
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = ssl.TLSVersion.TLSv1_1
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        refused_handshake(agent, old)
        assert_alive_and_unchanged(agent)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer " + TOKEN[:-1]}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Basic {TOKEN}"}],
    ids=["none", "shorter", "longer", "another scheme"],
)
@pytest.mark.parametrize("path", ["/v1/host", "/v1/openapi.json", "/v1/perform", "/nothing", "/docs"])
def test_without_the_token_every_route_is_closed(tmp_path: Path, headers: dict[str, str], path: str) -> None:
    with running_agent(tmp_path, with_token) as agent:
        status, refused = agent.ask(agent.context(), headers=headers, path=path)
        assert (status, refused["code"]) == (401, "unauthorized")
        assert "bearer token" in refused["error"]
        assert agent.ask(agent.context(), headers=BEARER)[0] == 200


def test_the_token_lets_in_and_is_never_written_down(tmp_path: Path) -> None:
    with running_agent(tmp_path, with_token) as agent:
        assert agent.ask(agent.context(), "POST", "/v1/perform", TUNE, BEARER)[0] == 200
        assert agent.events("audit")[0]["who"] == "token"
        assert TOKEN not in agent.output.getvalue()


def test_with_both_ways_a_wrong_certificate_is_not_saved_by_the_token(tmp_path: Path) -> None:
    with running_agent(tmp_path, with_both) as agent:
        stranger = agent.context(issue(authority("ca"), uses=(CLIENT,)))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            agent.ask(stranger, headers=BEARER)


def test_nobody_says_that_he_comes_from_elsewhere(tmp_path: Path) -> None:
    with running_agent(tmp_path) as agent:
        agent.ask(agent.known(), headers={"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1"})
    assert agent.events("request")[0]["from"].startswith("127.0.0.1:")


# --- what is wrong is named -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "the body is not JSON"),
        (b"", "the body"),
        (b"\xff\xfe", "the body"),
        (b"[" * 60_000, "the body"),
        (b"null", "the body"),
        ({}, "do: it is missing"),
        ({"do": "format-disk"}, "do: there is no request 'format-disk'"),
        ({**TUNE, "force": True}, "tune.force: there is no such field"),
        ({"do": "tune", "site": "demo", "key": "governor"}, "tune.value: it is missing"),
        ({**TUNE, "key": "../../etc/passwd"}, "tune.key: "),
        ({"do": "set-vf-count", "site": "demo", "pf": "ens1f0", "count": "4"}, "set-vf-count.count: "),
        ({"do": "set-vf-count", "site": "demo", "pf": "../ens1f0", "count": 4}, "set-vf-count.pf: "),
        ({"do": "make-vlan", "site": "demo", "parent": "ens1f0", "vlan": 4095}, "make-vlan.vlan: "),
    ],
)
def test_a_request_that_is_wrong_is_refused_with_the_field(tmp_path: Path, body: Any, sentence: str) -> None:
    with running_agent(tmp_path) as agent:
        status, refused = agent.perform(body)
        assert (status, refused["code"]) == (400, "bad-request")
        assert sentence in refused["error"]
        assert len(refused["error"]) < 1000
        assert_alive_and_unchanged(agent)


def test_ports_come_as_a_list(tmp_path: Path) -> None:
    request = {"do": "set-qos", "site": "demo", "session": "s", "network": "n", "container": "c", "address": "10.0.0.1", "ports": [2811]}
    with running_agent(tmp_path) as agent:
        assert agent.perform(request)[0] == 200
        (asked,) = agent.resource.asked
        assert isinstance(asked, SetQos)
        assert asked.ports == (2811,)


@pytest.mark.parametrize("key", ["../etc/shadow", "a" * 130, "x/y/z/w"])
def test_a_reading_that_is_no_key_is_refused(tmp_path: Path, key: str) -> None:
    with running_agent(tmp_path) as agent:
        status, refused = agent.ask(agent.known(), path=f"/v1/host?readings={key}")
    assert (status, refused["code"]) == (400, "bad-request")
    assert "readings" in refused["error"]


@pytest.mark.parametrize(
    ("code", "status"), [("bad-request", 400), ("not-found", 404), ("conflict", 409), ("unsupported", 422), ("failed", 500)]
)
def test_a_hands_refusal_is_told_and_written_down(tmp_path: Path, code: str, status: int) -> None:
    with running_agent(tmp_path) as agent:
        agent.resource.raises = refusal(code, "VF 3 is held by prod/climate")
        assert agent.perform(TUNE) == (status, {"code": code, "error": "VF 3 is held by prod/climate"})
        (line,) = agent.events("audit")
        assert (line["result"], line["changed"], line["detail"]) == (code, None, "VF 3 is held by prod/climate")


def test_a_defect_is_told_without_a_traceback_and_logged_with_one(tmp_path: Path) -> None:
    with running_agent(tmp_path) as agent:
        agent.resource.raises = ZeroDivisionError("secret of the inside")
        status, refused = agent.perform(TUNE)
        assert (status, refused["code"]) == (500, "failed")
        assert "secret" not in refused["error"]
        assert "journalctl" in refused["error"]
        assert "ZeroDivisionError" in agent.events("failed")[0]["traceback"]
        assert agent.events("audit")[0]["result"] == "failed"
        agent.resource.raises = None
        assert agent.perform(TUNE)[0] == 200


def test_a_ledger_that_is_none_is_told_and_left_alone(tmp_path: Path) -> None:
    with running_agent(tmp_path) as agent:
        (tmp_path / "ledger.json").write_text("not ours")
        status, refused = agent.ask(agent.known())
    assert (status, refused["code"]) == (500, "failed")
    assert "ledger.json is not a ledger" in refused["error"]
    assert (tmp_path / "ledger.json").read_text() == "not ours"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("GET", "/docs", 404), ("POST", "/v1/host", 405), ("DELETE", "/v1/perform", 405)]
)
def test_other_routes_and_methods_are_refused_in_the_same_form(tmp_path: Path, method: str, path: str, status: int) -> None:
    with running_agent(tmp_path) as agent:
        found, refused = agent.ask(agent.known(), method, path)
    assert found == status
    p.Refused.model_validate(refused)
    assert "/v1/host" in refused["error"]


def test_the_interface_describes_itself(tmp_path: Path) -> None:
    with running_agent(tmp_path) as agent:
        status, document = agent.ask(agent.known(), path="/v1/openapi.json")
    assert status == 200
    assert set(document["paths"]) == {"/v1/host", "/v1/perform"}
    assert set(document["paths"]["/v1/perform"]["post"]["responses"]) == {"200", "default"}
    assert {"ConfigureVf", "Host", "Refused"} <= set(document["components"]["schemas"])


def assert_alive_and_unchanged(agent: Agent) -> None:
    """Whatever was tried: the next caller is served, and nothing was changed."""
    assert agent.ask(agent.known())[0] == 200
    assert agent.resource.asked == []
    assert not (agent.folder / "ledger.json").exists()
