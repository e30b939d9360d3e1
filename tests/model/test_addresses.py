"""Addresses of engines and agents are taken apart once; what cannot be one is refused with a sentence, and no password is repeated."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from dtnctl.model.agent_addresses import AgentAddress, parse_agent
from dtnctl.model.engine_addresses import EngineAddress, parse_engine
from dtnctl.model.environments import EnvironmentChoice


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("unix:///run/docker.sock", {"scheme": "unix", "path": "/run/docker.sock"}),
        ("tcp://10.0.0.1:2376", {"scheme": "tcp", "host": "10.0.0.1", "port": 2376}),
        ("tcp://[fd00::1]:2376/engine/", {"scheme": "tcp", "host": "fd00::1", "port": 2376, "path": "/engine"}),
        ("ssh://DTN1.example.net", {"scheme": "ssh", "host": "DTN1.example.net", "path": "/run/docker.sock"}),
        ("ssh://ann@host:2222/", {"scheme": "ssh", "host": "host", "port": 2222, "user": "ann", "path": "/run/docker.sock"}),
        ("ssh://host/run/user/1000/docker.sock", {"scheme": "ssh", "host": "host", "path": "/run/user/1000/docker.sock"}),
        ("ssh://a%40b@[fd00::1]:22/a%20b.sock", {"scheme": "ssh", "host": "fd00::1", "port": 22, "user": "a@b", "path": "/a b.sock"}),
        (
            "portainer+https://p:9443/a%20b",
            {"scheme": "portainer+https", "host": "p", "port": 9443, "environment": EnvironmentChoice(name="a b")},
        ),
        (
            "portainer+https://p:9443/x/y/#7",
            {"scheme": "portainer+https", "host": "p", "port": 9443, "path": "/x/y", "environment": EnvironmentChoice(id=7)},
        ),
        (
            "portainer+http://[::1]:9000/?tag=a&group=g%20h&tag=b",
            {"scheme": "portainer+http", "host": "::1", "port": 9000, "environment": EnvironmentChoice(tags=("a", "b"), group="g h")},
        ),
    ],
)
def test_an_engines_address_is_taken_apart_and_stays_as_it_was_written(text: str, parts: dict[str, str | int]) -> None:
    address = parse_engine(text)
    assert address == EngineAddress(text, **parts)  # type: ignore[arg-type]  # each has the type of its part
    assert str(address) == text


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("ssh://", "there is no host in it"),
        ("ssh://-oProxyCommand=x", "there is no host in it"),
        ("ssh://-l@host", "a user's name does not start with -"),
        ("ssh://host:port", "Port could not be cast"),
        ("ssh://ann:secret@host", "a password is never written there"),
        ("ssh://host?x=1", "there is more in it than user, host, port and path"),
        ("ssh://ho st", "there is a space or a control character in it"),
        ("tcp://host", "there is no port in it"),
        ("tcp://host:0", "there is no port in it"),
        ("unix://run/docker.sock", "a socket's path starts with /"),
        (f"unix:///{'x' * 107}", "a socket's path has at most 107 bytes"),
        ("portainer+https://p/a", "there is no port in it"),
        ("portainer+https://ann@p:1/a", "there is a user in it; Portainer's key is in `portainer: key:`"),
        ("portainer+http://p:1/a", "without TLS everyone on the way reads the key; http is for a Portainer on this machine's loopback"),
        ("portainer+http://:1/a", "without TLS everyone on the way reads the key"),
        ("portainer+https://p:1/", "no environment is in it: end it with /NAME, /#ID, or /?tag=TAG and &group=GROUP"),
        ("portainer+https://p:1/a#7", "an environment is twice in it"),
        ("portainer+https://p:1/#a", "an environment's id is a number"),
        ("portainer+https://p:1/#0", "an environment's id is a number"),
        ("portainer+https://p:1/?tag=", "an environment is found by its tags and its group"),
        ("portainer+https://p:1/?name=a", "an environment is found by its tags and its group"),
    ],
)
def test_what_cannot_be_an_engines_address_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match="is not an engine's address") as caught:
        parse_engine(text)
    assert fault in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("https://dtn1.example.net", {"scheme": "https", "host": "dtn1.example.net", "port": 5050}),
        ("https://[fd00::1]:6000/", {"scheme": "https", "host": "fd00::1", "port": 6000}),
        ("ssh", {"scheme": "ssh", "path": "/run/dtnctl/agent.sock"}),
        ("ssh:/run/other.sock", {"scheme": "ssh", "path": "/run/other.sock"}),
        ("unix:///run/dtnctl/agent.sock", {"scheme": "unix", "path": "/run/dtnctl/agent.sock"}),
    ],
)
def test_an_agents_address_is_taken_apart_and_stays_as_it_was_written(text: str, parts: dict[str, str | int]) -> None:
    address = parse_agent(text)
    assert address == AgentAddress(text, **parts)  # type: ignore[arg-type]  # each has the type of its part
    assert str(address) == text


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("http://dtn1:5050", "is not an agent's address; write https://HOST:5050"),
        ("ssh://dtn@dtn1", "is not an agent's address; write"),
        ("ssh:", "is not an agent's address; write"),
        ("https://dtn1:70000", "there is no port 70000"),
        ("https://dtn1:0", "there is no port 0"),
        ("unix://agent.sock", "a socket's path starts with /"),
        (f"ssh:/{'x' * 107}", "a socket's path has at most 107 bytes"),
    ],
)
def test_what_cannot_be_an_agents_address_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match="is not an agent's address") as caught:
        parse_agent(text)
    assert fault in str(caught.value)


@pytest.mark.parametrize(("kind", "text"), [(EngineAddress, "ssh://dtn@dtn1"), (AgentAddress, "ssh")])
def test_files_schemas_and_dumps_have_the_text(kind: type, text: str) -> None:
    adapter = TypeAdapter[EngineAddress | AgentAddress](kind)
    address = adapter.validate_python(text)
    assert (str(address), adapter.dump_python(address), adapter.dump_json(address)) == (text, text, f'"{text}"'.encode())
    assert adapter.json_schema()["type"] == "string"
