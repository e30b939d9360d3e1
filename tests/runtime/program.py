"""The program as the shell sees it, run in this process: exit code, stdout, stderr."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dtnctl.cli.main import run


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


@contextlib.contextmanager
def _inside(folder: Path, arguments: list[str]) -> Iterator[None]:
    before = Path.cwd(), sys.argv
    os.chdir(folder)
    sys.argv = ["dtnctl", *arguments]
    try:
        yield
    finally:
        os.chdir(before[0])
        sys.argv = before[1]


def dtnctl(folder: Path, *arguments: str) -> Result:
    """Run `dtnctl ARGUMENTS` in the folder."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with _inside(folder, list(arguments)), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            run()
        except SystemExit as done:
            code = done.code
    assert isinstance(code, int)
    return Result(code, out.getvalue(), err.getvalue())
