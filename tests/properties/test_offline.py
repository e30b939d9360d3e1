"""An offline plan is the online one, steps and hash, whatever the site is and whatever happened before the inventory was taken."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given

from dtnctl.model.plan import Plan
from dtnctl.model.resources import Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.declared_texts import declared_texts
from dtnctl.planning.offline import everything_wanted
from dtnctl.repository.inventory import read_inventory, write_inventory
from tests.planning.building import NOW, plan
from tests.properties.sites import Event, events, few_in_each_run, happen, sites
from tests.properties.test_convergence import new_world


def committed(site: Site, snapshot: Snapshot) -> Snapshot:
    """What is known from the files that a refresh writes, endpoints that do not answer left out."""
    known, asked = declared_texts(site, snapshot, NOW), everything_wanted(site, NOW)
    with tempfile.TemporaryDirectory() as folder:
        for name, seen in snapshot.endpoints.items():
            if name in site.endpoints and not seen.is_silent and not seen.agent_silence:
                write_inventory(Path(folder), site, seen, asked[name], known, NOW)
        return read_inventory(Path(folder), site).snapshot(site)


def comparable(made: Plan) -> object:
    """All that would be done, and all that a reader decides about."""
    changes = [(change.mark, change.kind, change.name, change.endpoint, change.allocations, change.code) for change in made.changes]
    return made.hash, made.steps, changes, made.unchanged, made.endpoints


@few_in_each_run
@given(sites, events, sites)
def test_offline_plan_is_the_online_plan(before: Site, happenings: list[Event], after: Site) -> None:
    world = new_world()
    world.apply(plan(before, world))
    for event in happenings:
        happen(event, world)
    snapshot = world.observe()
    if snapshot.silent or any(seen.agent_silence for seen in snapshot.endpoints.values()):
        return  # a refresh keeps the inventory that such an endpoint has
    for declared in (before, after):
        seen = Snapshot({name: snapshot.endpoints[name] for name in sorted(declared.endpoints)})
        assert comparable(plan(declared, committed(declared, seen))) == comparable(plan(declared, seen))
