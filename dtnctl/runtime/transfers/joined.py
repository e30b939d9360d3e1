"""Asks a container several things by one command, since a command costs its engine more than most answers do.

Whoever needs an answer asks its own engine as ever: one that knows the answer already gives it, any other question is put to the container.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any, TypeAlias, cast

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.providers.base import Engine, Ran

Command: TypeAlias = tuple[str, ...]
Answers: TypeAlias = Mapping[Command, Ran]

# After what each command wrote, both outputs have the mark on a line of its own, on stdout with the exit code.
JOINED = r"""
mark=$1
shift
for command; do
    (eval "$command") </dev/null
    printf '\n%s %d\n' "$mark" "$?"
    printf '\n%s\n' "$mark" >&2
done
"""
NAME = "joined"
LONGEST = 100_000  # bytes of one command; Linux takes 128 KiB in one argument


def ask_together(engine: Engine, container: str, commands: Sequence[Command], user: str) -> Answers:
    """What each command wrote and how it ended; nothing of those that cannot be asked so. They run one after another."""
    short = [command for command in dict.fromkeys(commands) if len(shlex.join(command).encode("utf-8", "surrogateescape")) <= LONGEST]
    if not short:
        return {}
    mark = token_hex(16)
    try:
        ran = engine.run(container, ("sh", "-c", JOINED, NAME, mark, *(shlex.join(command) for command in short)), user=user)
    except (EngineError, UnreachableError):
        return {}  # whoever needs an answer asks again, and says what is wrong
    return dict(zip(short, _read(ran, mark.encode(), len(short)), strict=False))


def _read(ran: Ran, mark: bytes, count: int) -> Sequence[Ran]:
    """One for each command; none if the outputs are not whole."""
    outputs, errors = ran.stdout.split(b"\n%s " % mark), ran.stderr.split(b"\n%s\n" % mark)
    if len(outputs) != count + 1 or len(errors) != count + 1:
        return ()
    codes, written = [], [outputs[0]]
    for part in outputs[1:]:
        code, _, rest = part.partition(b"\n")
        codes.append(int(code))
        written.append(rest)
    return [Ran(*answer) for answer in zip(codes, written, errors, strict=False)]


def read_command(path: str) -> Command:
    """Prints the file at `path`."""
    return ("cat", "--", path)


class _Answering:
    """An engine that was asked some things of one container, as one user, a moment ago."""

    def __init__(self, engine: Engine, container: str, user: str, answers: Answers) -> None:
        self._engine = engine
        self._asked = container, user
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def run(self, container: str, command: Command, *, user: str = "") -> Ran:
        found = self._answers.get(command) if (container, user) == self._asked else None
        return found if found is not None else self._engine.run(container, command, user=user)

    def read_files(self, container: str, path: str) -> Mapping[str, bytes]:
        found = self._answers.get(read_command(path)) if container == self._asked[0] else None
        return {path: found.stdout} if found is not None and found.exit_code == 0 else self._engine.read_files(container, path)


def answering(engine: Engine, container: str, user: str, answers: Answers) -> Engine:
    """The engine, which gives these answers about the container instead of asking it again; for a moment, since they grow old."""
    return cast("Engine", _Answering(engine, container, user, answers)) if answers else engine
