"""`watch`: a list that is shown again and again on a terminal, in the place of the one before, until Ctrl-C."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from dtnctl.cli.options import seconds
from dtnctl.cli.shell.lines import Names, lists, meant, with_names
from dtnctl.cli.shell.looking import Numbering
from dtnctl.cli.shell.programs import read_program
from dtnctl.cli.shell.valued import valued_options
from dtnctl.errors import UsageError
from dtnctl.printable import plural

USAGE = "watch [SECONDS] COMMAND, with a command that shows: `watch ls active`, `watch 5s status`, `watch show transfers`"
PAUSE = 2.0
SHOWING = ("ls", "status", "plan", "drift", "history")
# Source: ECMA-48 and the VT510's manual: home, erase to the end of the line and of the screen, no wrapping of long lines
HOME, REST_OF_LINE, REST_OF_SCREEN, CUT, WRAP = "\x1b[H", "\x1b[K", "\x1b[J", "\x1b[?7l", "\x1b[?7h"


class Shown(Protocol):
    """What a watched command needs of its shell."""

    asks: bool
    environment: Mapping[str, str]

    def listing(self, typed: str) -> str:
        """What is at the path now."""

    def numbering(self) -> Numbering:
        """The numbers as they are now."""


def watch(shell: Shown, words: Sequence[str]) -> int:
    """Show it until Ctrl-C. UsageError for what does more than show, and where there is no terminal."""
    if not (shell.asks and sys.stdout.isatty()):
        raise UsageError("watch needs a terminal; a script runs the command as often as it needs")
    pause, command = _pause_and_command(words)
    sys.stdout.write(f"\x1b[2J{CUT}")
    try:
        while True:
            _draw(content(shell, command), f"every {pause:g} s: {' '.join(command)}   (Ctrl-C ends it)")
            time.sleep(pause)
    except KeyboardInterrupt:
        return 0
    finally:
        sys.stdout.write(f"{WRAP}\n")


def _pause_and_command(words: Sequence[str]) -> tuple[float, list[str]]:
    pause, rest = (seconds(words[0]), words[1:]) if words and words[0][:1].isdecimal() else (PAUSE, words)
    command = meant(rest)
    if not command or not (command[0] in SHOWING or lists(command)):
        raise UsageError(USAGE)
    return pause, command


def content(shell: Shown, command: Sequence[str]) -> str:
    """What the command shows now."""
    if command[0] == "ls":
        return shell.listing(command[1] if len(command) > 1 else "")
    found = shell.numbering()
    return read_program(with_names(command, Names(found.session, found.transfer), valued_options), shell.environment)


def _draw(text: str, title: str) -> None:
    """Over the text before, so that nothing flickers; what has no room is counted."""
    room = shutil.get_terminal_size().lines - 3
    lines = text.splitlines()
    shown = lines if len(lines) <= room else [*lines[: room - 1], plural(len(lines) - room + 1, "more line")]
    sys.stdout.write(HOME + "".join(f"{line}{REST_OF_LINE}\n" for line in (title, "", *shown)) + REST_OF_SCREEN)
    sys.stdout.flush()
