"""Whether the other end can reach a destination's data ports: what can never work is said before it starts, with the line to change."""

from __future__ import annotations

import pytest

from dtnctl.model.actions import StartTransfer
from tests.planning.building import plan, site, world

NETWORKS = (
    "# networks/lan\ndriver: macvlan\nsubnet: 10.0.0.0/24\n"
    "# networks/six\ndriver: ipvlan\nsubnet6: fd00:1::/64\n"
    "# networks/both\ndriver: macvlan\nsubnet: 10.2.0.0/24\nsubnet6: fd00:2::/64\n"
    "# networks/inside\ndriver: bridge\nsubnet: 10.3.0.0/24\ninternal: true\n"
    "# networks/open\ndriver: bridge\nsubnet: 10.4.0.0/24\n"
)
INTERFACES = "interfaces: {lan: eth1, six: eth2, both: eth3}\n"
PORTS = "data_port_range: [50100, 50103]"


def declared(settings: str, near: str = "", hosts: tuple[str, str] = ("a.example.net", "b.example.net")) -> str:
    """A transfer from a to b, whose session has the settings, and on a also those of `near`."""
    endpoints = "".join(
        f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: '{host}'\n{INTERFACES}" for name, host in zip("ab", hosts, strict=True)
    )
    session = f"# sessions/s\nendpoints: [a, b]\nimage: dtn:1\nuser: dtn\nsettings: {{volumes: ['data:/data'], {settings}}}\n"
    overrides = f"overrides: {{a: {{{near}}}}}\n" if near else ""
    return f"{endpoints}{NETWORKS}{session}{overrides}# transfers/t\nfrom: a:/data/x\nto: b:/data/x\ntool: gridftp\n"


@pytest.mark.parametrize(
    ("settings", "data_host"),
    [
        (PORTS, "b.example.net"),
        (f"mgmt_net: open, {PORTS}", "b.example.net"),
        ('exposed_ports: ["50000-50009"]', "b.example.net"),
        ("mgmt_net: host", "b.example.net"),
        ("mgmt_net: lan", "10.0.0.3"),
        ("data_nets: [lan]", "10.0.0.3"),
        ("data_nets: [lan, open]", "10.0.0.3"),
        ("data_nets: [both]", "10.2.0.3"),
        ("data_nets: [six]", "fd00:1::3"),
        ("mgmt_net: null, data_nets: [six]", "fd00:1::3"),
    ],
)
def test_the_server_offers_the_address_at_which_the_other_end_reaches_its_data_ports(settings: str, data_host: str) -> None:
    text = declared(settings)
    made = plan(site(text), world(site(text)))
    (action,) = (step.action for step in made.steps if isinstance(step.action, StartTransfer))
    assert action.destination.data_host == data_host
    assert action.destination.data_ports == ((50100, 50103) if PORTS in settings else None)
    assert (action.source.data_host, action.source.data_ports) == ("", None)


BRIDGE = "`data_port_range: [50100, 50199]`, or a data network that other hosts reach"


@pytest.mark.parametrize(
    ("settings", "cause", "fix"),
    [
        ("mgmt_net: bridge", "session s on b is on a bridge, and b publishes no data ports for it", BRIDGE),
        ("mgmt_net: open", "session s on b is on a bridge, and b publishes no data ports for it", BRIDGE),
        ('exposed_ports: ["50000-50009/udp"]', "session s on b is on a bridge, and b publishes no data ports for it", BRIDGE),
        (
            f"mgmt_net: inside, {PORTS}",
            "session s on b is on network inside alone, a bridge that no other host reaches",
            "`mgmt_net: bridge`, or `data_nets: […]`",
        ),
        ("mgmt_net: null", "session s on b has no network", "`mgmt_net: bridge`, or `data_nets: […]`"),
        (
            f"data_nets: [open], {PORTS}",
            "session s on b receives over network open, a bridge that is inside of b alone",
            "`mgmt_net: open` and no `data_nets`, which publishes the data ports, or a macvlan network first",
        ),
        (
            f"data_nets: [bridge, lan], mgmt_net: null, {PORTS}",
            "session s on b receives over network bridge, a bridge that is inside of b alone",
            "`mgmt_net: bridge` and no `data_nets`, which publishes the data ports, or a macvlan network first",
        ),
    ],
)
def test_a_destination_that_no_other_host_can_send_to_is_refused_in_the_plan(settings: str, cause: str, fix: str) -> None:
    text = declared(settings)
    made = plan(site(text), world(site(text)))
    assert [(item.name, item.code, item.cause.text, item.fix) for item in made.blocked] == [("t", "E0495", cause, fix)]
    assert made.blocked[0].cause.place.startswith("state/sessions/s.yaml:")
    assert not [step for step in made.steps if isinstance(step.action, StartTransfer)]


@pytest.mark.parametrize(
    ("settings", "near", "hosts", "versions"),
    [
        ("data_nets: [six]", "data_nets: [lan]", ("a.net", "b.net"), (6, 4)),
        ("data_nets: [lan]", "data_nets: [six], mgmt_net: null", ("a.net", "b.net"), (4, 6)),
        (PORTS, "mgmt_net: six", ("a.net", "10.9.9.9"), (4, 6)),
        (PORTS, "", ("a.net", "fd00::2"), (6, 4)),
        ("mgmt_net: host", "mgmt_net: open", ("a.net", "fd00::2"), (6, 4)),
    ],
)
def test_a_source_without_the_ip_version_at_which_data_is_received_is_refused(
    settings: str, near: str, hosts: tuple[str, str], versions: tuple[int, int]
) -> None:
    text = declared(settings, near, hosts)
    (blocked,) = plan(site(text), world(site(text))).blocked
    cause = f"session s on b receives over IPv{versions[0]}, and session s on a has IPv{versions[1]} alone"
    fix = f"a network with IPv{versions[0]} on a, or one with IPv{versions[1]} on b"
    assert (blocked.code, blocked.cause.text, blocked.fix) == ("E0496", cause, fix)


@pytest.mark.parametrize(
    ("settings", "near", "hosts"),
    [
        ("data_nets: [six]", "data_nets: [both]", ("a.net", "b.net")),
        ("mgmt_net: host", "", ("fd00::1", "fd00::2")),
        (PORTS, "mgmt_net: six", ("a.net", "b.net")),
    ],
)
def test_a_source_that_may_have_the_ip_version_is_not_refused(settings: str, near: str, hosts: tuple[str, str]) -> None:
    text = declared(settings, near, hosts)
    assert not plan(site(text), world(site(text))).blocked
