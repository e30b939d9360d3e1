"""Functions and CPUs of hosts: never twice, never a stranger's, whatever was declared and whatever happened."""

from __future__ import annotations

from collections.abc import Iterator

from dtn_agent.protocol import Held, Owner, Request
from dtn_agent.protocol.vfs import ConfigureVf, HeldVf, ReleaseVf, SetVfCount, VfSettings
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.actions import CreateContainer, HostRequest, UpdateContainer
from dtnctl.model.hardware import cpu_numbers
from dtnctl.model.plan import Plan, Step
from dtnctl.model.site import Site
from tests.planning.building import plan
from tests.planning.listing import steps
from tests.properties.agent import Agent
from tests.properties.sites import ENDPOINTS, SESSIONS, Event, few_in_each_run, happen, load
from tests.properties.test_bystanders import without
from tests.properties.test_convergence import carry_out, converge, new_world
from tests.properties.world import KilledError, World

NETS = (
    "data_nets: [star]\n",
    "data_nets: [star]\nmgmt_net: null\n",
    "data_nets: [star, moon]\n",
    "data_nets: [lan6, star]\n",
    "mgmt_net: bridge\n",
)
CPUS = ("", "cpus: 2\nnear: data_net\n", "cpus: 6\nnear: data_net\n", "cpus: 9\nnear: any\n", "cpu_set: 8-9\n")
NETWORK_FIELDS = ("vlan: 222\n", "vlan: 223\n", "mtu: 9000\n", "trust: true\n", "mac: keep\n", "max_rate: 1000\n")
OTHER = ("", "init: true\n", "memory: 1GiB\n")
WHAT = (
    "exit",
    "remove",
    "disconnect",
    "prune",
    "reboot",
    "agent silent",
    "ledger of the agent lost",
    "function changed",
    "function used",
    "sub-interface gone",
)
happenings = st.lists(st.builds(Event, st.sampled_from(WHAT), st.sampled_from(ENDPOINTS), st.integers(0, 9)), max_size=4)


@st.composite
def texts(draw: st.DrawFn) -> dict[str, str]:
    """Sites in which most sessions want functions or CPUs, and there are not enough for all."""
    some = st.lists(st.sampled_from(NETWORK_FIELDS), max_size=2)
    files = {
        f"networks/{name}": f"driver: sriov\nsubnet: 10.9.{number}.0/24\n" + "".join({line[:4]: line for line in draw(some)}.values())
        for number, name in enumerate(("star", "moon"))
    }
    files["networks/lan6"] = "driver: ipvlan\nsubnet: 10.6.0.0/24\n" + draw(st.sampled_from(("", "vlan: 6\n", "vlan: 6\nmtu: 1500\n")))
    for name in ENDPOINTS:
        count = draw(st.sampled_from(("", "vfs: {ens1f0: 2}\n", "vfs: {ens1f0: 3}\n", "vfs: {ens1f0: 4}\n")))
        interfaces = "{star: ens1f0, moon: ens1f0, lan6: eth2}"
        head = f"docker: unix:///run/{name}.sock\nhost: {name}\nagent: https://{name}:5050\nagent_token_env: T\ninterfaces: {interfaces}\n"
        files[f"endpoints/{name}"] = head + count + draw(st.sampled_from(("", "reserved_cpus: irq\n")))
    for name in draw(st.lists(st.sampled_from(SESSIONS), unique=True)):
        endpoints = draw(st.lists(st.sampled_from(ENDPOINTS), min_size=1, max_size=2, unique=True))
        nets = draw(st.sampled_from(NETS))
        cpus = draw(st.sampled_from(CPUS if "data_nets" in nets else ("", "cpus: 9\nnear: any\n")))
        settings = "".join(f"  {line}\n" for line in (nets + cpus + draw(st.sampled_from(OTHER))).splitlines())
        state = draw(st.sampled_from(("started", "started", "started", "stopped")))
        files[f"sessions/{name}"] = f"endpoints: [{', '.join(endpoints)}]\nimage: dtn:1\nstate: {state}\nsettings:\n{settings}"
    return files


sites = st.builds(load, texts())


def agents(world: World) -> Iterator[tuple[str, Agent]]:
    for name, host in world.hosts.items():
        assert host.agent is not None
        yield name, host.agent


def assert_nothing_twice(declared: Site, made: Plan, world: World) -> None:
    """Of what live services have after the plan: functions by the ledger, CPUs of those that are pinned."""
    blocked = {change.name for change in made.blocked}
    for endpoint, agent in agents(world):
        functions = [item.pci for item in agent.machine.held.vfs]
        assert len(functions) == len(set(functions))
        taken: dict[int, str] = {}
        for item in sorted(world.hosts[endpoint].containers.values(), key=lambda item: item.name):
            session = declared.sessions.get(item.owner)
            if item.kind == "service" and session is not None and item.owner not in blocked and _is_pinned(session.value.settings):
                for number in cpu_numbers(item.spec.cpu_set):
                    assert number not in taken, f"CPU {number} of {endpoint}: {item.owner} and {taken[number]}"
                    taken[number] = item.owner


def _is_pinned(settings: object) -> bool:
    return getattr(settings, "near", None) is not None


def converge_and_check(declared: Site, world: World, choices: st.DataObject) -> None:
    converge(declared, world, choices)
    assert_nothing_twice(declared, plan(declared, world), world)


@few_in_each_run
@given(st.lists(st.tuples(sites, happenings), min_size=1, max_size=3), st.data())
def test_what_hosts_give_is_given_once_and_the_next_plan_is_empty(history: list[tuple[Site, list[Event]]], choices: st.DataObject) -> None:
    world = new_world()
    for declared, events in history:
        converge_and_check(declared, world, choices)
        for event in events:
            happen(event, world)
        converge_and_check(declared, world, choices)


@few_in_each_run
@given(st.lists(st.tuples(sites, st.integers(0, 30)), min_size=1, max_size=3), st.data())
def test_an_apply_or_an_agent_that_was_killed_anywhere_is_continued(history: list[tuple[Site, int]], choices: st.DataObject) -> None:
    world = new_world()
    for declared, effects in history:
        world.budget = effects
        try:
            carry_out(declared, world, choices)
        except KilledError:
            world.check()
        world.budget = None
        converge_and_check(declared, world, choices)


@few_in_each_run
@given(sites, happenings, sites, st.integers(0, 1), st.data())
def test_functions_that_nobody_gave_us_are_in_no_step(
    before: Site, events: list[Event], after: Site, index: int, choices: st.DataObject
) -> None:
    """One that another site has, one that a virtual machine uses."""
    world = new_world()
    agent = world.hosts["c"].agent
    assert agent is not None
    theirs = HeldVf(
        pf="ens1f0",
        pf_pci="0000:b1:00.0",
        index=index,
        pci=f"0000:b1:00.{2 + index}",
        owner=Owner(site="nersc", session="one", network="star"),
        found=VfSettings(),
        wanted=VfSettings(vlan=7),
    )
    agent.machine = agent.machine.model_copy(update={"held": Held(vfs=(theirs,))})
    agent.change_vf("ens1f0", 1 - index, driver="vfio-pci", netdev="")
    for declared in (before, after):
        made = plan(declared, world)
        touched = [step for step in made.steps if step.endpoint == "c" and isinstance(_asked(step), (ConfigureVf, ReleaseVf, SetVfCount))]
        assert not touched, steps(made)
        carry_out(declared, world, choices)
        for event in events:
            if event.what != "ledger of the agent lost" and (event.endpoint != "c" or event.what != "reboot"):
                happen(event, world)
    assert theirs in agent.machine.held.vfs


@few_in_each_run
@given(sites, st.sampled_from(SESSIONS))
def test_another_session_moves_no_function_and_no_cpu(declared: Site, name: str) -> None:
    """Whoever names CPUs gets them, so that one may move the CPUs of those that were given theirs by nearness; functions never."""
    session = declared.sessions.get(name)
    names_cpus = session is not None and session.value.settings is not None and session.value.settings.cpu_set is not None
    world = new_world()
    world.apply(plan(declared, world))
    for now_declared in (without(declared, name), declared):
        had = _what_others_have(world, name)
        world.apply(plan(now_declared, world, prune="100%"))
        has = _what_others_have(world, name)
        stays = {key: value for key, value in had.items() if not (names_cpus and key[2] == "cpus")}
        assert {key: has[key] for key in stays} == stays


def _asked(step: Step) -> Request | None:
    return step.action.request if isinstance(step.action, HostRequest) else None


def _what_others_have(world: World, name: str) -> dict[tuple[str, str, str], object]:
    found: dict[tuple[str, str, str], object] = {}
    for endpoint, agent in agents(world):
        found |= {
            (endpoint, item.owner.session, item.owner.network): item.index for item in agent.machine.held.vfs if item.owner.session != name
        }
        containers = world.hosts[endpoint].containers.values()
        found |= {(endpoint, item.owner, "cpus"): item.spec.cpu_set for item in containers if item.kind == "service" and item.owner != name}
    return found


@few_in_each_run
@given(sites, happenings, sites)
def test_what_is_chosen_is_there_to_be_chosen(before: Site, events: list[Event], after: Site) -> None:
    """CPUs that exist and that the owner does not keep; functions below the number that there will be."""
    world = new_world()
    world.apply(plan(before, world))
    for event in events:
        happen(event, world)
    made = plan(after, world)
    for step in made.steps:
        agent = world.hosts[step.endpoint].agent
        assert agent is not None
        if isinstance(request := _asked(step), ConfigureVf):
            sriov = agent.interface(request.pf).sriov
            assert sriov is not None
            asked = [_asked(item) for item in made.steps if item.endpoint == step.endpoint]
            made_here = [item.count for item in asked if isinstance(item, SetVfCount)]
            assert request.index < max([*made_here, sriov.current if not made_here else 0])
        if isinstance(step.action, (CreateContainer, UpdateContainer)):
            cpu_set = step.action.spec.cpu_set if isinstance(step.action, CreateContainer) else step.action.cpu_set or ""
            assert set(cpu_numbers(cpu_set)) <= set(range(32))


@few_in_each_run
@given(sites, st.sampled_from(ENDPOINTS))
def test_after_destroy_every_host_is_as_it_was_found(declared: Site, endpoint: str) -> None:
    world = new_world()
    found = {name: agent.host() for name, agent in agents(world)}
    world.apply(plan(declared, world))
    assert plan(declared, world, destroy=True, targets=(f"endpoint/{endpoint}",)).steps == tuple(
        step for step in plan(declared, world, destroy=True).steps if step.endpoint == endpoint
    )
    world.apply(plan(declared, world, destroy=True))
    for name, agent in agents(world):
        assert agent.host() == found[name]
