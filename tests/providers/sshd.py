"""A real sshd on a free local port, and an `ssh` that reads the test's configuration as the user's own."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from lab.keys import KEY_EXCHANGE
from tests.free_ports import free_port

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
SSH = shutil.which("ssh")


def unavailable() -> str | None:
    """Why there can be no sshd here."""
    missing = [name for name, path in (("sshd", SSHD), ("ssh", SSH), ("ssh-keygen", shutil.which("ssh-keygen"))) if path is None]
    return f"missing on this machine: {', '.join(missing)}" if missing else None


@dataclass(frozen=True, slots=True)
class Server:
    """A running sshd. `bin` goes in front of PATH: its `ssh` reads `config`, which knows the host `box`."""

    folder: Path
    port: int

    @property
    def user(self) -> str:
        return getpass.getuser()

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def authorized_keys(self) -> Path:
        return self.folder / "authorized_keys"

    def address(self, socket_path: Path) -> str:
        return f"ssh://{self.user}@box{socket_path}"


@contextmanager
def running_sshd(folder: Path, *settings: str, prepare: str = "") -> Iterator[Server]:
    """`settings` are further lines of sshd_config. `prepare` is run by root's sshd first, in the mount namespace of its sessions."""
    server = Server(folder, free_port())
    for name in ("host", "id", "stranger"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    server.authorized_keys.write_text((folder / "id.pub").read_text())
    server.known_hosts.write_text(f"[127.0.0.1]:{server.port} {(folder / 'host.pub').read_text()}")
    _write_client(server)
    _write_config(server, settings)
    process = subprocess.Popen(_command(folder / "sshd_config", prepare), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "Server listening" in line:
            break
    drain = threading.Thread(target=process.stderr.read)
    drain.start()
    try:
        yield server
    finally:
        sessions = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        process.wait()
        for session in sessions:  # those of a test that failed; they hold the pipe open
            with suppress(psutil.NoSuchProcess):
                session.kill()
        drain.join()
        process.stderr.close()


def _command(config: Path, prepare: str) -> list[str]:
    command = [str(SSHD), "-D", "-e", "-f", str(config)]
    if os.geteuid() != 0:
        return command
    # sshd of root wants /run/sshd; it gets one of its own, and the machine stays as it is.
    # Its user's own start of a shell, run for each command, may cost more than the command.
    plain = "[ ! -e ~/.bashrc ] || mount --bind /dev/null ~/.bashrc"
    script = f'set -e; mount -t tmpfs tmpfs /run; mkdir /run/sshd; {plain}; {prepare or ":"}; exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, "sshd", *command]


def _write_config(server: Server, settings: tuple[str, ...]) -> None:
    lines = [
        *settings,  # the first of two settings counts
        f"ListenAddress 127.0.0.1:{server.port}",
        f"HostKey {server.folder / 'host'}",
        f"AuthorizedKeysFile {server.authorized_keys}",
        "PidFile none",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin yes",
        "MaxSessions 2",
        KEY_EXCHANGE.strip(),
    ]
    (server.folder / "sshd_config").write_text("\n".join(lines) + "\n")


def _write_client(server: Server) -> None:
    (server.folder / "config").write_text(
        f"Host box\n  HostName 127.0.0.1\n  Port {server.port}\n"
        f"Host *\n  IdentityFile {server.folder / 'id'}\n  IdentitiesOnly yes\n  IdentityAgent none\n"
        f"  UserKnownHostsFile {server.known_hosts}\n  GlobalKnownHostsFile none\n"
        f"  ControlMaster auto\n  ControlPath {server.folder}/master-%C\n  RequestTTY force\n  RemoteCommand uname\n"
    )
    server.bin.mkdir()
    wrapper = server.bin / "ssh"
    wrapper.write_text(f'#!/bin/sh\nexec {SSH} -F {server.folder / "config"} "$@"\n')
    wrapper.chmod(0o755)
