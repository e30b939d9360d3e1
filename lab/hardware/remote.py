"""Commands on a guest over one kept ssh connection; every one has a time limit, on this side and on the guest's."""

from __future__ import annotations

import shlex
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from lab import processes
from lab.hardware.places import ADDRESS, Guest
from lab.layout import LabError, Layout

# on a busy machine an emulated processor takes long for a key exchange; one that is cut off and tried again takes longer
CONNECT_SECONDS = 90
# what the way to the guest and back may take beyond the command's own time
WAY_SECONDS = 15.0
POLL_SECONDS = 0.5
LIVENESS_SECONDS = 60.0
BANNER = b"SSH-"
TIMED_OUT = (124, 137)  # what timeout(1) says when it had to end the command, or to kill it


class GuestSilentError(LabError):
    """A guest does not answer, or a command did not end in its time: the emulated machine may hang."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ended by itself."""

    code: int
    out: str
    err: str


class Remote:
    """One guest's shell."""

    def __init__(self, layout: Layout, guest: Guest) -> None:
        self.guest = guest
        self._folder = layout.folder
        self._identity = layout.identity
        self._options = _options(layout, guest)
        self._kept: subprocess.Popen[bytes] | None = None

    def run(self, script: str, *, seconds: float = 60.0, stdin: bytes = b"") -> str:
        """Run a shell script on the guest and return its output; LabError with both outputs when it fails."""
        done = self.finish(script, seconds=seconds, stdin=stdin)
        if done.code != 0:
            raise LabError(f"{self.guest.name}: exit code {done.code} of: {script}\n{done.out}{done.err}".rstrip())
        return done.out

    def finish(self, script: str, *, seconds: float = 60.0, stdin: bytes = b"") -> Finished:
        """Run a shell script on the guest and return how it ended; GuestSilentError if it did not in this time."""
        self._connect()
        command = ["ssh", *self._options, ADDRESS, self._limited(script, seconds)]
        try:
            done = subprocess.run(command, cwd=self._folder, input=stdin, capture_output=True, timeout=seconds + WAY_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise GuestSilentError(f"{self.guest.name}: no answer after {seconds:.0f} s: {script}") from error
        out, err = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
        if done.returncode in TIMED_OUT:
            raise GuestSilentError(f"{self.guest.name}: not done after {seconds:.0f} s: {script}\n{out}{err}".rstrip())
        return Finished(done.returncode, out, err)

    def start(self, script: str, *, seconds: float) -> subprocess.Popen[str]:
        """Start a script that others are needed for, such as the serving side of a measurement; it ends after this time at the latest."""
        self._connect()
        command = ["ssh", *self._options, ADDRESS, self._limited(script, seconds)]
        return subprocess.Popen(
            command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def write(self, path: str, content: str) -> None:
        """Write a small file on the guest."""
        self.run(f"mkdir -p {shlex.quote(str(Path(path).parent))} && printf %s {shlex.quote(content)} > {shlex.quote(path)}")

    def answers(self) -> bool:
        """Whether the guest does the least there is within a minute."""
        try:
            return self.finish("true", seconds=LIVENESS_SECONDS).code == 0
        except GuestSilentError:
            return False

    def wait_until_ready(self, seconds: float) -> None:
        """Return when the guest lets us in; GuestSilentError if it does not in this time."""
        deadline = time.monotonic() + seconds
        while not self._has_banner(max(deadline - time.monotonic(), POLL_SECONDS)):
            if time.monotonic() > deadline:
                raise GuestSilentError(f"{self.guest.name}: no ssh after {seconds:.0f} s")
            time.sleep(POLL_SECONDS)
        self._connect()

    def _has_banner(self, seconds: float) -> bool:
        """Whether sshd says its name: costs the guest nothing, unlike a login. The emulator takes the connection before the guest does."""
        try:
            with socket.create_connection((ADDRESS, self.guest.ports.ssh), timeout=seconds) as plug:
                return plug.recv(len(BANNER)) == BANNER
        except OSError:
            return False

    def disconnect(self) -> None:
        """End the kept connection; one to a guest that is gone would make the next command wait."""
        processes.end(processes.find_marked(self._identity, self._role), signal.SIGKILL)
        if self._kept is not None:
            self._kept.wait()
            self._kept = None
        (self._folder / self._socket).unlink(missing_ok=True)

    @property
    def _role(self) -> str:
        return f"{self.guest.name}-ssh"

    @property
    def _socket(self) -> str:
        return f"{self.guest.name}/ssh.sock"

    def _connect(self) -> None:
        """Keep one connection: a new one costs an emulated processor seconds.

        It is started by itself and with no pipe of ours, because ssh's own way of keeping one holds the first command's output open.
        """
        if self._is_connected():
            return
        self.disconnect()
        log = self._folder / self.guest.name / "ssh.log"
        with log.open("ab") as output:
            self._kept = subprocess.Popen(
                ["ssh", *self._options, "-o", "ControlMaster=yes", "-N", ADDRESS],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=processes.marked_environment(self._identity, self._role),
                start_new_session=True,
            )
        deadline = time.monotonic() + CONNECT_SECONDS + WAY_SECONDS
        while not self._is_connected():
            if time.monotonic() > deadline:
                raise GuestSilentError(f"{self.guest.name}: no ssh connection; {log.read_text(errors='replace')[-300:].strip()}")
            time.sleep(0.1)

    def _is_connected(self) -> bool:
        if not (self._folder / self._socket).exists():
            return False
        command = ["ssh", *self._options, "-O", "check", ADDRESS]
        return subprocess.run(command, cwd=self._folder, capture_output=True, timeout=WAY_SECONDS, check=False).returncode == 0

    def _limited(self, script: str, seconds: float) -> str:
        return f"exec timeout --kill-after=5 {seconds:.0f} bash -c {shlex.quote('set -e; ' + script)}"


def login_options(layout: Layout, guest: Guest) -> dict[str, str]:
    """What any ssh client needs to know a guest and to be known, and the patience for its slow processor."""
    return {
        "IdentityFile": f"{layout.home}/.ssh/id_ed25519",
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": f"{guest.folder}/known_hosts",
        "GlobalKnownHostsFile": "none",
        "StrictHostKeyChecking": "yes",
        "LogLevel": "ERROR",
        "ConnectTimeout": str(CONNECT_SECONDS),
    }


def _options(layout: Layout, guest: Guest) -> list[str]:
    values = login_options(layout, guest) | {
        "BatchMode": "yes",
        "ServerAliveInterval": "30",
        "ServerAliveCountMax": "10",
        "ControlPath": f"{guest.name}/ssh.sock",
    }
    words = ["-F", "none", "-l", "root", "-p", str(guest.ports.ssh)]
    return [*words, *(word for name, value in values.items() for word in ("-o", f"{name}={value}"))]
