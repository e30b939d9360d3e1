"""The steps that CI jobs run (`dtnctl-ci`): what they leave behind, what they print, and who gets their signals."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.wheels import CONSTRAINTS, controller_requirements
from tests.repository.branching import branch, commit, git, make_main, pinned
from tests.workflows.checkout import FOLDER, STEP, Checkout, keep_plan

PROGRAM = Path(sys.executable).with_name("dtnctl")
SECRET = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"


@pytest.fixture
def ssh_key(tmp_path: Path) -> str:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    text = path.read_text()
    path.unlink()
    return text


@pytest.fixture
def given(checkout: Checkout, ssh_key: str) -> Iterator[subprocess.CompletedProcess[str]]:
    """Every credential given; taken away at the end, whatever the test did."""
    yield checkout.step(
        "credentials", "give", DTNCTL_TLS_KEY=SECRET, DTNCTL_TLS_CA="ca", DTNCTL_SSH_KEY=ssh_key, DTNCTL_SSH_KNOWN_HOSTS="dtn1 key"
    )
    checkout.step("credentials", "remove")


def agent_of(checkout: Checkout) -> dict[str, str]:
    return dict(line.split("=", 1) for line in checkout.read("environment").splitlines())


def test_tls_files_are_for_the_owner_only(checkout: Checkout, given: subprocess.CompletedProcess[str]) -> None:
    assert given.returncode == 0, given.stderr
    key = checkout.folder / ".secrets" / "key.pem"
    assert key.read_text() == SECRET + "\n"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert not (key.parent / "cert.pem").exists(), "what is not set is left out"


def test_ssh_key_is_in_an_agent_and_in_no_file(checkout: Checkout, given: subprocess.CompletedProcess[str], ssh_key: str) -> None:
    listed = checkout.run("ssh-add", "-l", **agent_of(checkout))
    assert "ED25519" in listed.stdout, given.stderr
    body = ssh_key.splitlines()[2]
    files = [path for path in checkout.folder.rglob("*") if path.is_file()]
    assert [path for path in files if body in path.read_text(errors="replace")] == []


def test_known_hosts_grow_by_missing_lines_only(checkout: Checkout) -> None:
    checkout.write("home/.ssh/known_hosts", "other key\ndtn1 key\n")
    # bash reads ~ from HOME
    ran = checkout.step("credentials", "give", DTNCTL_SSH_KNOWN_HOSTS="dtn1 key\ndtn2 key\n")
    assert ran.returncode == 0, ran.stderr
    assert checkout.read("home/.ssh/known_hosts") == "other key\ndtn1 key\ndtn2 key\n"


def test_no_secret_is_printed(given: subprocess.CompletedProcess[str]) -> None:
    assert "c2VjcmV0" not in given.stdout + given.stderr
    assert given.stdout.splitlines() == [
        "credentials: .secrets/ca.pem",
        "credentials: .secrets/key.pem",
        "credentials: ssh agent",
        "credentials: known hosts",
    ]


def test_nothing_secret_is_left(checkout: Checkout, given: subprocess.CompletedProcess[str]) -> None:
    assert given.returncode == 0
    agent = agent_of(checkout)
    assert checkout.step("credentials", "remove").returncode == 0
    assert not (checkout.folder / ".secrets").exists()
    assert checkout.run("ssh-add", "-l", **agent).returncode == 2, "the agent is gone"
    assert checkout.step("credentials", "remove").returncode == 0, "removing twice is fine"


def test_a_folder_with_a_persons_ca_is_left_alone(checkout: Checkout) -> None:
    checkout.write(".secrets/agent-ca-key.pem", "not to be lost\n")
    for word in ("give", "remove"):
        ran = checkout.step("credentials", word)
        assert ran.returncode == 1
        assert "has a CA's key, so it is no job's" in ran.stderr
    assert (checkout.folder / ".secrets/agent-ca-key.pem").read_text() == "not to be lost\n"


def test_stale_pid_of_an_agent_ends_nothing_else(checkout: Checkout) -> None:
    checkout.write(".secrets/agent.pid", f"{os.getpid()}\n")
    assert checkout.step("credentials", "remove").returncode == 0


def test_broken_state_has_no_plan_and_says_why(checkout: Checkout) -> None:
    checkout.write("state/sessions/a.yaml", "endpoints: [nowhere]\nimage: </pre><img src=x>\n")
    ran = checkout.step("plan", "build/ci")
    assert ran.returncode == 65
    text = checkout.read("build/ci/plan.md")
    assert text.startswith("### dtnctl plan · no plan\n")
    assert checkout.read("build/ci/plan.site") == "scinet\n"
    assert json.loads(checkout.read("build/ci/plan.json"))["kind"] == "problems"
    assert not (checkout.folder / "build/ci/plan.tree").exists()
    assert "state/sessions/a.yaml:2:" in text
    assert text.count("</pre>") == 1, "what people wrote stays inside"
    assert checkout.read("summary.md") == text


def test_report_escapes_what_apply_said_and_prints_it_as_it_is(checkout: Checkout) -> None:
    checkout.write("build/ci/apply.txt", "done <b>\n")
    ran = checkout.step("report", "build/ci")
    assert ran.stdout == "done <b>\n"
    assert checkout.read("summary.md") == "### dtnctl apply\n\n<pre>\ndone &lt;b&gt;\n</pre>\n"


def test_report_after_an_apply_that_printed_nothing_is_no_error(checkout: Checkout) -> None:
    ran = checkout.step("report", "build/ci")
    assert (ran.returncode, ran.stdout) == (0, "report: apply printed nothing; the step before shows why\n")


def test_escape_keeps_a_summary_short(checkout: Checkout) -> None:
    checkout.write("long.txt", ("x" * 600 + "\n") * 5000)
    ran = checkout.run("bash", "-c", f"bash {FOLDER}/steps/escape <long.txt")
    assert ran.stdout == ("x" * 500 + "…\n") * 400


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_the_steps_shell_reaches_dtnctl(checkout: Checkout, number: signal.Signals) -> None:
    """GitHub signals the shell of the step and nothing below it."""
    checkout.write(
        "recorder", f"#!/bin/bash\ntrap 'echo got {number.name} >&2; exit 130' {number.name[3:]}\necho ready >&2\nread -r <>fifo\n"
    )
    (checkout.folder / "recorder").chmod(0o755)
    os.mkfifo(checkout.folder / "fifo")
    checkout.write("step.sh", f"exec {' '.join(STEP)} apply build/ci # as in apply.yml\n")
    step = subprocess.Popen(
        ["env", f"--default-signal={number.name[3:]}", "bash", "-e", "step.sh"],  # a background job's children ignore SIGINT otherwise
        cwd=checkout.folder,
        env=checkout.environment({"DTNCTL_PROGRAM": str(checkout.folder / "recorder")}),
        text=True,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert step.stderr is not None
    with step, step.stderr:
        assert step.stderr.readline() == "ready\n"
        step.send_signal(number)
        assert step.stderr.read() == f"got {number.name}\n"
    assert step.returncode == 130


def test_applys_step_is_the_one_of_the_test_above() -> None:
    assert "run: exec dtnctl-ci apply build/ci " in (FOLDER / "templates" / "github" / "apply.yml").read_text()


@pytest.mark.parametrize("words", [(), ("escape",), ("../steps/plan",)])
def test_word_that_is_no_step_is_refused(checkout: Checkout, words: tuple[str, ...]) -> None:
    ran = checkout.step(*words)
    assert (ran.returncode, ran.stdout) == (64, "")
    assert ran.stderr.startswith("usage: dtnctl-ci credentials|plan|")


def test_requirements_are_those_of_the_package(checkout: Checkout) -> None:
    path = Path(checkout.step("requirements").stdout.strip())
    assert path == FOLDER / "requirements.txt"
    assert path.read_text() == controller_requirements(CONSTRAINTS.read_text()), "hack/update-constraints writes it"


# --- the reviewed plan, from a job to a later one ---------------------------------------------------------------------


def test_each_part_of_a_site_has_a_plan_of_its_own(checkout: Checkout, forge: dict[str, str]) -> None:
    tree = checkout.commit()
    for region in ("eu", "us"):
        part = {**forge, "DTNCTL_LABEL": f"region in ({region})"}
        name = f"{tree}-{hashlib.sha256(part['DTNCTL_LABEL'].encode()).hexdigest()[:12]}"
        assert keep_plan(checkout, part, f'{{\n  "plan_hash": "{region}"\n}}\n', tree).stdout == f"record: refs/dtnctl/plans/{name}\n"
    ran = checkout.step("reviewed", "build/ci", **{**forge, "DTNCTL_LABEL": "region in (eu)"})
    assert '"eu"' in checkout.read("build/ci/reviewed.json"), ran.stderr
    assert "no pull request had a plan" in checkout.step("reviewed", "build/ci", **forge).stdout


def test_plan_is_kept_for_the_state_and_found_by_whatever_commit_has_it(checkout: Checkout, forge: dict[str, str]) -> None:
    tree = checkout.commit()
    assert keep_plan(checkout, forge, '{\n  "plan_hash": "77aa"\n}\n', tree).stdout == f"record: refs/dtnctl/plans/{tree}\n"
    checkout.run("git", "-c", "user.name=bob", "-c", "user.email=bob@localhost", "commit", "--allow-empty", "--quiet", "--message=merged")
    ran = checkout.step("reviewed", "build/ci", **forge)
    assert ran.stdout == f"reviewed: refs/dtnctl/plans/{tree}, plan 77aa\n", ran.stderr
    assert checkout.read("build/ci/reviewed.json") == '{\n  "plan_hash": "77aa"\n}\n'


def test_newest_plan_of_a_state_is_the_one_that_counts(checkout: Checkout, forge: dict[str, str]) -> None:
    tree = checkout.commit()
    keep_plan(checkout, forge, "older", tree)
    keep_plan(checkout, forge, "newer", tree)
    checkout.step("reviewed", "build/ci", **forge)
    assert checkout.read("build/ci/reviewed.json") == "newer"


def test_other_state_has_no_reviewed_plan_and_an_older_file_is_not_taken_for_it(checkout: Checkout, forge: dict[str, str]) -> None:
    keep_plan(checkout, forge, "a plan", checkout.commit())
    checkout.write("build/ci/reviewed.json", "of an earlier run")
    checkout.write("state/site.yaml", "name: another\n")
    checkout.commit()
    ran = checkout.step("reviewed", "build/ci", **forge)
    assert (ran.returncode, ran.stdout) == (0, "reviewed: no pull request had a plan for this state\n")
    assert not (checkout.folder / "build/ci/reviewed.json").exists()


def test_repository_that_cannot_be_asked_is_an_error_and_not_a_missing_plan(checkout: Checkout) -> None:
    checkout.commit()
    ran = checkout.step("reviewed", "build/ci", GITHUB_SERVER_URL="file:///nowhere", GITHUB_REPOSITORY="a/b")
    assert ran.returncode != 0


def test_failed_plan_is_not_kept(checkout: Checkout, forge: dict[str, str]) -> None:
    (checkout.folder / "build/ci").mkdir(parents=True)
    assert checkout.step("record", "build/ci", **forge).stdout == "record: there is no plan to keep\n"


def test_forged_id_of_a_state_is_refused(checkout: Checkout, forge: dict[str, str]) -> None:
    ran = keep_plan(checkout, forge, "a plan", "../../heads/main")
    assert ran.returncode == 1
    assert "is no id of Git" in ran.stderr


def test_token_goes_to_git_by_its_environment_alone(checkout: Checkout) -> None:
    checkout.write("git", '#!/bin/sh\necho "$*"\n[ "$1" != ls-remote ] || env | grep ^GIT_ >seen\n')
    (checkout.folder / "git").chmod(0o755)
    path = f"{checkout.folder}:{os.environ['PATH']}"
    ran = checkout.step("reviewed", "build/ci", PATH=path, GITHUB_TOKEN="t0ken", GITHUB_SERVER_URL="https://forge", GITHUB_REPOSITORY="a/b")
    login = base64.b64encode(b"x-access-token:t0ken").decode()
    assert f"GIT_CONFIG_VALUE_0=Authorization: Basic {login}" in checkout.read("seen")
    assert "t0ken" not in ran.stdout + ran.stderr
    assert login not in ran.stdout + ran.stderr


def test_files_that_others_changed_are_shown_and_fail(checkout: Checkout) -> None:
    root = make_main(checkout.folder / "site")
    (root / "state/site.yaml").write_text("name: lab\nowners:\n  rules: [{paths: [/state/sessions/], people: [ann@example.net]}]\n")
    commit(root, "owners")
    branch(root, "run14", {"sessions/run14.yaml": pinned("10.0.0.64")}, at=int(time.time()))
    words = [*STEP, "owners", "build/ci", "main..run14"]
    given = checkout.environment({"DTNCTL_PROGRAM": str(PROGRAM)})
    ran = subprocess.run(words, cwd=root, env=given, text=True, capture_output=True, check=False)
    assert ran.returncode == 4, ran.stderr
    assert "state/sessions/run14.yaml" in ran.stdout
    assert checkout.read("summary.md") == (root / "build/ci/owners.md").read_text() == ran.stdout
    assert json.loads((root / "build/ci/owners.json").read_text())["summary"]["trespasses"] == 1


def test_claims_of_branches_are_shown_and_the_later_one_fails(checkout: Checkout) -> None:
    root = make_main(checkout.folder / "site")
    branch(root, "run14", {"sessions/run14.yaml": pinned("10.0.0.64")}, at=int(time.time()) - 3600)
    branch(root, "run15", {"sessions/run15.yaml": pinned("10.0.0.64", "b")}, at=int(time.time()) - 60)
    git(root, "checkout", "--quiet", "run15")
    given = checkout.environment({"DTNCTL_PROGRAM": str(PROGRAM)})
    ran = subprocess.run([*STEP, "claims", "build/ci"], cwd=root, env=given, text=True, capture_output=True, check=False)
    assert ran.returncode == 4, ran.stderr
    assert "run14" in ran.stdout
    assert checkout.read("summary.md") == (root / "build/ci/claims.md").read_text() == ran.stdout
    assert json.loads((root / "build/ci/claims.json").read_text())["summary"]["blocking"] == 1
