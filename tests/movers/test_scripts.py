"""The shell programs around a tool, run by a real shell, in a folder instead of a container's root."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from dtnctl.movers.scripts import client_command


class Job:
    """The real script with a program of our own in place of a tool."""

    def __init__(self, home: Path, program: str) -> None:
        self.home = home
        (home / "dtnctl").mkdir()
        self.key = home / "dtnctl/id_source"
        self.key.write_text("PRIVATE")
        command = client_command(("/bin/sh", "-c", program), folder=f"{home}/dtnctl", time_left=None, user=None)
        script = command[1].replace("/root", str(home)).replace("sleep 5;", "sleep 0.2;")
        self.command = ["/bin/sh", "-c", script, *command[2:]]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.home, start_new_session=True
        )

    def end(self) -> tuple[int, str]:
        output, _ = self.process.communicate(timeout=20)
        return self.process.returncode, output.decode()


def test_the_job_passes_the_exit_code_on_and_removes_the_key(tmp_path: Path) -> None:
    job = Job(tmp_path, "echo moving; echo wrong >&2; exit 7")
    assert job.end() == (7, "moving\nwrong\n")
    assert not job.key.exists()


def test_a_second_start_runs_nothing_and_ends_as_the_first_one(tmp_path: Path) -> None:
    job = Job(tmp_path, "echo moving; exit 7")
    assert job.end() == (7, "moving\n")
    job.key.write_text("PRIVATE")
    job.start()
    assert job.end() == (7, "")
    assert not job.key.exists()


def test_a_second_start_of_what_was_killed_runs_nothing_either(tmp_path: Path) -> None:
    job = Job(tmp_path, "echo moving; exec sleep 60")
    assert job.process.stdout is not None
    assert job.process.stdout.readline() == b"moving\n"
    os.killpg(job.process.pid, signal.SIGKILL)
    job.process.communicate()
    job.start()
    assert job.end() == (126, "")


def test_a_progress_line_is_seen_before_the_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    job = Job(tmp_path, f"printf 'Source: x\\n  10 bytes  1 MB/sec\\r'; read line <{tmp_path}/go; echo end")
    assert job.process.stdout is not None
    assert [job.process.stdout.readline() for _ in range(2)] == [b"Source: x\n", b"  10 bytes  1 MB/sec\n"]
    (tmp_path / "go").write_text("\n")
    assert job.end() == (0, "end\n")


def test_what_ssh_said_comes_at_the_end_once_with_its_name_before_it(tmp_path: Path) -> None:
    (tmp_path / ".globus").mkdir()
    said = "ssh: connect refused\\r\\nDATE=1 HOST=a PROG=b NL.EVNT=FTP_INFO FILE=/data/x\\nPermission denied\\n"
    job = Job(tmp_path, f"printf '{said}' >{tmp_path}/.globus/ssh.log; exit 1")
    assert job.end() == (1, "ssh: connect refused\nssh: Permission denied\n")


def test_sigterm_stops_the_copy_and_still_removes_the_key(tmp_path: Path) -> None:
    job = Job(tmp_path, "echo started; exec sleep 60")
    assert job.process.stdout is not None
    assert job.process.stdout.readline() == b"started\n"
    job.process.send_signal(signal.SIGTERM)
    code, _ = job.end()
    assert code == 128 + signal.SIGTERM
    assert not job.key.exists()


def test_a_copy_that_ends_well_in_spite_of_sigterm_keeps_its_exit_code(tmp_path: Path) -> None:
    job = Job(tmp_path, "trap 'echo last bytes; exit 0' TERM; echo started; while :; do sleep 0.05; done")
    assert job.process.stdout is not None
    assert job.process.stdout.readline() == b"started\n"
    job.process.send_signal(signal.SIGTERM)
    assert job.end() == (0, "last bytes\n")


def test_a_process_that_outlives_the_copy_does_not_keep_the_job(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never")
    job = Job(tmp_path, f"cat {tmp_path}/never & echo done; exit 3")
    code, _ = job.process.wait(timeout=20), (tmp_path / "never").write_text("")
    assert code == 3
    job.process.communicate()
