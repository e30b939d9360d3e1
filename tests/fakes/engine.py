"""Engines for tests: `World` in the test's own process, or `python -m tests.fakes.engine` as a process of its own."""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import sys
import threading
from pathlib import Path

from tests.fakes.faults import Fault
from tests.fakes.machine import Machine, RegistryImage
from tests.fakes.programs import Behaviour, Program, Run
from tests.fakes.world import World

__all__ = ["Behaviour", "Fault", "Machine", "Program", "RegistryImage", "Run", "World", "main"]


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. One line of JSON with the sockets says that everything listens."""
    options = _parse(arguments)
    paths = [Path(path) for path in options.socket]
    names = options.name or [path.stem for path in paths]
    world = World(names)
    for setup in options.setup:
        module, _, function = setup.partition(":")
        getattr(importlib.import_module(module), function)(world)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    for name, path in zip(names, paths, strict=True):
        world.listen(name, path)
    if options.control is not None:
        world.listen("", options.control)
    print(json.dumps(world.sockets), flush=True)
    stopped.wait()
    world.close()
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.engine", description=__doc__)
    parser.add_argument("--socket", action="append", required=True, help="where an engine listens; may come several times")
    parser.add_argument("--name", action="append", help="the engines' names, in the order of the sockets (default: file stems)")
    parser.add_argument("--control", type=Path, help="a socket that answers /_fake/ only, whatever the engines' modes")
    parser.add_argument("--setup", action="append", default=[], help="MODULE:FUNCTION called with the world before it opens")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
