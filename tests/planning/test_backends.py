"""What an endpoint can do is decided by what answered there, and until something has by its file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from dtnctl.model.actions import PullImage, ReplaceContainer, UpdateContainer
from dtnctl.model.backends import BACKENDS, route_metric
from dtnctl.model.plan import Plan, Step
from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.planning.resolve import resolve_services
from tests.planning.building import NOW, change, plan, site, world
from tests.planning.listing import changes, details, says, steps
from tests.properties.world import World

TEXT = "# sessions/s\nendpoints: [a, b]\nimage: dtn:1\nsettings: {memory: 1GiB}\n"
NETWORKS = """
# networks/data
driver: macvlan
subnet: 10.0.0.0/24
# networks/other
driver: macvlan
subnet: 10.0.1.0/24
# sessions/s
endpoints: [a]
image: dtn:1
settings: {mgmt_net: bridge, data_nets: [data]}
"""


def cluster(text: str, names: Iterable[str] = ("a",)) -> World:
    """The site's endpoints, these of which are nodes of clusters, with nothing on them."""
    empty = world(site(text))
    for name in names:
        empty.hosts[name].backend = "Kubernetes"
    return empty


def applied(text: str, *others: str) -> tuple[World, Plan]:
    """What is there after each of the texts was applied in turn, all but the last, and what is planned for that one."""
    made, whole = cluster(text), (text, *others)
    for earlier in whole[:-1]:
        made.apply(plan(site(earlier), made))
        assert plan(site(earlier), made).is_empty
    return made, plan(site(whole[-1]), made)


def test_each_service_has_the_row_of_what_answered_on_its_endpoint() -> None:
    answering = {"a": EndpointSeen("a", backend="Kubernetes"), "b": EndpointSeen("b")}
    assert [item.backend.name for item in resolve_services(site(TEXT), NOW, answering)] == ["Kubernetes", "Docker"]
    assert [item.backend.name for item in resolve_services(site(TEXT), NOW)] == ["Docker", "Docker"]


def test_what_one_backend_changes_in_place_another_one_replaces() -> None:
    _, found = applied(TEXT, TEXT.replace("1GiB", "2GiB"))
    assert any(isinstance(step.action, UpdateContainer) for step in found.steps if step.endpoint == "b")
    assert [type(step.action).__name__ for step in found.steps if step.endpoint == "a"] == ["ReplaceContainer", "WaitHealthy"]
    assert {item.endpoint: item.mark for item in found.changes} == {"a": "replace", "b": "update"}


def test_what_a_login_may_not_see_is_said() -> None:
    found = cluster(TEXT).observe()
    seen = replace(found.endpoints["a"], unseen=("the node n1: its CPUs are unknown",))
    planned = plan(site(TEXT), Snapshot({**found.endpoints, "a": seen}))
    assert "the login of a may not see the node n1: its CPUs are unknown" in planned.notes
    assert not any("may not see" in note for note in plan(site(TEXT), found).notes)


def test_objects_that_cannot_be_read_are_said() -> None:
    found = cluster(TEXT).observe()
    seen = replace(found.endpoints["a"], damaged=("Secret x cannot be read",))
    assert "a: Secret x cannot be read" in plan(site(TEXT), Snapshot({**found.endpoints, "a": seen})).notes


def test_each_row_answers_for_every_set_of_networks() -> None:
    chosen = {
        name: (row.routed(()), row.routed(("a", "bridge")), row.own_interfaces(("0123456789abcdef",))) for name, row in BACKENDS.items()
    }
    assert chosen["Docker"] == ("", "a", frozenset({"docker0", "br-0123456789ab"}))
    assert chosen["Podman"][:2] == ("", "bridge")
    assert {"podman0", "podman100"} <= chosen["Podman"][2]
    assert chosen["Kubernetes"] == ("", "bridge", frozenset())


def test_where_nothing_is_renamed_a_replacement_is_one_step_that_can_be_undone() -> None:
    made, found = applied(NETWORKS, NETWORKS.replace("dtn:1", "dtn:2"))
    says(steps(found), "a/replace/lab.s (or back)\na/wait/lab.s <- a/replace/lab.s (or back)")
    (replaced,) = found.changes
    assert (replaced.mark, replaced.interrupts) == ("replace", "s on a is down while its container is recreated")
    before = made.observe().endpoints["a"].containers[0]
    undo, action = found.steps[0].undo, found.steps[0].action
    assert isinstance(undo, ReplaceContainer)
    assert isinstance(action, ReplaceContainer)
    assert (undo.id, undo.spec.image, undo.start) == (action.id, "dtn:1", True) == (before.id, before.spec.image, True)
    assert dict(undo.labels) == before.labels


def test_an_undone_replacement_leaves_what_was_there_before() -> None:
    made, found = applied(NETWORKS, NETWORKS.replace("dtn:1", "dtn:2"))
    before = made.observe()
    undo = found.steps[0].undo
    made.perform(found.steps[0])
    assert made.observe() != before
    assert isinstance(undo, ReplaceContainer)
    made.perform(Step("undo", "a", undo))
    assert made.observe() == before


def test_networks_are_part_of_what_is_created_and_a_further_one_is_a_replacement() -> None:
    made, found = applied(NETWORKS, NETWORKS.replace("[data]", "[data, other]"))
    says(steps(found), "a/network/other\na/replace/lab.s <- a/network/other (or back)\na/wait/lab.s <- a/replace/lab.s (or back)")
    made.apply(found)
    assert {item.network for item in made.observe().endpoints["a"].containers[0].spec.attachments} == {"bridge", "data", "other"}
    assert [type(step.action).__name__ for step in plan(site(NETWORKS), cluster(NETWORKS)).steps] == [
        *("CreateNetwork", "CreateContainer", "StartContainer", "WaitHealthy"),
    ]


def test_a_network_that_is_left_goes_after_the_replacement_which_lets_go_of_its_address_first() -> None:
    made, found = applied(NETWORKS, NETWORKS.replace("[data]", "[other]"))
    says(
        steps(found),
        """
        a/network/other
        a/stop/lab.s <- a/network/other (or back)
        a/replace/lab.s <- a/stop/lab.s (or back)
        a/remove-network/data <- a/replace/lab.s
        a/wait/lab.s <- a/replace/lab.s (or back)
        """,
    )
    made.apply(found)
    assert plan(site(NETWORKS.replace("[data]", "[other]")), made).is_empty


def test_two_services_may_swap_what_they_hold() -> None:
    first = NETWORKS.replace("data_nets: [data]", "data_nets: [{name: data, ipv4: 10.0.0.7}]")
    second = first[first.index("# sessions/s") :].replace("sessions/s", "sessions/t").replace("10.0.0.7", "10.0.0.8")
    swapped = (first + second).replace("10.0.0.7", "X").replace("10.0.0.8", "10.0.0.7").replace("X", "10.0.0.8")
    made, found = applied(first + second, swapped)
    waits = {step.id: step.needs for step in found.steps}
    assert waits["a/replace/lab.s"] == ("a/stop/lab.s", "a/stop/lab.t")
    made.apply(found)
    assert plan(site(swapped), made).is_empty


def test_what_is_declared_stopped_is_written_at_rest() -> None:
    stopped = NETWORKS.replace("dtn:1", "dtn:2") + "state: stopped\n"
    made, found = applied(NETWORKS, stopped)
    assert changes(found) == ["replace session/s @ a: replaces container lab.s without starting it: it is declared stopped"]
    says(steps(found), "a/stop/lab.s (or back)\na/replace/lab.s <- a/stop/lab.s (or back)")
    made.apply(found)
    assert plan(site(stopped), made).is_empty


def test_what_is_at_rest_is_rewritten_without_an_interruption() -> None:
    made, _ = applied(NETWORKS, NETWORKS)
    change(made, "a", "lab.s", state="exited", addresses=())
    (replaced,) = plan(site(NETWORKS.replace("dtn:1", "dtn:2")), made).changes
    assert (replaced.mark, replaced.interrupts) == ("replace", "")


def test_where_the_backend_pulls_by_itself_no_step_does() -> None:
    text = NETWORKS.replace("dtn:1", "absent:1")
    assert any(isinstance(step.action, PullImage) for step in plan(site(text), world(site(text))).steps)
    assert not any(isinstance(step.action, PullImage) for step in plan(site(text), cluster(text)).steps)


def test_a_protected_service_is_not_replaced_where_nothing_is_renamed() -> None:
    protected = NETWORKS + "protect: true\n"
    _, found = applied(protected, protected.replace("dtn:1", "dtn:2"))
    assert [item.mark for item in found.changes] == ["blocked"]
    assert "protect" in details(found)[1]


def test_podman_takes_its_own_network_then_the_first_by_name_and_leaves_open_which_of_two_that_begin_alike() -> None:
    row = BACKENDS["Podman"]
    assert row.routed(("aaa", "bridge", "zzz")) == "bridge"
    assert [row.routed(names) for names in (("b", "a"), ("net-a", "net-b"), ("data-net-1", "data-net-2"))] == ["a", "net-a", ""]
    names = ["-", "0", "A", "Z", "_", "a", "ab", "abcde", "z", "zzzzz"]
    metrics = [route_metric(name) for name in names]
    assert metrics == sorted(metrics)
    assert metrics[0] > 100
    assert metrics[-1] < 2**32


def test_podman_lacks_one_limit_and_sysctl_what_a_registry_calls_an_image_and_dockers_network_drivers() -> None:
    row = BACKENDS["Podman"]
    assert [row.lacks["pull"].asks(value) for value in ("always", "missing", "never")] == [True, False, False]
    assert [row.network_lacks["driver"].asks(value) for value in ("sriov", "macvlan")] == [True, False]
    assert [row.lacks["limits"].asks({name: -1}) for name in ("as", "memlock")] == [True, False]
    assert [row.lacks["sysctls"].asks({name: "1"}) for name in ("kernel.domainname", "net.core.somaxconn")] == [True, False]
    assert all(sentence for sentence in row.shortfalls.values())


@pytest.mark.parametrize(("by_file", "is_drift"), [(True, False), (False, True)])
def test_a_service_on_another_node_is_drift_unless_the_file_of_its_endpoint_names_another_one(by_file: bool, is_drift: bool) -> None:
    made, _ = applied(TEXT, TEXT)
    found = made.observe()
    (there,) = found.endpoints["a"].containers
    moved = replace(there, spec=replace(there.spec, placement="node n1"), is_of_older_file=by_file)
    (planned,) = plan(site(TEXT), Snapshot({**found.endpoints, "a": replace(found.endpoints["a"], containers=(moved,))})).changes
    (field,) = planned.fields
    assert (planned.is_drift, planned.may_be_drift) == (is_drift, False)
    assert (field.field, field.before, field.after, str(field.cause.file)) == (
        "placement",
        "node n1",
        "this endpoint",
        "state/endpoints/a.yaml",
    )


def test_a_network_that_differs_since_its_endpoints_file_says_something_else_by_now_is_no_drift() -> None:
    made, _ = applied(NETWORKS, NETWORKS)
    found = made.observe()
    there = tuple(replace(item, spec=replace(item.spec, pf="eth9"), is_of_older_file=True) for item in found.endpoints["a"].networks)
    changed = Snapshot({**found.endpoints, "a": replace(found.endpoints["a"], networks=there)})
    assert [(item.kind, item.is_drift) for item in plan(site(NETWORKS), changed).changes] == [("network", False), ("session", False)]
