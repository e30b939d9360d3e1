"""The scripts that the workflows run: what they leave behind, what they print, and who gets their signals."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("dtnctl")
SECRET = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"


class Checkout:
    """A clone with the scripts and a site, as a job has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        shutil.copytree(CLONE / "hack" / "ci", folder / "hack" / "ci")
        self.write("state/site.yaml", "name: scinet\n")

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        given = {"PATH": os.environ["PATH"], "HOME": str(self.home), "DTNCTL_PROGRAM": str(PROGRAM)}
        files = {"GITHUB_ENV": str(self.folder / "environment"), "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md")}
        return given | files | dict(more)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        given = self.environment(environment)
        return subprocess.run(command, cwd=self.folder, env=given, text=True, capture_output=True, stdin=subprocess.DEVNULL, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


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
    yield checkout.run(
        "hack/ci/credentials", "give", DTNCTL_TLS_KEY=SECRET, DTNCTL_TLS_CA="ca", DTNCTL_SSH_KEY=ssh_key, DTNCTL_SSH_KNOWN_HOSTS="dtn1 key"
    )
    checkout.run("hack/ci/credentials", "remove")


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
    ran = checkout.run("hack/ci/credentials", "give", DTNCTL_SSH_KNOWN_HOSTS="dtn1 key\ndtn2 key\n")
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
    assert checkout.run("hack/ci/credentials", "remove").returncode == 0
    assert not (checkout.folder / ".secrets").exists()
    assert checkout.run("ssh-add", "-l", **agent).returncode == 2, "the agent is gone"
    assert checkout.run("hack/ci/credentials", "remove").returncode == 0, "removing twice is fine"


def test_a_folder_with_a_persons_ca_is_left_alone(checkout: Checkout) -> None:
    checkout.write(".secrets/agent-ca-key.pem", "not to be lost\n")
    for word in ("give", "remove"):
        ran = checkout.run("hack/ci/credentials", word)
        assert ran.returncode == 1
        assert "has a CA's key, so it is no job's" in ran.stderr
    assert (checkout.folder / ".secrets/agent-ca-key.pem").read_text() == "not to be lost\n"


def test_stale_pid_of_an_agent_ends_nothing_else(checkout: Checkout) -> None:
    checkout.write(".secrets/agent.pid", f"{os.getpid()}\n")
    assert checkout.run("hack/ci/credentials", "remove").returncode == 0


def test_broken_state_has_no_plan_and_says_why(checkout: Checkout) -> None:
    checkout.write("state/sessions/a.yaml", "endpoints: [nowhere]\nimage: </pre><img src=x>\n")
    ran = checkout.run("hack/ci/plan", "build/ci")
    assert ran.returncode == 65
    text = checkout.read("build/ci/plan.md")
    assert text.startswith("<!-- dtnctl:plan site=scinet failed -->\n")
    assert "state/sessions/a.yaml:2:" in text
    assert text.count("</pre>") == 1, "what people wrote stays inside"
    assert checkout.read("summary.md") == text


def test_install_takes_the_runners_own_program(checkout: Checkout) -> None:
    ran = checkout.run("hack/ci/install")
    assert ran.stdout.startswith(f"install: {PROGRAM} is dtnctl "), ran.stderr


def test_report_escapes_what_apply_said_and_prints_it_as_it_is(checkout: Checkout) -> None:
    checkout.write("build/ci/apply.txt", "done <b>\n")
    ran = checkout.run("hack/ci/report", "build/ci")
    assert ran.stdout == "done <b>\n"
    assert checkout.read("summary.md") == "### dtnctl apply\n\n<pre>\ndone &lt;b&gt;\n</pre>\n"


def test_report_after_an_apply_that_said_nothing_is_no_error(checkout: Checkout) -> None:
    ran = checkout.run("hack/ci/report", "build/ci")
    assert (ran.returncode, ran.stdout) == (0, "report: apply said nothing; the step before tells why\n")


def test_escape_keeps_a_summary_short(checkout: Checkout) -> None:
    checkout.write("long.txt", ("x" * 600 + "\n") * 5000)
    ran = checkout.run("bash", "-c", "hack/ci/escape <long.txt")
    assert ran.stdout == ("x" * 500 + "…\n") * 400


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_the_steps_shell_reaches_dtnctl(checkout: Checkout, number: signal.Signals) -> None:
    """GitHub signals the shell of the step and nothing below it."""
    checkout.write(
        "recorder", f"#!/bin/bash\ntrap 'echo got {number.name} >&2; exit 130' {number.name[3:]}\necho ready >&2\nread -r <>fifo\n"
    )
    (checkout.folder / "recorder").chmod(0o755)
    os.mkfifo(checkout.folder / "fifo")
    checkout.write("step.sh", "exec hack/ci/apply build/ci # as in apply.yml\n")
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
    assert "run: exec hack/ci/apply build/ci " in (CLONE / ".github" / "workflows" / "apply.yml").read_text()
