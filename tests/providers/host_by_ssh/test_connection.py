"""One login at a real sshd: what comes back, that nothing stays, and one sentence for each way in which it does not work."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from dtnctl.errors import DtnctlError, EngineError, UnreachableError
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.providers.host_by_ssh import connection
from dtnctl.providers.host_by_ssh.connection import far_command, open_login
from dtnctl.providers.timeouts import Timeouts
from tests.providers import sshd

CLONE = Path(__file__).parents[3]
BOX = parse_engine("ssh://box")
PATIENT = Timeouts(connect=20.0, login=60.0)
READER = "exec(source.read"  # of the command line of the Python that reads for us
RUN = 'eval "$SSH_ORIGINAL_COMMAND"'

pytestmark = pytest.mark.skipif(sshd.unavailable() is not None, reason=str(sshd.unavailable()))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def server(tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> sshd.Server:
    return start(tmp_path, stack, monkeypatch)


def start(folder: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch, forced: str = "") -> sshd.Server:
    """`forced` is a shell command in place of what the client asks for."""
    running = stack.enter_context(sshd.running_sshd(folder, *([f"ForceCommand {forced}"] if forced else [])))
    monkeypatch.setenv("PATH", f"{running.bin}:{os.environ['PATH']}")
    return running


def error_of(address: str = "ssh://box", timeouts: Timeouts = PATIENT) -> DtnctlError:
    with pytest.raises(DtnctlError) as raised, open_login(parse_engine(address), timeouts):
        pass
    return raised.value


def readers() -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline"]) if any(READER in word for word in process.info["cmdline"] or ())]


def test_questions_are_answered_by_the_hosts_own_python(server: sshd.Server) -> None:
    with open_login(BOX, PATIENT) as (login, python):
        version, missing = login.ask([("content", "/proc/version"), ("content", "/proc/none")]).values
        assert (version, missing) == (Path("/proc/version").read_text(), None)
        assert login.ask([]).values == ()
    assert (python.user, python.machine) == (os.geteuid(), os.uname().machine)


def test_when_it_is_closed_no_process_is_left_at_either_end(server: sshd.Server) -> None:
    before = {process.pid for process in readers()}
    with open_login(BOX, PATIENT) as (login, _):
        ours = psutil.Process(login.process.pid)
        (there,) = [process for process in readers() if process.pid not in before and process.name().startswith("python")]
        assert os.getsid(ours.pid) != os.getsid(0)  # Ctrl-C at the terminal does not reach it before we have closed it
    _, alive = psutil.wait_procs([ours, there], timeout=30)
    assert alive == []


def test_reader_ends_also_after_our_kill_9(server: sshd.Server) -> None:
    program = (
        "from dtnctl.providers.host_by_ssh.connection import open_login\n"
        "from dtnctl.model.engine_addresses import parse_engine\n"
        "from dtnctl.providers.timeouts import Timeouts\n"
        "with open_login(parse_engine('ssh://box'), Timeouts(login=60.0)):\n"
        "    print('in', flush=True)\n"
        "    input()\n"
    )
    before = {process.pid for process in readers()}
    environment = {**os.environ, "PYTHONPATH": f"{CLONE}:{CLONE}/agent"}
    with subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1, text=True, env=environment) as ours:
        assert ours.stdout is not None
        assert ours.stdout.readline() == "in\n"
        there = [process for process in readers() if process.pid not in before]
        ours.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(there, timeout=30)
    assert (bool(there), alive) == (True, [])


def test_greeting_of_a_login_is_passed_over(tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    start(tmp_path, stack, monkeypatch, f'echo "Welcome to dtn1"; printf "no end of a line"; echo; {RUN}')
    with open_login(BOX, PATIENT) as (login, _):
        assert login.ask([("exists", "/proc")]).values == (True,)


@pytest.mark.parametrize("shell", ["bash", "dash", "csh", "tcsh", "fish", "zsh", "ksh"])
def test_every_login_shell_runs_it(shell: str, tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"there is no {shell} on this machine")
    start(tmp_path, stack, monkeypatch, f'exec {found} -c "$SSH_ORIGINAL_COMMAND"')
    with open_login(BOX, PATIENT) as (login, _):
        assert login.ask([("exists", "/proc")]).values == (True,)


def test_host_without_python_is_said(tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "sh").symlink_to("/bin/sh")
    start(tmp_path, stack, monkeypatch, f"PATH={programs}; {RUN}")
    error = error_of()
    assert isinstance(error, EngineError)
    assert str(error) == "ssh://box: there is no python3 there; reading a host takes Python 3.6 or newer"


def test_python_that_is_too_old_is_said_with_its_version(server: sshd.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no such Python on this machine: the same line is asked for a newer one than there is."""
    monkeypatch.setattr(connection, "far_command", lambda oldest: far_command((99, 0)))
    assert re.fullmatch(r"ssh://box: its python3 is 3\.\d+\.\d+, and reading a host takes 3\.6 or newer", str(error_of()))


def test_login_that_runs_nothing_is_said_with_its_last_words(tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    start(tmp_path, stack, monkeypatch, 'echo "This account is currently not available."; exit 1')
    said = "ssh://box: the login ended with exit code 1 and ran nothing of ours: This account is currently not available."
    assert str(error_of()) == said


def test_login_that_says_nothing_is_said_too(tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    start(tmp_path, stack, monkeypatch, "exit 3")
    assert str(error_of()) == "ssh://box: the login ended with exit code 3 and ran nothing of ours: it printed nothing"


def test_login_that_never_answers_is_given_up(tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    start(tmp_path, stack, monkeypatch, "exec cat >/dev/null")
    error = error_of(timeouts=Timeouts(connect=0.5, login=0.5, closing=5.0))
    assert isinstance(error, UnreachableError)
    assert "no answer in time; --timeout gives it more" in str(error)


def test_line_that_is_cut_is_said(server: sshd.Server) -> None:
    with open_login(BOX, PATIENT) as (login, _):
        login.process.kill()
        login.process.wait()
        with pytest.raises(UnreachableError, match="ssh://box: ssh ended"):
            login.ask([("content", "/proc/version")])


def test_host_key_that_is_another_one_is_refused(server: sshd.Server) -> None:
    server.known_hosts.write_text(f"[127.0.0.1]:{server.port} {(server.folder / 'stranger.pub').read_text()}")
    assert "the host key of box has changed" in str(error_of())


def test_host_key_that_is_not_known_is_not_trusted(server: sshd.Server) -> None:
    server.known_hosts.write_text("")
    assert "the host key of box is not known" in str(error_of())


def test_login_without_a_key_is_refused(server: sshd.Server) -> None:
    server.authorized_keys.write_text((server.folder / "stranger.pub").read_text())
    assert "the login box is refused" in str(error_of())


def test_host_where_nothing_listens_is_unreachable(server: sshd.Server) -> None:
    assert "no process listens for ssh on 127.0.0.1" in str(error_of("ssh://127.0.0.1:1"))


def test_machine_without_ssh_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert str(error_of()) == "ssh://box: there is no ssh client on this machine"
