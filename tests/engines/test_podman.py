"""Podman's own Docker API, as people meet it: refused in one sentence, and nothing is changed there."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab, engines
from tests.e2e.playground import Playground
from tests.engine_choice import CHOSEN, every_engine, labs

# where its data is, and that it manages control groups by itself
OPTIONS = ("--root=/run/lab/podman", "--runroot=/run/podman", "--cgroup-manager=cgroupfs", "--storage-driver=vfs")
SOCKET = "podman.sock"


@pytest.fixture(params=["docker-26", "docker-28"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Playground]:
    """An endpoint at whose address Podman answers; the lab's folders of both Debian releases have it."""
    if request.param not in CHOSEN:
        pytest.skip(f"{request.param} is not among the chosen engines")
    with labs(request, 1, "tiny") as running:
        lab = running.lab(request.param)
        with podman(lab):
            playground = Playground(lab, tmp_path)
            playground.endpoint("dtn1", docker=f"unix://{lab.endpoint('dtn1').folder / SOCKET}")
            yield playground


@contextlib.contextmanager
def podman(lab: Lab) -> Iterator[None]:
    command = lab.command("dtn1", ["podman", *OPTIONS, "system", "service", "--time=0", f"unix:///run/lab/{SOCKET}"])
    environment = lab.environment() | {"PODMAN_IGNORE_CGROUPSV1_WARNING": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            while not engines.answers(lab.endpoint("dtn1").folder / SOCKET):
                assert process.poll() is None, process.stdout.read() if process.stdout else ""
            yield
        finally:
            process.terminate()


@every_engine
@pytest.mark.lab
def test_podman_is_refused_in_one_sentence(play: Playground) -> None:
    play.session("run")
    applied = play.apply().expect(7)
    said = " ".join((applied.out + applied.err).split())  # wrapped to the terminal's width
    assert "answers there; dtnctl needs Docker Engine 20.10 or newer (docs/engines.md)" in said
    assert "Traceback" not in said
    made = play.lab.exec("dtn1", ["podman", *OPTIONS, "ps", "--all", "--quiet"], check=False)
    assert made.stdout.strip() == ""
