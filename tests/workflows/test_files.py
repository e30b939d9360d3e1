"""What every workflow file must be, beyond what actionlint and zizmor ask for: the project's own, and those of `dtnctl init --ci`."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dtnctl import __version__
from dtnctl.ci.files import ci_files

CLONE = Path(__file__).parents[2]
USERS = {name: text for name, text in ci_files("github", "scinet", "0" * 64).items() if name.startswith(".github/")}
OURS = {str(path.relative_to(CLONE)): path.read_text() for path in sorted((CLONE / ".github").rglob("*.yml"))}
WORKFLOWS = {f"of a user: {name}": text for name, text in USERS.items()} | {
    name: text for name, text in OURS.items() if "/workflows/" in name
}
PINNED = re.compile(r"uses: (?P<action>[\w./-]+)@(?P<commit>[0-9a-f]{40}) # (?P<version>v\d+\.\d+\.\d+)")
TOOLS = Path(sys.executable).parent
PLAN, APPLY = (USERS[f".github/workflows/{name}.yml"] for name in ("plan", "apply"))


@pytest.fixture(params=WORKFLOWS)
def text(request: pytest.FixtureRequest) -> str:
    return WORKFLOWS[request.param]


def generator() -> Any:
    """hack/ci_files.py, which is no module of a package."""
    spec = importlib.util.spec_from_file_location("ci_files", CLONE / "hack" / "ci_files.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reusable_files_are_those_of_the_templates() -> None:
    texts = generator().files()
    assert {name: (CLONE / name).read_text() for name in texts} == texts, "run hack/ci_files.py"


def test_reusable_workflow_has_the_jobs_of_the_users_own() -> None:
    for name in ("plan", "claims", "owners", "apply", "drift"):
        file = f".github/workflows/{name}.yml"
        assert yaml.safe_load(OURS[file])["jobs"] == yaml.safe_load(USERS[file])["jobs"]


def test_dtnctl_is_pinned_by_version_and_hash(text: str) -> None:
    if "DTNCTL_VERSION" in text and "workflow_call" not in text:
        environment = yaml.safe_load(text)["env"]
        assert (environment["DTNCTL_VERSION"], environment["DTNCTL_SHA256"]) == (__version__, "0" * 64)


def test_every_input_reaches_the_script_that_installs() -> None:
    action = yaml.safe_load(OURS[".github/actions/setup/action.yml"])
    (step,) = action["runs"]["steps"]
    given = {name: f"${{{{ inputs.{name} }}}}" for name in action["inputs"]}
    assert step["env"] == {f"DTNCTL_{name.upper()}": value for name, value in given.items()}
    workflow = yaml.safe_load(OURS[".github/workflows/plan.yml"])
    assert workflow["env"] == step["env"]
    assert set(workflow[True]["workflow_call"]["inputs"]) == set(action["inputs"])


def test_secrets_that_jobs_use_can_be_passed_to_a_reusable_workflow() -> None:
    for name, text in OURS.items():
        called = (yaml.safe_load(text).get(True) or {}).get("workflow_call")
        if called is not None:
            assert set(re.findall(r"secrets\.(\w+)", text)) == set(called.get("secrets", {})), name


def steps(text: str) -> Iterator[dict[str, Any]]:
    for job in yaml.safe_load(text)["jobs"].values():
        yield from job["steps"]


def test_every_action_is_pinned_by_commit_and_names_its_version(text: str) -> None:
    lines = [line for line in text.splitlines() if re.search(r"\buses:", line)]
    assert [line for line in lines if not PINNED.search(line)] == []


def test_an_action_has_one_version_in_all_workflows() -> None:
    found = {match["action"]: set[str]() for text in WORKFLOWS.values() for match in PINNED.finditer(text)}
    for text in WORKFLOWS.values():
        for match in PINNED.finditer(text):
            found[match["action"]].add(f"{match['commit']} {match['version']}")
    assert {action: versions for action, versions in found.items() if len(versions) > 1} == {}


def test_nothing_is_permitted_but_by_a_job_that_says_why(text: str) -> None:
    assert yaml.safe_load(text)["permissions"] == {}
    permission = re.compile(r"\s+(contents|pull-requests|statuses|issues|id-token|packages|actions):")
    given = [line for line in text.splitlines() if permission.match(line)]
    assert [line for line in given if "# to " not in line] == []


def test_values_reach_a_script_through_its_environment_only(text: str) -> None:
    assert [step["run"] for step in steps(text) if "${{" in step.get("run", "")] == []


def test_checkout_leaves_no_credentials_behind(text: str) -> None:
    checkouts = [step for step in steps(text) if step.get("uses", "").startswith("actions/checkout@")]
    assert [step for step in checkouts if step["with"]["persist-credentials"] is not False] == []


def test_every_job_has_a_time_limit(text: str) -> None:
    jobs = yaml.safe_load(text)["jobs"]
    assert [name for name, job in jobs.items() if "timeout-minutes" not in job] == []


def test_an_apply_is_never_cancelled_by_the_next() -> None:
    workflow = yaml.safe_load(APPLY)
    assert workflow["concurrency"] == {"group": "dtnctl-apply", "cancel-in-progress": False}
    assert set(workflow[True]) == {"push", "schedule", "workflow_dispatch"}


def test_apply_takes_the_newest_main_not_the_commit_that_started_it() -> None:
    checkout = next(steps(APPLY))
    assert checkout["with"]["ref"] == "main"


def test_no_job_has_both_the_endpoints_credentials_and_a_token_that_writes() -> None:
    for file, text in WORKFLOWS.items():
        for name, job in yaml.safe_load(text)["jobs"].items():
            has_secrets = "secrets." in str(job)
            assert not (has_secrets and "write" in job.get("permissions", {}).values()), f"{file}: {name}"


def test_job_with_a_token_that_writes_runs_no_code_of_the_repository() -> None:
    for file, text in WORKFLOWS.items():
        for name, job in yaml.safe_load(text)["jobs"].items():
            writes = "write" in job.get("permissions", {}).values()
            assert not (writes and "actions/checkout@" in str(job)), f"{file}: {name}"


@pytest.mark.parametrize("tool", [["actionlint"], ["zizmor", "--offline", "--no-progress", "--persona=pedantic"]], ids=lambda tool: tool[0])
def test_checkers_find_nothing_in_the_files_of_init(tmp_path: Path, tool: list[str]) -> None:
    paths: list[str] = []
    for name, text in USERS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        paths.append(str(tmp_path / name))
    path = f"{TOOLS}:{os.environ['PATH']}"  # actionlint asks shellcheck
    command: list[str | Path] = [TOOLS / tool[0], *tool[1:], *paths]
    ran = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PATH": path}, text=True, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


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
    text = OURS[".github/workflows/ci.yml"] if name == "ci.yml" else PLAN
    assert broken[0] in text
    file = tmp_path / ".github" / "workflows" / name
    file.parent.mkdir(parents=True)
    file.write_text(text.replace(*broken))
    ran = subprocess.run([TOOLS / tool[0], *tool[1:], str(file)], cwd=tmp_path, text=True, capture_output=True, check=False)
    assert ran.returncode != 0
    assert finding in ran.stdout + ran.stderr
