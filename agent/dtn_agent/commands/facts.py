"""`dtn-agent facts`: prints the host's facts as JSON."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dtn_agent.ledger import DEFAULT_PATH, Ledger
from dtn_agent.probe import probe
from dtn_agent.protocol import Held


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("facts", help="print the host's facts as JSON")
    parser.add_argument("--ledger", type=Path, default=DEFAULT_PATH, metavar="FILE", help="who has which virtual function (%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Changes nothing, and needs no root: what only root may read is left out."""
    sys.stdout.write(probe(held=_held(arguments.ledger)).model_dump_json(indent=2) + "\n")
    return 0


def _held(path: Path) -> Held:
    """What the ledger holds; nothing, and a word on it, where it cannot be read."""
    try:
        return Ledger(path).read()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"dtn-agent: who has which virtual function is not known: {path}: {error}\n")
        return Held()
