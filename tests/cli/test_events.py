"""`-o jsonl`: every line is one object, what happens is said as it happens, and the last line has the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dtnctl.cli.events import Events
from dtnctl.model.actions import PullImage
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Step
from dtnctl.model.progress import Measured
from tests.cli.small_site import run, two_engines
from tests.render.test_json import documented
from tests.runtime.test_execute import StandingClock


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_apply_says_plan_steps_outcomes_and_its_exit_code(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        ran = run(tmp_path, "apply", "--yes", "-o", "jsonl")
        found = events(ran.stdout)
        again = events(run(tmp_path, "apply", "--yes", "--output=jsonl").stdout)
    assert ran.returncode == 0, ran.stderr
    names = [line["event"] for line in found]
    assert names[0] == "plan"
    assert names[-2:] == ["outcomes", "end"]
    assert set(names[1:-2]) == {"step_started", "step_ended"}
    plan, outcomes = found[0]["plan"], found[-2]["outcomes"]
    steps = sorted(step["id"] for step in plan["steps"])
    assert [sorted(line["step"] for line in found if line["event"] == name) for name in ("step_started", "step_ended")] == [steps, steps]
    assert (outcomes["plan_hash"], found[-1]["exit_code"]) == (plan["plan_hash"], 0)
    assert {(line["format_version"], line["kind"]) for line in found} == {(1, "event")}
    assert [line["event"] for line in again] == ["plan", "end"]


def test_plan_is_one_line_and_a_last_one(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        found = events(run(tmp_path, "plan", "-ojsonl", "--detailed-exitcode").stdout)
    assert [line["event"] for line in found] == ["plan", "end"]
    assert found[-1]["exit_code"] == 2


@pytest.mark.parametrize("arguments", [("apply", "--no-such-option"), ("apply", "--no-input", "--target", "nosuch")])
def test_an_error_is_a_line_too(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with two_engines(tmp_path):
        ran = run(tmp_path, *arguments, "-o", "jsonl")
    *_, error, end = events(ran.stdout)
    assert (error["event"], error["error"]["exit_name"], end["exit_code"], ran.returncode) == ("error", "usage", 64, 64)


def test_mistakes_in_the_state_are_a_line_too(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        (tmp_path / "state/sessions/s.yaml").write_text("imgae: x\n")
        found = events(run(tmp_path, "plan", "-o", "jsonl").stdout)
    assert [line["event"] for line in found] == ["error", "end"]
    assert found[0]["problems"]["problems"][0]["file"] == "state/sessions/s.yaml"


def test_progress_is_said_once_a_second_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    said = Events(StandingClock())
    for moved in (1, 2, 3, 10):
        said.progress(Measured("t", moved, 10, 1.5, average=2.5, eta=3.0, files=1, total_files=2))
    assert events(capsys.readouterr().out) == [
        {
            "format_version": 1,
            "kind": "event",
            "event": "progress",
            "at": "2026-01-01T00:00:00.000000Z",
            "transfer": "t",
            "bytes": moved,
            "total_bytes": 10,
            "bytes_per_second": 1.5,
            "average_bytes_per_second": 2.5,
            "seconds_left": 3.0,
            "seconds_still": 0.0,
            "files": 1,
            "total_files": 2,
        }
        for moved in (1, 10)
    ]


def test_no_line_is_a_command_of_a_ci_system(capsys: pytest.CaptureFixture[str]) -> None:
    Events(StandingClock()).step_ended(Outcome("s", "failed", "##vso[task.complete]"), Step("s", "a", PullImage("x"), ()))
    text = capsys.readouterr().out
    assert "##" not in text
    assert json.loads(text)["reason"] == "##vso[task.complete]"


def test_the_page_lists_the_keys_of_every_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with two_engines(tmp_path):
        found = events(run(tmp_path, "apply", "--yes", "-o", "jsonl").stdout)
    Events(StandingClock()).progress(Measured("t"))
    found += events(capsys.readouterr().out)
    own = {key for line in found if line["event"] in ("step_started", "progress", "end") for key in line}
    names = {"plan", "outcomes", "step_started", "step_ended", "progress", "error", "end"}  # the page's first table
    assert own | names == documented("event")
