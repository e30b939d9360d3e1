"""The command line of the agent: `dtn-agent COMMAND`, or `python -m dtn_agent COMMAND`. Each command imports what it needs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Parse, carry out, return the exit code."""
    parser = argparse.ArgumentParser(prog="dtn-agent", description="Tells what a DTN's hardware is, and changes it when dtnctl asks.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_serve(commands.add_parser("serve", help="serve dtnctl over TLS until SIGTERM"))
    _add_facts(commands.add_parser("facts", help="print this host's facts as JSON"))
    commands.add_parser("unit", help="print the systemd unit of the service").set_defaults(run=_unit)
    parsed = parser.parse_args(arguments)
    return int(parsed.run(parsed))


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--listen", default="0.0.0.0:5050", metavar="ADDRESS:PORT", help="default %(default)s")  # see serve
    parser.add_argument("--cert", type=Path, help="our certificate (PEM), for the names and addresses that dtnctl uses")
    parser.add_argument("--key", type=Path, help="its key (PEM), mode 0600")
    parser.add_argument("--client-ca", type=Path, help="CA (PEM) whose client certificates are let in")
    parser.add_argument("--token-file", type=Path, help="file with a bearer token of at least 32 characters, mode 0600")
    parser.add_argument("--engine-socket", type=Path, default=Path("/run/docker.sock"), help="default %(default)s")
    parser.add_argument("--ledger", type=Path, default=Path("/var/lib/dtn-agent/ledger.json"), help="default %(default)s")
    parser.add_argument(
        "--plugin-socket", type=Path, default=Path("/run/docker/plugins/dtnctl.sock"), help="of the network driver; default %(default)s"
    )
    parser.set_defaults(run=_serve)


def _serve(parsed: argparse.Namespace) -> int:
    from dtn_agent.access import Credentials
    from dtn_agent.serve import Settings, serve

    credentials = Credentials(parsed.cert, parsed.key, parsed.client_ca, parsed.token_file)
    return serve(Settings(parsed.listen, credentials, parsed.ledger, parsed.engine_socket, parsed.plugin_socket))


def _add_facts(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_facts)


def _facts(parsed: argparse.Namespace) -> int:
    from dtn_agent.probe import probe

    del parsed
    sys.stdout.write(probe().model_dump_json(indent=2) + "\n")
    return 0


def _unit(parsed: argparse.Namespace) -> int:
    from importlib.resources import files

    del parsed
    sys.stdout.write(files("dtn_agent").joinpath("dtn-agent.service").read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
