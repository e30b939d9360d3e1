"""What a policy says about a plan: its verdict, with every reason. Reading a command's answer is here, asking it is not. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

PolicyVerdict = Literal["passed", "denied", "unknown"]
PASSED, DENIED = 0, 1  # exit codes of a policy's command
LABELLED = re.compile(r"(FAIL|WARN) - (?:\S+ )?- \S+ - (.*)")  # conftest's own form; of standard input there is no file
FAILED = re.compile(r"FAIL - |\d+ tests?, .*\b[1-9]\d* (failure|exception)s?\b")  # as `conftest --no-fail` has with 0, and a pipe to `tee`
MOST = 200  # lines that are kept


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """`command` is what was asked. `unknown`: it gave no verdict, which counts as a no; `reasons` then say why."""

    command: str
    verdict: PolicyVerdict
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def refuses(self) -> bool:
        return self.verdict != "passed"


def read_answer(command: str, exit_code: int, written: str, errors: str) -> PolicyResult:
    """The verdict of a command that has ended. With 0 its lines are warnings, with 1 reasons; any other code is no verdict.

    Of conftest the lines with FAIL or WARN count, and its summary does not. A failure that it writes, in either, and 0 are no verdict.
    """
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    labelled = [found for line in lines if (found := LABELLED.fullmatch(line))]
    if labelled or _is_conftest(lines):
        failed = [found[2] for found in labelled if found[1] == "FAIL"]
        warned = [found[2] for found in labelled if found[1] == "WARN"]
    else:
        failed, warned = (lines, []) if exit_code == DENIED else ([], lines)
    if exit_code not in (PASSED, DENIED):
        last = next((line.strip() for line in reversed(errors.splitlines()) if line.strip()), "it gives no reason")
        return PolicyResult(command, "unknown", (f"it ended with exit code {exit_code}: {last}",))
    if exit_code == PASSED and (contrary := [line for line in lines if FAILED.match(line)]):
        reasons = tuple(failed[:MOST]) or tuple(contrary[:MOST])
        return PolicyResult(command, "unknown", ("it ended with exit code 0 and wrote failures", *reasons), tuple(warned[:MOST]))
    if exit_code == PASSED:
        return PolicyResult(command, "passed", (), tuple(warned[:MOST]))
    return PolicyResult(command, "denied", tuple(failed[:MOST]) or ("it gives no reason",), tuple(warned[:MOST]))


def _is_conftest(lines: list[str]) -> bool:
    return any(re.match(r"\d+ tests?, \d+ passed, ", line) for line in lines)
