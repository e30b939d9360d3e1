"""Networks and profiles as their files say."""

from __future__ import annotations

from dtnctl.model.report import DeclaredRow
from dtnctl.render.context import RenderContext
from dtnctl.render.declared import render_declared, render_one

NETWORK = DeclaredRow(
    "data",
    "state/networks/data.yaml",
    {"driver": "macvlan", "mtu": 9000, "subnet": "10.0.0.0/24", "addresses": [["10.0.0.1", "10.0.0.9"], ["10.0.0.20", "10.0.0.29"]]},
)
PROFILE = DeclaredRow(
    "dtn",
    "state/profiles/dtn.yaml",
    {
        "data_nets": [{"name": "data"}, {"name": "lab", "ipv4": ["10.0.0.7"]}],
        "mgmt_net": {"name": "bridge"},
        "ctrl_port_range": [30000, 30200],
    },
)


def test_ranges_are_written_as_in_the_files() -> None:
    text = render_declared("networks", [NETWORK], RenderContext(width=120))
    assert "10.0.0.1-10.0.0.9, 10.0.0.20-10.0.0.29" in text


def test_one_of_them_shows_every_field_that_is_written() -> None:
    assert render_one("profile", PROFILE, RenderContext()) == (
        "profile: dtn\n"
        "file: state/profiles/dtn.yaml\n"
        'data_nets: [{"name": "data"}, {"name": "lab", "ipv4": ["10.0.0.7"]}]\n'
        "mgmt_net: bridge\n"
        "ctrl_port_range: 30000-30200\n"
    )


def test_none_of_them_is_said() -> None:
    assert render_declared("networks", [], RenderContext()) == "No networks.\n"
