"""`dtn-agent serve`: answers dtnctl over TLS until it is stopped."""

from __future__ import annotations

import argparse
from pathlib import Path

from dtn_agent.engine.client import ENGINE_SOCKET
from dtn_agent.engine.driver_socket import PLUGIN_SOCKET
from dtn_agent.ledger import DEFAULT_PATH

ANYWHERE = "0.0.0.0:5050"  # dtnctl runs on another host; every caller needs a certificate or the token


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("serve", help="answer dtnctl over TLS, on a unix socket or both, until SIGTERM")
    parser.add_argument("--listen", metavar="ADDRESS:PORT", help=f"where to answer over TLS ({ANYWHERE}, if there is no --socket)")
    parser.add_argument("--cert", type=Path, metavar="FILE", help="our certificate (PEM), for the name or address that dtnctl uses")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its key (PEM), mode 0600")
    parser.add_argument("--client-ca", type=Path, metavar="FILE", help="CA (PEM) whose client certificates are accepted")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="a bearer token of at least 32 characters, mode 0600")
    parser.add_argument("--socket", type=Path, metavar="FILE", help="answer root and the group on this unix socket, as Docker does")
    parser.add_argument("--group", default="docker", metavar="NAME", help="who may open the socket (%(default)s)")
    parser.add_argument("--engine-socket", type=Path, default=ENGINE_SOCKET, metavar="FILE", help="of the container engine (%(default)s)")
    parser.add_argument("--ledger", type=Path, default=DEFAULT_PATH, metavar="FILE", help="what we changed (%(default)s)")
    parser.add_argument("--plugin-socket", type=Path, default=PLUGIN_SOCKET, metavar="FILE", help="of the network driver (%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Root, and the capabilities that the unit names. Exit code 78 where it would be open to others."""
    from dtn_agent.server.access import Credentials
    from dtn_agent.server.serve import ServeOptions, serve

    credentials = Credentials(arguments.cert, arguments.key, arguments.client_ca, arguments.token_file)
    asks_for_tls = arguments.socket is None or credentials != Credentials(None, None)
    listen = arguments.listen or (ANYWHERE if asks_for_tls else None)
    paths = (arguments.ledger, arguments.engine_socket, arguments.plugin_socket)
    return serve(ServeOptions(credentials, *paths, listen, arguments.socket, arguments.group))
