"""The shell programs around rcopy, run by a real shell with a program of our own as `rcopy`, which says what rcopy would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.movers.base import JobRequest
from dtnctl.movers.rdma import MOVER
from tests.movers.jobs import request

PART = ".dtnctl-rcopy-50199"
MAPPING = """\
import mmap, sys
with open(sys.argv[1]) as file:
    mapped = mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ)
    total = sum(mapped[at] for at in range(0, len(mapped), 4096))
open(sys.argv[1] + ".go").read()
print("done")
sys.exit(28)
"""


class Stage:
    """A folder that is written to, with an older file, and what `rcopy` is."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("own", "bin", "data"):
            (root / name).mkdir()
        self.out = root / "data" / "out"
        self.out.write_text("older")

    @property
    def request(self) -> JobRequest:
        return replace(request(f"{self.root}/in", str(self.out)), folder=str(self.root / "own"))

    def rcopy(self, text: str, name: str = "rcopy") -> None:
        program = self.root / "bin" / name
        program.write_text(text)
        program.chmod(0o755)

    def start(self, command: tuple[str, ...]) -> subprocess.Popen[str]:
        environment = {**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}"}
        return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def serve(self, words: str, end: str = "exec sleep 60") -> tuple[int, str]:
        """Its exit code and its output, after rcopy has written that."""
        self.rcopy(f"#!/bin/sh\necho newer > {PART}\nprintf 'waiting for connection...client: 10.1.0.1\\n{words}'\n{end}\n")
        process = self.start(MOVER.server(self.request))
        output, _ = process.communicate(timeout=20)
        return process.returncode, output

    def names(self) -> list[str]:
        return sorted(path.name for path in self.out.parent.iterdir())


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_a_file_gets_its_name_when_it_is_whole(stage: Stage) -> None:
    code, output = stage.serve(f"opening: {PART}, transferring...6 bytes...closing...done\\nwaiting for connection...")
    assert (code, stage.out.read_text(), stage.names()) == (0, "newer\n", ["out"])
    assert "6 bytes...closing...done" in output


@pytest.mark.parametrize(
    ("words", "end", "code"),
    [
        (f"opening: {PART}, transferring...6 bytes......error receiving data\\nwaiting for connection...", "exec sleep 60", 1),
        (f"opening: {PART}, transferring...error allocating file\\nwaiting for connection...", "exec sleep 60", 1),
        (f"opening: {PART}, transferring...6 bytes...", "exit 9", 9),
        (f"opening: {PART}, transferring...6 bytes...", "kill -BUS $$", 135),
        (f"opening: {PART}, transferring...6 bytes...", "kill -TERM $PPID; exec sleep 60", 143),
    ],
)
def test_what_is_not_whole_is_removed_and_what_was_there_stays(stage: Stage, words: str, end: str, code: int) -> None:
    assert stage.serve(words, end)[0] == code
    assert (stage.out.read_text(), stage.names()) == ("older", ["out"])


def test_a_folder_that_cannot_be_made_is_named_before_it_listens(stage: Stage) -> None:
    stage.out = stage.out / "below" / "out"
    code, output = stage.serve("")
    assert code != 0
    assert "mkdir: cannot create directory" in output


def test_it_listens_when_rcopy_says_so(stage: Stage) -> None:
    probe = MOVER.listening(stage.request)
    assert subprocess.run(probe, check=False, capture_output=True).returncode != 0
    (stage.root / "own/words").write_text("waiting for connection...")
    assert subprocess.run(probe, check=False).returncode == 0


def test_it_is_in_use_as_long_as_rcopy_uses_a_cpu(stage: Stage) -> None:
    stage.rcopy("#!/bin/sh\necho up; while :; do :; done\n")
    probe = MOVER.connected(stage.request)
    process = stage.start((str(stage.root / "bin" / "rcopy"),))
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    assert subprocess.run(probe, check=False).returncode == 0
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    subprocess.run(probe, check=False)
    assert subprocess.run(probe, check=False).returncode == 1
    process.kill()
    process.communicate()


def test_the_client_reports_what_is_mapped_and_passes_the_exit_code_on(stage: Stage) -> None:
    (stage.root / "in").write_bytes(bytes(8 * 1024**2))
    os.mkfifo(stage.root / "in.go")
    stage.rcopy(f"#!/bin/sh\nexec {sys.executable} -c '{MAPPING}' \"$@\"\n")
    process = stage.start(MOVER.client(stage.request))
    assert process.stdout is not None
    line = next(line for line in process.stdout if "mapped 8192 kB" in line)
    assert line.startswith("rcopy has mapped 8192 kB in ")
    (stage.root / "in.go").write_text("on")
    output, _ = process.communicate(timeout=20)
    assert (process.returncode, output.splitlines()[-1]) == (28, "done")


def test_a_client_that_has_lost_its_server_is_ended(stage: Stage) -> None:
    """rcopy would wait for ever; the connection manager knows. Two looks, since its server disconnects first after a good end, too."""
    line = "link rxe0/1 cm-idn 7 lqpn 24 qp-type RC state DISCONNECT ps TCP pid 7 comm rcopy src-addr 10.1.0.1:376 dst-addr 10.1.0.2:50199 "
    stage.rcopy(f"#!/bin/sh\necho '{line}'\n", "rdma")
    stage.rcopy("#!/bin/sh\nexec sleep 60\n")
    process = stage.start(MOVER.client(stage.request))
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "rcopy has lost its server\n" in output
