"""Pools of addresses that several endpoints share: whom a part of a site asks for them, and whose leases a plan needs."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.actions import CreateContainer
from dtnctl.model.plan import Plan
from dtnctl.model.site import Site
from dtnctl.planning.selection import select
from dtnctl.planning.shared_pools import drawn_from
from tests.planning.building import NOW, plan, site, world

ENDPOINTS = "".join(
    f"# endpoints/{name}\ndocker: unix:///{name}\nhost: {name}\ninterfaces: {{data: eth1}}\nlabels: {{region: {region}}}\n"
    for name, region in (("a", "us"), ("b", "eu"), ("c", "us"))
)
DATA = "# networks/data\ndriver: macvlan\nsubnet: 10.1.0.0/24\naddresses: 10.1.0.10-10.1.0.99\n"
ON_DATA = "image: dtn:1\nsettings: {data_nets: [data], mgmt_net: null}\n"


def declared(**sessions: str) -> Site:
    return site(ENDPOINTS + DATA + "".join(f"# sessions/{name}\nendpoints: [{on}]\n{ON_DATA}" for name, on in sessions.items()))


def addresses(found: Plan) -> dict[str, str]:
    """What each new container gets."""
    made = {step.action.container: step.action.spec for step in found.steps if isinstance(step.action, CreateContainer)}
    return {name: spec.attachments[0].ipv4 for name, spec in made.items()}


def test_a_part_asks_all_endpoints_whose_interfaces_carry_the_network_of_its_sessions() -> None:
    assert select(declared(one="b"), "region=eu", NOW).asked == {"a", "b", "c"}
    assert select(site(ENDPOINTS + DATA + "# sessions/one\nendpoints: [b]\nimage: dtn:1\n"), "region=eu", NOW).asked == {"b"}


def test_two_parts_that_are_planned_from_different_commits_choose_different_addresses() -> None:
    older, newer = declared(one="b"), declared(one="b", two="a")
    made = world(newer)
    made.apply(plan(newer, made, label="region=us"))
    found = plan(older, made, label="region=eu")
    assert addresses(found) == {"lab.one": "10.1.0.11"}
    made.apply(found)
    assert plan(newer, made).is_empty


def test_what_no_file_declares_any_more_keeps_its_address_until_it_is_removed() -> None:
    before, after = declared(one="a"), declared(two="b")
    made = world(before)
    made.apply(plan(before, made))
    assert addresses(plan(after, made, label="region=eu")) == {"lab.two": "10.1.0.11"}


def test_a_plan_that_takes_an_address_needs_the_leases_of_all_that_share_the_pool_and_answer() -> None:
    where = declared(one="b")
    made = world(where)
    assert drawn_from(where, plan(where, made), NOW) == ("a", "b", "c")
    assert drawn_from(where, plan(where, made, label="region=eu"), NOW) == ("a", "b", "c")
    made.hosts["c"].silence = "no answer"
    assert drawn_from(where, plan(where, made), NOW) == ("a", "b")


def test_a_replacement_that_keeps_its_address_and_a_network_without_a_subnet_take_none() -> None:
    where = declared(one="b")
    made = world(where)
    made.apply(plan(where, made))
    again = plan(where, made, replace=("one",))
    assert addresses(again) == {"lab.one..new": "10.1.0.10"}
    assert drawn_from(where, again, NOW) == ()
    free = site(ENDPOINTS + "# networks/data\ndriver: bridge\n# sessions/one\nendpoints: [b]\n" + ON_DATA)
    assert drawn_from(free, plan(free, world(free)), NOW) == ()


def test_a_network_that_is_connected_later_takes_its_address_then() -> None:
    one, two = declared(one="b"), "# networks/more\ndriver: bridge\nsubnet: 10.2.0.0/24\naddresses: 10.2.0.10-10.2.0.99\n"
    made = world(one)
    made.apply(plan(one, made))
    more, alone = ON_DATA.replace("[data]", "[data, more]"), ON_DATA.replace("[data]", "[more]")
    both = site(f"{ENDPOINTS}{DATA}{two}# sessions/one\nendpoints: [b]\n{more}# sessions/two\nendpoints: [c]\n{alone}")
    found = plan(both, made, targets=("one",))
    assert drawn_from(both, found, NOW) == ("b", "c")


def test_without_a_look_nothing_is_known_of_pools() -> None:
    where = declared(one="b")
    found = replace(plan(where, world(where)), snapshot=None, steps=())
    assert drawn_from(where, found, NOW) == ()
