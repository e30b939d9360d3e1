"""What expires soon, and what has expired long ago and still has a file."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.planning.building import NOW, applied, plan, site

SESSION = "# sessions/one\nendpoints: [a, b]\nimage: dtn:1\n"


def notes(expires: timedelta, head: str = "") -> tuple[str, ...]:
    made = applied(site(SESSION))
    return plan(site(f"{head}{SESSION}expires: {(NOW + expires).isoformat()}\n"), made, prune="100%").notes


def test_a_plan_names_what_expires_within_a_week() -> None:
    said = ("session one expires at 2026-06-08T00:00Z and is then removed from a, b (state/sessions/one.yaml:3)",)
    assert notes(timedelta(days=7)) == said
    assert notes(timedelta(days=7, seconds=1)) == ()


@pytest.mark.parametrize(("notice", "is_named"), [("30d", True), ("0s", False), ("999999999d", True)])
def test_the_site_says_how_long_before(notice: str, is_named: bool) -> None:
    found = notes(timedelta(days=30), f"# site\nname: lab\nlimits: {{expiry_notice: {notice}}}\n")
    assert bool(found) is is_named


def test_what_has_just_expired_is_among_the_removals_alone() -> None:
    assert notes(timedelta(days=-29)) == ()


def test_a_session_that_expired_long_ago_is_named_until_its_file_is_removed() -> None:
    assert notes(timedelta(days=-45)) == ("session one expired 45 days ago (state/sessions/one.yaml:3); remove its file",)
