"""What the answer of a policy's command means."""

from __future__ import annotations

import pytest

from dtnctl.model.policy import MOST, PolicyResult, read_answer

CONFTEST = """\
WARN - - main - star222 on dtn1 is given mount /nvme
FAIL - - main - lab.s on a is on the host's network
FAIL - plan.json - main - a reason - with a dash

3 tests, 0 passed, 1 warning, 2 failures, 0 exceptions
"""
CONTRARY = "it ended with exit code 0 and wrote failures"
SUMMARY = "3 tests, 1 passed, 0 warnings, 0 failures, 2 exceptions"


@pytest.mark.parametrize(
    ("code", "written", "errors", "found"),
    [
        (0, "", "", PolicyResult("p", "passed")),
        (0, "mind the gap\n\n  and the door \n", "", PolicyResult("p", "passed", (), ("mind the gap", "and the door"))),
        (1, "no\nnever\n", "", PolicyResult("p", "denied", ("no", "never"))),
        (1, "", "", PolicyResult("p", "denied", ("it gives no reason",))),
        (2, "", "Traceback\nKeyError: 'x'\n\n", PolicyResult("p", "unknown", ("it ended with exit code 2: KeyError: 'x'",))),
        (127, "", "", PolicyResult("p", "unknown", ("it ended with exit code 127: it gives no reason",))),
        (0, "\n3 tests, 3 passed, 0 warnings, 0 failures, 0 exceptions\n", "", PolicyResult("p", "passed")),
        (0, "FAIL - - main - bad thing\n", "", PolicyResult("p", "unknown", (CONTRARY, "bad thing"))),
        (0, "FAIL - bad thing\n", "", PolicyResult("p", "unknown", (CONTRARY, "FAIL - bad thing"), ("FAIL - bad thing",))),
        (0, SUMMARY, "", PolicyResult("p", "unknown", (CONTRARY, SUMMARY))),
        (
            1,
            CONFTEST,
            "",
            PolicyResult(
                "p",
                "denied",
                ("lab.s on a is on the host's network", "a reason - with a dash"),
                ("star222 on dtn1 is given mount /nvme",),
            ),
        ),
    ],
)
def test_exit_code_and_lines_are_the_verdict(code: int, written: str, errors: str, found: PolicyResult) -> None:
    assert read_answer("p", code, written, errors) == found


def test_whatever_is_no_yes_refuses() -> None:
    assert [PolicyResult("p", verdict).refuses for verdict in ("passed", "denied", "unknown")] == [False, True, True]


def test_a_policy_that_writes_without_end_is_cut() -> None:
    assert len(read_answer("p", 1, "no\n" * 10_000, "").reasons) == MOST
