"""The command line of the agent: `dtn-agent COMMAND`, or `python -m dtn_agent COMMAND`."""

from __future__ import annotations

import argparse
import sys

from dtn_agent.commands import facts, serve, unit


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command; the exit code is the command's."""
    parser = argparse.ArgumentParser(prog="dtn-agent", description="Tells what a DTN's hardware is, and changes it when dtnctl asks.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (serve, facts, unit):
        command.add_to(commands)
    parsed = parser.parse_args(arguments)
    return int(parsed.run(parsed))


if __name__ == "__main__":
    sys.exit(main())
