"""What a session would change in the place of another program's container: as if that one were gone."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.comparison import Comparison
from dtnctl.model.resources import Attachment, ContainerSeen, ForeignSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.take_over import compare_take_over
from tests.planning.building import NOW, applied, site, world

TEXT = """
# networks/data
driver: macvlan
vlan: 5
mtu: 9000
subnet: 10.0.0.0/24
# profiles/p
data_nets: [{name: data, ipv4: 10.0.0.64}]
ctrl_port_range: [30007, 30007]
# sessions/s
endpoints: [a]
image: dtn:1
profile: p
"""


def theirs(text: str = TEXT) -> tuple[Snapshot, ContainerSeen]:
    """What is there when another program made just such a container, and that container."""
    seen = applied(site(text)).observe()
    here = seen.endpoints["a"]
    container = next(item for item in here.containers if item.name == "lab.s")
    other = replace(container, name="old", labels={})
    foreign = (ForeignSeen("old", other.id, ((30007, "tcp"),), (Attachment("data", "10.0.0.64"),)),)
    changed = replace(here, containers=(), networks=(), foreign=foreign, foreign_networks=here.networks)
    return Snapshot({**seen.endpoints, "a": changed}), other


def compared(declared: Site, seen: Snapshot, other: ContainerSeen) -> Comparison:
    return compare_take_over(declared, seen, "s", "a", other, NOW)


NETWORK = "network data was made by another program, and has to be removed before dtnctl makes its own"


def test_the_same_container_differs_in_nothing_and_its_network_has_to_go() -> None:
    assert compared(site(TEXT), *theirs()) == Comparison("s", "a", "old", (), (NETWORK,))


def test_each_field_that_differs_is_shown_and_no_value_of_its_variables() -> None:
    declared = site(TEXT.replace("mtu: 9000", "mtu: 1500") + "settings: {memory: 4GiB, env: {MODE: new, MORE: x}}\n")
    seen, other = theirs(TEXT + "settings: {env: {MODE: s3cret}}\n")
    found = compared(declared, seen, other)
    assert found.fields == (("env.MODE", "(set)", "new"), ("env.MORE", "(not set)", "x"), ("memory", "8 GiB", "4 GiB"))
    assert found.obstacles == (f"{NETWORK}; it differs in mtu 9000 → 1500",)


def test_what_blocks_the_session_without_the_container_is_an_obstacle() -> None:
    seen, other = theirs()
    here = seen.endpoints["a"]
    web = replace(here, foreign=(*here.foreign, ForeignSeen("web", "w", ((30007, "tcp"),))))
    found = compared(site(TEXT), Snapshot({**seen.endpoints, "a": web}), other)
    assert found.fields == ()
    assert found.obstacles[0].startswith("no free port in 30007-30007 on a: held are 30007 by container web on a, which is not ours (")


def test_a_session_that_has_its_container_takes_no_place() -> None:
    declared = site(TEXT)
    made = applied(declared)
    found = compared(declared, made.observe(), theirs()[1])
    assert found.obstacles == ("session s has its own container on a already, or is not to be there",)
    assert not world(declared).observe().endpoints["a"].containers
