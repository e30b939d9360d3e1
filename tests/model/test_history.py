"""Which runs are shown of a session, and which commit made what stands now."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.history import Standing, history_of, marks_of, standing_in
from dtnctl.model.ownership import LABEL_COMMIT
from dtnctl.model.runs import RunChange
from tests.planning.building import applied, change, site
from tests.render.histories import FAILED, GOOD, HISTORY, IDLE

SITE = """
    # sessions/one
    endpoints: [a, b]
    image: dtn:1
    # sessions/two
    endpoints: [a]
    image: dtn:1
    """


def test_of_a_session_the_runs_that_did_something_about_it_are_shown() -> None:
    assert list(history_of(HISTORY.runs, "climate", 0)[0].values()) == [FAILED, GOOD]
    assert history_of(HISTORY.runs, "climate", 1) == ({"20261129T170000Z-bbbbbbbb": FAILED}, 1)
    assert list(history_of(HISTORY.runs, "", 20)[0].values()) == [IDLE, FAILED, GOOD]
    assert marks_of(IDLE, "") == ()
    assert marks_of(replace(FAILED, changes=(RunChange("replace", "session", "s", "a", "undone"),)), "s") == (("replace", 1), ("undone", 1))


def test_what_stands_names_the_commit_that_made_it_as_far_as_it_is_known() -> None:
    made = applied(site(SITE))
    for endpoint, commit in (("a", "4f2c1e9"), ("b", "4f2c1e9+uncommitted")):
        container = made.hosts[endpoint].by_name("lab.one")
        assert container is not None
        change(made, endpoint, "lab.one", labels={**container.labels, LABEL_COMMIT: commit})
    one = (Standing("one", "a", "4f2c1e9", False, "running"), Standing("one", "b", "4f2c1e9", True, "running"))
    assert standing_in(made.observe(), "one") == one
    assert standing_in(made.observe()) == (*one, Standing("two", "a", "", False, "running"))
