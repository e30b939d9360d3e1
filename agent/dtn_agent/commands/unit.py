"""`dtn-agent unit`: prints the systemd unit of the service, to be written to /etc/systemd/system/dtn-agent.service."""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files

UNIT = "dtn-agent.service"


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    commands.add_parser("unit", help="print the systemd unit of the service").set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """The one that came with this version."""
    del arguments
    sys.stdout.write(files("dtn_agent").joinpath(UNIT).read_text(encoding="utf-8"))
    return 0
