"""One login at a host, with our reader running in its Python's memory: questions go in, answers come out, nothing stays.

The reader comes by the login's input and ends with it: when we end, however we end, or when the line is cut. It is no file there.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import select
import shlex
import subprocess
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import IO, Any, TypeAlias

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.engine_addresses import EngineAddress
from dtnctl.printable import printable_text
from dtnctl.providers.ssh import OPTIONS, explain, ssh_words
from dtnctl.providers.timeouts import Timeouts

Question: TypeAlias = tuple[str | int, ...]
Answer: TypeAlias = Any  # as JSON has it
OLDEST = (3, 6)
LAST_WORDS = 4096  # bytes
MOST_SENT = 32 << 20  # bytes that a login may send before an answer is whole, or complain; a host with 1,000 functions sends one
MOST_UNPACKED = 256 << 20
PAUSE = 0.5  # seconds between two looks at how much it complains
SSH_FAILED = 255  # ssh's own exit code; a program's is another
NO_PYTHON, OLD_PYTHON = "dtnctl-no-python", "dtnctl-old-python"  # no login shell writes such words by itself
# -I: neither its environment nor the user's own modules; -B: it writes no bytecode; -S: nor does it read site packages.
BOOT = (
    "import sys; "
    'sys.version_info < {oldest} and sys.exit(\\"{word} \\" + sys.version.split()[0]); '
    "source = sys.stdin.buffer; exec(source.read(int(source.readline())))"
)
# RHEL 8 has a Python of its own under another name, whether or not one is installed as python3.
FAR_SIDE = (
    "for python in python3 /usr/libexec/platform-python; do "
    'command -v "$python" >/dev/null 2>&1 && exec "$python" -IBS -c "{boot}"; '
    "done; echo {word} >&2; exit 127"
)


@dataclass(frozen=True, slots=True)
class FarPython:
    """What runs the reader. `user` is the number of the login's user: 0 is root."""

    version: str
    user: int
    machine: str


@dataclass(frozen=True, slots=True)
class Answers:
    """An answer to each question, None where there is none. `denied`: the numbers of those that this login may not have."""

    values: tuple[Answer, ...]
    denied: frozenset[int]


@dataclass(slots=True)
class Login:
    """A host that answers. `printed` is the last line that was not our reader's.

    Calls raise UnreachableError when the line is cut or the time is over, and EngineError for what is no answer of our reader: a host may
    send anything, and without an end.
    """

    address: EngineAddress
    timeouts: Timeouts
    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    mark: bytes
    received: bytes = b""
    printed: bytes = b""
    has_greeted: bool = False

    def greet(self) -> FarPython:
        """Send the reader, and wait until it says who it is."""
        source = files("dtnctl.providers.host_by_ssh").joinpath("reader.py").read_bytes()
        self._send(b"%d\n%s%s\n" % (len(source), source, self.mark))
        hello = self._answer(self.timeouts.connect + self.timeouts.login)
        self.has_greeted = True
        match hello:
            case {"byte_order": "little", "python": str(python), "user": int(user), "machine": str(machine)}:
                return FarPython(python, user, machine)
            case {"byte_order": "big"}:
                raise EngineError(f"{self.address}: its processor is big-endian, and its kernel's messages are read as little-endian ones")
        raise self._no_answer()

    def ask(self, questions: Sequence[Question]) -> Answers:
        """All of them at once: a way there and back, however many there are."""
        self._send(base64.b64encode(zlib.compress(json.dumps(questions).encode())) + b"\n")
        match self._answer(self.timeouts.read):
            case {"answers": [*answers], "denied": [*denied]} if len(answers) == len(questions):
                return Answers(tuple(answers), frozenset(denied))
        raise self._no_answer()

    def close(self) -> None:
        """The reader ends with its input, and ssh with it."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # what was not sent yet is of no use any more
                    pipe.close()
        self._ended_code()
        self.errors.close()

    # --- lines ---

    def _send(self, line: bytes) -> None:
        assert self.process.stdin is not None
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self.process.stdin.write(rest) :]
        except BrokenPipeError as error:
            raise self._ended() from error

    def _answer(self, seconds: float) -> Answer:
        deadline = time.monotonic() + seconds
        left = MOST_SENT
        while True:
            before, newline, after = self.received.partition(b"\n")
            if newline:
                self.received = after
                mark, _, content = before.partition(b" ")
                if mark == self.mark:
                    return self._unpacked(content)
                self.printed = before
            elif left <= 0 or os.fstat(self.errors.fileno()).st_size > MOST_SENT:
                raise EngineError(f"{self.address}: the login writes without an end, and nothing of it is an answer")
            else:
                left -= self._receive(deadline)

    def _unpacked(self, content: bytes) -> Answer:
        unpacking = zlib.decompressobj()
        try:
            text = unpacking.decompress(base64.b64decode(content), MOST_UNPACKED)
            if unpacking.eof:
                return json.loads(text)
        except (ValueError, zlib.error, RecursionError):
            pass
        raise self._no_answer()

    def _no_answer(self) -> EngineError:
        return EngineError(f"{self.address}: what came back is no answer of our reader")

    def _receive(self, deadline: float) -> int:
        """The number of bytes that came, 0 if there were none for a moment."""
        assert self.process.stdout is not None
        left = deadline - time.monotonic()
        if left <= 0:
            raise UnreachableError(f"{self.address}: no answer in time; --timeout gives it more")
        ready, _, _ = select.select([self.process.stdout], [], [], min(left, PAUSE))
        if not ready:
            return 0
        piece = os.read(self.process.stdout.fileno(), 1 << 16)
        if not piece:
            raise self._ended()
        self.received += piece
        return len(piece)

    def _ended(self) -> UnreachableError | EngineError:
        """Why the login ended before it answered. One that has closed its output and goes on is ended here."""
        code = self._ended_code()
        if code is None:
            return EngineError(f"{self.address}: the login closed its input or its output, and went on; it was ended here")
        size = os.fstat(self.errors.fileno()).st_size
        said = os.pread(self.errors.fileno(), LAST_WORDS, max(0, size - LAST_WORDS)).decode(errors="replace")
        if code == SSH_FAILED or self.has_greeted:
            return UnreachableError(f"{self.address}: {explain(said, self.address)}")
        return EngineError(f"{self.address}: {_refusal(code, self._rest(), said)}")

    def _ended_code(self) -> int | None:
        """The exit code of the ssh client; None for one that hangs and is killed, here, and there by the reader's own alarm."""
        try:
            return self.process.wait(self.timeouts.closing)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None

    def _rest(self) -> str:
        """What the login printed, of which nothing was ours: what there is of it now."""
        assert self.process.stdout is not None
        while len(self.received) < MOST_SENT and select.select([self.process.stdout], [], [], 0)[0]:
            piece = os.read(self.process.stdout.fileno(), 1 << 16)
            if not piece:
                break
            self.received += piece
        return b"\n".join((self.printed, self.received)).decode(errors="replace")


def _refusal(code: int, printed: str, complained: str) -> str:
    """Why nothing ran there."""
    oldest = ".".join(map(str, OLDEST))
    if OLD_PYTHON in complained:
        version = complained.partition(OLD_PYTHON)[2].split()[0]
        return f"its python3 is {version}, and reading a host takes {oldest} or newer"
    if NO_PYTHON in complained:
        return f"there is no python3 there; reading a host takes Python {oldest} or newer"
    lines = [line for line in f"{printed}\n{complained}".splitlines() if line.strip()]
    last = printable_text(lines[-1][-200:]) if lines else "it printed nothing"
    return f"the login ended with exit code {code} and ran nothing of ours: {last}"


def far_command(oldest: tuple[int, int]) -> str:
    """What the login's shell runs, be it a Bourne shell or another: in single quotes, with none inside."""
    boot = BOOT.format(oldest=oldest, word=OLD_PYTHON)
    return f"exec sh -c {shlex.quote(FAR_SIDE.format(boot=boot, word=NO_PYTHON))}"


@contextmanager
def open_login(address: EngineAddress, timeouts: Timeouts) -> Iterator[tuple[Login, FarPython]]:
    """Log in and start the reader; it ends with the block, also when that is left by Ctrl-C."""
    options = OPTIONS | {"ConnectTimeout": str(max(1, round(timeouts.connect)))}
    command = [*ssh_words(address, options), far_command(OLDEST)]
    # A session of its own: Ctrl-C at the terminal must not end ssh before the reader has ended.
    errors = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the login
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True, bufsize=0)
    except FileNotFoundError as error:
        errors.close()
        raise UnreachableError(f"{address}: there is no ssh client on this machine") from error
    login = Login(address, timeouts, process, errors, secrets.token_hex(8).encode())
    try:
        yield login, login.greet()
    finally:
        login.close()
