"""An endpoint whose agent is reached through its ssh login: facts, a session that is shaped, doctor; and what is said without it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.layout import CLONE
from tests.e2e.playground import Playground

pytestmark = pytest.mark.lab

ENDPOINT, SOCKET = "dtn1", "/run/dtnctl/agent.sock"


@contextmanager
def agent_of(play: Playground) -> Iterator[list[str]]:
    """The agent in the endpoint's own namespaces, on its socket, until the block ends; what it writes."""
    words = ["serve", "--socket", SOCKET, "--group", "root", "--ledger", "/run/agent.json", "--plugin-socket", "/run/agent-plugin.sock"]
    paths = f"PYTHONPATH={CLONE}:{CLONE / 'agent'}"
    command = play.lab.command(ENDPOINT, ["env", paths, "PYTHONUNBUFFERED=1", sys.executable, "-m", "dtn_agent", *words])
    with subprocess.Popen(command, env=play.lab.environment(), text=True, stdout=subprocess.PIPE) as entered:
        assert entered.stdout is not None
        lines = [entered.stdout.readline()]
        assert json.loads(lines[0])["address"] == SOCKET
        drain = threading.Thread(target=lines.extend, args=(entered.stdout,))
        drain.start()
        try:
            yield lines
        finally:
            kill(entered.pid, signal.SIGTERM)
            drain.join()


def kill(entered: int, number: int) -> None:
    """End the agent itself, below the program that entered the endpoint for it."""
    children = Path(f"/proc/{entered}/task/{entered}/children")
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for pid in children.read_text().split():
            os.kill(int(pid), number)


@pytest.fixture
def through_ssh(play: Playground) -> Playground:
    """dtn1 with engine and agent behind one login, and a session on it whose packets are shaped."""
    play.endpoint(ENDPOINT, "ssh", agent="ssh")
    play.data_network()
    play.profile("tiny", data_nets=["data"], qos={"rate": "50mbit"})
    play.session("run")
    return play


def test_facts_a_session_and_doctor_come_through_the_endpoints_login(through_ssh: Playground) -> None:
    play = through_ssh
    with agent_of(play) as lines:
        play.converge()
        pid = play.container("run")["State"]["Pid"]
        assert "rate 50Mbit" in play.lab.exec(ENDPOINT, ["nsenter", f"--target={pid}", "--net", "tc", "qdisc", "show"]).stdout
        shown = play.run("endpoints", "show", ENDPOINT, "-o", "json").expect(0).json
        assert shown["host"]["facts"]["interfaces"]
        assert play.run("endpoints", "doctor", ENDPOINT, "-o", "json").expect(0).json
    audits = [line for line in map(json.loads, lines) if line["event"] == "audit"]
    assert [(line["who"], line["from"], line["request"]["do"]) for line in audits if line["who"] != "agent"] == [
        ("uid 0", SOCKET, "set-qos")
    ]


def test_an_agent_that_was_killed_is_named_with_what_to_check_and_answers_again_after_its_restart(through_ssh: Playground) -> None:
    play = through_ssh
    ran = play.plan()
    assert f"there is no socket {SOCKET} on" in ran.out + ran.err
    assert "systemctl status dtn-agent" in ran.out + ran.err
    with agent_of(play):
        play.converge()
    with agent_of(play):
        play.run("plan", "--detailed-exitcode").expect(0)
