"""Commands of dtnctl run as processes of their own: Ctrl-C ends them and not the shell, and nothing of one is left for the next.

They are forks, which have imported everything already. While a thread of ours waits for a silent endpoint, a fork could inherit a lock
that is never released: then the program is started from its beginning.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from typing import NoReturn

from dtnctl.cli.main import run
from dtnctl.cli.signals import handling

PROGRAM = (sys.executable, "-P", "-m", "dtnctl")  # -P: a folder `dtnctl` in the repository is not our code
DEFECT = 1


def run_program(words: Sequence[str], environment: Mapping[str, str], *, asks: bool) -> int:
    """The command's exit code. With `asks` it has our terminal to ask on, else no input at all: a script is not its answer."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = (_forked if threading.active_count() == 1 else _spawned)(words, {**os.environ, **environment}, asks)
    with handling(lambda number: _pass_on(pid, number)):
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return 128 - code if code < 0 else code


def _pass_on(pid: int, number: int) -> None:
    """The terminal sends Ctrl-C and its end to all that run in it; what is sent to us alone goes on to the command."""
    if number == signal.SIGTERM:
        os.kill(pid, number)


def _spawned(words: Sequence[str], environment: Mapping[str, str], asks: bool) -> int:
    no_input = [] if asks else [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    return os.posix_spawn(sys.executable, [*PROGRAM, *words], environment, file_actions=no_input)


def _forked(words: Sequence[str], environment: Mapping[str, str], asks: bool) -> int:
    pid = os.fork()
    if pid == 0:
        _become(words, environment, asks)
    return pid


def _become(words: Sequence[str], environment: Mapping[str, str], asks: bool) -> NoReturn:
    """The program with these words; nothing of the shell goes on in this process."""
    code: object = DEFECT
    try:
        os.environ.update(environment)
        if not asks:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # what was read ahead of the script is left behind
        sys.argv = ["dtnctl", *words]
        run()
    except SystemExit as done:
        code = done.code
    except BaseException:  # noqa: BLE001  # as Python itself ends
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else DEFECT)


def read_program(words: Sequence[str], environment: Mapping[str, str]) -> str:
    """What the command prints, its errors included. Ctrl-C ends both."""
    null, own = subprocess.DEVNULL, {**os.environ, **environment}
    done = subprocess.run([*PROGRAM, *words], stdin=null, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, env=own)
    return done.stdout.decode("utf-8", "replace")
