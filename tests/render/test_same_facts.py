"""One model, three renderers: what one of them tells of a change, all of them tell."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given

from dtnctl.model.plan import Change, Plan
from dtnctl.render.context import RenderContext
from dtnctl.render.json import plan_document, render_json
from dtnctl.render.markdown import render_plan_comment
from dtnctl.render.terminal import render_plan
from dtnctl.render.text import UNICODE_SIGNS, printable_text
from tests.render.plans import BY_HAND, PLANS
from tests.render.reading import Reading


def facts(change: Change) -> Iterator[str]:
    yield from (change.name, change.endpoint, change.summary, change.cause.text, change.cause.place, change.interrupts)
    yield from (change.code, change.fix, *change.notes)
    for pair in (*change.allocations, *change.kept):
        yield from pair
    for power in change.powers:
        yield from (power.label, power.value)
    for field in change.fields:
        yield from (field.field, field.before, field.after, field.cause.place, field.cause.text)
        if field.forces_replace:
            yield "forces replace"


def json_texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("forces_replace"):
            yield "forces replace"
        if value.get("file"):
            yield f"{value['file']}:{value['line']}"
        for item in value.values():
            yield from json_texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from json_texts(item)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("name", BY_HAND)
def test_every_fact_of_a_plan_by_hand_is_in_all_three(name: str) -> None:
    check(BY_HAND[name])


@given(PLANS)
def test_every_fact_of_any_plan_is_in_all_three(plan: Plan) -> None:
    check(plan)


def check(plan: Plan) -> None:
    terminal = render_plan(plan, RenderContext(width=100_000))
    markdown = Reading(render_plan_comment(plan, RenderContext(), limit=10**9)).text
    document = json.loads(render_json(plan_document(plan, RenderContext())))
    told = [set(json_texts(change)) for change in document["changes"]]
    assert len(told) == len(plan.changes)
    for change, texts in zip(plan.changes, told, strict=True):
        assert UNICODE_SIGNS[change.mark] in terminal
        assert UNICODE_SIGNS[change.mark] in markdown
        assert change.mark in texts
        for fact in facts(change):
            shown = printable_text(fact, ascii_only=False)
            assert shown.strip() in terminal
            assert shown.strip() in markdown
            assert not fact or fact in texts
    for text in (plan.hash,) if plan.changes else ():
        assert text in terminal
        assert text in markdown
    assert document["plan_hash"] == plan.hash
