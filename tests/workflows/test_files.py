"""What every workflow file must be, beyond what actionlint and zizmor ask for."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

CLONE = Path(__file__).parents[2]
WORKFLOWS = sorted((CLONE / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: (?P<action>[\w./-]+)@(?P<commit>[0-9a-f]{40}) # (?P<version>v\d+\.\d+\.\d+)")
TOOLS = Path(sys.executable).parent


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in yaml.safe_load(path.read_text())["jobs"].values():
        yield from job["steps"]


def test_every_action_is_pinned_by_commit_and_names_its_version(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if "uses:" in line]
    assert [line for line in lines if not PINNED.search(line)] == []


def test_an_action_has_one_version_in_all_workflows() -> None:
    found = {match["action"]: set[str]() for path in WORKFLOWS for match in PINNED.finditer(path.read_text())}
    for path in WORKFLOWS:
        for match in PINNED.finditer(path.read_text()):
            found[match["action"]].add(f"{match['commit']} {match['version']}")
    assert {action: versions for action, versions in found.items() if len(versions) > 1} == {}


def test_nothing_is_permitted_but_by_a_job_that_says_why(path: Path) -> None:
    text = path.read_text()
    assert yaml.safe_load(text)["permissions"] == {}
    given = [line for line in text.splitlines() if re.match(r"\s+(contents|pull-requests|issues|id-token|packages|actions):", line)]
    assert [line for line in given if "# to " not in line] == []


def test_values_reach_a_script_through_its_environment_only(path: Path) -> None:
    assert [step["run"] for step in steps(path) if "${{" in step.get("run", "")] == []


def test_checkout_leaves_no_credentials_behind(path: Path) -> None:
    checkouts = [step for step in steps(path) if step.get("uses", "").startswith("actions/checkout@")]
    assert [step for step in checkouts if step["with"]["persist-credentials"] is not False] == []


def test_every_job_has_a_time_limit(path: Path) -> None:
    jobs = yaml.safe_load(path.read_text())["jobs"]
    assert [name for name, job in jobs.items() if "timeout-minutes" not in job] == []


def test_an_apply_is_never_cancelled_by_the_next() -> None:
    workflow = yaml.safe_load((CLONE / ".github" / "workflows" / "apply.yml").read_text())
    assert workflow["concurrency"] == {"group": "dtnctl-apply", "cancel-in-progress": False}
    assert set(workflow[True]) == {"push", "schedule", "workflow_dispatch"}


def test_apply_takes_the_newest_main_not_the_commit_that_started_it() -> None:
    checkout = next(steps(CLONE / ".github" / "workflows" / "apply.yml"))
    assert checkout["with"]["ref"] == "main"


def test_no_job_has_both_the_endpoints_credentials_and_a_token_that_writes() -> None:
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            has_secrets = "secrets." in str(job)
            assert not (has_secrets and "write" in job.get("permissions", {}).values()), f"{path.name}: {name}"


@pytest.mark.parametrize(
    ("tool", "broken", "finding"),
    [
        (["actionlint"], ("needs: plan", "needs: plane"), "plane"),
        (["actionlint"], ("github.event_name", "github.event_nam"), "event_nam"),
        (["zizmor", "--offline", "--no-progress"], ("@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "@v6"), "unpinned-uses"),
        (["zizmor", "--offline", "--no-progress"], ("pull_request:", "pull_request_target:"), "dangerous-triggers"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_checkers_notice_a_broken_workflow(tmp_path: Path, tool: list[str], broken: tuple[str, str], finding: str) -> None:
    name = "ci.yml" if "event_name" in broken[0] else "plan.yml"
    text = (CLONE / ".github" / "workflows" / name).read_text()
    assert broken[0] in text
    file = tmp_path / ".github" / "workflows" / name
    file.parent.mkdir(parents=True)
    file.write_text(text.replace(*broken))
    ran = subprocess.run([TOOLS / tool[0], *tool[1:], str(file)], cwd=tmp_path, text=True, capture_output=True, check=False)
    assert ran.returncode != 0
    assert finding in ran.stdout + ran.stderr
