"""Rates come from two looks at the kernel's counters, by the host's own clock; what cannot be known is unknown."""

from __future__ import annotations

import pytest

from dtnctl.cli.top.rates import UNKNOWN, InterfaceRate, Rates
from tests.cli.top.frames import counted
from tests.planning.machines import machine, pf


def test_a_rate_needs_two_looks() -> None:
    rates = Rates()
    rates.feed("a", counted(100.0, 1000, 500).facts)
    assert rates.of("a", "ens1f0") == UNKNOWN
    rates.feed("a", counted(104.0, 9000, 500, dropped=8).facts)
    assert rates.of("a", "ens1f0") == InterfaceRate(2000.0, 0.0, 2.0)
    assert rates.of("b", "ens1f0") == UNKNOWN


@pytest.mark.parametrize(
    "later",
    [counted(50.0, 10, 10), counted(104.0, 2000, 2000, boot="two")],
    ids=["the host's clock began again", "another boot"],
)
def test_a_restart_of_the_host_begins_again(later: object) -> None:
    rates = Rates()
    rates.feed("a", counted(100.0, 1000, 1000).facts)
    rates.feed("a", later.facts)  # type: ignore[attr-defined]  # a Host
    assert rates.of("a", "ens1f0") == UNKNOWN


def test_a_counter_that_went_back_is_unknown_and_the_other_is_not() -> None:
    rates = Rates()
    rates.feed("a", counted(100.0, 1000, 1000).facts)
    rates.feed("a", counted(101.0, 10, 3000).facts)
    assert rates.of("a", "ens1f0") == InterfaceRate(None, 2000.0, 0.0)


def test_two_looks_at_the_same_moment_keep_the_rate_of_before() -> None:
    rates = Rates()
    for host in (counted(100.0, 0, 0), counted(101.0, 500, 0), counted(101.1, 501, 0)):
        rates.feed("a", host.facts)
    assert rates.of("a", "ens1f0").received == 500.0
    rates.feed("a", counted(103.0, 2500, 0).facts)
    assert rates.of("a", "ens1f0").received == 1000.0


def test_an_agent_that_reports_no_bytes_gives_no_rate() -> None:
    rates = Rates()
    for _ in range(2):
        rates.feed("a", machine(pf("ens1f0", 1)).facts)
    assert rates.of("a", "ens1f0").received is None


def test_an_endpoint_that_is_silent_has_no_rate_until_two_looks_later() -> None:
    rates = Rates()
    rates.feed("a", counted(100.0, 0, 0).facts)
    rates.feed("a", counted(101.0, 500, 0).facts)
    rates.forget("a")
    assert rates.of("a", "ens1f0") == UNKNOWN
    rates.feed("a", counted(141.0, 90_000, 0).facts)
    assert rates.of("a", "ens1f0") == UNKNOWN
