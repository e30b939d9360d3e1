"""The same acceptance scenarios where something is there already: images, moved tags, drift, endpoints that return, orphans."""

from __future__ import annotations

from dtnctl.model.actions import PullImage
from dtnctl.model.resources import Attachment, ForeignSeen
from tests.planning.building import applied, change, drop, plan, site, world
from tests.planning.janus import MACVLAN
from tests.planning.listing import changes, says, steps


def test_images_are_pulled_on_every_endpoint_before_the_session_is_touched_on_any() -> None:
    """Scenario 11: a failed pull fails the apply before anything of the session is created, its network included."""
    declared = site("""
        # networks/net
        driver: macvlan
        subnet: 10.0.0.0/24
        # profiles/default
        pull: always
        data_nets: [net]
        # sessions/one
        endpoints: [a, b]
        image: reg:5000/x/y:latest
    """)
    made = plan(declared, world(declared, images=()))
    assert {step.action.image for step in made.steps if isinstance(step.action, PullImage)} == {"reg:5000/x/y:latest"}
    says(
        steps(made),
        """
        a/pull/reg:5000/x/y:latest
        b/pull/reg:5000/x/y:latest
        a/network/net <- a/pull/reg:5000/x/y:latest, b/pull/reg:5000/x/y:latest
        a/create/lab.one <- a/pull/reg:5000/x/y:latest, b/pull/reg:5000/x/y:latest, a/network/net
        a/connect.bridge/lab.one <- a/create/lab.one
        a/start/lab.one <- a/connect.bridge/lab.one
        a/wait/lab.one <- a/start/lab.one
        b/network/net <- a/pull/reg:5000/x/y:latest, b/pull/reg:5000/x/y:latest
        b/create/lab.one <- a/pull/reg:5000/x/y:latest, b/pull/reg:5000/x/y:latest, b/network/net
        b/connect.bridge/lab.one <- b/create/lab.one
        b/start/lab.one <- b/connect.bridge/lab.one
        b/wait/lab.one <- b/start/lab.one
        """,
    )


def test_a_moved_tag_is_a_change_only_when_the_digest_differs() -> None:
    """Scenario 11: the registry is asked for the digest first."""
    declared = site("# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {pull: always}\n")
    made = world(declared)
    made.registry["dtn:1"] = 1
    made.apply(plan(declared, made))
    assert plan(declared, made).is_empty
    made.registry["dtn:1"] = 2
    says(
        changes(plan(declared, made)),
        """
        replace session/one @ a: replaces container lab.one
        """,
    )
    made.apply(plan(declared, made))
    assert plan(declared, made).is_empty


DRIFTED = """
    # networks/aux
    driver: ipvlan
    subnet: 10.1.0.0/24
    # profiles/default
    data_nets: [aux]
    # sessions/one
    endpoints: [a]
    image: dtn:1
    # sessions/two
    endpoints: [a]
    image: dtn:1
    # sessions/three
    endpoints: [a]
    image: dtn:1
    # sessions/four
    endpoints: [a, b]
    image: dtn:1
"""


def test_what_drifted_is_listed_and_nothing_else_is_touched() -> None:
    """Scenario 13: one removed, one stopped, one detached, one with another sysctl; the other endpoint gets no call."""
    declared = site(DRIFTED)
    made = applied(declared)
    before = {item.name: (item.spec.ports, item.spec.attachments) for item in made.hosts["a"].containers.values()}
    drop(made, "a", "lab.one")
    change(made, "a", "lab.two", state="exited", exit_code=137)
    change(made, "a", "lab.three", attachments=(Attachment("aux", "10.1.0.4"),))
    change(made, "a", "lab.four", sysctls=(("net.core.somaxconn", "1"),))
    repair = plan(declared, made)
    says(
        changes(repair),
        """
        drift: replace session/four @ a: replaces container lab.four
        drift: update session/three @ a: changes container lab.three in place
        drift: update session/two @ a: starts container lab.two
        create session/one @ a: creates container lab.one
        """,
    )
    assert {step.endpoint for step in repair.steps} == {"a"}
    made.apply(repair)
    assert plan(declared, made).is_empty
    assert {item.name: (item.spec.ports, item.spec.attachments) for item in made.hosts["a"].containers.values()} == before


def test_an_endpoint_that_is_down_gets_its_half_when_it_is_back() -> None:
    """Scenario 14: the other one is done meanwhile, and is left alone then."""
    declared = site(MACVLAN)
    made = world(declared)
    made.hosts["b"].silence = "no answer within 10 s"
    first = plan(declared, made)
    assert {step.endpoint for step in first.steps} == {"a"}
    assert first.silent == ("b",)
    made.apply(first)
    made.hosts["b"].silence = ""
    second = plan(declared, made)
    assert {step.endpoint for step in second.steps} == {"b"}
    made.apply(second)
    made.check()
    assert plan(declared, made).is_empty


def test_a_removed_session_goes_with_its_networks_and_again_is_no_error() -> None:
    """Scenario 14: containers first, then networks without another user; a container of somebody else keeps its network."""
    declared = site(MACVLAN)
    made = applied(declared)
    made.hosts["b"].foreign.append(ForeignSeen("theirs", "f1", (), (Attachment("net3001", "10.33.1.9"),)))
    empty = site("# networks/net3001\ndriver: macvlan\nsubnet: 10.33.1.0/24\n")
    gone = plan(empty, made)
    says(
        steps(gone),
        """
        a/stop/lab.one
        a/remove/lab.one <- a/stop/lab.one
        a/remove-network/net3001 <- a/remove/lab.one
        b/stop/lab.one
        b/remove/lab.one <- b/stop/lab.one
        """,
    )
    assert gone.notes == ("network net3001 on b is used no more but stays: theirs, not ours, is on it",)
    made.apply(gone)
    assert not plan(empty, made).steps


def test_orphans_are_found_by_their_labels_when_an_endpoint_returns() -> None:
    """Scenario 14: the session's file went while the endpoint was away."""
    made = applied(site(MACVLAN))
    empty = site("# networks/net3001\ndriver: macvlan\nsubnet: 10.33.1.0/24\n")
    made.hosts["b"].silence = "no answer within 10 s"
    made.apply(plan(empty, made))
    assert not plan(empty, made).steps
    made.hosts["b"].silence = ""
    says(
        changes(plan(empty, made)),
        """
        destroy network/net3001 @ b: removes network net3001
        destroy session/one @ b: removes container lab.one, running
        """,
    )
