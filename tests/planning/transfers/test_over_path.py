"""Transfers whose ends a path joins: the plan says where the path ends, and refuses data that would go around a path that is required."""

from __future__ import annotations

from typing import Any

import pytest

from dtnctl.model.actions import FinishTransfer, JobEnd, StartTransfer
from dtnctl.model.plan import Change, Plan
from tests.planning.building import plan, site, world

PATHS = "# paths/a2b\nends: [{endpoint: a}, {endpoint: b}]\nvlan: 1790\n"
NETWORKS = (
    "# networks/wan\ndriver: macvlan\npath: a2b\nsubnet: 10.9.0.0/24\n"
    "# networks/six\ndriver: macvlan\nsubnet6: fd00:1::/64\n"
    "# networks/lan\ndriver: macvlan\nsubnet: 10.0.0.0/24\n"
)
OVER = "mgmt_net: null, data_nets: [wan]"


def planned(settings: str = OVER, near: str = "", networks: str = NETWORKS, paths: str = PATHS, **fields: object) -> Plan:
    """A transfer from a to b, whose session has the settings, and on a also those of `near`."""
    overrides = f"overrides: {{a: {{{near}}}}}\n" if near else ""
    ports = "volumes: ['data:/data'], data_port_range: [50100, 50103]"
    session = f"# sessions/s\nendpoints: [a, b]\nimage: dtn:1\nuser: dtn\nsettings: {{{ports}, {settings}}}\n{overrides}"
    values = {"from": "a:/data/x", "to": "b:/data/x", "tool": "gridftp", **fields}
    transfer = "# transfers/t\n" + "".join(f"{name}: {value}\n" for name, value in values.items())
    text = site(paths + networks + session + transfer)
    return plan(text, world(text))


def ends(made: Plan) -> tuple[JobEnd, JobEnd]:
    (action,) = (step.action for step in made.steps if isinstance(step.action, StartTransfer))
    (finish,) = (step.action for step in made.steps if isinstance(step.action, FinishTransfer))
    assert (finish.source, finish.destination) == (action.source, action.destination)
    return action.source, action.destination


def of_transfer(made: Plan) -> Change:
    (found,) = [item for item in made.changes if item.kind == "transfer"]
    return found


def test_ends_that_a_path_joins_have_its_name_and_their_addresses_on_it() -> None:
    near, far = ends(planned())
    assert (near.path_name, near.path_address) == ("a2b", "10.9.0.2")
    assert (far.path_name, far.path_address) == ("a2b", "10.9.0.3")
    six = NETWORKS.replace("driver: macvlan\npath: a2b\nsubnet: 10.9.0.0/24", "driver: ipvlan\npath: a2b\nsubnet6: fd00:9::/64")
    assert ends(planned(networks=six))[0].path_address == "fd00:9::2"


@pytest.mark.parametrize(
    ("settings", "near"),
    [("data_nets: [lan]", ""), ("data_nets: [lan]", "data_nets: [lan, wan]"), ("mgmt_net: bridge", "")],
)
def test_ends_without_a_common_network_over_a_path_have_none(settings: str, near: str) -> None:
    assert {end.path_name for end in ends(planned(settings, near))} == {""}


def test_path_that_is_required_and_used_starts_and_says_so() -> None:
    made = planned(require_path=True)
    assert ("path", "required") in of_transfer(made).allocations
    assert ends(made)[1].data_host == "10.9.0.3"


@pytest.mark.parametrize(
    ("settings", "fields", "text", "fix"),
    [
        (
            "data_nets: [lan]",
            {},
            "no network of both its ends goes over a path",
            "`path:` in a network of `data_nets` of its session",
        ),
        (
            "mgmt_net: null, data_nets: [lan, wan]",
            {},
            "its data goes to 10.0.0.3, and path a2b ends at 10.9.0.3 there",
            "the path's network first in `data_nets`, or no `require_path`",
        ),
        (
            "data_nets: [wan]",
            {"tool": "rsync"},
            "its data goes to b.example.net, and path a2b ends at 10.9.0.3 there",
            "`mgmt_net: null` in the session, or a tool with data ports of its own such as gridftp, or no `require_path`",
        ),
    ],
)
def test_data_that_would_go_around_a_required_path_is_refused(settings: str, fields: dict[str, Any], text: str, fix: str) -> None:
    change = of_transfer(planned(settings, require_path=True, **fields))
    assert (change.mark, change.code, change.cause.text, change.cause.field) == (
        "blocked",
        "E0547",
        f"it requires its path: {text}",
        "require_path",
    )
    assert change.fix == fix
