"""`python -m tests.fakes.portainer NAME=SOCKET=URL …`: a stand-in with these environments, until its input ends. It prints its port."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.fakes.portainer.server import StandIn


def main() -> None:
    with StandIn() as portainer:
        for text in sys.argv[1:]:
            name, socket, url = text.split("=", 2)
            portainer.state.add(name, Path(socket), url=url)
        print(portainer.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
