"""What stands before the tables of a comment: each cause once, what is blocked always, and links to the lines that decide."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from dtnctl.model.plan import Cause, Change, Plan
from dtnctl.render.careful import MOST, blocked_part
from dtnctl.render.context import RenderContext
from dtnctl.render.markdown import LIMIT, render_plan_comment
from tests.render.plans import DANGER, PLANS, REPLACE, plan
from tests.render.reading import Reading

SOURCE = "https://forge.example/dtn/state/blob/4f2c1e9/"
NETWORK = Cause("network star222 has no interface on it", "state/networks/star222.yaml", 3)


def blocked(count: int, cause: Cause = NETWORK) -> Plan:
    """That many sessions on twenty endpoints, each kept back."""
    changes = (
        Change("blocked", "session", f"run{number}", f"dtn-{number % 20:02}", cause, "", code="E0440", fix="`interfaces:`")
        for number in range(count)
    )
    return plan(*changes)


def entries(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.startswith("> - ")]


def test_one_network_that_blocks_220_sessions_is_one_entry() -> None:
    (entry,) = entries(render_plan_comment(blocked(220), RenderContext()))
    assert entry.startswith("> - **Blocked** `session/run0`, ")
    assert f"and {220 - MOST} more on dtn-00, dtn-01" in entry
    assert entry.count("star222 has no interface") == 1
    assert entry.count("state/networks/star222.yaml:3") == 1


def test_each_cause_that_names_its_own_object_is_still_one() -> None:
    changes = [
        replace(change, cause=Cause(f"session {change.name} has no user on {change.endpoint}", f"state/sessions/{change.name}.yaml", 1))
        for change in blocked(30).changes
    ]
    (entry,) = entries(render_plan_comment(plan(*changes), RenderContext()))
    assert "session … has no user on …" in entry
    assert "and 27 more places" in entry


def test_dangers_stand_before_every_table() -> None:
    text = render_plan_comment(DANGER, RenderContext())
    first_table = text.index("| Endpoint |")
    assert all(text.index(word) < first_table for word in ("**Blocked (1)**", "**Destroy**", "**Endpoint**"))


def test_title_has_the_verdict() -> None:
    assert "220 blocked" in render_plan_comment(blocked(220), RenderContext()).split("\n")[1]


@pytest.mark.parametrize("count", [1, 100, 1000, 5000])
def test_all_that_is_blocked_is_in_the_comment_whatever_its_causes(count: int) -> None:
    changes = [
        replace(change, cause=Cause(f"cause {number} {'x' * 200}"), code=f"E{number % 30:04}")
        for number, change in enumerate(blocked(count).changes)
    ]
    text = render_plan_comment(plan(*changes), RenderContext())
    assert len(text.encode()) <= LIMIT
    assert f"> **Blocked ({count:,})**" in text
    counted = sum(int(line.split("** ")[1].split(" object")[0].replace(",", "")) for line in entries(text) if " object" in line)
    assert counted in (0, count)
    assert counted or len(entries(text)) == count


def test_codes_without_end_leave_one_number() -> None:
    changes = [
        replace(change, code=f"E{number}", cause=Cause(f"cause {number} {'x' * 200}"))
        for number, change in enumerate(blocked(3000).changes)
    ]
    part = blocked_part(plan(*changes), "", 7000)
    assert part.items == ("> - 3,000 objects; the plan's JSON has the names and causes",)


def test_lines_that_decide_are_links() -> None:
    text = render_plan_comment(REPLACE, RenderContext(source=SOURCE))
    assert f"[state/sessions/climate.yaml:14](<{SOURCE}state/sessions/climate.yaml#L14>)" in text


def test_artifact_is_a_link() -> None:
    text = render_plan_comment(REPLACE, RenderContext(details="plan.json", details_address="https://forge.example/runs/7#artifacts"))
    assert "all of it: [plan.json](<https://forge.example/runs/7#artifacts>)" in text


@given(PLANS)
def test_links_lead_to_the_repository_alone_whatever_the_names_are(whole: Plan) -> None:
    page = Links(render_plan_comment(whole, RenderContext(source=SOURCE)))
    assert all(link.startswith(SOURCE) for link in page.links)


class Links(Reading):
    """The addresses of a comment's links."""

    def __init__(self, markdown: str) -> None:
        self.links: list[str] = []
        super().__init__(markdown)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        if tag == "a":
            self.links += [value or "" for name, value in attrs if name == "href"]
