"""What only this machine's ssh client is to blame for is a mistake with its place; what works, or may, is not refused."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.providers.local.ssh import find_ssh_problems
from dtnctl.providers.ssh import REFUSED
from dtnctl.repository.load import load_site
from tests.providers import sshd
from tests.repository.state_folder import NOW, write_state
from tests.runtime.program import dtnctl

SSH = shutil.which("ssh")
PLACE = "state/endpoints/b.yaml:1:9: "
pytestmark = pytest.mark.skipif(SSH is None, reason="there is no ssh client on this machine")


@dataclass
class Machine:
    """A repository, and an ssh client that reads a configuration of the test."""

    root: Path

    def said(self, config: str, silence: str = "no answer", **environment: str) -> list[str]:
        (self.root / "config").write_text(config.replace("ROOT", str(self.root)))
        site = load_site(self.root, "state", NOW)
        snapshot = Snapshot({"a": EndpointSeen("a", silence="no answer"), "b": EndpointSeen("b", silence=silence)})
        return [str(problem) for problem in find_ssh_problems(site, snapshot, environment)]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    write_state(tmp_path)
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin/ssh"
    wrapper.write_text(f'#!/bin/sh\nexec {SSH} -F {tmp_path / "config"} "$@"\n')
    wrapper.chmod(0o755)
    for name, mode in (("known", 0o644), ("key", 0o600), ("open-key", 0o644)):
        (tmp_path / name).write_text("x\n")
        (tmp_path / name).chmod(mode)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return Machine(tmp_path)


KNOWN = "UserKnownHostsFile ROOT/known\nGlobalKnownHostsFile none\n"
ALONE = "IdentityAgent none\n"


def test_a_configuration_that_ssh_cannot_read_is_named_with_its_line(machine: Machine) -> None:
    (line,) = machine.said("Host b.example.net\n  Prot 22\n")
    assert line.startswith(f"{PLACE}E0375: ssh cannot read its configuration: {machine.root}/config: line 2: ")


@pytest.mark.parametrize("files", ["UserKnownHostsFile ROOT/nosuch ROOT/neither", "UserKnownHostsFile none"])
def test_no_file_of_known_hosts_is_a_mistake(machine: Machine, files: str) -> None:
    (line,) = machine.said(f"{files}\nGlobalKnownHostsFile none\n")
    assert line.startswith(f"{PLACE}E0376: no host's key is known on this machine: ")


@pytest.mark.parametrize("other", ["StrictHostKeyChecking no", "StrictHostKeyChecking accept-new", "VerifyHostKeyDNS yes"])
def test_where_a_host_can_be_known_otherwise_no_file_is_missed(machine: Machine, other: str) -> None:
    assert machine.said(f"{other}\nUserKnownHostsFile none\nGlobalKnownHostsFile none\n") == []


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ("IdentityFile ROOT/nosuch\n", ["E0377"]),
        ("IdentityFile ROOT/open-key\n", ["E0377"]),
        ("IdentityFile ROOT/key\n", []),
        ("IdentityFile ROOT/nosuch\nIdentityFile ROOT/key\n", []),
        ("IdentityFile ROOT/%h\n", []),
    ],
)
def test_a_refused_login_is_a_mistake_here_only_where_there_is_no_key_to_show(machine: Machine, config: str, code: list[str]) -> None:
    said = machine.said(KNOWN + ALONE + config, silence=f"ssh://dtn@b: the login dtn@b {REFUSED}")
    assert [line.removeprefix(PLACE).partition(":")[0] for line in said] == code


def test_an_agent_that_runs_may_hold_the_key(machine: Machine) -> None:
    silence = f"the login {REFUSED}"
    config = f"{KNOWN}IdentityFile ROOT/nosuch\n"
    assert machine.said(config, silence, SSH_AUTH_SOCK=str(machine.root / "known")) == []
    assert len(machine.said(config, silence, SSH_AUTH_SOCK=str(machine.root / "gone"))) == 1
    assert len(machine.said(config, silence)) == 1


def test_a_host_that_is_down_is_silent_whatever_keys_there_are(machine: Machine) -> None:
    """Some log in by other means than a key in a file."""
    assert machine.said(f"{KNOWN}{ALONE}IdentityFile ROOT/nosuch\n", silence="no route to host") == []


def test_endpoints_that_answer_are_not_asked_about(machine: Machine) -> None:
    (machine.root / "config").write_text("Prot 22\n")
    snapshot = Snapshot({"a": EndpointSeen("a"), "b": EndpointSeen("b")})
    assert find_ssh_problems(load_site(machine.root, "state", NOW), snapshot, {}) == []


@pytest.mark.skipif(bool(sshd.unavailable()), reason=str(sshd.unavailable()))
@pytest.mark.parametrize(
    ("lost", "code", "said"),
    [("id", 65, "E0377: ssh has no key"), ("known_hosts", 65, "E0376: no host's key"), ("stranger", 7, "there is no socket")],
)
def test_a_real_sshd_is_silent_or_was_never_asked_as_its_client_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str, code: int, said: str
) -> None:
    (tmp_path / "ssh").mkdir()
    text = "docker: ssh://box/run/nosuch.sock\nhost: a.example.net\n"
    root = write_state(tmp_path, base={"site.yaml": "name: lab\nid: a1b2c3d4e5f6\n", "endpoints/b.yaml": text})
    with sshd.running_sshd(tmp_path / "ssh") as server:
        (server.folder / lost).unlink()
        monkeypatch.setenv("PATH", f"{server.bin}:{os.environ['PATH']}")
        ran = dtnctl(root, "plan")
    assert ran.code == code
    assert said in ran.err + ran.out
