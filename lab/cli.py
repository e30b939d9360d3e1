"""The lab's command line: `python -m lab`."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lab import engines
from lab.endpoint_yaml import render_endpoints, write_endpoints
from lab.images import Content
from lab.lab import Lab
from lab.layout import Endpoint, LabError, default_folder
from lab.processes import find_init
from lab.releases import OWN, RELEASES


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors go to stderr, and the exit code is 1."""
    options = _parser().parse_args(argv)
    try:
        options.perform(options)
    except LabError as error:
        _say(str(error))
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    # --dir may stand before or after the command; SUPPRESS keeps the second place from undoing the first
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--dir", type=Path, default=argparse.SUPPRESS, help="the lab's folder (default: $DTN_LAB_DIR)")
    parser = argparse.ArgumentParser("lab", description="Endpoints with an engine each, on this machine.", parents=[shared])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", parents=[shared], help="bring up N endpoints; what was in the folder ends first")
    up.add_argument("count", metavar="N", type=int)
    up.add_argument("--image", choices=("dtn", "tiny", "both"), default="both", help="which images are there already")
    up.add_argument("--disk", metavar="SIZE", help="limit each endpoint's engine data, and its /data, to SIZE (512m, 2g)")
    up.add_argument("--engine", choices=tuple(RELEASES), default=OWN.name, help="which engine; docker-20 is this machine's own")
    up.set_defaults(perform=_up)

    down = commands.add_parser("down", parents=[shared], help="leave nothing of the lab")
    down.set_defaults(perform=_down)

    status = commands.add_parser("status", parents=[shared], help="what runs")
    status.set_defaults(perform=_status)

    run = commands.add_parser("exec", parents=[shared], help="run a command on an endpoint, or as the controller: ctl")
    run.add_argument("name", metavar="NAME")
    run.add_argument("command", metavar="CMD", nargs="+", help="put -- before it")
    run.set_defaults(perform=_exec)

    state = commands.add_parser("state", parents=[shared], help="print the endpoints as dtnctl's state files")
    state.add_argument("--transport", choices=("unix", "tcp", "ssh", "mixed"), default="mixed")
    state.add_argument("--write", metavar="STATE_DIR", type=Path, help="write the files there instead")
    state.set_defaults(perform=_state)
    return parser


def _folder(options: argparse.Namespace) -> Path:
    folder: Path = getattr(options, "dir", None) or default_folder()
    return folder


def _say(text: str) -> None:
    sys.stderr.write(f"lab: {text}\n")
    sys.stderr.flush()


def _show(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _up(options: argparse.Namespace) -> None:
    began = time.monotonic()
    image: Content = "tiny" if options.image == "tiny" else "both"
    lab = Lab(_folder(options), options.count, image=image, disk=options.disk, engine=options.engine, say=_say).up()
    for endpoint in lab.endpoints:
        _say(f"{endpoint.name}: {endpoint.unix_url} {endpoint.tcp_url} {endpoint.ssh_url}")
    if reason := engines.limits().resource_limits:
        _say(reason)
    ending = shlex.join(["python", "-m", "lab", "down", "--dir", str(lab.layout.folder)])
    _say(f"{lab.count} endpoints in {time.monotonic() - began:.1f} s; end them with: {ending}")


def _down(options: argparse.Namespace) -> None:
    Lab(_folder(options)).down()


def _status(options: argparse.Namespace) -> None:
    lab = Lab.open(_folder(options))
    rows = [("ENDPOINT", "ENGINE", "PID", "TRANSPORTS"), *(_status_row(lab, endpoint) for endpoint in lab.endpoints)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        _show("  ".join([*(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)), row[3]]))
    if reason := engines.limits().resource_limits:
        _show(f"\n{reason}")


def _status_row(lab: Lab, endpoint: Endpoint) -> tuple[str, str, str, str]:
    init = find_init(lab.layout.identity, endpoint.name)
    if init is None:
        return endpoint.name, "off", "-", "-"
    engine = "running" if engines.answers(endpoint.socket) else "silent"
    return endpoint.name, engine, str(init), f"{endpoint.unix_url} {endpoint.tcp_url} {endpoint.ssh_url}"


def _exec(options: argparse.Namespace) -> None:
    lab = Lab.open(_folder(options))
    command = lab.command(options.name, options.command)
    os.execvpe(command[0], command, lab.environment())  # noqa: S606  no shell is wanted between us and it


def _state(options: argparse.Namespace) -> None:
    lab = Lab.open(_folder(options))
    if options.write is None:
        sys.stdout.write(render_endpoints(lab.endpoints, options.transport))
        return
    for path in write_endpoints(lab.endpoints, options.transport, options.write):
        _show(str(path))
