"""The Plan as a value: plain data of anything in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from dtn_agent.protocol.vlans import MakeVlan

from dtnctl.model.actions import HostRequest, JobEnd, PullImage, StartContainer, StartTransfer
from dtnctl.model.plan import AGENT_NEEDED, Cause, Change, EndpointSummary, Plan, Step, action_type, as_data
from dtnctl.model.resources import Ulimit
from dtnctl.model.transfer_options import TransferOptions


def test_values_become_plain_data_and_carry_their_types_name() -> None:
    value = {"limits": (Ulimit("nofile", 1, 2),), "text": "x"}
    assert as_data(value) == {"limits": [{"type": "Ulimit", "name": "nofile", "soft": 1, "hard": 2}], "text": "x"}


def test_a_host_request_is_named_by_its_request_and_its_words_do_not_count_in_the_hash() -> None:
    request = MakeVlan(site="lab", parent="eth1", vlan=7, mtu=None)
    actions = [HostRequest(request, verb, "VLAN eth1.7") for verb in ("make", "create")]
    assert as_data(actions[0]) == {"type": "MakeVlan", "parent": "eth1", "vlan": 7, "mtu": None}
    assert (action_type(actions[0]), action_type(StartContainer("one"))) == ("MakeVlan", "StartContainer")
    first, second = (Plan("lab", (), (Step("a/vlan/eth1.7", "a", action),), ()) for action in actions)
    assert first.hash == second.hash


def test_a_field_at_its_default_does_not_count_in_the_hash_so_that_a_new_one_changes_no_plan() -> None:
    assert as_data(TransferOptions(), with_defaults=False) == {"type": "TransferOptions"}
    assert as_data(TransferOptions(retries=2), with_defaults=False) == {"type": "TransferOptions", "retries": 2}


def test_agents_without_an_answer_are_told_beside_endpoints_and_what_waits_for_them_is_no_guard_rails_no() -> None:
    rows = (
        EndpointSummary("a", "", "", 0, 0, 0, 0, agent_silence="no answer"),
        EndpointSummary("b", "no answer", "", 0, 0, 0, 0),
        EndpointSummary("c", "", "", 0, 0, 0, 0),
    )
    waiting = Change("blocked", "session", "one", "a", Cause("needs the agent"), "", code=AGENT_NEEDED)
    forbidden = Change("blocked", "session", "two", "a", Cause("not allowed"), "", code="E0430")
    unable = Change("blocked", "session", "three", "c", Cause("the agent cannot"), "", code=AGENT_NEEDED)
    plan = Plan("lab", (waiting, forbidden, unable), (), rows)
    assert plan.unanswered == ("b", "the agent of a")
    assert plan.waiting == (waiting,)


def test_a_value_that_is_made_of_nothing_else_stays_as_it_is() -> None:
    moment = datetime(2026, 6, 1, tzinfo=UTC)
    assert as_data({"at": (moment,)}) == {"at": [moment]}


def test_a_plan_that_was_made_of_another_one_has_its_own_hash() -> None:
    first = Plan("lab", (), (), ())
    second = replace(first, steps=(Step("a/pull/x", "a", PullImage("x")),))
    before = first.hash
    assert second.hash != before == first.hash
    assert replace(second, steps=()).hash == first.hash


def test_the_engines_on_which_something_is_done_count_in_the_hash() -> None:
    """The same steps on another engine are another plan; an engine that nothing is done on may change."""

    def plan(*engines: str) -> Plan:
        rows = tuple(EndpointSummary(name, "", "", 0, 0, 0, 0, identity=engine) for name, engine in zip("abc", engines, strict=True))
        return Plan("lab", (), (Step("a/pull/x", "a", PullImage("x")), Step("b/transfer", "b", start)), rows)

    ends = [JobEnd(name, "", "", "", 0, "") for name in "ab"]
    start = StartTransfer("t", 1, 1, "gridftp", ends[0], ends[1], "", TransferOptions())
    assert plan("1", "2", "3").engines == {"a": "1", "b": "2"}
    assert plan("1", "2", "3").hash == plan("1", "2", "4").hash
    assert len({plan(*engines, "").hash for engines in (("1", "2"), ("1", "3"), ("2", "2"), ("", ""))}) == 4
