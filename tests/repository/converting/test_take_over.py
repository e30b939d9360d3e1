"""What was converted is applied where the other program ran: nothing moves, and the plan after that is empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtnctl.model.actions import CreateContainer
from dtnctl.model.resources import ContainerSpec
from dtnctl.model.site import Site
from dtnctl.repository.converting.conversion import write_conversion
from dtnctl.repository.load import load_site
from tests.planning.building import NOW, plan, world
from tests.planning.machines import LAN, machine, pf, verbs
from tests.properties.world import World
from tests.repository.converting.golden import CASES

CARDS = pf("eth200", 0), pf("ens1f0", 1)
ETH1 = LAN.model_copy(update={"name": "eth1", "index": 10})
HOST = machine(*CARDS, ETH1, rdma=[device for card in CARDS for device in verbs(card)])


def taken_over(name: str, root: Path) -> tuple[Site, World]:
    """The converted site, and hosts with its images, agents and the cards that its networks are on."""
    write_conversion(CASES[name](), root, "state")
    declared = load_site(root, now=NOW)
    images = tuple(item.value.image or "" for item in declared.sessions.values())
    return declared, world(declared, images=images, machines=dict.fromkeys(declared.endpoints, HOST))


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_blocked_and_the_second_plan_is_empty(name: str, tmp_path: Path) -> None:
    declared, made = taken_over(name, tmp_path)
    first = plan(declared, made)
    assert [item.cause.text for item in first.blocked] == []
    assert first.steps
    made.apply(first)
    assert plan(declared, made).is_empty


# of each container: control port, service port and fixed addresses; those that a live session had, and free ones where it had none
HELD = {
    "janus-v0.2": {
        "janus-8 starlight-dtn": ("10000", "60000", ["10.33.1.20"]),
        "janus-8 surf-dtn-ppc": ("10001", "60001", ["10.33.1.21"]),
        "janus-11 starlight-dtn": ("30000", "60001", ["192.168.4.179"]),
        "janus-11-2 starlight-dtn": ("30001", "60002", ["10.44.0.2"]),
    },
    "janus-v1.0": {
        "janus-3 a": ("30007", "60005", ["10.33.1.77"]),
        "janus-3 b": ("30008", "60000", ["10.33.1.78"]),  # it had no service port
        "janus-4 a": ("30009", "", []),
    },
}


@pytest.mark.parametrize("name", HELD)
def test_live_sessions_keep_their_ports_and_addresses(name: str, tmp_path: Path) -> None:
    declared, made = taken_over(name, tmp_path)
    planned = plan(declared, made)
    specs = {
        f"{step.id.rpartition('.')[2]} {step.endpoint}": step.action.spec
        for step in planned.steps
        if isinstance(step.action, CreateContainer)
    }
    assert {container: held(spec) for container, spec in specs.items()} == HELD[name]


def held(spec: ContainerSpec) -> tuple[str, str, list[str]]:
    """Its control port, its service port and its fixed addresses."""
    env = dict(spec.env)
    return env["CTRL_PORT"], env["SERV_PORT"], [item.ipv4 for item in spec.attachments if item.ipv4]
