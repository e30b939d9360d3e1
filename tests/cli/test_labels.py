"""`--label`: commands about a part of a site, and reports of several parts beside each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.small_site import run, two_engines, write
from tests.fakes.engine import World


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[World]:
    """Endpoint a with region eu and session `near`, endpoint b with region us and session `far`, and `s` on both."""
    with two_engines(tmp_path) as world:
        for name, region, session in (("a", "eu", "near"), ("b", "us", "far")):
            file = tmp_path / f"state/endpoints/{name}.yaml"
            file.write_text(f"{file.read_text()}labels: {{region: {region}}}\n")
            (tmp_path / f"state/sessions/{session}.yaml").write_text(f"endpoints: [{name}]\nimage: app:1\nprofile: p\n")
        yield world


def test_apply_of_a_part_asks_and_changes_nothing_else(parts: World, tmp_path: Path) -> None:
    done = run(tmp_path, "apply", "--yes", "-l", "region=eu")
    assert done.returncode == 0, done.stderr
    assert list(parts.engine("b").state.containers) == []
    assert not [call for call in parts.calls() if " b " in f" {call} "], "b is not asked"
    names = {item.name for item in parts.engine("a").state.containers.values()}
    assert "small.near" in names
    assert "small.s" not in names, "it is on both"
    again = json.loads(run(tmp_path, "plan", "--label", "region=eu", "-o", "json").stdout)
    assert again["changes"] == []
    assert again["label"] == "region=eu"
    assert "label" not in json.loads(run(tmp_path, "plan", "-o", "json").stdout)


def test_a_part_needs_nothing_of_this_machine_that_only_other_parts_need(parts: World, tmp_path: Path) -> None:
    far = tmp_path / "state/endpoints/b.yaml"
    far.write_text(
        "docker: tcp://b.example.net:2376\ntls: {ca: .secrets/ca.pem, cert: .secrets/c.pem, key: .secrets/k.pem}\nlabels: {region: us}\n"
    )
    assert run(tmp_path, "plan", "-l", "region=us").returncode == 65
    assert run(tmp_path, "plan", "-l", "region=eu").returncode == 0
    assert parts.calls()


def test_the_plan_of_a_part_is_made_again_by_what_it_advises(parts: World, tmp_path: Path) -> None:
    found = run(tmp_path, "plan", "-l", "region in (eu,mars)")
    assert "dtnctl plan --label 'region in (eu,mars)'" in found.stdout
    assert run(tmp_path, "plan", DTNCTL_LABEL="region in (eu,mars)").stdout == found.stdout
    assert run(tmp_path, "plan", DTNCTL_LABEL=" ").stdout == run(tmp_path, "plan").stdout, "set to nothing"
    assert parts.calls()


@pytest.mark.parametrize(
    ("command", "shown", "hidden"),
    [
        ("status", ["near", "a.example.net"], ["far"]),
        ("sessions list", ["near"], ["far"]),
        ("endpoints list", ["unix"], ["far"]),
        ("transfers list", [], ["far"]),
    ],
)
def test_lists_show_the_part_alone(parts: World, tmp_path: Path, command: str, shown: list[str], hidden: list[str]) -> None:
    assert run(tmp_path, "apply", "--yes").returncode == 0
    found = run(tmp_path, *command.split(), "-l", "region=eu", "-o", "json")
    assert found.returncode == 0, found.stderr
    document = json.loads(found.stdout)
    assert all(word in found.stdout for word in shown)
    assert not any(f'"{word}"' in found.stdout for word in hidden)
    assert [row["name"] for row in document.get("endpoints", [{"name": "a"}])] == ["a"]
    assert parts.calls()


def test_destroy_of_a_part_leaves_the_other_one(parts: World, tmp_path: Path) -> None:
    assert run(tmp_path, "apply", "--yes").returncode == 0
    assert run(tmp_path, "destroy", "--yes", "--confirm", "small", "-l", "region=eu").returncode == 0
    left = {item.name for name in ("a", "b") for item in parts.engine(name).state.containers.values() if "control" not in item.name}
    assert {"small.far", "small.s"} <= left
    assert "small.near" not in left


@pytest.mark.parametrize(
    ("selector", "answer"),
    [
        ("region=mars", "--label region=mars selects nothing; region is eu, us"),
        ("region", "--label 'region' selects no labels; write `region=eu`"),
        ("regoin!=eu", "--label regoin!=eu: no endpoint or session has a label regoin; region is eu, us"),
    ],
)
def test_a_selector_that_selects_nothing_or_cannot_be_meant_is_refused(parts: World, tmp_path: Path, selector: str, answer: str) -> None:
    for command in (("plan",), ("apply", "--yes"), ("drift",), ("status",), ("destroy", "--dry-run"), ("endpoints", "doctor")):
        found = run(tmp_path, *command, "-l", selector)
        assert found.returncode == 64
        assert answer in found.stderr
    assert not parts.calls()


def test_a_part_of_what_has_no_region_yet_is_empty_and_no_error(parts: World, tmp_path: Path) -> None:
    for command in ("plan", "apply --yes", "drift --detailed-exitcode", "status"):
        found = run(tmp_path, *command.split(), "-l", "region notin (eu,us)")
        assert found.returncode == 0, found.stderr
    assert not parts.calls()


def test_destroy_of_all_but_a_value_that_nothing_has_is_refused(parts: World, tmp_path: Path) -> None:
    assert run(tmp_path, "apply", "--yes").returncode == 0
    for more in (("--yes", "--confirm", "small"), ("--dry-run",)):
        found = run(tmp_path, "destroy", *more, "-l", "region!=ue")
        assert found.returncode == 64
        assert "--label region!=ue would remove what it may be meant to spare: nothing has region=ue; region is eu, us" in found.stderr
    assert "small.near" in {item.name for item in parts.engine("a").state.containers.values()}


def test_a_target_outside_of_the_part_is_refused(parts: World, tmp_path: Path) -> None:
    found = run(tmp_path, "apply", "--yes", "-l", "region=eu", "--target", "far")
    assert (found.returncode, parts.engine("a").state.containers) == (64, {})
    assert "--label region=eu selects nothing of far" in found.stderr


def test_what_a_target_names_may_be_gone_when_the_run_ends(parts: World, tmp_path: Path) -> None:
    assert run(tmp_path, "apply", "--yes").returncode == 0
    (tmp_path / "state/sessions/near.yaml").write_text("endpoints: [b]\nimage: app:1\nprofile: p\n")
    done = run(tmp_path, "apply", "--yes", "-l", "region=eu", "--target", "near")
    assert done.returncode == 0, done.stderr
    assert "small.near" not in {item.name for item in parts.engine("a").state.containers.values()}
    (tmp_path / "state/sessions/s.yaml").unlink()
    done = run(tmp_path, "apply", "--yes", "--target", "s")
    assert done.returncode == 0, done.stderr


def test_doctor_of_a_part_without_agents_says_so(parts: World, tmp_path: Path) -> None:
    file = tmp_path / "state/endpoints/b.yaml"
    file.write_text(f"{file.read_text()}agent: https://127.0.0.1:9\nagent_token_env: TOKEN\n")
    found = run(tmp_path, "endpoints", "doctor", "-l", "region=eu")
    assert (found.returncode, "no endpoint with --label region=eu declares an `agent:`" in found.stderr) == (64, True), found.stderr
    assert not parts.calls()


def test_without_any_label_the_answer_says_so(tmp_path: Path) -> None:
    write(tmp_path, {"a": "unix:///run/none.sock", "b": "unix:///run/none.sock"})
    assert "no endpoint or session has `labels:`" in run(tmp_path, "plan", "-l", "region=eu").stderr


def test_doctor_takes_names_or_a_label(parts: World, tmp_path: Path) -> None:
    assert "not both" in run(tmp_path, "endpoints", "doctor", "a", "-l", "region=eu").stderr
    assert "no endpoint declares an `agent:`" in run(tmp_path, "endpoints", "doctor", "-l", "region=eu").stderr
    assert not parts.calls()
