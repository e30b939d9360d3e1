"""`apply --reviewed`: the plan that was reviewed runs; what has changed since is shown, and stops what is more dangerous."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import docker

from tests.cli.small_site import run, two_engines

APPLY = ("apply", "--yes", "--reviewed", "plan.json")


def review(root: Path, **rules: str) -> None:
    """Write site.yaml with these rules."""
    (root / "state/site.yaml").write_text("name: small\n" + "".join(f"review: {{{name}: {value}}}\n" for name, value in rules.items()))


def move_ports(root: Path) -> None:
    (root / "state/profiles/p.yaml").write_text("pull: never\nctrl_port_range: [30005, 30009]\n")


def test_reviewed_plan_runs(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        run(tmp_path, "plan", "--out", "plan.json")
        ran = run(tmp_path, *APPLY)
        assert ran.returncode == 0, ran.stderr
        assert "this is the plan that was reviewed (" in ran.stderr
        again = run(tmp_path, *APPLY)
        assert (again.returncode, "review" in again.stderr) == (0, False), "nothing is left to do"


def test_other_plan_that_is_not_more_dangerous_runs_and_its_differences_are_shown(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        run(tmp_path, "plan", "--out", "plan.json")
        move_ports(tmp_path)
        ran = run(tmp_path, *APPLY)
        assert ran.returncode == 0, ran.stderr
        assert "and nothing of it is more dangerous:" in ran.stderr
        assert "ctrl_port: 30000 → 30005" in ran.stderr


def test_site_can_ask_for_exactly_the_reviewed_plan(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        review(tmp_path, if_changed="stop")
        run(tmp_path, "plan", "--out", "plan.json")
        move_ports(tmp_path)
        ran = run(tmp_path, *APPLY)
        assert ran.returncode == 5
        assert "`review: {if_changed: stop}` in state/site.yaml asks for exactly the reviewed plan" in ran.stderr
        assert "ctrl_port: 30000 → 30005" in ran.stderr
        assert run(tmp_path, "plan", "--detailed-exitcode").returncode == 2, "nothing was done"


def test_what_is_more_dangerous_than_reviewed_is_refused_and_named(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        run(tmp_path, "plan", "--out", "plan.json")
        run(tmp_path, "apply", "--yes")
        (tmp_path / "state/sessions/s.yaml").unlink()
        ran = run(tmp_path, *APPLY, "--max-prune", "100%")
        assert ran.returncode == 5, ran.stderr
        assert "more dangerous than reviewed: destroy session/s @ a" in ran.stderr
        assert "planned now: destroy session/s @ a" in ran.stderr


def test_without_a_review_the_site_decides(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        review(tmp_path, if_missing="stop")
        ran = run(tmp_path, *APPLY)
        assert ran.returncode == 5
        assert "no plan was reviewed for this state (`review: {if_missing: stop}`" in ran.stderr
        review(tmp_path)
        ran = run(tmp_path, *APPLY)
        assert ran.returncode == 0
        assert "no plan was reviewed for this state; going on" in ran.stderr


def test_what_only_restores_the_endpoints_runs_whatever_was_reviewed(tmp_path: Path) -> None:
    with two_engines(tmp_path) as world:
        review(tmp_path, if_changed="stop")
        run(tmp_path, "plan", "--out", "plan.json")
        run(tmp_path, *APPLY)
        with closing(docker.APIClient(f"unix://{world.sockets['a']}")) as engine:
            engine.stop("small.s")
        ran = run(tmp_path, *APPLY)
        assert ran.returncode == 0, ran.stderr
        assert "is left to do; what is planned now restores the endpoints" in ran.stderr


def test_file_that_is_no_plan_is_refused(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        (tmp_path / "plan.json").write_text("{}")
        ran = run(tmp_path, *APPLY)
        assert ran.returncode == 64
        assert "plan.json is not a plan written by `dtnctl plan --out plan.json`" in ran.stderr
