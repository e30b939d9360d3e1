"""`dtn-agent serve`: serves dtnctl over TLS until SIGTERM."""

from __future__ import annotations

import argparse
from pathlib import Path

from dtn_agent.ledger import DEFAULT_PATH


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("serve", help="serve dtnctl over TLS until SIGTERM")
    parser.add_argument("--listen", default="0.0.0.0:5050", metavar="ADDRESS:PORT", help="default %(default)s")  # see serve
    parser.add_argument("--cert", type=Path, help="our certificate (PEM), for the names and addresses that dtnctl uses")
    parser.add_argument("--key", type=Path, help="its key (PEM), mode 0600")
    parser.add_argument("--client-ca", type=Path, help="CA (PEM) whose client certificates are let in")
    parser.add_argument("--token-file", type=Path, help="file with a bearer token of at least 32 characters, mode 0600")
    parser.add_argument("--engine-socket", type=Path, default=Path("/run/docker.sock"), help="default %(default)s")
    parser.add_argument("--ledger", type=Path, default=DEFAULT_PATH, help="default %(default)s")
    parser.add_argument(
        "--plugin-socket", type=Path, default=Path("/run/docker/plugins/dtnctl.sock"), help="of the network driver; default %(default)s"
    )
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Until SIGTERM; what keeps it from starting is said in one line."""
    from dtn_agent.access import Credentials
    from dtn_agent.serve import Settings, serve

    credentials = Credentials(parsed.cert, parsed.key, parsed.client_ca, parsed.token_file)
    return serve(Settings(parsed.listen, credentials, parsed.ledger, parsed.engine_socket, parsed.plugin_socket))
