"""Secrets by reference through the whole program: looked up for plan and apply, in the container's environment and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dtnctl.model.secrets import LABEL_SECRETS
from tests.cli.small_site import two_engines
from tests.fakes.engine import World
from tests.runtime.program import dtnctl
from tests.sops_program import prepare

FIRST, SECOND = "canary-first-0123456789", "canary-second-0123456789"
PROFILE = "pull: never\nctrl_port_range: [30000, 30009]\nenv:\n  TOKEN: {secret: env:DTN_TOKEN}\n"


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("DTN_TOKEN", FIRST)
    with two_engines(tmp_path) as world:
        profile(tmp_path, PROFILE)
        yield world


def profile(root: Path, text: str) -> None:
    (root / "state/profiles/p.yaml").write_text(text)


def environment_of(world: World, endpoint: str = "a") -> dict[str, str]:
    return dict(text.split("=", 1) for text in world.container(endpoint, "small.s").config["Env"])


def test_apply_gives_the_value_to_the_container_and_a_fingerprint_to_its_label(engines: World, tmp_path: Path) -> None:
    ran = dtnctl(tmp_path, "apply", "--yes")
    assert ran.code == 0, ran.err
    assert environment_of(engines)["TOKEN"] == FIRST
    labels = engines.container("a", "small.s").config["Labels"]
    assert list(json.loads(labels[LABEL_SECRETS])) == ["TOKEN"]
    assert FIRST not in json.dumps(labels) + ran.out + ran.err
    assert dtnctl(tmp_path, "plan", "--detailed-exitcode").code == 0


def test_a_rotated_secret_replaces_the_container_and_is_no_drift(engines: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dtnctl(tmp_path, "apply", "--yes")
    monkeypatch.setenv("DTN_TOKEN", SECOND)
    shown = dtnctl(tmp_path, "plan")
    assert "(secret) → (secret, changed)" in shown.out
    assert FIRST not in shown.out
    assert SECOND not in shown.out
    assert dtnctl(tmp_path, "drift", "--detailed-exitcode").code == 0
    assert dtnctl(tmp_path, "apply", "--yes").code == 0
    assert environment_of(engines)["TOKEN"] == SECOND


def test_a_plan_that_was_confirmed_by_its_hash_is_refused_once_the_secret_is_another_one(
    engines: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = json.loads(dtnctl(tmp_path, "plan", "-o", "json").out)["plan_hash"]
    monkeypatch.setenv("DTN_TOKEN", SECOND)
    assert dtnctl(tmp_path, "apply", "--yes", "--expect", digest).code == 5
    assert engines.starts() == []


def test_a_missing_secret_is_noted_by_plan_and_refused_by_apply_with_its_line(
    engines: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DTN_TOKEN")
    place = "state/profiles/p.yaml:4:19: E0378: the secret of TOKEN (env:DTN_TOKEN) cannot be used: the environment variable DTN_TOKEN"
    shown = dtnctl(tmp_path, "plan")
    assert shown.code == 0
    assert f"note: {place} is not set; try to set it" in shown.err
    assert "(secret, not looked at), apply will need it" in shown.out
    calls = len(engines.calls())
    refused = dtnctl(tmp_path, "apply", "--yes")
    assert refused.code == 65
    assert place in refused.err
    assert not [call for call in engines.calls()[calls:] if not call.split(" ", 1)[1].startswith("GET")]


def test_a_missing_secret_of_a_session_that_this_run_leaves_alone_stops_nothing(
    engines: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DTN_TOKEN")
    assert dtnctl(tmp_path, "apply", "--yes", "--exclude", "session/s").code == 0
    assert dtnctl(tmp_path, "destroy", "--yes", "--confirm=small").code == 0
    assert engines.starts() == []


def test_offline_no_secret_is_looked_at_and_an_unchanged_plan_has_the_same_hash(
    engines: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dtnctl(tmp_path, "apply", "--yes")
    dtnctl(tmp_path, "inventory", "refresh")
    profile(tmp_path, PROFILE + "  MODE: fast\n")
    online = json.loads(dtnctl(tmp_path, "plan", "-o", "json").out)
    monkeypatch.delenv("DTN_TOKEN")
    offline = json.loads(dtnctl(tmp_path, "plan", "--offline", "-o", "json").out)
    assert offline["plan_hash"] == online["plan_hash"]
    assert any("(secret, not looked at), taken as unchanged" in note for note in offline["notes"])
    assert FIRST not in "".join(file.read_text() for file in (tmp_path / ".dtnctl/inventory").iterdir())


def test_sops_decrypts_a_file_of_the_repository(engines: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = prepare(tmp_path / "outside", tmp_path / "secrets.yaml", {"s3": {"token": FIRST, "port": 4711}})
    for name, value in needed.items():
        monkeypatch.setenv(name, value)
    profile(tmp_path, PROFILE.replace("env:DTN_TOKEN", "'sops:secrets.yaml#s3.token'"))
    assert dtnctl(tmp_path, "apply", "--yes").code == 0
    assert environment_of(engines, "b")["TOKEN"] == FIRST


def test_a_container_that_writes_its_secret_into_its_log_does_not_bring_it_into_ours(
    engines: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.fakes.engine import Behaviour

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    engines.programs.register(Behaviour(ends=True, exit_code=3, stdout=(f"login with {FIRST} refused",)), name="small.s")
    ran = dtnctl(tmp_path, "apply", "--yes")
    assert ran.code == 8
    assert "login with (value of TOKEN) refused" in ran.out + ran.err
    kept = "".join(file.read_text() for file in (tmp_path / "xdg").rglob("*.json"))
    assert FIRST not in ran.out + ran.err + kept
