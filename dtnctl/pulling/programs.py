"""Runs dtnctl itself as a program of its own: a crash, a hang or a leak of one run does no harm to the loop."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dtnctl.pulling.outcomes import ApplyResult, problem_text, read_result
from dtnctl.runtime.clock import Clock

# -P: no module is looked for in the working folder
PROGRAM = (sys.executable, "-P", "-m", "dtnctl")
SLICE = 0.2  # seconds between two looks at a run
GRACE = 120.0  # seconds that a run has to end its calls after SIGTERM, before it is killed
VALIDATE_SECONDS = 120.0
PLANNABLE = (0, 4)  # exit codes of validate: good, or good and not allowed by an owner, which the plan shows
# variables that would make it another command than the one that is asked for here
NOT_FOR_RUNS = frozenset(f"DTNCTL_{name}" for name in ("CHDIR", "DRY_RUN", "EXPECT", "OUT", "OUTPUT", "REVIEWED", "WAIT", "YES"))
TOO_LONG = "it did not end within {seconds:.0f} s and was ended"


@dataclass(frozen=True, slots=True)
class Programs:
    """`folder` is where they work, `inherited` are open files that they keep. `is_stopped` is asked while they run, `beat` called.

    `seconds` is how long one apply may take; it waits for no transfer, so hours of copying do not count. `label`: the part of the site
    that is applied; empty for all of it.
    """

    folder: Path
    inherited: tuple[int, ...]
    clock: Clock
    is_stopped: Callable[[], bool]
    beat: Callable[[], None]
    seconds: float
    label: str = ""

    def mistakes(self, tree: Path) -> str:
        """What is wrong with the state files of the tree; empty if they can be planned. What an owner does not allow is no mistake."""
        document = self.folder / "validate.json"
        code, _ = self._run(["-C", str(tree), "validate", "-o", "json"], document, VALIDATE_SECONDS, Path(os.devnull))
        if code in PLANNABLE:
            return ""
        with contextlib.suppress(ValueError, KeyError, OSError):
            return problem_text(json.loads(document.read_text(encoding="utf-8"))["problems"])
        return f"`dtnctl validate` ends with exit code {code}"

    def apply(self, tree: Path, events: Path, reviewed: Path | None = None, log: Path | None = None) -> ApplyResult:
        """`dtnctl apply` of the tree, without a question and without waiting for transfers. SIGTERM when the loop is stopped.

        What it writes for people goes to the loop's own stderr, or into the file `log`.
        """
        words = ["-C", str(tree), "apply", "--yes", "--no-input", "--no-wait", "--no-color", "-o", "jsonl"]
        words += ["--label", self.label] if self.label else []
        words += ["--reviewed", str(reviewed)] if reviewed is not None else []
        code, is_late = self._run(words, events, self.seconds, log)
        with events.open(encoding="utf-8", errors="replace") as lines:
            result = read_result(lines, code)
        return replace(result, exit_code=1, exit_name="timeout", text=TOO_LONG.format(seconds=self.seconds)) if is_late else result

    def _run(self, words: Sequence[str], output: Path, seconds: float, log: Path | None = None) -> tuple[int, bool]:
        """The exit code (negative: the signal that ended it), and whether its time was over. In a session of its own, so that Ctrl-C
        reaches the loop alone."""
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(output.open("wb"))
            errors = stack.enter_context(log.open("wb")) if log is not None else None
            process = subprocess.Popen(
                [*PROGRAM, *words],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=errors,
                env={name: value for name, value in os.environ.items() if name not in NOT_FOR_RUNS},
                pass_fds=self.inherited,
                start_new_session=True,
            )
            with _ended(process):
                return self._awaited(process, seconds)

    def _awaited(self, process: subprocess.Popen[bytes], seconds: float) -> tuple[int, bool]:
        """Wait for its end; ask it to end when the loop is stopped or its time is over; kill it where it does not."""
        end, is_asked, is_late = self.clock.monotonic() + seconds, False, False
        while True:
            self.beat()
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(SLICE), is_late
            now = self.clock.monotonic()
            if not is_asked and (self.is_stopped() or now >= end):
                is_asked, is_late, end = True, not self.is_stopped(), now + GRACE
                process.send_signal(signal.SIGTERM)
            elif is_asked and now >= end:
                process.kill()


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whatever happens here, no run is left without somebody who waits for it."""
    try:
        yield
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
            process.wait()
