"""What differs between two plans is said in the words of plans, without brackets, quotes or numbers of a programming language."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dtnctl.render.context import RenderContext
from dtnctl.render.differences import plan_differences
from dtnctl.render.json import plan_document
from tests.render.plans import CREATE, REPLACE


def document(**steps: object) -> dict[str, object]:
    return {"changes": [], "steps": [{"id": name, "action": action} for name, action in steps.items()]}


def change(name: str, **values: Any) -> dict[str, object]:
    nothing = {"mark": "create", "kind": "session", "name": name, "endpoint": "a", "fields": [], "allocations": [], "kept": []}
    return {**nothing, "code": "", "interrupts": "", "summary": "creates it", **values}


def test_changes_of_one_plan_alone_are_named_and_what_others_show_is_compared() -> None:
    before = {"changes": [change("s", allocations=[{"label": "ctrl_port", "value": "30000"}]), change("old")], "steps": []}
    after = {"changes": [change("s", allocations=[{"label": "ctrl_port", "value": "30005"}]), change("new")], "steps": []}
    assert plan_differences(before, after) == [
        "no longer planned: create session/old @ a",
        "planned now: create session/new @ a",
        "create session/s @ a:",
        "    ctrl_port: 30000 → 30005",
    ]


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ({"memory": 1}, {"memory": 2}, "memory: 1 → 2"),
        ({"env": [["PATH", "/bin"], ["A", "b"]]}, {"env": [["A", "b"]]}, "env.PATH: (not shown) → (none)"),
        ({"env": [["A", "x"], ["B", "y"]]}, {"env": [["A", "x"], ["B", "z"]]}, "env.B: (not shown) → (not shown)"),
        ({"init": False}, {"init": True}, "init: no → yes"),
        ({"mounts": []}, {"mounts": [{"type": "Mount", "target": "/d", "ro": False}]}, "mounts.0: (none) → target /d, ro no"),
        ({"command": None}, {"command": ["sleep", "9"]}, "command: (none) → (not shown)"),
        ({"mounts": []}, {"mounts": [{"target": "/d", "token": "xyzzy"}]}, "mounts.0: (none) → target /d, token (not shown)"),
        ({"ports": [1, 2]}, {"ports": None}, "ports: 1, 2 → (none)"),
    ],
)  # fmt: skip
def test_steps_are_compared_where_changes_show_the_same(before: object, after: object, line: str) -> None:
    assert plan_differences(document(a={"spec": before}), document(a={"spec": after})) == ["step a:", f"    spec.{line}"]


def test_steps_of_one_plan_alone_are_named() -> None:
    assert plan_differences(document(a={}), document(b={})) == ["no longer done: step a", "done now: step b"]


def test_equal_plans_do_not_differ_and_real_ones_can_be_compared() -> None:
    one, other = (plan_document(item, RenderContext()) for item in (CREATE, REPLACE))
    assert plan_differences(one, json.loads(json.dumps(one))) == []
    assert not any(mark in line for line in plan_differences(one, other) for mark in ("root", "[", "{", "'"))
