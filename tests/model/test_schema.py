"""The JSON Schemas are draft-07 and agree with the models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.layout import fields_at
from dtnctl.model.profile import Profile
from dtnctl.model.schema import SCHEMA_KINDS, schema_of
from dtnctl.model.site import Session
from dtnctl.model.source import Source
from dtnctl.model.transfer import Transfer
from dtnctl.repository.load import validate
from dtnctl.repository.yaml_source import parse_source

REPOSITORY = Path(__file__).parents[2]
VALIDATORS = {kind: jsonschema.Draft7Validator(schema_of(kind)) for kind in SCHEMA_KINDS}


def _model_accepts(kind: str, document: object) -> bool:
    """Whether the document is read as a file's text is: numbers become text where the model takes them as written."""
    source = Source("x.yaml")
    parse_source(json.dumps(document).encode(), source)
    return validate(source, SCHEMA_KINDS[kind]) is not None


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from _nodes(child)
    elif isinstance(node, list):
        for child in node:
            yield from _nodes(child)


@pytest.mark.parametrize("kind", SCHEMA_KINDS)
def test_schema_is_draft_07_and_refuses_unknown_keys(kind: str) -> None:
    schema = schema_of(kind)
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert not {"$defs", "prefixItems", "unevaluatedProperties", "dependentRequired"} & {key for node in _nodes(schema) for key in node}
    for node in _nodes(schema):
        assert node.get("$ref", "#/definitions/").startswith("#/definitions/")
        assert "$ref" not in node or set(node) == {"$ref"}
    objects = [node for node in _nodes(schema) if isinstance(node.get("properties"), dict) and node.get("type") == "object"]
    assert objects
    assert all(node["additionalProperties"] is False for node in objects)


@pytest.mark.parametrize("kind", SCHEMA_KINDS)
def test_every_key_has_its_description(kind: str) -> None:
    properties = schema_of(kind)["properties"]
    assert list(properties) == list(fields_at(SCHEMA_KINDS[kind]))
    assert all(value.get("description") for value in properties.values())


def test_name_of_a_key_may_be_a_word_of_json_schema() -> None:
    assert "from" in schema_of("transfer")["properties"]
    assert schema_of("session")["definitions"]["Volume"]["properties"]["type"]["description"]


@pytest.mark.parametrize("file", sorted((REPOSITORY / "state").rglob("*.yaml")), ids=lambda file: file.name)
def test_shipped_state_fits_its_schemas(file: Path) -> None:
    source = Source(file.name)
    parse_source(file.read_bytes(), source)
    kind = "site" if file.name == "site.yaml" else file.parent.name.removesuffix("s")
    VALIDATORS[kind].validate(source.value)


ENDPOINT = {"docker": "ssh://x"}
TRANSFER = {"from": "a:/x", "to": "b:/x", "tool": "gridftp"}
BOTH: list[tuple[str, dict[str, Any], bool]] = [
    ("site", {"name": "x"}, True),
    ("site", {"name": "a b"}, False),
    ("site", {}, False),
    ("site", {"name": "x", "limits": {"max_prune": "25%", "parallel": 64}}, True),
    ("site", {"name": "x", "limits": {"max_prune": "101%"}}, False),
    ("site", {"name": "x", "limits": {"max_prune": -1}}, False),
    ("site", {"name": "x", "limits": {"parallel": 65}}, False),
    ("endpoint", {**ENDPOINT, "interfaces": {"a": "eth1"}, "allow": {"ports": [80, [1, 2]]}}, True),
    ("endpoint", {"docker": "http://x"}, False),
    ("endpoint", {**ENDPOINT, "interfaces": {"a": 1}}, False),
    ("endpoint", {**ENDPOINT, "allow": {"ports": [[1, 2, 3]]}}, False),
    (
        "endpoint",
        {
            **ENDPOINT,
            "agent": "https://x",
            "agent_token_env": "T",
            "tuning": {"sysctls": {"net.core.rmem_max": 5, "net.ipv4.tcp_rmem": "1 2 3"}},
        },
        True,
    ),
    ("endpoint", {**ENDPOINT, "agent": "https://x", "agent_token_env": "T", "tuning": {"sysctls": {"net.core.rmem_max": 1.5}}}, False),
    ("endpoint", {**ENDPOINT, "agent": "https://x", "agent_token_env": "T", "tuning": {"sysctls": {"../x": 5}}}, False),
    (
        "endpoint",
        {
            **ENDPOINT,
            "agent": "https://x",
            "agent_token_env": "T",
            "tuning": {"interfaces": {"e0": {"qdisc": "mq fq", "pacing": "20gbit"}}},
        },
        True,
    ),
    (
        "endpoint",
        {
            **ENDPOINT,
            "agent": "https://x",
            "agent_token_env": "T",
            "tuning": {"interfaces": {"e0": {"irqs": "local"}, "e1": {"irqs": "0-3"}}},
        },
        True,
    ),
    ("endpoint", {**ENDPOINT, "agent": "https://x", "agent_token_env": "T", "tuning": {"interfaces": {"e/0": {"mtu": 9000}}}}, False),
    (
        "endpoint",
        {**ENDPOINT, "agent": "https://x", "agent_token_env": "T", "tuning": {"interfaces": {"e0": {"mtu": 9000, "speed": 1}}}},
        False,
    ),
    (
        "endpoint",
        {**ENDPOINT, "agent": "https://x", "agent_token_env": "T", "tuning": {"block": {"nvme*n1": {"scheduler": "none"}}, "smt": False}},
        True,
    ),
    ("endpoint", {**ENDPOINT, "agent": "https://x", "agent_token_env": "T", "tuning": {"smt": "off"}}, False),
    ("profile", {"qos": {"rate": "500mbit", "delay": "10ms", "loss": "0.1%", "ports": [8000]}, "tune_container": False}, True),
    ("profile", {"qos": {"rate": 500}}, False),
    ("profile", {"qos": {"loss": 1}}, False),
    ("network", {"driver": "bridge", "mtu": 9000}, True),
    ("network", {"driver": "bridge", "mtu": 100}, False),
    ("network", {"driver": "vlan"}, False),
    ("network", {"driver": "bridge", "vlan": "5"}, False),
    ("network", {"driver": "macvlan", "subnet": "10.0.0.0/24", "addresses": ["10.0.0.5-10.0.0.9"]}, True),
    ("network", {"driver": "macvlan", "subnet": "10.0.0.0/24", "addresses": []}, False),
    ("profile", {"volumes": ["/a:/b:ro", {"target": "/x"}]}, True),
    ("profile", {"volumes": [{"target": "x"}]}, False),
    ("profile", {"volumes": [{"source": "/x"}]}, False),
    ("profile", {"limits": {"memlock": -1, "nofile": {"soft": 1, "hard": 2}}}, True),
    ("profile", {"limits": {"memlock": -2}}, False),
    ("profile", {"mgmt_net": "host"}, True),
    ("profile", {"mgmt_net": None, "data_nets": [{"name": "x", "ipv4": "10.0.0.1"}, "y"]}, True),
    ("profile", {"mgmt_net": 5}, False),
    ("profile", {"data_nets": "x"}, False),
    ("profile", {"exposed_ports": 80}, True),
    ("profile", {"exposed_ports": "80/udp"}, True),
    ("profile", {"exposed_ports": [80, "1-2/tcp"]}, True),
    ("profile", {"exposed_ports": "80/sctp"}, False),
    ("profile", {"exposed_ports": 0}, False),
    ("profile", {"ctrl_port_range": 80}, True),
    ("profile", {"ctrl_port_range": [80, 90]}, True),
    ("profile", {"ctrl_port_range": [80]}, False),
    ("profile", {"ctrl_port_range": "80-90"}, True),
    ("profile", {"arguments": "a b", "entrypoint": ["a"]}, True),
    ("profile", {"arguments": ["a", 1]}, True),
    ("profile", {"arguments": ["a", None]}, False),
    ("profile", {"memory": "64GiB", "shm_size": 5}, True),
    ("profile", {"memory": False}, True),
    ("profile", {"memory": None}, True),
    ("profile", {"memory": True}, False),
    ("profile", {"memory": "lots"}, False),
    ("profile", {"shm_size": False}, False),
    ("profile", {"cpus": 1.5, "cpu_set": "0-3", "memory_nodes": "0"}, True),
    ("profile", {"cpu_set": 3, "memory_nodes": 0, "sysctls": {"net.core.somaxconn": 5}}, True),
    ("profile", {"cpus": -1}, False),
    ("profile", {"cpus": "4"}, False),
    ("profile", {"cpus": True}, False),
    ("profile", {"cpu_set": "a"}, False),
    ("profile", {"env": {"A": 1, "B": "x", "C": None, "D": True, "E": 1.5}}, True),
    ("profile", {"env": {"A": []}}, False),
    ("profile", {"health_check": {"test": "x", "interval": "5s"}}, True),
    ("profile", {"health_check": {"interval": "5s"}}, False),
    ("profile", {"health_check": {"test": "x", "interval": "fast"}}, False),
    ("profile", {"restart": "on-failure:3"}, True),
    ("profile", {"restart": "sometimes"}, False),
    ("profile", {"init": "true"}, False),
    ("profile", {"imgae": "x"}, False),
    ("session", {"endpoints": ["a"], "settings": {"init": True}, "overrides": {"a": {"mgmt_net": "host"}}}, True),
    ("session", {"endpoints": ["a"], "settings": None}, True),
    ("session", {"endpoints": []}, False),
    ("session", {"endpoints": ["a", "a"]}, False),
    ("session", {"endpoints": "a"}, False),
    ("session", {"endpoints": ["a"], "state": "on"}, False),
    ("session", {"endpoints": ["a"], "overrides": {"a": {"init": 1}}}, False),
    ("session", {"endpoints": ["a"], "expires": 5}, False),
    ("transfer", TRANSFER, True),
    ("transfer", {**TRANSFER, "retries": 20, "deadline": "2h", "block_size": "4MiB", "verify": "none"}, True),
    ("transfer", {**TRANSFER, "labels": {"run": 0, "good": True, "share": 1.5}, "metadata": {"x": "y"}}, True),
    ("transfer", {**TRANSFER, "labels": {"run": None}}, False),
    ("transfer", {**TRANSFER, "labels": {"run": [1]}}, False),
    ("transfer", {**TRANSFER, "retries": 21}, False),
    ("transfer", {**TRANSFER, "from": "/x"}, False),
    ("transfer", {**TRANSFER, "tool": 5}, False),
    ("transfer", {**TRANSFER, "from_": "a:/x"}, False),
    ("transfer", {key: value for key, value in TRANSFER.items() if key != "to"}, False),
]


@pytest.mark.parametrize(("kind", "document", "is_valid"), BOTH, ids=lambda value: json.dumps(value) if isinstance(value, dict) else None)
def test_schema_and_model_agree(kind: str, document: dict[str, Any], is_valid: bool) -> None:
    assert VALIDATORS[kind].is_valid(document) is is_valid
    assert _model_accepts(kind, document) is is_valid


_words = st.sampled_from(["a", "/x", "64GiB", "5s", "10.0.0.1", "80/udp", "0-3", "started", "host", "", "a:/x", "25%"])
_values = st.recursive(
    st.one_of(_words, st.integers(-2, 70000), st.booleans(), st.none(), st.sampled_from([0.5, -1.5])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "target", "soft", "hard", "test", "a"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def _documents(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    kind = draw(st.sampled_from(["profile", "session", "transfer", "network", "endpoint", "site"]))
    keys = list(schema_of(kind)["properties"])
    base: dict[str, dict[str, Any]] = {
        "session": {"endpoints": ["a"]},
        "transfer": TRANSFER,
        "network": {"driver": "bridge"},
        "endpoint": ENDPOINT,
        "site": {"name": "x"},
    }
    return kind, {**base.get(kind, {}), **draw(st.dictionaries(st.sampled_from(keys), _values, max_size=3))}


@given(_documents())
def test_editors_never_complain_about_what_the_models_accept(found: tuple[str, dict[str, Any]]) -> None:
    kind, document = found
    if _model_accepts(kind, document):
        VALIDATORS[kind].validate(document)


def test_keys_are_known_at_every_place() -> None:
    assert list(fields_at(Session, ("overrides", "a", "capabilities"))) == ["add", "drop"]
    assert "target" in fields_at(Profile, ("volumes", 0))
    assert next(iter(fields_at(Transfer))) == "from"
    assert fields_at(Profile, ("env",)) == {}
    assert fields_at(Profile, ("env", "A", "deeper")) == {}
    assert fields_at(Profile, ("nothing", "there")) == {}
