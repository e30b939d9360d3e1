"""The entry: streams and signals are put in order before anything slow is imported, so that no moment shows a traceback."""

from __future__ import annotations

import gc
import os
import sys

from dtnctl.cli import signals, streams

# New objects between two searches for garbage: Python's 700 means hundreds of searches while modules are imported and a plan is made,
# a tenth of a short run, and they find nothing. Memory stays bounded: that number of objects is some ten megabytes.
OBJECTS_BETWEEN_SEARCHES = 100_000


def run() -> None:
    """The program: parse, carry out, exit with the contract's code."""
    streams.repair()
    gc.set_threshold(OBJECTS_BETWEEN_SEARCHES)
    # Plugins of pydantic may change how the state is read, and to look for some it reads the metadata of every installed package.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
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
