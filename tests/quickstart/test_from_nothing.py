"""`From nothing` of docs/ci.md, typed to the letter on a machine with git and pipx alone; at the end a session runs on two endpoints."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from lab import Lab, unavailable
from lab.layout import CLONE
from tests.fakes.http_api import serve
from tests.quickstart.bare_machine import BareMachine
from tests.release import built_release
from tests.workflows.github_api import Discussion
from tests.workflows.project import hook_text, make_forge, make_release, run, write_forge

PAGE = (CLONE / "docs/ci.md").read_text()
REPOSITORY = "us/my-dtns"
PREPARED = "DEBIAN_FRONTEND=noninteractive apt-get -q=2 install --no-install-recommends --yes pipx openssh-client"
NAMED = "git config --global user.name alice && git config --global user.email alice@localhost"


def commands() -> list[str]:
    """Those of the page, without their comments."""
    (block,) = re.findall(r"^## From nothing\n.*?^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [re.sub(r"\s{2,}#.*", "", line) for line in block.splitlines()]


def test_a_dozen_commands_are_enough() -> None:
    assert len(commands()) <= 12


@contextmanager
def served_by_git(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """The repositories below the folder, by git's own protocol, pushes too; their hooks run out here."""
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    words = ["--reuseaddr", "--export-all", "--enable=receive-pack", f"--base-path={folder}", "--listen=127.0.0.1", f"--port={port}"]
    daemon = subprocess.Popen(["git", "daemon", *words, str(folder)], env=environment)
    try:
        _wait_for(port)
        yield f"git://127.0.0.1:{port}"
    finally:
        daemon.terminate()
        daemon.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError("git daemon does not answer")


@pytest.mark.skipif("DTN_FROM_NOTHING" not in os.environ, reason="it takes minutes and asks package indexes; make from-nothing")
@pytest.mark.lab
@pytest.mark.slow
def test_from_nothing_to_a_session_that_runs_in_the_commands_of_the_page(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    if reason := unavailable():
        pytest.skip(reason)
    release = make_release(built_release(tmp_path_factory), tmp_path / "release")
    (tmp_path / "machine").mkdir()
    machine = BareMachine(tmp_path / "machine")
    machine.expect(PREPARED)
    machine.expect(NAMED)
    shutil.copytree(release.wheels.parent, machine.folder / "root" / "dist", ignore=shutil.ignore_patterns("*.tar*"))
    forge_folder = tmp_path / "forge"
    forge_folder.mkdir()
    with Lab(tmp_path / "lab", 2) as lab, serve(Discussion()) as discussion:
        write_forge(make_forge(lab, discussion, forge_folder, release, REPOSITORY), forge_folder)
        bare = forge_folder / REPOSITORY
        run(["git", "init", "--quiet", "--bare", "--initial-branch=main", bare])
        hook = bare / "hooks" / "post-receive"
        hook.write_text(f"#!/bin/sh\n{hook_text(forge_folder)}\n")
        hook.chmod(0o755)
        with served_by_git(forge_folder, lab.environment()) as address:
            typed = "\n".join(as_typed(commands()[:-1], release.wheels, f"{address}/{REPOSITORY}"))
            output = machine.expect("cd /root && bash", typed=f"set -ex\nPATH=~/.local/bin:$PATH\n{typed}\n")
        print(output, discussion.bodies[0])  # for whoever wants to see it: pytest -s
        give_ssh_login(lab, machine)
        status = machine.expect(f"export HOME=/root; cd ~/my-dtns && ~/.local/bin/{commands()[-1]}", before=lab.command("ctl", []))
    print(status)
    assert "plan / comment: success" in output
    assert "4 changes in 1 session and 1 network" in discussion.bodies[0]
    assert output.count("apply / apply: success") == 2, "the first push, and the merge"
    assert "climate  STARTED" in status
    assert status.count("  running  ") == 2


def give_ssh_login(lab: Lab, machine: BareMachine) -> None:
    """What a person who may log in at the endpoints has: a key, their host keys, and names that are known."""
    for name in ("hosts", "resolv.conf"):
        shutil.copy(lab.layout.folder / "ctl" / name, machine.folder / "etc" / name)
    place = machine.folder / "root" / ".ssh"
    place.mkdir(mode=0o700, exist_ok=True)
    for name in ("id_ed25519", "known_hosts"):
        shutil.copy(lab.layout.home / ".ssh" / name, place / name)


def as_typed(lines: list[str], wheels: Path, address: str) -> list[str]:
    """With the names of this release and this forge; the starter's endpoints are the lab's, so the editor changes nothing."""
    wheel = next(wheels.glob("dtnctl-*.whl")).name
    text = "\n".join(lines).replace("dtnctl-VERSION-py3-none-any.whl", wheel).replace("git@forge.example.net:us/my-dtns.git", address)
    return [re.sub(r"^vi ", "cat ", line) for line in text.splitlines()]
