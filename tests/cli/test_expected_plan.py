"""What plan, drift, destroy and --expect advise is what works, and what differs is said in the words of plans."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.small_site import run, two_engines


def advised(text: str) -> list[str]:
    """The commands at the end of a plan."""
    return [line.partition(":")[2].strip() for line in text.splitlines() if re.match(r"[a-z ]+:\s+dtnctl ", line)]


def test_every_command_that_a_plan_advises_works(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        plan = run(tmp_path, "plan")
        exact, again = advised(plan.stdout)
        assert run(tmp_path, *shlex.split(again)[1:]).stdout == plan.stdout
        assert run(tmp_path, *shlex.split(exact)[1:]).returncode == 0
        destroy = run(tmp_path, "destroy", "--dry-run")
        exact, again = advised(destroy.stdout)
        assert exact.startswith("dtnctl destroy --expect ")
        assert run(tmp_path, *shlex.split(again)[1:]).stdout == destroy.stdout
        assert run(tmp_path, *shlex.split(exact)[1:]).returncode == 0


def test_advice_names_the_folder_and_the_targets(tmp_path: Path) -> None:
    with two_engines(tmp_path / "my site"):
        plan = run(tmp_path, "plan", "-C", "my site", "--target", "endpoint/a")
        exact, again = advised(plan.stdout)
        assert run(tmp_path, *shlex.split(again)[1:]).stdout == plan.stdout
        assert run(tmp_path, *shlex.split(exact)[1:]).returncode == 0


def test_drift_advises_the_plan_and_no_hash(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        text = run(tmp_path, "drift").stdout
        assert "plan hash" not in text
        assert "--expect" not in text
        assert advised(text) == ["dtnctl plan", "dtnctl drift"]
        assert json.loads(run(tmp_path, "drift", "-o", "json").stdout)["plan_hash"] == ""


def test_nothing_is_advised_where_nothing_would_be_done(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        (tmp_path / "state/profiles/p.yaml").write_text("pull: never\nimage: none:1\nvolumes: [{source: /etc, target: /x}]\n")
        for name in ("a", "b"):
            file = tmp_path / f"state/endpoints/{name}.yaml"
            file.write_text(file.read_text() + "allow: {mounts: [/data]}\n")
        text = run(tmp_path, "plan").stdout
        assert "0 changes" in text
        assert "--expect" not in text


def test_a_plan_that_changed_is_refused_with_what_differs(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        run(tmp_path, "plan", "--out", "plan.json")
        (tmp_path / "state/profiles/p.yaml").write_text("pull: never\nctrl_port_range: [30005, 30009]\n")
        ran = run(tmp_path, "apply", "--expect", "plan.json")
        assert ran.returncode == 5
        assert "create session/s @ a:\n    ctrl_port: 30000 → 30005\n" in ran.stderr
        assert "root[" not in ran.stderr
        (now,) = re.findall(r"^if it is right: dtnctl (.*)$", ran.stderr, re.MULTILINE)
        assert run(tmp_path, *shlex.split(now)).returncode == 0


def test_a_hash_that_is_old_is_refused_with_the_plan_and_its_command(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        ran = run(tmp_path, "apply", "--expect", "0123456789abcdef")
        assert ran.returncode == 5
        exact, _ = advised(ran.stderr)
        assert run(tmp_path, *shlex.split(exact)[1:]).returncode == 0


@pytest.mark.parametrize(
    ("made_by", "used_by", "reason"),
    [
        ("drift", "apply", "is what `dtnctl drift` shows; apply expects that of `dtnctl plan`"),
        ("plan", "destroy", "is what `dtnctl plan` shows; destroy expects that of `dtnctl destroy`"),
    ],
)
def test_a_plan_of_another_command_is_no_expectation(tmp_path: Path, made_by: str, used_by: str, reason: str) -> None:
    with two_engines(tmp_path):
        run(tmp_path, made_by, "--out", "p.json")
        ran = run(tmp_path, used_by, "--expect", "p.json")
        assert (ran.returncode, reason in ran.stderr) == (64, True)


@pytest.mark.parametrize("expect", ["plan.jsn", "0123", "ABCDEF0123456789"])
def test_what_is_neither_a_hash_nor_a_file_is_said(tmp_path: Path, expect: str) -> None:
    with two_engines(tmp_path) as world:
        ran = run(tmp_path, "apply", "--expect", expect)
        assert (ran.returncode, world.starts()) == (64, [])
        assert f"--expect {expect}: neither the hash of a plan (16 digits of 0-9a-f) nor a file" in ran.stderr


def test_destroy_says_how_it_runs_without_a_terminal(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        run(tmp_path, "apply", "--yes")
        ran = run(tmp_path, "destroy")
        assert ran.returncode == 64
        assert "pass --yes --confirm=small, or --expect " in ran.stderr
        assert run(tmp_path, "destroy", "--yes", "--confirm=small").returncode == 0
