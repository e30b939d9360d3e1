"""An agent that is down, answers late, or is a stranger: what needs it waits untouched, all else converges, the exit code says so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.faults.harness import Stage, warm_up
from tests.faults.scene import HARDWARE_SITE, STAR

SITE: Mapping[str, str | None] = {
    **HARDWARE_SITE,
    "profiles/bare": "user: dtnaas\ninit: true\n",
    "sessions/near": "endpoints: [dtn1]\nimage: dtn:1\nprofile: dtn\n",
    "sessions/plain": "endpoints: [dtn1, dtn2]\nimage: dtn:1\nprofile: bare\n",
}
AWAY: dict[str, tuple[dict[str, Any], str]] = {
    "down": ({"absent": True}, "no process listens there"),
    "late": ({"late": 300.0}, "no answer"),
    "a stranger": ({"stranger": True}, "certificate"),
}
APPLY = ("apply", "--yes", "--timeout", "2")


@pytest.fixture(scope="module")
def opened() -> Iterator[Stage]:
    warm_up()
    with Stage() as stage:
        yield stage


@pytest.fixture
def stage(opened: Stage) -> Iterator[Stage]:
    """Nothing of ours is there; agents are again as they should be afterwards."""
    opened.ask("POST", "restore", {"name": "start"})
    opened.write(SITE)
    yield opened
    for name in ("dtn1", "dtn2"):
        tell(opened, name)


def tell(stage: Stage, endpoint: str, **words: Any) -> None:
    stage.ask("POST", "beside", {"name": endpoint, **words})


def ours(stage: Stage, endpoint: str) -> set[str]:
    """The containers of the site on an endpoint."""
    return {name.strip("/") for name in stage.ask("GET", "view")[endpoint]["containers"] if "demo." in name}


def hosts(stage: Stage) -> dict[str, Any]:
    return {name: {key: seen[key] for key in ("facts", "held", "settings")} for name, seen in stage.ask("GET", "beside").items()}


@pytest.mark.parametrize("how", AWAY)
def test_the_others_converge_and_the_next_apply_does_what_was_left(stage: Stage, how: str) -> None:
    words, sentence = AWAY[how]
    before = hosts(stage)
    tell(stage, "dtn2", **words)
    first = stage.run(*APPLY)
    assert first.code == 3, first.text
    assert "no answer from the agent of dtn2; the next apply does what is left there\ndtnctl: partial (3)" in first.text
    assert sentence in first.text
    assert "star222" in first.text
    assert (ours(stage, "dtn1"), ours(stage, "dtn2")) == ({"demo.near", "demo.plain"}, {"demo.plain"})
    assert hosts(stage)["dtn2"] == before["dtn2"]
    assert hosts(stage)["dtn1"]["settings"]["sysctl/net.core.rmem_max"] == "268435456"

    again = stage.run(*APPLY)
    assert again.code == 7, again.text
    assert "dtnctl: unreachable (7)" in again.text
    assert stage.run("plan", "--detailed-exitcode", "--timeout", "2").code == 7, "unknown is not the same as nothing to do"

    tell(stage, "dtn2")
    assert stage.run(*APPLY).code == 0
    assert stage.run("plan", "--detailed-exitcode").code == 0
    assert ours(stage, "dtn2") == {"demo.star222", "demo.plain"}


@pytest.mark.parametrize("how", AWAY)
def test_a_running_session_stays_as_it_is_whatever_was_declared_meanwhile(stage: Stage, how: str) -> None:
    assert stage.run(*APPLY).code == 0
    view, machines = stage.ask("GET", "view"), hosts(stage)
    stage.write({**SITE, "networks/star": STAR.replace("222", "223"), "sessions/near": SITE["sessions/near"]})
    for name in ("dtn1", "dtn2"):
        tell(stage, name, **AWAY[how][0])
    ended = stage.run(*APPLY)
    assert ended.code == 7, ended.text
    assert "no answer from the agent of dtn1, the agent of dtn2" in ended.text
    assert (stage.ask("GET", "view"), hosts(stage)) == (view, machines)


def test_settings_that_nobody_can_look_at_are_not_said_to_be_right(stage: Stage) -> None:
    stage.write({**SITE, "sessions/star222": None, "sessions/near": None})
    assert stage.run(*APPLY).code == 0
    tell(stage, "dtn1", absent=True)
    assert stage.run(*APPLY).code == 7
    shown = stage.run("plan", "-o", "json")
    assert json.loads(shown.text[shown.text.index("{") : shown.text.rindex("}") + 1])["partial"] is True
    assert "unknown: the agent of dtn1" in stage.run("plan").text


def test_an_owners_no_beside_a_silent_agent_is_still_told_as_such(stage: Stage) -> None:
    stage.write({**SITE, "sessions/plain": f"{SITE['sessions/plain']}settings: {{volumes: ['/etc:/etc']}}\n"})
    tell(stage, "dtn2", absent=True)
    ended = stage.run(*APPLY)
    assert ended.code == 4, ended.text
    assert "blocked, see the plan: plain" in ended.text
    assert ours(stage, "dtn1") == {"demo.near"}


def test_an_agent_that_falls_silent_after_its_last_change_leaves_the_last_look_without_an_answer(stage: Stage) -> None:
    """Everything was carried out, and nobody knows whether it is so."""
    stage.write({**SITE, "sessions/star222": None})
    assert stage.run(*APPLY).code == 0
    moments = stage.ask("GET", "beside")["dtn1"]["effects"]
    stage.ask("POST", "restore", {"name": "start"})
    tell(stage, "dtn1", silent_after=moments)
    ended = stage.run(*APPLY)
    assert ended.code == 3, ended.text
    assert "everything was carried out, but a last look got no answer from the agent of dtn1" in ended.text
