"""Patterns of --target and --exclude: every kind that a plan shows can be named, and what names nothing is refused."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from dtnctl.errors import UsageError
from dtnctl.model.plan import Plan
from dtnctl.model.resources import EndpointSeen, Wanted
from dtnctl.model.site import Site
from dtnctl.planning.scope import Scope
from dtnctl.runtime.reconcile import look_and_plan
from tests.planning.building import NOW
from tests.planning.dtns import MAY_REMOVE, STAR, after, before, dtn, endpoint, session
from tests.planning.machines import machine, pf
from tests.properties.world import World

LAN = "# networks/lan\ndriver: macvlan\nsubnet: 10.3.0.0/24\nvlan: 6\n"
TUNED = endpoint(interfaces="{star: ens1f0, lan: ens1f0}", more="vfs: {ens1f0: 4}\ntuning: {sysctls: {net.core.rmem_max: 1000}}\n")
ON_BOTH = "{data_nets: [star, lan], mgmt_net: null}"
DECLARED = dtn(STAR, LAN, session(settings=ON_BOTH), on=TUNED)


@dataclass(frozen=True)
class Eyes:
    """An observer of one endpoint of a world in memory."""

    world: World
    name: str

    def observe(self, wanted: Wanted) -> EndpointSeen:
        del wanted
        return self.world.observe().endpoints[self.name]

    def close(self) -> None:
        """Nothing is open."""


def new_world() -> World:
    empty = machine(pf("ens1f0", 1, vfs=0))
    return before(DECLARED, told=empty.model_copy(update={"readings": {"sysctl/net.core.rmem_max": "1"}}))


def look(declared: Site, world: World, **scope: tuple[str, ...]) -> Plan:
    eyes = {name: Eyes(world, name) for name in declared.endpoints}
    return look_and_plan(declared, eyes, NOW, Scope(**scope))[0]  # type: ignore[arg-type]  # patterns only


def kinds(found: Plan) -> set[str]:
    return {f"{change.kind}/{change.name}" for change in found.changes}


ALL = {"vfs/ens1f0", "vlan/ens1f0.6", "tuning/a", "network/lan", "network/star", "session/one"}


def test_without_patterns_the_plan_has_a_change_of_every_kind() -> None:
    assert kinds(look(DECLARED, new_world())) == ALL


@pytest.mark.parametrize("pattern", ["vfs/ens1f0", "tuning/a"])
def test_a_target_of_the_host_plans_that_alone(pattern: str) -> None:
    assert kinds(look(DECLARED, new_world(), targets=(pattern,))) == {pattern}


@pytest.mark.parametrize(
    ("pattern", "step"),
    [("tuning/a", "a/tune/sysctl/net.core.rmem_max"), ("vlan/ens1f0.6", "a/vlan/ens1f0.6"), ("vfs/ens1f0", "a/vfs/ens1f0")],
)
def test_what_is_excluded_is_not_changed(pattern: str, step: str) -> None:
    assert step in {item.id for item in look(DECLARED, new_world()).steps}
    found = look(DECLARED, new_world(), excludes=(pattern,))
    assert pattern not in kinds(found)
    assert step not in {item.id for item in found.steps}


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [("vfs/ens9", "vfs/ens1f0"), ("vlan/ens1f0.7", "vlan/ens1f0.6"), ("tuning/b", "tuning/a"), ("vlan/eth1.6", "vlan/ens1f0.6")],
)
def test_a_mistyped_name_is_refused_and_the_answer_is_the_nearest_one(pattern: str, meant: str) -> None:
    with pytest.raises(UsageError, match=rf"^nothing is named {pattern}; try `{meant}`$"):
        look(DECLARED, new_world(), excludes=(pattern,))


def test_an_endpoint_without_an_agent_has_no_tuning_to_name() -> None:
    declared = dtn(session(settings="{}"), on="# endpoints/a\ndocker: unix:///run/a.sock\nhost: a.example.net\n")
    with pytest.raises(UsageError, match="nothing is named tuning/a; try "):
        look(declared, before(declared), targets=("tuning/a",))


def test_what_nothing_declares_any_more_can_be_named_while_the_agent_keeps_it() -> None:
    on_lan = dtn(STAR, LAN, session(settings=ON_BOTH), on=endpoint(interfaces="{star: ens1f0, lan: ens1f0}", more="vfs: {ens1f0: 4}\n"))
    world = after(on_lan, pf("ens1f0", 1, vfs=0))
    gone = dtn(MAY_REMOVE, on=endpoint(interfaces="{}"))
    assert "vlan/ens1f0.6" not in kinds(look(gone, world, excludes=("vlan/ens1f0.6",)))
    assert "vfs/ens1f0" not in kinds(look(gone, world, excludes=("vfs/ens1f0",)))
    world.hosts["a"].containers.clear()
    assert not {"session/one"} & kinds(look(gone, world, excludes=("session/one",)))
    with pytest.raises(UsageError, match=r"nothing is named vlan/ens1f0\.7"):
        look(gone, world, excludes=("vlan/ens1f0.7",))
