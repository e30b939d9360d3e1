"""Clocks that are off: named, and nothing that cannot be undone is decided by one of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dtnctl.planning.clocks import difference
from tests.planning.building import NOW, applied, plan, site
from tests.planning.listing import changes
from tests.planning.transfers.declared import DECLARED, SESSION, idle, running

YEAR, DAY, HOUR = 365 * 86400, 86400, 3600
CONSEQUENCE = "the keys of transfers do"


@pytest.mark.parametrize(
    ("clocks", "said"),
    [
        ((0, 0), ""),
        ((HOUR, -1), ""),
        ((None, None), ""),
        (
            (3 * YEAR, 3 * YEAR + 5),
            f"this machine's clock is about 3 years behind those of a, b, which agree: sessions expire by it, and {CONSEQUENCE}",
        ),
        (
            (-2 * DAY, -2 * DAY),
            f"this machine's clock is about 2 days ahead of those of a, b, which agree: sessions expire by it, and {CONSEQUENCE}",
        ),
        ((0, -YEAR), f"the clock of b is about 1 year behind this machine's: sessions expire by this machine's, and {CONSEQUENCE}"),
        (
            (None, 5 * HOUR),
            f"the clock of b is about 5 hours ahead of this machine's: sessions expire by this machine's, and {CONSEQUENCE}",
        ),
    ],
)
def test_the_clock_that_is_off_is_named(clocks: tuple[int | None, int | None], said: str) -> None:
    made = applied(site(SESSION))
    made.hosts["a"].clock_ahead, made.hosts["b"].clock_ahead = clocks
    found = plan(site(SESSION), made)
    assert [text for text in found.notes if "clock" in text] == ([said] if said else [])
    assert found.is_empty, "a note is no change"


@pytest.mark.parametrize("end", ["a", "b"])
def test_a_transfer_whose_keys_would_have_expired_at_an_end_does_not_start(end: str) -> None:
    made = idle()
    made.hosts[end].clock_ahead = 2 * YEAR
    found = plan(site(DECLARED), made)
    assert not found.steps
    [item] = found.blocked
    assert (item.code, item.cause.place) == ("E0494", "state/transfers/t.yaml:1")
    assert item.summary == f"the clock of {end} is about 2 years ahead of this machine's, so the transfer's keys would have expired there"


@pytest.mark.parametrize("ahead", [-2 * YEAR, HOUR, None])
def test_a_transfer_starts_where_its_keys_are_valid(ahead: int | None) -> None:
    made = idle()
    made.hosts["b"].clock_ahead = ahead
    assert plan(site(DECLARED), made).steps


EXPIRED = f"expires: {(NOW - timedelta(days=1)).isoformat()}"


def test_a_session_that_has_expired_by_this_machines_clock_alone_is_not_removed() -> None:
    """With the copy that runs through it, and its transfer."""
    made = running()
    for host in made.hosts.values():
        host.clock_ahead = -3 * YEAR
    found = plan(site(DECLARED.replace("user: dtn", f"user: dtn\n{EXPIRED}")), made, prune="100%")
    assert not found.steps
    assert {(item.name, item.endpoint) for item in found.blocked} == {("s", "a"), ("s", "b")}
    first, copy = (next(item for item in found.blocked if item.code == code) for code in ("E0493", "E0492"))
    assert copy.endpoint == "a", "the copy that runs is a reason of its own"
    assert first.summary == ("the session has expired by this machine's clock, but not by that of a, which is about 3 years behind it")
    assert first.cause.place == "state/sessions/s.yaml:4"


@pytest.mark.parametrize("ahead", [0, 3 * YEAR, -2 * HOUR, None])
def test_a_session_that_has_expired_by_both_clocks_is_removed(ahead: int | None) -> None:
    made = applied(site(SESSION))
    for host in made.hosts.values():
        host.clock_ahead = ahead
    expired = site(SESSION.replace("user: dtn", f"user: dtn\n{EXPIRED}"))
    assert [text.partition(":")[0] for text in changes(plan(expired, made, prune="100%"))] == [
        "destroy session/s @ a",
        "destroy session/s @ b",
    ]


def test_a_session_that_is_removed_from_git_or_an_endpoint_goes_whatever_the_clocks_say() -> None:
    made = applied(site(SESSION))
    for host in made.hosts.values():
        host.clock_ahead = -3 * YEAR
    fewer = SESSION.replace("[a, b]", "[a]").replace("user: dtn", f"user: dtn\nexpires: {(NOW + timedelta(days=1)).isoformat()}")
    assert [text.partition(":")[0] for text in changes(plan(site(fewer), made))] == ["destroy session/s @ b"]
    assert len(plan(site("# profiles/default\n{}\n"), made, prune="100%").steps) == 4
    assert plan(site(SESSION), made, destroy=True).steps


def test_a_difference_is_said_in_its_largest_unit() -> None:
    assert [difference(value) for value in (-4000, 90000, -40 * YEAR)] == [
        "about 1 hour behind",
        "about 1 day ahead of",
        "about 40 years behind",
    ]
