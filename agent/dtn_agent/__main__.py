"""`dtn-agent`, also `python -m dtn_agent`: the agent's command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from dtn_agent.commands import facts, serve, unit


def main() -> int:
    """Carry out one command; the exit code is the command's."""
    parser = argparse.ArgumentParser(prog="dtn-agent", description="What a container engine cannot report or do on an endpoint.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (facts, serve, unit):
        command.add_to(commands)
    arguments = parser.parse_args()
    run: Callable[[argparse.Namespace], int] = arguments.run
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
