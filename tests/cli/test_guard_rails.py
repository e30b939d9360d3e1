"""Guard rails as the shell sees them, on engines in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.small_site import run, two_engines

SESSION = "endpoints: [a, b]\nimage: app:1\nprofile: p\n"
CHANGED = "settings: {env: {NEW: '1'}}\n"
APPLY = ("apply", "--yes")
ENDLESS = "freeze: [{from: 2026-01-01T00:00:00Z, reason: beam time}]\n"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """The small site and one more session, applied."""
    with two_engines(tmp_path):
        write(tmp_path, "t", SESSION)
        assert run(tmp_path, *APPLY).returncode == 0
        yield tmp_path


def write(root: Path, session: str, text: str) -> None:
    (root / f"state/sessions/{session}.yaml").write_text(text)


def test_protection_holds_until_an_apply_has_lifted_it(root: Path) -> None:
    write(root, "s", f"{SESSION}protect: true\n")
    ran = run(root, *APPLY)
    assert (ran.returncode, "records that session s is protected" in ran.stdout) == (0, True)
    (root / "state/sessions/s.yaml").unlink()
    for _ in range(2):
        ran = run(root, *APPLY)
        assert (ran.returncode, ran.stdout.count("E0441")) == (4, 1)
    write(root, "s", f"{SESSION}{CHANGED}")
    for _ in range(2):
        assert run(root, *APPLY).returncode == 4
    write(root, "s", SESSION)
    ran = run(root, *APPLY)
    assert (ran.returncode, "lifts the protection of session s" in ran.stdout) == (0, True)
    (root / "state/sessions/s.yaml").unlink()
    assert run(root, *APPLY).returncode == 0
    assert "No changes" in run(root, "plan").stdout


def test_a_freeze_is_overridden_with_a_reason_that_the_plan_and_its_command_have(root: Path) -> None:
    write(root, "s", f"{SESSION}{CHANGED}{ENDLESS}")
    assert "session s is frozen without an end: beam time" in run(root, *APPLY).stdout
    assert run(root, *APPLY).returncode == 4
    ran = run(root, "plan", "--override-freeze", "INC-4711:  card\nreplaced")
    assert "is overridden: INC-4711: card replaced" in " ".join(ran.stdout.split())
    assert "--override-freeze 'INC-4711: card replaced' --expect" in " ".join(ran.stdout.replace("\\\n", " ").split())
    assert run(root, *APPLY, "--override-freeze", "INC-4711").returncode == 0
    assert run(root, *APPLY, "--override-freeze", "INC-4711", DTNCTL_OVERRIDE_FREEZE="always").returncode == 0


def test_an_override_without_a_reason_is_refused(root: Path) -> None:
    ran = run(root, "plan", "--override-freeze", " ")
    assert (ran.returncode, "--override-freeze needs a reason" in ran.stderr) == (64, True)


def test_what_is_suspended_is_no_failure_and_its_drift_is_shown(root: Path) -> None:
    write(root, "s", f"{SESSION}{CHANGED}suspend: true\n")
    ran = run(root, *APPLY)
    assert (ran.returncode, "session s is suspended (state/sessions/s.yaml:5)" in " ".join(ran.stdout.split())) == (0, True)
    assert "session/s @ a" in run(root, "drift").stdout + run(root, "plan").stdout


def test_several_sessions_are_not_removed_because_the_state_is_empty(root: Path) -> None:
    (root / "state/site.yaml").write_text("name: small\nlimits: {max_prune: 100%}\n")
    for name in ("s", "t"):
        (root / f"state/sessions/{name}.yaml").unlink()
    ran = run(root, *APPLY)
    assert (ran.returncode, "E0443" in ran.stdout) == (4, True)
    assert run(root, *APPLY, "--allow-empty").returncode == 0


def test_validate_names_what_expired_long_ago_and_every_reason_of_an_owner_at_once(root: Path) -> None:
    write(root, "t", f"{SESSION}expires: 2020-01-01T00:00:00Z\n")
    ran = run(root, "validate")
    assert ran.returncode == 0
    assert "note: session t expired " in ran.stderr
    assert "(state/sessions/t.yaml:4); remove its file" in ran.stderr
    write(root, "t", f"{SESSION}settings: {{capabilities: {{add: [NET_ADMIN]}}, devices: [/dev/kvm]}}\n")
    ran = run(root, "validate")
    assert ran.returncode == 4
    found = [line.split(": ")[1] for line in ran.stderr.splitlines() if line.startswith("state/")]
    assert sorted(found) == ["E0504", "E0504", "E0505", "E0505"], "each reason, on each endpoint"
