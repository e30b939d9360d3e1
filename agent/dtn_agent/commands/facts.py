"""`dtn-agent facts`: prints the host's facts as JSON."""

from __future__ import annotations

import argparse
import sys

from dtn_agent.ledger import Ledger
from dtn_agent.probe import probe


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    commands.add_parser("facts", help="print the host's facts as JSON").set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Changes nothing, and needs no root for most: what only root may read is None then."""
    sys.stdout.write(probe(held=Ledger().read()).model_dump_json(indent=2) + "\n")
    return 0
