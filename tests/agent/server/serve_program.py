"""`dtn-agent serve` with a resource that only remembers, for tests of the process: its start, its signals, its lines."""

from __future__ import annotations

import grp
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dtn_agent import protocol as p
from dtn_agent.ledger import Ledger
from dtn_agent.log import Lines
from dtn_agent.server.access import Credentials
from dtn_agent.server.serve import ServeOptions, restore, serve, watching
from dtn_agent.work import Work

from tests.agent.server.serving import FACTS, MemoryResource


class Broken(MemoryResource):
    """Cannot restore anything."""

    def restore(self) -> None:
        raise OSError("the kernel says no")


class Slow(MemoryResource):
    """Its changes take until somebody has opened the pipe `gate`, and closed it."""

    def perform(self, request: p.Request) -> p.Done:
        (Path(sys.argv[1]) / "gate").read_bytes()
        return super().perform(request)


KINDS = {"--broken": Broken, "--slow": Slow}


@contextmanager
def open_work(settings: ServeOptions, lines: Lines) -> Iterator[Work]:
    resource = KINDS.get(sys.argv[-1], MemoryResource)()
    restore((resource,), lines)
    try:
        with watching(resource, lines):
            yield Work(Ledger(settings.ledger), lambda held: FACTS, (resource,), lambda: True)
    finally:
        lines.write("ended")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    credentials = Credentials(folder / "server.pem", folder / "server-key.pem", folder / "ca.pem")
    place: dict[str, Any] = {"socket": Path(sys.argv[2])} if "/" in sys.argv[2] else {"listen": sys.argv[2]}
    group = grp.getgrgid(os.getgid()).gr_name
    settings = ServeOptions(credentials, folder / "ledger.json", folder / "engine.sock", folder / "plugin.sock", group=group, **place)
    sys.exit(serve(settings, open_work))
