"""What holds for every plan on every terminal."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.head import Head
from dtnctl.model.plan import Cause, Change, Plan
from dtnctl.render.context import RenderContext
from dtnctl.render.terminal import render_plan
from dtnctl.render.text import PAINT, cells
from tests.render.plans import BY_HAND, CREATE, DANGER, DRIFT, EMPTY, PLANS, REPLACE, TRANSFER, endpoint, obeyed, plan

CONTEXTS = st.builds(
    RenderContext,
    command=st.sampled_from(["plan", "apply", "drift", "destroy"]),
    head=st.sampled_from([Head(), Head("4f2c1e9" + "0" * 33, "main", is_dirty=True)]),
    version=st.sampled_from(["", "0.1.0"]),
    width=st.integers(80, 220),
    show_all=st.booleans(),
    brief=st.booleans(),
    reproduce=st.sampled_from(["", "dtnctl plan -C /srv/site " + "--target session/long-name " * 6]),
    options=st.sampled_from(["", "-C site", "--exclude session/long-name " * 9]),
)
INDENT = 32  # no text of a heading, a fact or a place starts further right, if a line of its own would be too short for it


@given(PLANS, CONTEXTS)
def test_any_plan_fits_its_terminal_and_begins_with_the_verdict(plan: Plan, context: RenderContext) -> None:
    """Only a word that cannot be broken makes a line too long."""
    text = render_plan(plan, context)
    assert text.startswith("VERDICT  ")
    assert text == render_plan(replace(plan), replace(context))
    for line in text.split("\n"):
        *_, last = line.split(" ")
        assert cells(line) <= context.width or cells(last) > context.width - INDENT, line


@given(PLANS, CONTEXTS)
def test_nothing_that_others_wrote_can_obey_or_deceive_a_terminal(plan: Plan, context: RenderContext) -> None:
    """What is left besides printable characters is our own colour, and that adds nothing but colour."""
    text = render_plan(plan, context)
    assert all(line.isprintable() for line in text.split("\n"))
    assert obeyed(text) == []
    assert PAINT.sub("", render_plan(plan, replace(context, color=True))) == text
    assert render_plan(plan, replace(context, ascii=True)).isascii()


def test_no_line_ends_in_a_blank() -> None:
    for each in BY_HAND.values():
        assert not re.search(r"[ \t]$", render_plan(each, RenderContext(width=100)), re.MULTILINE)


# --- what is said when --------------------------------------------------------------------------------------


def test_brief_is_verdict_table_and_hash() -> None:
    text = render_plan(REPLACE, RenderContext(brief=True))
    assert [line.split(" ")[0] for line in text.split("\n\n")] == ["VERDICT", "", "plan"]


def test_all_lists_what_is_unchanged_and_every_finished_transfer() -> None:
    note = EMPTY.transfers[0]
    many = replace(EMPTY, transfers=tuple(replace(note, name=f"run{number}") for number in range(7)))
    short, long = (render_plan(many, RenderContext(show_all=show_all)) for show_all in (False, True))
    assert "    = 7 more succeeded (--all lists them)" in short
    assert "session/climate @ dtn-a" not in short
    assert all(f"transfer/run{number} " in long for number in range(7))
    assert "    = session/climate @ dtn-a\n    = session/climate @ dtn-b\n    = session/mirror @ dtn-a\n" in long


def test_silent_endpoint_keeps_a_plan_without_changes_from_claiming_too_much() -> None:
    text = render_plan(plan(endpoints=(endpoint("dtn-a"), endpoint("dtn-b", silence="timed out"))), RenderContext())
    assert text.startswith("VERDICT  No changes on the endpoints that answered. 0 objects match ·\n         unknown: dtn-b\n")
    assert "dtn-b is silent (timed out), nothing is planned there" in text


def test_plan_that_no_endpoint_answered_claims_nothing() -> None:
    silent = (endpoint("dtn-a", silence="timed out"), endpoint("dtn-b", silence="timed out"))
    for command in ("plan", "drift", "destroy"):
        text = render_plan(plan(endpoints=silent), RenderContext(command=command))
        assert text.startswith("VERDICT  Unknown: no endpoint answered (dtn-a, dtn-b)\n")
    blocked = Change(mark="blocked", kind="session", name="s", endpoint="dtn-a", cause=Cause("not allowed"), summary="", code="E0406")
    assert "Unknown: no endpoint answered (dtn-a, dtn-b) · 1 blocked\n" in render_plan(plan(blocked, endpoints=silent), RenderContext())


def test_silent_endpoint_that_changes_wait_for_is_said_to_be_needed() -> None:
    silent = replace(DANGER, endpoints=(endpoint("dtn-a", silence="timed out"), endpoint("dtn-c")))
    assert "dtn-a is silent (timed out), needed by 1 change" in render_plan(silent, RenderContext(width=200))


def test_no_drift_is_called_so() -> None:
    assert render_plan(plan(), RenderContext(command="drift")).startswith("VERDICT  No drift. 0 objects match.\n")


def test_transfer_that_only_gets_its_receipt_is_not_said_to_start() -> None:
    text = render_plan(TRANSFER, RenderContext())
    assert "1 transfer will start" in text
    assert "▶ start    transfer/copy" in text
    assert "▶ finish   transfer/old" in text


def test_ascii_marks_differ_from_each_other() -> None:
    text = render_plan(plan(*(change for each in BY_HAND.values() for change in each.changes)), RenderContext(ascii=True))
    for start in ("X blocked", "- destroy", "R replace", "~ update", "+ create", "> finish"):
        assert f"\n{start}" in text
    assert "session/run14 @ dtn-a <-> dtn-b" in text


def test_command_that_applies_exactly_this_repeats_the_options() -> None:
    text = render_plan(CREATE, RenderContext(options="--target session/run14"))
    assert f"apply exactly this:\n  dtnctl apply --target session/run14 --expect {CREATE.hash}\n" in text
    text = render_plan(CREATE, RenderContext(command="destroy"))
    assert f"destroy exactly this:  dtnctl destroy --expect {CREATE.hash}\n" in text


def test_apply_and_drift_suggest_no_command_for_exactly_this() -> None:
    assert "--expect" not in render_plan(CREATE, RenderContext(command="apply"))
    assert "--expect" not in render_plan(DRIFT, RenderContext(command="drift"))


def test_command_of_several_lines_can_be_pasted() -> None:
    text = render_plan(CREATE, RenderContext(reproduce="dtnctl plan -C site" + " --target session/run14" * 4))
    first, second = text.splitlines()[-2:]
    assert first == "  dtnctl plan -C site --target session/run14 --target session/run14 --target \\"
    assert second == "  session/run14 --target session/run14"


# --- headings -----------------------------------------------------------------------------------------------


def test_endpoints_with_one_reason_share_a_heading_and_others_do_not() -> None:
    first, second = CREATE.changes
    other = replace(second, cause=replace(second.cause, text="made anew after a prune"))
    assert "@ dtn-a ↔ dtn-b" in render_plan(plan(first, second), RenderContext())
    assert "↔" not in render_plan(plan(first, other), RenderContext())
    assert "↔" not in render_plan(plan(first, replace(second, is_drift=True)), RenderContext())


def test_choices_that_are_the_same_everywhere_are_told_once() -> None:
    first, second = CREATE.changes
    text = render_plan(plan(first, replace(second, allocations=first.allocations)), RenderContext())
    assert text.count("30000") == 1
    assert "    + ctrl port     30000\n" in text


def test_three_endpoints_are_listed_and_their_choices_too_when_columns_do_not_fit() -> None:
    first, second = CREATE.changes
    third = replace(second, endpoint="dtn-c", notes=(), allocations=(("image", "registry.example/" + "x" * 30), ("ctrl port", "30009")))
    text = render_plan(plan(first, second, third), RenderContext())
    assert "+ create   session/run14 @ dtn-a, dtn-b, dtn-c " in text
    assert "    + dtn-c  " in text
    assert "ctrl port 30009" in text


def test_what_is_true_of_some_endpoints_names_them() -> None:
    first, second = CREATE.changes
    third = replace(second, endpoint="dtn-c")
    text = render_plan(plan(first, second, third), RenderContext())
    assert "dtn-b, dtn-c: image dtnaas/gct:latest is pulled first" in text


def test_texts_that_differ_between_endpoints_name_them() -> None:
    (first,) = REPLACE.changes
    second = replace(first, endpoint="dtn-b", interrupts="climate on dtn-b is down while it restarts")
    text = render_plan(plan(first, second, replace(first, name="beta", interrupts="")), RenderContext())
    assert "3 replaces (2 with interruption)" in text
    assert "! interrupts  dtn-a: climate on dtn-a is down while it restarts\n" in text
    assert "! interrupts  dtn-b: climate on dtn-b is down while it restarts\n" in text
    assert "= kept        dtn-b: ctrl port 30000 ·" in text


def test_drift_is_told_apart_and_counted_in_the_verdict() -> None:
    both = plan(*DRIFT.changes, *CREATE.changes)
    text = render_plan(both, RenderContext())
    assert "· 1 drifted ·" in text
    assert text.index("+ create   session/run14") < text.index("\ndrift (1)") < text.index("~ update   session/beta")
