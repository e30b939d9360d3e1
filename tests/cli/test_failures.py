"""What is kept of containers that did not become ready."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from dtnctl.cli.failures import Failure, failures_folder, keep_failures, kept_failures
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Cause, Change, Plan

AT = datetime(2026, 6, 1, tzinfo=UTC)


def plan(*endpoints: str) -> Plan:
    changes = tuple(
        Change("replace", "session", "one", endpoint, Cause("why"), "replaces it", steps=(f"{endpoint}/wait/lab.one",))
        for endpoint in endpoints
    )
    return Plan("lab", changes, (), ())


def failed(endpoint: str, log: str) -> Outcome:
    return Outcome(f"{endpoint}/wait/lab.one", "undone", "it ended", error="health-timeout", check_output=("sick",), log=(log,))


def test_the_last_failure_of_each_service_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "failures"
    keep_failures(folder, plan("a", "b"), [failed("a", "first"), failed("b", "other"), Outcome("a/stop/lab.one", "done")], AT)
    keep_failures(folder, plan("a"), [failed("a", "second")], AT)
    when = "2026-06-01T00:00:00+00:00"
    assert kept_failures(folder, "one") == (
        Failure("a", when, "it ended", ("sick",), ("second",)),
        Failure("b", when, "it ended", ("sick",), ("other",)),
    )
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o600"}


def test_other_sessions_and_files_that_are_none_of_these_are_left_out(tmp_path: Path) -> None:
    keep_failures(tmp_path, plan("a"), [failed("a", "x"), Outcome("a/start/lab.one", "failed", error="error")], AT)
    (tmp_path / "one@b.json").write_text("{}")
    (tmp_path / "one@c.json").write_text("no JSON")
    (tmp_path / "one@d.json").mkdir()
    assert [item.endpoint for item in kept_failures(tmp_path, "one")] == ["a"]
    assert kept_failures(tmp_path, "on") == kept_failures(tmp_path / "absent", "one") == ()


def test_the_folder_is_the_users_state_folder_by_site() -> None:
    assert failures_folder({"XDG_STATE_HOME": "/state", "HOME": "/home/a"}, "lab") == Path("/state/dtnctl/failures/lab")
    for state in ("", "relative"):
        assert failures_folder({"XDG_STATE_HOME": state, "HOME": "/home/a"}, "lab") == Path("/home/a/.local/state/dtnctl/failures/lab")
