"""The ports that steps of a plan promise to servers."""

from __future__ import annotations

from dtnctl.model.actions import JobEnd, StartTransfer
from dtnctl.model.plan import Step
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.planning.transfers.ports import PromisedPorts


def test_starts_with_a_server_promise_ports_as_the_plan_grows() -> None:
    here = JobEnd("a", "s", "", "127.0.0.1", 22, "")
    steps: list[Step] = []
    promised = PromisedPorts(steps)
    assert promised.at("b") == set()

    for number, (listens, all_of_them) in enumerate([((), set()), ((5001,), {5001}), ((5002, 5003), {5001, 5002, 5003})]):
        there = JobEnd("b", "s", "", "10.0.0.2", 22, "", listens=listens)
        steps.append(Step(f"s{number}", "a", StartTransfer(f"t{number}", 1, 1, "iperf3", here, there, "dtn:1", TransferOptions())))
        assert promised.at("b") == all_of_them
    assert promised.at("a") == set()
