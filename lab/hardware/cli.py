"""The command line of the virtual hardware: `python -m lab.hardware`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lab.hardware.guests import Guests
from lab.hardware.places import default_folder
from lab.layout import LabError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors go to stderr, and the exit code is 1; `exec` has the command's own."""
    options = _parser().parse_args(argv)
    try:
        code: int = options.perform(options)
    except LabError as error:
        _say(str(error))
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--dir", type=Path, default=argparse.SUPPRESS, help="the guests' folder (default: $DTN_HARDWARE_DIR)")
    parser = argparse.ArgumentParser("lab.hardware", description="Two emulated machines with SR-IOV, NUMA and NVMe.", parents=[shared])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, perform, text in (
        ("up", _up, "bring up both guests; what was in the folder ends first"),
        ("agent", _agent, "bring this clone's agent, as it is now, to both guests"),
        ("down", _down, "leave nothing of them"),
        ("status", _status, "what runs, and where it is reached"),
    ):
        commands.add_parser(name, parents=[shared], help=text).set_defaults(perform=perform)
    run = commands.add_parser("exec", parents=[shared], help="run a shell script on a guest")
    run.add_argument("--seconds", type=float, default=60.0, help="the time it has")
    run.add_argument("name", metavar="NAME")
    run.add_argument("script", metavar="SCRIPT", nargs="+", help="put -- before it")
    run.set_defaults(perform=_exec)
    return parser


def _folder(options: argparse.Namespace) -> Path:
    folder: Path = getattr(options, "dir", None) or default_folder()
    return folder


def _say(text: str) -> None:
    sys.stderr.write(f"hardware: {text}\n")
    sys.stderr.flush()


def _up(options: argparse.Namespace) -> int:
    began = time.monotonic()
    guests = Guests(_folder(options), say=_say).up()
    for guest in guests.all:
        _say(f"{guest.name}: engine {guest.engine_url} agent {guest.agent_url}")
    _say(f"up in {time.monotonic() - began:.0f} s; end them with: python -m lab.hardware down --dir {guests.layout.folder}")
    return 0


def _agent(options: argparse.Namespace) -> int:
    Guests.open(_folder(options)).install_agent()
    return 0


def _down(options: argparse.Namespace) -> int:
    Guests(_folder(options)).down()
    return 0


def _status(options: argparse.Namespace) -> int:
    guests = Guests.open(_folder(options))
    for guest in guests.all:
        state = "off" if not guests.is_running(guest.name) else "up" if guests.remote(guest.name).answers() else "silent"
        sys.stdout.write(f"{guest.name}  {state:6}  engine {guest.engine_url}  agent {guest.agent_url}\n")
    return 0


def _exec(options: argparse.Namespace) -> int:
    done = Guests.open(_folder(options)).remote(options.name).finish(" ".join(options.script), seconds=options.seconds)
    sys.stdout.write(done.out)
    sys.stderr.write(done.err)
    return done.code
