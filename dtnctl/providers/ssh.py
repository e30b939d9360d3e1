"""Reaches a unix socket of a host over ssh: one OpenSSH client forwards it to a local one. docs/decisions/0003 says why."""

from __future__ import annotations

import os
import select
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dtnctl.errors import UnreachableError
from dtnctl.model.engine_addresses import EngineAddress
from dtnctl.providers.timeouts import Timeouts

LAST_WORDS = 4096  # bytes
LONGEST_SOCKET_PATH = 100  # the kernel's limit is 108, and ssh makes the name a little longer while it binds
REFUSED = "is refused; is the key loaded, and is it in authorized_keys?"
READY, MISSING, DENIED = "dtnctl-ready", "dtnctl-missing", "dtnctl-denied"  # no login shell writes such words by itself
# Run by the login shell of the far side. Its stdin is our pipe: `cat` ends when we end, however we end, and ssh with it.
FAR_SIDE = f'test -S "$0" || echo {MISSING}; test -w "$0" || echo {DENIED}; echo {READY}; exec cat'
# Run here. When ssh ends, the socket's folder goes, also after a kill -9 of ours.
NEAR_SIDE = 'folder=$1; shift; "$@"; code=$?; rm -f "$folder/socket"; rmdir "$folder"; exit $code'
OPTIONS = {
    "BatchMode": "yes",  # no user is there to answer a question
    "ExitOnForwardFailure": "yes",
    "ControlMaster": "no",  # a shared master would keep our socket after we are gone
    "ControlPath": "none",
    "StreamLocalBindUnlink": "yes",
    "ServerAliveInterval": "15",
    "ServerAliveCountMax": "3",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "RequestTTY": "no",
    "RemoteCommand": "none",
    "PermitLocalCommand": "no",
}


@dataclass(frozen=True, slots=True)
class FarSocket:
    """A unix socket of the host, and what to check where it is missing or closed to the login."""

    path: str
    when_missing: str
    when_denied: str


@dataclass(slots=True)
class Tunnel:
    """A running ssh client and the local socket that leads to the far one. It writes its errors to a file without a name."""

    socket: Path
    login: EngineAddress
    far: FarSocket
    process: subprocess.Popen[bytes]
    closing: float
    errors: IO[bytes]

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def complaint(self) -> str:
        """What ssh reported that explains a failed call; empty if there is nothing of use."""
        text = self.last_words()
        if "open failed" in text:
            # sshd reports the same when no process listens there and when it may not forward.
            place = f"{self.far.path} on {self.login.host}"
            return f"{place} takes no connections; {self.far.when_missing}, and does sshd allow it (AllowStreamLocalForwarding yes)?"
        return "" if self.is_alive else f"the ssh connection ended: {explain(text, self.login)}"

    def last_words(self) -> str:
        """The end of all that ssh has reported. What it reports of a call is there before the call fails."""
        if self.errors.closed:
            return ""
        size = os.fstat(self.errors.fileno()).st_size
        return os.pread(self.errors.fileno(), LAST_WORDS, max(0, size - LAST_WORDS)).decode(errors="replace")

    def close(self) -> None:
        """End ssh and remove the socket. ssh ends by itself when its stdin does; if it hangs, it is killed."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self.process.wait(self.closing)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        self.errors.close()
        shutil.rmtree(self.socket.parent, ignore_errors=True)


def open_tunnel(login: EngineAddress, far: FarSocket, timeouts: Timeouts) -> Tunnel:
    """Log in and forward; returns when the local socket takes connections."""
    folder = _socket_folder()
    local = folder / "socket"
    command = ["sh", "-c", NEAR_SIDE, "dtnctl-ssh", str(folder), *ssh_command(login, far.path, local, timeouts)]
    # A group of its own: Ctrl-C at the terminal must not cut the line while we still clean up over it.
    errors = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the tunnel
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True, bufsize=0)
    tunnel = Tunnel(local, login, far, process, timeouts.closing, errors)
    try:
        _await_ready(tunnel, timeouts)
    except BaseException:
        tunnel.close()
        raise
    return tunnel


def ssh_command(login: EngineAddress, far: str, local: Path, timeouts: Timeouts) -> list[str]:
    """The OpenSSH command line; the user's own configuration, agent and known hosts apply."""
    options = OPTIONS | {"ConnectTimeout": str(max(1, round(timeouts.connect)))}
    return [*ssh_words(login, options, "-L", f"{local}:{far}"), f"exec sh -c {shlex.quote(FAR_SIDE)} {shlex.quote(far)}"]


def ssh_words(login: EngineAddress, options: Mapping[str, str], *more: str) -> list[str]:
    """The command line up to the host; what follows is the command to run there."""
    words = ["ssh", *more]
    for name, value in options.items():
        words += ["-o", f"{name}={value}"]
    words += ["-l", login.user] if login.user else []
    words += ["-p", str(login.port)] if login.port else []
    return [*words, "--", login.host.lower()]  # ssh's configuration names hosts in lower case


def _socket_folder() -> Path:
    """A new folder that only we may enter, with a path short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="dtnctl-"))
    if len(str(folder)) > LONGEST_SOCKET_PATH - len("/socket"):
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="dtnctl-", dir="/tmp"))
    return folder


def _await_ready(tunnel: Tunnel, timeouts: Timeouts) -> None:
    """Read what the far side reports of its socket, up to the ready line."""
    assert tunnel.process.stdout is not None
    deadline = time.monotonic() + timeouts.connect + timeouts.login
    report = b""
    while f"{READY}\n".encode() not in report:
        ready, _, _ = select.select([tunnel.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise UnreachableError(f"{tunnel.login}: ssh did not get through in time")
        chunk = tunnel.process.stdout.read(4096)
        if not chunk:
            raise UnreachableError(f"{tunnel.login}: {explain(tunnel.last_words(), tunnel.login)}")
        report += chunk
    _check_socket(report.decode(errors="replace").split(), tunnel.login, tunnel.far)


def _check_socket(words: list[str], login: EngineAddress, far: FarSocket) -> None:
    if MISSING in words:
        raise UnreachableError(f"{login}: there is no socket {far.path} on {login.host}; {far.when_missing}?")
    if DENIED in words:
        raise UnreachableError(f"{login}: the login on {login.host} may not open {far.path}; {far.when_denied}")


def explain(text: str, address: EngineAddress) -> str:
    """ssh's own words as one sentence that says what to check."""
    host = address.host
    login = f"{address.user}@{host}" if address.user else host
    sentences = {
        "REMOTE HOST IDENTIFICATION HAS CHANGED": f"the host key of {host} has changed; if it may, remove the old one from known_hosts",
        "Host key verification failed": f"the host key of {host} is not known; log in once by hand, or add it to known_hosts",
        "Permission denied": f"the login {login} {REFUSED}",
        "Could not resolve hostname": f"there is no host of the name {host!r}",
        "Connection refused": f"no process listens for ssh on {host}",
        "timed out": f"no connection to {host} in time; is it up, and does a firewall let ssh through?",
        "No route to host": f"there is no route to {host}",
        "command not found": "there is no ssh client on this machine",
        "ssh: not found": "there is no ssh client on this machine",
    }
    for words, sentence in sentences.items():
        if words in text:
            return sentence
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"ssh ended: {lines[-1][:200]}" if lines else "ssh ended without a word"
