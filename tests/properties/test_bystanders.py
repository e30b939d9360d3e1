"""Who is not meant is not touched: strangers, what is excluded or not targeted, what is blocked, what is over the budget."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.plan import Step
from dtnctl.model.resources import ContainerSeen, ForeignSeen
from dtnctl.model.site import Site
from tests.planning.building import plan, site
from tests.properties.sites import SESSIONS, Event, events, few_in_each_run, happen, sites, strangers_network
from tests.properties.test_convergence import new_world
from tests.properties.world import World


def lived_in(declared: Site, happenings: list[Event]) -> World:
    """A world where the site was applied and then things happened."""
    world = new_world()
    world.apply(plan(declared, world))
    for event in happenings:
        happen(event, world)
    return world


def containers_of(world: World, sessions: set[str]) -> dict[str, ContainerSeen]:
    return {
        key: item
        for host in world.hosts.values()
        for key, item in host.containers.items()
        if item.kind == "service" and item.owner in sessions
    }


def named_in(steps: tuple[Step, ...]) -> set[str]:
    """Every container, network and id that a step names."""
    return {str(getattr(step.action, field)) for step in steps for field in ("container", "network", "id") if hasattr(step.action, field)}


scopes = st.sampled_from(
    [{"excludes": (f"session/{name}",)} for name in SESSIONS]
    + [{"targets": (f"session/{name}",)} for name in SESSIONS]
    + [{"targets": ("endpoint/a",)}, {"excludes": ("endpoint/b",)}, {"excludes": ("network/data",)}, {"targets": ("transfer/*",)}]
)


@few_in_each_run
@given(sites, events, sites, scopes)
def test_what_is_left_out_of_a_run_is_left_as_it_is(
    before: Site, happenings: list[Event], after: Site, scope: dict[str, tuple[str, ...]]
) -> None:
    world = lived_in(before, happenings)
    made = plan(after, world, **scope)
    for step in made.steps:
        for change in made.changes:
            if step.id in change.steps:
                assert_meant(change.kind, change.name, change.endpoint, scope)
    old = {name: dict(host.containers) for name, host in world.hosts.items()}
    world.apply(made)
    world.check()
    for name, host in world.hosts.items():
        for key, item in old[name].items():
            is_excluded = any(pattern in (f"session/{item.owner}", f"endpoint/{name}") for pattern in scope.get("excludes", ()))
            if item.kind == "service" and is_excluded:
                assert host.containers[key] == item


def assert_meant(kind: str, name: str, endpoint: str, scope: dict[str, tuple[str, ...]]) -> None:
    """What is created for others (a network, a ledger) is no object that somebody asked for."""
    if kind in ("session", "transfer"):
        assert all(pattern not in (f"{kind}/{name}", f"endpoint/{endpoint}") for pattern in scope.get("excludes", ()))
        assert all(pattern in (f"{kind}/{name}", f"endpoint/{endpoint}", f"{kind}/*") for pattern in scope.get("targets", ()))


@few_in_each_run
@given(sites, events, sites)
def test_blocked_sessions_keep_everything_that_they_have(before: Site, happenings: list[Event], after: Site) -> None:
    world = lived_in(before, happenings)
    made = plan(after, world)
    blocked = {change.name for change in made.blocked if change.kind == "session"}
    old = containers_of(world, blocked)
    assert not [change for change in made.changes if change.kind == "session" and change.name in blocked and change.steps]
    world.apply(made)
    assert containers_of(world, blocked) == old


@few_in_each_run
@given(sites, events, st.lists(st.sampled_from(["lab.one", "lab.two", "other.one", "lab.t-one.g1a1", "one"]), unique=True))
def test_strangers_are_in_no_step(declared: Site, happenings: list[Event], names: list[str]) -> None:
    """Also where they have our names."""
    world = new_world()
    for host in world.hosts.values():
        host.foreign = [ForeignSeen(name, f"foreign-{name}") for name in names]
        host.foreign_networks = [strangers_network()]
    foreign = {host.name: (list(host.foreign), list(host.foreign_networks)) for host in world.hosts.values()}
    made = plan(declared, world)
    assert named_in(made.steps).isdisjoint({*names, *(f"foreign-{name}" for name in names), "strange", "n-strange"} - {"lab.t-one.g1a1"})
    world.apply(made)
    for event in happenings:
        happen(event, world)
    assert named_in(plan(declared, world).steps).isdisjoint({f"foreign-{name}" for name in names} | {"n-strange"})
    assert all(item in host.foreign for host in world.hosts.values() for item in foreign[host.name][0])


@few_in_each_run
@given(sites, st.integers(0, 5), st.booleans())
def test_never_more_sessions_go_than_the_budget_allows(before: Site, limit: int, is_share: bool) -> None:
    world = lived_in(before, [])
    budget = f"{20 * limit}%" if is_share else str(limit)
    made = plan(site("# site\nname: lab\n" + "".join(ENDPOINT.format(name) for name in "abc")), world, prune=budget)
    owned = {item.owner for host in world.hosts.values() for item in host.containers.values() if item.kind == "service"}
    allowed = max(1, len(owned) * 20 * limit // 100 if is_share else limit)
    gone = {change.name for change in made.changes if change.mark == "destroy" and change.kind == "session"}
    assert gone == (owned if len(owned) <= allowed else set())
    assert bool(made.steps) == bool(gone) or not owned  # interfaces of hosts where no session is may be given back


ENDPOINT = "# endpoints/{0}\ndocker: unix:///{0}\nhost: {0}\n"


@few_in_each_run
@given(sites, st.sampled_from(SESSIONS))
def test_another_session_moves_nothing(declared: Site, name: str) -> None:
    """Whether it goes or comes: every container of the others is the one that it was, with its ports and addresses."""
    world = lived_in(declared, [])
    for now_declared in (without(declared, name), declared):
        others = containers_of(world, set(SESSIONS) - {name})
        world.apply(plan(now_declared, world, prune="100%"))
        assert containers_of(world, set(SESSIONS) - {name}).items() >= others.items()


def without(declared: Site, name: str) -> Site:
    sessions = {key: item for key, item in declared.sessions.items() if key != name}
    transfers = {key: item for key, item in declared.transfers.items() if item.value.session != name}
    return replace(declared, sessions=sessions, transfers=transfers)
