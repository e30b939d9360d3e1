"""Every error that dtnctl raises on purpose, grouped by who must act, each with its exit code.

The exit codes are a contract (docs/exit-codes.md). Error codes `E….` are stable: people search for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dtnctl.printable import printable_text


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in what people wrote: where, what, and what to try.

    `line` and `column` count from 1; 0 means that the problem is with the file as a whole.
    """

    file: str
    line: int
    column: int
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        tail = f"; try {self.hint}" if self.hint else ""
        return printable_text(f"{self.file}:{self.line or 1}:{self.column or 1}: {self.code}: {self.message}{tail}")


class DtnctlError(Exception):
    """The root. `exit_code` and `exit_name` are what the shell and the last line on stderr say.

    Each argument is one line for the reader, whatever is in it: a value of a file or an answer of an engine cannot add another.
    """

    exit_code = 1
    exit_name = "error"

    def __init__(self, *lines: str) -> None:
        self.lines = tuple(printable_text(line) for line in lines)
        super().__init__("\n".join(lines))


# --- the person at the keyboard ---------------------------------------------------------------------------


class UsageError(DtnctlError):
    """The command line cannot be carried out as typed."""

    exit_code = 64
    exit_name = "usage"


class OutputError(DtnctlError):
    """The result cannot be written to where it should go."""


class ReportError(DtnctlError):
    """A forge or a webhook does not take what should be reported. Never has a token, an address with a secret, or a body in it."""


MANY, FEW = 10, 3  # of MANY equal problems or more, FEW are shown


def _problem_lines(problems: Sequence[Problem]) -> Iterator[str]:
    """A line for each; of many that say the same of different places the first ones, and how many more there are."""
    counts = Counter((problem.code, problem.message, problem.hint) for problem in problems)
    shown: Counter[tuple[str, str, str]] = Counter()
    for problem in problems:
        key = (problem.code, problem.message, problem.hint)
        shown[key] += 1
        if counts[key] < MANY or shown[key] <= FEW:
            yield str(problem)
        elif shown[key] == counts[key]:
            yield f"{problem.code}: the same in {counts[key] - FEW} more places: {problem.message}; `dtnctl validate -o json` lists them"


class ConfigError(DtnctlError):
    """The state files are wrong. Carries every problem that was found, not the first."""

    exit_code = 65
    exit_name = "invalid-config"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems))
        super().__init__(*_problem_lines(self.problems))


class NotAllowedError(ConfigError):
    """The state files are right, but ask for what an endpoint's owner does not allow. Carries every such problem."""

    exit_code = 4
    exit_name = "blocked"


class StalePlanError(DtnctlError):
    """The plan that was reviewed is not the plan that would run now."""

    exit_code = 5
    exit_name = "stale-plan"


class BlockedError(DtnctlError):
    """A guard rail says no: an owner's `allow:`, a name held by somebody else, the prune budget."""

    exit_code = 4
    exit_name = "blocked"


# --- whoever runs the endpoints -----------------------------------------------------------------------------


class UnreachableError(DtnctlError):
    """An endpoint gave no answer. Nothing is known about it; nothing was changed on it."""

    exit_code = 7
    exit_name = "unreachable"


class LockError(DtnctlError):
    """Somebody else holds the lease of an endpoint, or ours was taken over."""

    exit_code = 6
    exit_name = "lock"


class EngineError(DtnctlError):
    """The container engine refused a call. `status` is its HTTP status, 0 if there was none; `output` is what a program printed."""

    def __init__(self, message: str, status: int = 0, output: Sequence[str] = ()) -> None:
        self.status = status
        super().__init__(message, *output)


class NotFoundError(EngineError):
    """The engine has no such object."""


class ConflictError(EngineError):
    """The engine says that the name or the resource is taken, or the object is in the wrong state."""


class PartialApplyError(DtnctlError):
    """Some steps failed and others converged; the next apply continues."""

    exit_code = 3
    exit_name = "partial"


class HealthTimeoutError(DtnctlError):
    """A container did not become ready: it ended, turned unhealthy or took too long.

    `check_output` and `log` are the last lines of its health check and of its own log.
    """

    exit_code = 8
    exit_name = "health-timeout"

    def __init__(self, message: str, check_output: tuple[str, ...] = (), log: tuple[str, ...] = ()) -> None:
        self.check_output = check_output
        self.log = log
        super().__init__(message)


class StoppedError(DtnctlError):
    """Somebody asked us to stop (SIGINT, SIGTERM, SIGHUP): no new steps were started, calls in flight have ended."""

    def __init__(self, signal_number: int) -> None:
        self.exit_code = 128 + signal_number
        self.exit_name = {1: "hangup", 2: "interrupted"}.get(signal_number, "terminated")
        super().__init__("stopped before everything was done; the same command again continues")


# --- whoever owns the data ----------------------------------------------------------------------------------


class TransferError(DtnctlError):
    """The control plane is fine; a transfer failed."""

    exit_code = 9
    exit_name = "transfer-failed"
