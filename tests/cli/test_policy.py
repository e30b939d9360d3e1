"""`--policy`: a plan that a policy denies is shown with the reasons and is not carried out; it is never named by the state files."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from tests.cli.small_site import run, two_engines

RULE = """\
import json, sys
plan = json.load(sys.stdin)
images = sorted({f"{step['action']['container']} has {step['action']['spec']['image']}" for step in plan["steps"]
    if step["action"]["type"] == "CreateContainer" and "@sha256:" not in step["action"]["spec"]["image"]})
print("\\n".join(images))
sys.exit(1 if images else 0)
"""


def policy(root: Path, text: str = RULE) -> str:
    file = root / "policy.py"
    file.write_text(text)
    return f"{sys.executable} {file}"


def test_what_a_policy_denies_is_shown_with_its_reasons_and_exits_with_4(tmp_path: Path) -> None:
    with two_engines(tmp_path) as world:
        command = policy(tmp_path)
        plan = run(tmp_path, "plan", "--policy", command)
        assert plan.returncode == 4, plan.stderr
        assert re.search(r"^POLICY +denied \([^)]*policy\.py\)\n +- small\.s has app:1$", plan.stdout, re.MULTILINE), plan.stdout
        assert "the policy denies this plan: small.s has app:1; nothing was changed" in plan.stderr
        apply = run(tmp_path, "apply", "--yes", DTNCTL_POLICY=command)
        assert (apply.returncode, world.starts()) == (4, [])


def test_json_and_comment_have_the_verdict_and_report_makes_the_same_comment_of_it(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        ran = run(tmp_path, "plan", "-o", "json", "--out", "plan.md", "--policy", policy(tmp_path))
    document = json.loads(ran.stdout)
    assert (document["policy"]["verdict"], document["policy"]["reasons"]) == ("denied", ["small.s has app:1"])
    comment = (tmp_path / "plan.md").read_text()
    assert " · ⚠ denied by policy\n" in comment
    assert re.search(r"^> \*\*✖ Policy:\*\* `?denied \(", comment, re.MULTILINE)
    assert "> - small.s has app:1\n" in comment


def test_what_passes_runs_and_warnings_are_shown(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        command = policy(tmp_path, "print('look twice')\n")
        plan = run(tmp_path, "plan", "--policy", command)
        assert (plan.returncode, "- warning: look twice" in plan.stdout) == (0, True)
        [exact] = re.findall(r"apply exactly this:\s+dtnctl (.*?)\n(?!  )", plan.stdout, re.DOTALL)
        assert "--policy" in exact
        assert run(tmp_path, "apply", "--yes", "--policy", command).returncode == 0


def test_a_policy_that_cannot_be_asked_denies(tmp_path: Path) -> None:
    with two_engines(tmp_path) as world:
        ran = run(tmp_path, "apply", "--yes", "--policy", "/nowhere/policy")
        assert (ran.returncode, world.starts()) == (4, [])
        assert "no verdict, which counts as denied (/nowhere/policy)" in ran.stdout
        assert "the policy gave no verdict: it cannot be started: No such file or directory" in ran.stderr


def test_a_plan_without_changes_is_not_judged(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        run(tmp_path, "apply", "--yes")
        ran = run(tmp_path, "plan", "--policy", "/nowhere/policy")
        assert (ran.returncode, "POLICY" in ran.stdout) == (0, False)


def test_the_state_files_cannot_name_a_policy(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        (tmp_path / "state/site.yaml").write_text("name: small\npolicy: touch owned\n")
        ran = run(tmp_path, "plan")
        assert (ran.returncode, (tmp_path / "owned").exists()) == (65, False)


def test_destroy_is_judged_too_and_so_is_what_it_shows(tmp_path: Path) -> None:
    rule = "import json, sys\nplan = json.load(sys.stdin)\nprint(plan['command'], 'is not now')\nsys.exit(plan['command'] == 'destroy')\n"
    with two_engines(tmp_path) as world:
        run(tmp_path, "apply", "--yes")
        command = policy(tmp_path, rule)
        ran = run(tmp_path, "destroy", "--yes", "--confirm", "small", DTNCTL_POLICY=command)
        assert ran.returncode == 4, ran.stderr
        assert "the policy denies this plan: destroy is not now; nothing was changed" in ran.stderr
        assert all(engine.state.containers for engine in world.engines.values())
        shown = run(tmp_path, "destroy", "--dry-run", "--policy", command)
        assert (shown.returncode, "- destroy is not now" in shown.stdout) == (4, True)
        allowed = run(tmp_path, "destroy", "--yes", "--confirm", "small", "--policy", policy(tmp_path, "print('mind it')\n"))
        assert (allowed.returncode, "- warning: mind it" in allowed.stdout) == (0, True), allowed.stderr


def test_a_policy_that_writes_failures_and_ends_well_lets_nothing_run(tmp_path: Path) -> None:
    with two_engines(tmp_path) as world:
        ran = run(tmp_path, "apply", "--yes", "--policy", policy(tmp_path, "print('FAIL - - main - bad thing')\n"))
        assert (ran.returncode, world.starts()) == (4, [])
        assert "the policy gave no verdict: it ended with exit code 0 and wrote failures" in ran.stderr
        assert "- bad thing\n" in ran.stdout


def test_an_offline_plan_is_judged_too(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        run(tmp_path, "inventory", "refresh")
        ran = run(tmp_path, "plan", "--offline", "--policy", policy(tmp_path))
        assert (ran.returncode, "- small.s has app:1" in ran.stdout) == (4, True)
