"""The ports that steps of a plan promise to servers."""

from __future__ import annotations

from collections.abc import Iterator

from dtnctl.model.plan import JobEnd, StartTransfer, Step
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.planning.transfers.ports import promised_ports


def test_only_starts_with_a_server_promise_ports() -> None:
    here = JobEnd("a", "s", "", "127.0.0.1", 22, "")

    def steps() -> Iterator[Step]:
        for number, listens in enumerate([(), (5001,), (5002, 5003)]):
            there = JobEnd("b", "s", "", "10.0.0.2", 22, "", listens=listens)
            yield Step(f"s{number}", "a", StartTransfer(f"t{number}", 1, 1, "iperf3", here, there, "dtn:1", TransferOptions()))

    assert list(promised_ports(steps())) == [("b", frozenset({5001})), ("b", frozenset({5002, 5003}))]
