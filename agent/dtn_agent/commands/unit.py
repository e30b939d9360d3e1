"""`dtn-agent unit`: prints the systemd unit of the service."""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    commands.add_parser("unit", help="print the systemd unit of the service").set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    del parsed
    sys.stdout.write(files("dtn_agent").joinpath("dtn-agent.service").read_text(encoding="utf-8"))
    return 0
