"""Runs scripts on a host over ssh, with the user's own OpenSSH configuration, keys and known hosts. Nothing stays behind there."""

from __future__ import annotations

import io
import shlex
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass

from dtnctl.errors import EngineError, UnreachableError, UsageError
from dtnctl.model.engine_addresses import EngineAddress, parse_engine
from dtnctl.providers.ssh import OPTIONS, explain, ssh_words

CONNECT_SECONDS = 10
SSH_FAILED = 255  # ssh's own exit code; a script's is another
# Unpacks stdin into a folder that only we may enter, and runs the script there.
UNPACK_AND_RUN = 'folder=$(mktemp -d) && trap \'rm -rf "$folder"\' EXIT && cd "$folder" && tar -xf - && '


@dataclass(frozen=True, slots=True)
class Remote:
    """A host that one may log in to. `address` is `ssh://USER@HOST[:PORT]`, as in the endpoint's file."""

    address: EngineAddress

    def run(self, command: str, files: Mapping[str, bytes], timeout: float) -> str:
        """What the command writes, in a folder with these files. UnreachableError if ssh fails, EngineError if the command does."""
        words = [*self._ssh(), f"sh -c {shlex.quote(UNPACK_AND_RUN + command)}"]
        try:
            ran = subprocess.run(words, input=_tar(files), capture_output=True, timeout=timeout, check=False)
        except FileNotFoundError as error:
            raise UnreachableError(f"{self.address}: there is no ssh client on this machine") from error
        except subprocess.TimeoutExpired as error:
            raise UnreachableError(f"{self.address}: it was not done within {timeout:g} s") from error
        out, errors = (text.decode(errors="replace") for text in (ran.stdout, ran.stderr))
        if ran.returncode == SSH_FAILED:
            raise UnreachableError(f"{self.address}: {explain(errors, self.address)}")
        if ran.returncode != 0:
            raise EngineError(f"{self.address}: what was started there failed:", output=_last_lines(out + errors))
        return out

    def host(self) -> str:
        """The name or address that ssh connects to; an alias of the user's configuration is resolved."""
        found = subprocess.run([*self._ssh("-G")], capture_output=True, text=True, check=False).stdout
        names = [line.removeprefix("hostname ") for line in found.splitlines() if line.startswith("hostname ")]
        return names[0] if names else self.address.host

    def _ssh(self, *more: str) -> list[str]:
        return ssh_words(self.address, {**OPTIONS, "ConnectTimeout": str(CONNECT_SECONDS)}, *more)


def remote_of(login: str) -> Remote:
    """The host of `USER@HOST`, `HOST` or `ssh://USER@HOST:PORT`. UsageError if it is none of these."""
    try:
        return Remote(parse_engine(login if login.startswith("ssh://") else f"ssh://{login}"))
    except ValueError as error:
        raise UsageError(f"--ssh: {error}") from error


def _tar(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = 0o600
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def _last_lines(text: str, count: int = 20) -> list[str]:
    lines = [line for line in text.splitlines() if line.strip()]
    return [f"  {line}" for line in lines[-count:]] or ["  there was no output"]
