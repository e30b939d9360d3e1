"""What one object can say, and fields that do not go together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from dtnctl.model.container_parts import HealthCheck, Ulimit
from dtnctl.model.profile import Attachment, Profile, Volume
from dtnctl.model.site import AgentTls, Document, Endpoint, Mark, Network, Session, Site
from dtnctl.model.site_settings import Registry, SiteSettings
from dtnctl.model.transfer import Transfer
from dtnctl.model.written import Written

SSH = {"docker": "ssh://dtn@x"}
PORTAINER = {"key": {"secret": "env:PORTAINER_KEY"}}
TLS = {"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem"}


@pytest.mark.parametrize(
    ("model", "value", "message"),
    [
        (Registry, {"username": "a"}, "write exactly one of password, password_env and password_file"),
        (
            Registry,
            {"username": "a", "password_env": "P", "password_file": "p"},
            "write exactly one of password, password_env and password_file",
        ),
        (Registry, {"password_env": "P"}, "write exactly one of username and username_env"),
        (
            Endpoint,
            {"docker": "tcp://x:1"},
            "tcp:// needs `tls:` (ca, cert, key); an engine without it gives root to everyone who reaches the port",
        ),
        (Endpoint, {"docker": "ssh://x", "tls": TLS}, "`tls:` belongs to tcp:// only"),
        (
            Endpoint,
            {"docker": "portainer+https://p:1/a", "host": "x"},
            "portainer+https:// needs `portainer:` with a `key:`; an access token of Portainer's, by reference",
        ),
        (Endpoint, {**SSH, "portainer": PORTAINER}, "`portainer:` belongs to portainer+https:// only"),
        (
            Endpoint,
            {"docker": "portainer+http://127.0.0.1:1/a", "host": "x", "portainer": {**PORTAINER, "ca": "ca.pem"}},
            "`portainer: ca:` belongs to portainer+https:// only",
        ),
        (
            Endpoint,
            {"docker": "portainer+https://p:1/a", "portainer": PORTAINER},
            "`host:` is needed: portainer+https:// does not show where control ports are reached",
        ),
        (Endpoint, {"docker": "unix:///x"}, "`host:` is needed: unix:// does not show where control ports are reached"),
        (Endpoint, {**SSH, "agent_tls": {"ca": "c"}}, "`agent_tls:` and `agent_token_…:` belong to `agent:`, which is missing"),
        (Endpoint, {**SSH, "agent_token_env": "T"}, "`agent_tls:` and `agent_token_…:` belong to `agent:`, which is missing"),
        (
            Endpoint,
            {**SSH, "agent": "http://x:5050", "agent_token_env": "T"},
            "`http://x:5050` is not an agent's address; write https://HOST:5050 (it speaks TLS only), ssh, ssh:/PATH or unix:///PATH",
        ),
        (
            Endpoint,
            {**SSH, "agent": "https://x/v1", "agent_token_env": "T"},
            "`https://x/v1` is not an agent's address; write https://HOST:5050 (it speaks TLS only), ssh, ssh:/PATH or unix:///PATH",
        ),
        (
            Endpoint,
            {"docker": "tcp://x:1", "tls": TLS, "agent": "ssh"},
            "`agent: ssh` is reached through the login of `docker: ssh://…`, and docker is tcp://; write the agent's https:// address",
        ),
        (
            Endpoint,
            {**SSH, "agent": "unix:///a"},
            "`agent: unix:///a` is reached on this machine, as `docker: unix://…` is, and docker is ssh://; "
            "write the agent's https:// address",
        ),
        (
            Endpoint,
            {**SSH, "agent": "ssh", "agent_token_env": "T"},
            "`agent_tls:` and `agent_token_…:` belong to an agent on https://; `agent: ssh` needs neither",
        ),
        (
            Endpoint,
            {**SSH, "agent": "https://x", "agent_token_env": "T", "agent_token_file": "t"},
            "write one of agent_token, agent_token_file and agent_token_env",
        ),
        (
            Endpoint,
            {**SSH, "agent": "https://x", "agent_tls": {"ca": "ca.pem"}},
            "the agent answers only callers that it knows; write `agent_tls:` (ca, cert, key) or a token",
        ),
        (AgentTls, {"ca": "ca.pem", "cert": "cert.pem"}, "write both of cert and key, or neither"),
        (
            Endpoint,
            {"docker": "ssh://x", "tuning": {"smt": False}},
            "`tuning:` needs `agent:`; only an agent can set what belongs to the host",
        ),
        (Network, {"driver": "bridge", "mode": "l2"}, "mode `l2` does not go with driver bridge"),
        (
            Network,
            {"driver": "ipvlan", "mode": "bridge", "subnet": "10.0.0.0/24"},
            "mode `bridge` does not go with driver ipvlan; it knows l2, l3",
        ),
        (
            Network,
            {"driver": "host-device", "subnet": "10.0.0.0/24", "mtu": 9000},
            "`mtu` of a host-device network without `vlan` is that of its interface: set it there",
        ),
        (Network, {"driver": "bridge", "vlan": 5}, "a bridge network has no VLAN; use macvlan or ipvlan"),
        (Network, {"driver": "bridge", "path": "a2b"}, "a bridge network has no VLAN, so it cannot go over a path"),
        (
            Network,
            {"driver": "sriov"},
            "driver sriov needs a subnet: containers get their addresses from dtnctl, there is no DHCP",
        ),
        (Volume, {"type": "bind", "target": "/x"}, "a bind mount needs an absolute host path as `source`"),
        (Volume, {"type": "bind", "source": "x", "target": "/x"}, "`x` is not an absolute path"),
        (
            Endpoint,
            {"docker": "ssh://dtn@x", "vfs": {"ens1f0": 8}},
            "virtual functions are made by the endpoint's agent: `vfs` needs `agent`",
        ),
        (Network, {"driver": "macvlan", "trust": True}, "`trust` is a setting of virtual functions; driver macvlan has none"),
        (Network, {"driver": "sriov", "vlan_priority": 3}, "`vlan_priority` needs `vlan`"),
        (Network, {"driver": "sriov", "min_rate": 20, "max_rate": 10}, "`min_rate` is above `max_rate`"),
        (Profile, {"near": "any", "cpus": 4, "cpu_set": "0-3"}, "`near` chooses CPUs and `cpu_set` names them; remove one"),
        (Volume, {"type": "volume", "target": "/x"}, "a named volume needs its name as `source`"),
        (Volume, {"type": "tmpfs", "source": "x", "target": "/x"}, "a tmpfs has no source"),
        (Volume, {"source": "/x", "target": "/x", "driver": "nfs"}, "`driver` belongs to named volumes"),
        (Volume, {"source": "/x", "target": "/x", "driver_opts": {"a": "b"}}, "`driver` belongs to named volumes"),
        (Volume, {"source": "/x", "target": "/x", "size": "1GiB"}, "`size` belongs to tmpfs"),
        (
            Profile,
            {"privileged": True, "capabilities": {"add": ["NET_RAW"]}},
            "privileged already gives all capabilities and devices; remove them or privileged",
        ),
        (
            Transfer,
            {"from": "a:/x", "to": "b:/x/", "tool": "gridftp", "recursive": True},
            "a recursive transfer copies a folder into a folder: both paths end in /",
        ),
        (Transfer, {"from": "a:/x/", "to": "b:/x/", "tool": "gridftp"}, "the source is a folder; add `recursive: true`"),
        (Transfer, {"from": "a:/x", "to": "b", "tool": "iperf3"}, "iperf3 measures from memory to memory and takes no path: write `a`"),
        (Transfer, {"from": "a", "to": "b:/x", "tool": "rsync"}, "rsync copies files: write `a:/path`"),
        (Transfer, {"from": "a:/x", "to": "b:/x", "tool": "rsync", "options": {"x": 1}}, "tool rsync has no options of its own"),
    ],
)
def test_fields_that_do_not_go_together_are_refused(model: type[Written], value: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(value)
    assert [error["msg"] for error in caught.value.errors()] == [f"Value error, {message}"]


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (Registry, {"username_env": "U", "password_file": "p"}),
        (Endpoint, {"docker": "tcp://x:2376", "tls": TLS}),
        (Endpoint, {"docker": "unix:///run/docker.sock", "host": "x"}),
        (Endpoint, {"docker": "ssh://dtn@x:2222", "allow": {"ports": [[1, 2], 80], "images": ["dtn:*"]}}),
        (Endpoint, {"docker": "tcp://x:2376", "tls": TLS, "agent": "https://x:5050"}),
        (Endpoint, {**SSH, "agent": "https://x:5050", "agent_tls": TLS}),
        (Endpoint, {**SSH, "agent": "https://[fd00::1]:5050", "agent_tls": {"ca": "ca.pem"}, "agent_token_file": "token"}),
        (Endpoint, {**SSH, "agent": "https://x", "agent_token_env": "T"}),
        (Network, {"driver": "bridge"}),
        (Network, {"driver": "ipvlan", "mode": "l3", "subnet6": "fd00::/64"}),
        (Network, {"driver": "macvlan", "mode": "passthru", "vlan": 5, "subnet": "10.0.0.0/24"}),
        (
            Endpoint,
            {"docker": "ssh://dtn@x", "agent": "https://x:5050", "agent_token_env": "T", "vfs": {"ens1f0": 8}, "reserved_cpus": "irq"},
        ),
        (Network, {"driver": "sriov", "subnet": "10.0.0.0/24", "vlan": 5, "vlan_priority": 3, "min_rate": 20, "max_rate": 0}),
        (Volume, {"source": "scratch", "target": "/x", "driver": "rexray/s3fs", "driver_opts": {"size": "5"}}),
        (Volume, {"target": "/x", "size": "1GiB"}),
        (Profile, {"privileged": True, "capabilities": {"drop": ["ALL"]}}),
        (Profile, {"cpus": 4, "restart": "on-failure:3", "env": {"A": "1", "B": None}, "mgmt_net": None, "memory": False}),
        (Transfer, {"from": "a:/x/", "to": "b:/x/", "tool": "gridftp", "recursive": True}),
        (Transfer, {"from": "a:/x", "to": "b:/x/", "tool": "gridftp"}),
    ],
)
def test_fields_that_go_together_are_accepted(model: type[Written], value: dict[str, Any]) -> None:
    assert model.model_validate(value).model_fields_set


@pytest.mark.parametrize(
    ("field", "short", "long"),
    [
        ("volumes", ["/nvme/data:/data:ro"], (Volume(source="/nvme/data", target="/data", mode="ro"),)),
        ("volumes", ["/data"], (Volume(source="/data", target="/data"),)),
        ("volumes", ["scratch:/data"], (Volume(source="scratch", target="/data"),)),
        ("limits", {"memlock": -1}, {"memlock": Ulimit(soft=-1, hard=-1)}),
        ("limits", {"nofile": {"soft": 1, "hard": 2}}, {"nofile": Ulimit(soft=1, hard=2)}),
        ("mgmt_net", "host", Attachment(name="host")),
        ("data_nets", ["a", {"name": "b", "ipv4": "10.0.0.1"}], (Attachment(name="a"), Attachment(name="b", ipv4=("10.0.0.1",)))),
        ("exposed_ports", 8080, ((8080, 8080, "tcp"),)),
        ("exposed_ports", "4791/udp", ((4791, 4791, "udp"),)),
        ("health_check", {"test": "true && false"}, HealthCheck(test=("CMD-SHELL", "true && false"))),
        ("health_check", {"test": ["true"]}, HealthCheck(test=("true",))),
        ("arguments", "sh -c 'a b'", ("sh", "-c", "a b")),
    ],
)
def test_short_form_means_the_long_one(field: str, short: Any, long: Any) -> None:
    assert getattr(Profile.model_validate({field: short}), field) == long


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"source": "/x", "target": "/x"}, "bind"),
        ({"source": "vol", "target": "/x"}, "volume"),
        ({"target": "/x"}, "tmpfs"),
        ({"type": "volume", "source": "vol", "target": "/x"}, "volume"),
    ],
)
def test_source_tells_the_type_of_a_volume(value: Mapping[str, Any], kind: str) -> None:
    assert Volume.model_validate(value).kind == kind


def test_session_expires_at_its_moment_and_not_before() -> None:
    session = Session.model_validate({"endpoints": ["a"], "expires": "2026-06-01T00:00:00Z"})
    assert not session.is_expired(datetime(2026, 5, 31, 23, 59, 59, tzinfo=UTC))
    assert session.is_expired(datetime(2026, 6, 1, tzinfo=UTC))
    assert not Session.model_validate({"endpoints": ["a"]}).is_expired(datetime(9999, 1, 1, tzinfo=UTC))


def test_place_of_a_field_is_the_nearest_one_that_was_written() -> None:
    value = SiteSettings(name="x")
    document = Document("site", "state/site.yaml", value, {(): Mark(1, 1), ("limits",): Mark(3, 1)})
    assert document.mark(("limits", "parallel")) == Mark(3, 1)
    assert document.where("name") == "state/site.yaml:1"
    assert Document("site", "state/site.yaml", value, {}).mark(("name",)) == Mark(1, 1)
    assert Site(settings=document).name == "x"
