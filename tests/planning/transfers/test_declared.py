"""Transfers: started once per generation, judged when they ended, never run again because something is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dtnctl.model.actions import FinishTransfer, StartTransfer
from dtnctl.model.resources import ledger_name
from dtnctl.model.transfer_options import TransferOptions
from tests.planning.building import applied, change, drop, plan, site, world
from tests.planning.listing import changes, details, notes, says, steps
from tests.planning.transfers.declared import DECLARED, SESSION, at, end_job, idle, record, running, transfer
from tests.properties.host import MOMENT

# --- the start ----------------------------------------------------------------------------------------------


def test_a_transfer_starts_when_both_services_are_ready_and_its_record_can_be_kept() -> None:
    declared = site(DECLARED)
    made = world(declared)
    start = plan(declared, made)
    says(
        details(replace(start, changes=tuple(item for item in start.changes if item.kind != "session"))),
        """
        transfer transfer/t @ a: generation 1 starts once: a:/data/x → b:/data/x by gridftp
          because no record of it (state/transfers/t.yaml:1)
          session = s
          streams = 4
          verify = checksum by md5, from 1 GiB on by sha256 where both ends compute that faster
          note its record cannot be read before the ledger is back; it starts only if there is none
        create ledger/lab.control.ledger @ a: creates the ledger's container (never started) over /var/lib/dtnctl/lab
          because transfers t keep their record here
        """,
    )
    assert steps(start)[-2:] == [
        "a/transfer/t <- a/ledger/ensure, a/wait/lab.s, b/wait/lab.s",
        "a/finish/t <- a/transfer/t",
    ]


def test_the_job_knocks_where_the_services_listen() -> None:
    """Its own sshd on loopback, the other one as users reach it."""
    for settings, near, far in (
        ("{}", ("127.0.0.1", 30000), ("b.example.net", 30000)),
        ("{internal_port: 22}", ("127.0.0.1", 22), ("b.example.net", 30000)),
        ("{mgmt_net: host}", ("127.0.0.1", 30000), ("b.example.net", 30000)),
        ("{mgmt_net: null, data_nets: [net]}", ("127.0.0.1", 30000), ("10.0.0.3", 30000)),
        ("{mgmt_net: net, internal_port: 22}", ("127.0.0.1", 22), ("10.0.0.3", 22)),
    ):
        text = "# networks/net\ndriver: macvlan\nsubnet: 10.0.0.0/24\n" + DECLARED.replace("user: dtn", f"user: dtn\nsettings: {settings}")
        made = plan(site(text), world(site(text)))
        action = next(step.action for step in made.steps if isinstance(step.action, StartTransfer))
        assert (action.source.host, action.source.port) == near
        assert (action.destination.host, action.destination.port) == far


@pytest.mark.parametrize(
    ("hosts", "settings", "place"),
    [
        (at(a="10.0.0.1", b="10.0.0.1"), "{}", "10.0.0.1:30000"),
        (at(a="dtn.example.net", b="DTN.example.net."), "{}", "DTN.example.net.:30000"),
        (at(a="fd00::1", b="fd00:0:0::1"), "{}", "fd00::1:30000"),
        (at(a="127.0.0.1", b="127.0.0.1"), "{}", "127.0.0.1:30000"),
        (at(a="localhost", b="127.0.0.2"), "{internal_port: 22}", "127.0.0.2:30000"),
        (at(a="localhost", b="::1"), "{mgmt_net: host}", "::1:30000"),
    ],
)
def test_a_transfer_whose_ends_are_one_host_and_port_is_blocked_and_makes_nothing(hosts: str, settings: str, place: str) -> None:
    declared = site(hosts + DECLARED.replace("user: dtn", f"user: dtn\nsettings: {settings}"))
    blocked = plan(declared, world(declared)).blocked
    assert [(item.name, item.code, item.cause.text, item.cause.place) for item in blocked] == [
        ("t", "E0490", f"both ends are one place: b is reached at {place}, which is a itself", "state/transfers/t.yaml:2")
    ]
    assert blocked[0].fix == "`host:` of b with the name or address at which a reaches it"
    assert not [step for step in plan(declared, world(declared)).steps if "transfer" in step.id or "ledger" in step.id]


def test_two_engines_of_one_machine_may_copy_over_its_own_network_by_different_ports() -> None:
    settings = "settings: {mgmt_net: host}\noverrides: {b: {ctrl_port_range: 31000}}"
    declared = site(at(a="127.0.0.1", b="127.0.0.1") + DECLARED.replace("user: dtn", f"user: dtn\n{settings}"))
    action = next(step.action for step in plan(declared, world(declared)).steps if isinstance(step.action, StartTransfer))
    assert (action.destination.host, action.destination.port) == ("127.0.0.1", 31000)


def test_a_loopback_host_does_not_matter_where_the_container_has_an_address_of_its_own() -> None:
    network = "# networks/net\ndriver: macvlan\nsubnet: 10.0.0.0/24\n"
    hosts = at(a="127.0.0.1", b="127.0.0.1").replace("host:", "interfaces: {net: eth1}\nhost:")
    declared = site(hosts + network + DECLARED.replace("user: dtn", "user: dtn\nsettings: {mgmt_net: null, data_nets: [net]}"))
    action = next(step.action for step in plan(declared, world(declared)).steps if isinstance(step.action, StartTransfer))
    assert action.destination.host == "10.0.0.3"


def test_a_transfer_between_two_names_of_one_engine_is_blocked() -> None:
    made = idle()
    made.hosts["b"].engine_id = made.hosts["a"].engine_id = "one"
    says(
        details(plan(site(DECLARED), made)),
        """
        blocked session/s @ a: E0491
          because a and b are one engine (state/endpoints/a.yaml:1)
          fix: `docker:` of a or b with the address of another engine, or one endpoint for both
        blocked transfer/t @ a: E0491
          because a and b are one engine (state/endpoints/a.yaml:1)
          fix: `docker:` of a or b with the address of another engine, or one endpoint for both
        blocked session/s @ b: E0491
          because a and b are one engine (state/endpoints/b.yaml:1)
          fix: `docker:` of b or a with the address of another engine, or one endpoint for both
        """,
    )


def test_links_that_are_to_be_followed_are_in_the_plan() -> None:
    folder = {"from": "a:/data/x/", "to": "b:/data/x/", "recursive": "true"}
    for links, shown in (("follow", [("links", "followed")]), ("refuse", [])):
        text = SESSION + transfer(**folder, links=links)
        (found,) = (item for item in plan(site(text), idle()).changes if item.kind == "transfer")
        assert [pair for pair in found.allocations if pair[0] == "links"] == shown


def test_a_file_copied_into_a_folder_keeps_its_name_and_the_plan_shows_what_is_written() -> None:
    into_folder = {"from": "a:/data/run14.nc", "to": "b:/data/"}
    as_file = {"from": "a:/data/run14.nc", "to": "b:/data/run15.nc"}
    tree = {"from": "a:/data/run14/", "to": "b:/data/", "recursive": "true"}
    for values, path, shown in (
        (into_folder, "/data/run14.nc", [("writes", "b:/data/run14.nc")]),
        (as_file, "/data/run15.nc", []),
        (tree, "/data/", []),
    ):
        made = plan(site(SESSION + transfer(**values)), idle())
        (found,) = (item for item in made.changes if item.kind == "transfer")
        assert [pair for pair in found.allocations if pair[0] == "writes"] == shown
        actions = [step.action for step in made.steps if isinstance(step.action, (StartTransfer, FinishTransfer))]
        assert [action.destination.path for action in actions] == [path, path]


def test_a_plan_carries_the_options_of_the_file_and_defaults_for_the_others() -> None:
    text = SESSION + transfer(deadline="1h", block_size="4MiB", retries=2)
    action = next(step.action for step in plan(site(text), idle()).steps if isinstance(step.action, StartTransfer))
    assert action.options == TransferOptions(deadline=3600.0, block_size=4 * 1024**2, retries=2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DECLARED + "# sessions/s\nendpoints: [a, b]\nimage: dtn:1\n", "session s has no `user` to log in as"),
        (DECLARED.replace("user: dtn", "user: dtn\nstate: stopped"), "session s is declared stopped"),
        (DECLARED.replace("user: dtn", "user: dtn\nsettings: {ctrl_port_range: null}"), "session s has no control port"),
        (DECLARED.replace("user: dtn", "user: dtn\nsettings: {pull: never}").replace("dtn:1", "dtn:9"), "session s is blocked"),
    ],
)
def test_a_transfer_waits_and_says_for_what(text: str, expected: str) -> None:
    declared = site(text)
    assert notes(plan(declared, world(declared)))[-1] == f"t generation 1 waiting: {expected}"
    assert not [step for step in plan(declared, world(declared)).steps if "/t" in step.id and "transfer" in step.id]


def test_a_transfer_waits_for_an_endpoint_that_does_not_answer() -> None:
    made = idle()
    made.hosts["b"].silence = "no answer within 10 s"
    assert "t generation 1 waiting: b does not answer" in notes(plan(site(DECLARED), made))
    assert not plan(site(DECLARED), made).steps


def test_nothing_is_known_of_a_transfer_whose_record_does_not_answer() -> None:
    made = idle()
    made.hosts["a"].silence = "no answer within 10 s"
    assert "t generation 1 unknown: a, which keeps its record, does not answer" in notes(plan(site(DECLARED), made))


def test_a_service_that_this_run_leaves_alone_carries_a_transfer_if_it_is_as_declared() -> None:
    made = idle()
    targeted = plan(site(DECLARED), made, targets=("transfer/t",))
    assert steps(targeted) == ["a/transfer/t", "a/finish/t <- a/transfer/t"]
    change(made, "b", "lab.s", state="exited")
    targeted = plan(site(DECLARED), made, targets=("transfer/t",))
    assert notes(targeted) == ["t generation 1 waiting: session s on b is not as declared, and this run leaves it alone"]
    other_port = site(DECLARED.replace("user: dtn", "user: dtn\nsettings: {ctrl_port_range: [31000, 31000]}"))
    assert notes(plan(other_port, idle(), targets=("transfer/t",))) == [
        "t generation 1 waiting: session s on a is not as declared, and this run leaves it alone"
    ]


# --- the record ---------------------------------------------------------------------------------------------


def test_a_transfer_with_a_receipt_is_done() -> None:
    made = idle()
    record(made, verdict="succeeded", bytes=1000, seconds=2.0, finished_at=MOMENT, verified="md5 equal")
    assert plan(site(DECLARED), made).is_empty
    assert notes(plan(site(DECLARED), made)) == [
        "t generation 1 succeeded: 1000 bytes in 2.0 s, md5 equal, receipt of 2026-06-01T00:00:00Z"
    ]


@pytest.mark.parametrize(
    ("verdict", "cause", "expected"),
    [
        ("failed", "disk full", "failed: disk full"),
        ("cancelled", "", "cancelled: cancelled"),
        ("unknown", "it cannot be read", "unknown: it cannot be read"),
    ],
)
def test_what_failed_for_good_is_said_and_left(verdict: Any, cause: str, expected: str) -> None:
    made = idle()
    record(made, verdict=verdict, cause=cause, retryable=True)
    way_on = "decide with `dtnctl transfers resolve t`, or raise" if verdict == "unknown" else "raise"
    [note] = plan(site(DECLARED), made).transfers
    assert f"{note.state}: {note.text}" == f"{expected}; {way_on} `generation` to run it again"
    assert not plan(site(DECLARED), made).steps


def test_a_failure_that_may_pass_is_tried_again_as_often_as_declared() -> None:
    made = idle()
    text = SESSION + transfer(retries=1)
    record(made, verdict="failed", cause="reset", retryable=True)
    again = plan(site(text), made)
    says(
        details(again),
        """
        transfer transfer/t @ a: generation 1 starts once: a:/data/x → b:/data/x by gridftp
          because try 2 of 2 (state/transfers/t.yaml:4)
          session = s
          streams = 4
          verify = checksum by md5, from 1 GiB on by sha256 where both ends compute that faster
        """,
    )
    record(made, attempt=2, verdict="failed", cause="reset", retryable=True)
    assert notes(plan(site(text), made)) == ["t generation 1 failed: reset; raise `generation` to run it again"]


def test_a_failure_that_will_not_pass_is_not_tried_again() -> None:
    made = idle()
    record(made, verdict="failed", cause="no such file")
    assert not plan(site(SESSION + transfer(retries=3)), made).steps


def test_a_claim_that_was_given_back_does_not_count_as_a_try_and_its_number_is_not_used_again() -> None:
    made = idle()
    record(made, released=True)
    start = plan(site(DECLARED), made)
    assert [step.action.attempt for step in start.steps if isinstance(step.action, StartTransfer)] == [2]
    assert start.changes[0].cause.text == "no record of it"


def test_a_claim_without_result_and_container_is_closed_as_unknown_and_never_run_again() -> None:
    """Its keys are still let in at both ends, until a step takes them away."""
    made, declared = idle(), site(SESSION + transfer(retries=3))
    record(made)
    closing = plan(declared, made)
    assert steps(closing) == ["a/finish/t"]
    (change,) = closing.changes
    assert change.cause.text == "its container and its result are gone"
    assert "t generation 1 unknown: claimed at 2026-06-01T00:00:00Z, but its container" in " ".join(notes(closing))
    assert "takes its keys away and records that its result is unknown; starts nothing" in change.summary
    made.apply(closing)
    says(
        notes(plan(declared, made)),
        """
        t generation 1 unknown: its container and its result are gone; it may have run; decide with `dtnctl transfers resolve
              t`, or raise `generation` to run it again
        """,
    )
    assert plan(declared, made).is_empty
    assert made.starts == {}


def test_a_claim_whose_keys_cannot_be_taken_away_yet_is_a_note() -> None:
    made = idle()
    record(made)
    made.hosts["b"].silence = "no resolved to host"
    found = plan(site(DECLARED), made)
    assert not found.steps
    assert "t generation 1 unknown: claimed at 2026-06-01T00:00:00Z, but its container" in " ".join(notes(found))


def test_a_raised_generation_runs_again() -> None:
    made = applied(site(DECLARED))
    again = plan(site(SESSION + transfer(generation=2)), made)
    assert steps(again) == ["a/transfer/t", "a/finish/t <- a/transfer/t"]
    made.apply(again)
    assert made.starts == {("a", "t", 1, 1): 1, ("a", "t", 2, 1): 1}


def test_a_pruned_ledger_is_brought_back_before_anything_is_believed() -> None:
    """`docker system prune` takes the container, not the record."""
    declared = site(DECLARED)
    made = applied(declared)
    drop(made, "a", ledger_name("lab"))
    again = plan(declared, made)
    says(
        changes(again),
        """
        transfer transfer/t @ a: generation 1 starts once: a:/data/x → b:/data/x by gridftp
        create ledger/lab.control.ledger @ a: creates the ledger's container (never started) over /var/lib/dtnctl/lab
        """,
    )
    made.apply(again)
    assert made.starts == {("a", "t", 1, 1): 1}
    assert plan(declared, made).is_empty


def test_a_transfer_whose_source_moved_is_not_run_a_second_time() -> None:
    made = applied(site(DECLARED))
    moved = site(SESSION + transfer(**{"from": "b:/data/x", "to": "a:/data/x"}))
    assert notes(plan(moved, made)) == [
        "t generation 1 waiting: it was started on a before `from` changed; raise `generation` to run it from here"
    ]
    assert not plan(moved, made).steps


def test_a_job_that_runs_on_the_source_that_was_holds_the_new_one_back_and_is_cleared_when_it_ends() -> None:
    made = running()
    made.hosts["a"].records.clear()
    moved = site(SESSION + transfer(generation=2, **{"from": "b:/data/x", "to": "a:/data/x"}))
    assert "it was started on a" in notes(plan(moved, made))[-1]
    end_job(made)
    assert steps(plan(moved, made)) == [
        "a/record/lab.t.g1a1",
        "a/remove/lab.t.g1a1 <- a/record/lab.t.g1a1",
        "b/ledger/ensure",
        "b/transfer/t <- b/ledger/ensure",
        "b/finish/t <- b/transfer/t",
    ]
