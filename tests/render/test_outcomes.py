"""What apply says while it runs and when it ends."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.actions import (
    Action,
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    DisconnectNetwork,
    EnsureLedger,
    FinishTransfer,
    PullImage,
    RemoveContainer,
    RemoveNetwork,
    ReplaceContainer,
    RestoreContainer,
    RetireContainer,
    StartContainer,
    StartTransfer,
    StopContainer,
    UpdateContainer,
    WaitHealthy,
)
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Cause, Change, Plan, Step
from dtnctl.model.resources import Attachment, ContainerSpec, NetworkSpec
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.render.context import RenderContext
from dtnctl.render.outcomes import render_outcomes, render_progress
from dtnctl.render.steps import step_words
from dtnctl.render.text import PAINT, cells
from tests.render.plans import CREATE, DANGER, EMPTY, REPLACE, TEXT, TRANSFER, endpoint, obeyed, plan

CONTEXT = RenderContext(command="apply")


def outcomes(of: Plan, **results: Outcome) -> tuple[Outcome, ...]:
    """Every step done but those named by position: `s2=Outcome(…)`; later steps that need a failed one are skipped."""
    found: dict[str, Outcome] = {}
    for position, step in enumerate(of.steps):
        ordinary = Outcome(step.id, "done", seconds=0.125)
        for need in step.needs:
            if found[need].result != "done":
                reason = found[need].reason if found[need].result == "skipped" else f"needs {need}"
                ordinary = Outcome(step.id, "skipped", reason)
        found[step.id] = replace(results.get(f"s{position}", ordinary), step=step.id)
    return tuple(found.values())


# --- while it runs ------------------------------------------------------------------------------------------


def test_finished_step_is_one_line_in_columns() -> None:
    first, second, *_ = CREATE.steps
    assert render_progress(Outcome(first.id, "done", seconds=0.123), first, CREATE) == "dtn-a  create      scinet.run14  0.12 s"
    assert render_progress(Outcome(second.id, "done", seconds=61.2), second, CREATE) == "dtn-a  start       scinet.run14  1 min 1 s"


def test_step_that_was_not_done_says_why() -> None:
    step = CREATE.steps[0]
    failed = Outcome(step.id, "failed", "no space left\non device", 0.1, "error")
    assert render_progress(failed, step, CREATE) == "dtn-a  create      scinet.run14  failed: no space left\\non device"
    assert render_progress(Outcome(step.id, "skipped"), step, CREATE) == "dtn-a  create      scinet.run14  skipped"


def test_finished_transfer_tells_its_bytes() -> None:
    step = TRANSFER.steps[1]
    done = Outcome(step.id, "done", seconds=5.2, detail="4294967296 bytes in 5.0 s, sha256 equal")
    assert render_progress(done, step, TRANSFER) == "dtn-a  finish      transfer copy  5.2 s  4294967296 bytes in 5.0 s, sha256 equal"


def test_every_action_has_a_verb_and_an_object() -> None:
    transfer = TRANSFER.steps[0].action
    assert isinstance(transfer, StartTransfer)
    ends = (transfer.source, transfer.destination)
    actions: dict[Action, tuple[str, str]] = {
        PullImage("dtnaas/gct"): ("pull", "dtnaas/gct"),
        CreateNetwork("star222", NetworkSpec("macvlan"), ()): ("create", "network star222"),
        RemoveNetwork("star222", "1"): ("remove", "network star222"),
        CreateContainer("s.a", ContainerSpec("i"), ()): ("create", "s.a"),
        ConnectNetwork("s.a", Attachment("star222")): ("connect", "s.a to star222"),
        DisconnectNetwork("s.a", "star222"): ("disconnect", "s.a from star222"),
        StartContainer("s.a"): ("start", "s.a"),
        StopContainer("s.a", "1", 10): ("stop", "s.a"),
        RetireContainer("s.a", "1"): ("set aside", "s.a"),
        RestoreContainer("s.a", "1", True): ("restore", "s.a"),
        ReplaceContainer("s.a", "1", ContainerSpec("i:1"), (), True): ("replace", "s.a"),
        RemoveContainer("s.a", "1"): ("remove", "s.a"),
        UpdateContainer("s.a"): ("update", "s.a"),
        WaitHealthy("s.a", 1, 1): ("wait for", "s.a"),
        EnsureLedger("/var/lib/dtnctl"): ("create", "ledger /var/lib/dtnctl"),
        transfer: ("start", "transfer copy"),
        FinishTransfer("copy", 1, 1, "gridftp", *ends, TransferOptions(), True): ("finish", "transfer copy"),
    }
    assert {action: step_words(action) for action in actions} == actions


# --- at the end ---------------------------------------------------------------------------------------------


def test_all_done_is_one_line() -> None:
    assert render_outcomes(CREATE, outcomes(CREATE), CONTEXT) == "Applied 2 of 2 changes.\n"
    assert render_outcomes(CREATE, outcomes(CREATE), CONTEXT, EMPTY) == "Applied 2 of 2 changes. · a last look found nothing left to do\n"
    assert render_outcomes(EMPTY, (), CONTEXT) == "Nothing to apply.\n"


def test_a_last_look_that_an_endpoint_did_not_answer_found_nothing_out() -> None:
    left = replace(EMPTY, endpoints=(endpoint("dtn-a", silence="timed out"),))
    assert "a last look found nothing left" not in render_outcomes(CREATE, outcomes(CREATE), CONTEXT, left)


def test_failure_says_what_was_tried_what_was_put_back_and_what_to_do_next() -> None:
    reason = "not healthy after 60 s: connection refused; the container that was there is back"
    found = outcomes(REPLACE, s2=Outcome("", "undone", reason, 60.0, "health-timeout"))
    assert (
        render_outcomes(REPLACE, found, replace(CONTEXT, options="-C site"))
        == """\
0 of 1 change applied, 1 failed (1 restored)

✖ failed     replace session/climate @ dtn-a      state/sessions/climate.yaml:14
    ✖ wait for  scinet.climate: not healthy after 60 s: connection refused; the
                container that was there is back
    = restored  scinet.climate as it was before, and started again
    = done      2 of 4 steps

next
    dtnctl sessions logs climate --failed  what it wrote
    dtnctl apply -C site                   continues with what is left
"""
    )


def test_partial_apply_lists_what_failed_what_was_held_back_and_what_is_left() -> None:
    pull = Step("dtn-b/pull/image", "dtn-b", PullImage("dtnaas/gct:latest"))
    steps = tuple(replace(step, needs=(pull.id,)) if step.id.startswith("dtn-b/create") else step for step in CREATE.steps)
    whole = replace(CREATE, steps=(pull, *steps))
    found = outcomes(whole, s0=Outcome("", "failed", "the registry did not answer", 30.0, "error"))
    blocked = replace(whole, changes=(*DANGER.blocked, *whole.changes), endpoints=DANGER.endpoints)
    left = replace(CREATE, changes=CREATE.changes[1:])
    assert (
        render_outcomes(blocked, found, CONTEXT, left)
        == """\
1 of 2 changes applied, 1 not tried · 1 blocked

! not tried  create session/run14 @ dtn-b            state/sessions/run14.yaml:1
      why  needs dtn-b/pull/image

✖ failed     pull dtnaas/gct:latest @ dtn-b
    ✖ why  the registry did not answer

    ✖ blocked  session/run15 @ dtn-a: E0412
               it mounts /etc, the owner allows /nvme
    ! left     create session/run14 @ dtn-b: declared, not there
    ! silent   dtn-d: ssh: connect to host dtn-d port 22: No route to host;
               nothing is known of it

next
    dtnctl apply  continues with what is left
"""
    )


def test_interrupted_change_is_unfinished_and_the_next_apply_continues() -> None:
    first, *others = CREATE.steps
    found = (Outcome(first.id, "done"), *(Outcome(step.id, "skipped", "interrupted") for step in others))
    text = render_outcomes(CREATE, found, CONTEXT)
    assert text.startswith("0 of 2 changes applied, 1 unfinished, 1 not tried\n")
    assert "! unfinished create session/run14 @ dtn-a " in text
    assert "      why   interrupted\n    = done  1 of 2 steps\n" in text
    assert text.endswith("next\n    dtnctl apply  continues with what is left\n")


def test_failed_transfer_points_to_its_log_and_a_silent_endpoint_to_what_is_known() -> None:
    failed = outcomes(TRANSFER, s1=Outcome("", "failed", "checksums differ", 9.0, "transfer-failed"))
    assert "    dtnctl transfers logs copy  what it wrote\n" in render_outcomes(TRANSFER, failed, CONTEXT)
    silent = outcomes(CREATE, s2=Outcome("", "failed", "connection reset", 9.0, "unreachable"))
    text = render_outcomes(CREATE, silent, replace(CONTEXT, command="destroy"))
    assert "    dtnctl endpoints show dtn-b  what is known of it\n    dtnctl destroy               continues" in text


def test_details_of_finished_steps_are_told_at_the_end() -> None:
    done = outcomes(TRANSFER, s1=Outcome("", "done", seconds=5.0, detail="4294967296 bytes in 5.0 s, sha256 equal"))
    text = render_outcomes(TRANSFER, done, CONTEXT)
    assert text == "Applied 2 of 2 changes.\n\n    = transfer copy  4294967296 bytes in 5.0 s, sha256 equal\n"


def test_change_without_an_outcome_was_not_tried() -> None:
    assert render_outcomes(CREATE, (), CONTEXT).startswith("0 of 2 changes applied, 2 not tried\n")


RESULTS = st.sampled_from(["done", "failed", "skipped", "undone"])
ERRORS = st.sampled_from(["", "error", "unreachable", "health-timeout", "transfer-failed", "lock"])


@given(st.lists(st.tuples(RESULTS, TEXT, ERRORS, TEXT), max_size=6), TEXT, st.integers(80, 200), st.booleans())
def test_closing_report_fits_the_terminal_and_nothing_in_it_obeys(
    found: list[tuple[str, str, str, str]], text: str, width: int, ascii_only: bool
) -> None:
    steps = tuple(
        Step(f"{text}-{number}", f"dtn-{text}", RetireContainer(text, "1"), undo=RestoreContainer(text, "1", True))
        for number in range(len(found))
    )
    changes = [
        Change("replace", "session", f"{text}{number}", step.endpoint, Cause(text, text, 1), text, steps=(step.id,))
        for number, step in enumerate(steps)
    ]
    whole = plan(*changes, *DANGER.changes, steps=steps[:-1])
    results = tuple(
        Outcome(step.id, result, reason, 1.0, error, detail)  # type: ignore[arg-type]  # drawn from the literals
        for step, (result, reason, error, detail) in zip(steps, found, strict=True)
    )
    context = RenderContext(command="apply", width=width, ascii=ascii_only, options=text)
    shown = render_outcomes(whole, results, context, DANGER)
    assert all(line.isprintable() for line in shown.split("\n"))
    assert obeyed(shown) == []
    assert not ascii_only or shown.isascii()
    assert PAINT.sub("", render_outcomes(whole, results, replace(context, color=True), DANGER)) == shown
    for line in shown.split("\n"):
        *_, last = line.split(" ")
        assert cells(line) <= width or cells(last) > width - 32, line
    for step, outcome in zip(steps, results, strict=True):
        assert render_progress(outcome, step, whole).isprintable()
        assert obeyed(render_progress(outcome, step, whole)) == []
