"""The entry: streams and signals are put in order before anything slow is imported, so that no moment shows a traceback."""

from __future__ import annotations

import os
import sys

from dtnctl.cli import signals, streams


def run() -> None:
    """The program: parse, carry out, exit with the contract's code."""
    streams.repair()
    try:
        with signals.exiting():  # nothing has been done yet: while Python imports, a signal simply ends the program
            from dtnctl.cli.program import main
        with signals.raising():
            code = main(sys.argv[1:])
            streams.finish()
    except signals.Interrupted as stop:
        streams.finish()
        signals.say_goodbye(stop.number)
        if sys.stdout is sys.__stdout__:
            os._exit(stop.exit_code)  # threads that still wait for silent endpoints keep no process alive
        code = stop.exit_code
    sys.exit(code)
