"""A site that declares nothing any more must not remove everything."""

from __future__ import annotations

import pytest

from tests.planning.building import applied, plan, site
from tests.planning.listing import details, says

SITE = "# site\nname: lab\nlimits: {max_prune: 100%}\n"
EXPIRED = "expires: 2026-05-01T00:00:00Z\n"


def sessions(*names: str, more: str = "") -> str:
    return "".join(f"# sessions/{name}\nendpoints: [a]\nimage: dtn:1\n{more}" for name in names)


def test_a_state_without_sessions_removes_nothing_whatever_its_own_limit_says() -> None:
    found = plan(site(SITE), applied(site(SITE + sessions("one", "two"))))
    says(
        details(found)[:4],
        """
        blocked session/one @ a: E0443
          because the state declares nothing any more (it has no session file): 2 sessions would be removed and none left
              (state/site.yaml:1)
          fix: --allow-empty if it is meant
        """,
    )
    assert not found.steps


def test_sessions_that_have_all_expired_stay() -> None:
    found = plan(site(SITE + sessions("one", "two", more=EXPIRED)), applied(site(SITE + sessions("one", "two"))))
    assert (found.steps, [item.code for item in found.blocked]) == ((), ["E0443", "E0443"])
    assert "(all its sessions have expired): 2 sessions" in found.blocked[0].summary


def test_the_last_session_goes_and_so_do_others_while_one_is_left() -> None:
    assert plan(site(SITE), applied(site(SITE + sessions("one")))).steps
    made = applied(site(SITE + sessions("one", "two", "three")))
    assert len(plan(site(SITE + sessions("one")), made).steps) == 4


@pytest.mark.parametrize(
    "scope", [{"allow_empty": True}, {"targets": ("session/one", "session/two")}, {"destroy": True}, {"prune": 2}, {"prune": "100%"}]
)
def test_everything_goes_where_it_is_asked_for(scope: dict[str, object]) -> None:
    made = applied(site(SITE + sessions("one", "two")))
    assert len(plan(site(SITE), made, **scope).steps) == 4


def test_the_limit_does_not_count_where_an_empty_site_is_meant() -> None:
    made = applied(site(SITE + sessions("one", "two", "three", "four")))
    assert len(plan(site("# site\nname: lab\n"), made, allow_empty=True).steps) == 8


def test_an_empty_site_with_nothing_on_its_endpoints_is_no_mistake() -> None:
    assert plan(site(SITE), applied(site(SITE))).is_empty
