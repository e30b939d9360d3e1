"""The in-memory engine as an environment of the stand-in for Portainer, and providers that reach it through there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.portainer_fields import Portainer
from dtnctl.model.site import Endpoint
from tests.fakes.engine import World
from tests.fakes.portainer import KEY, StandIn
from tests.providers.backends import ENDPOINT, FakeBackend

LOCAL, REMOTE = "unix:///var/run/docker.sock", "tcp://10.0.0.1:2376"


class PortainerBackend(FakeBackend):
    """`url`: the address by which Portainer knows its environments, which decides how it passes on what they answer."""

    def __init__(self, world: World, portainer: StandIn, url: str, folder: Path) -> None:
        super().__init__(world)
        self.portainer, self.url = portainer, url
        self.team: str | None = None
        self.key = folder / "portainer-key"
        self.key.write_text(KEY)

    def _state(self, socket: Path | None) -> Endpoint:
        number = len(self.portainer.state.environments) + 1
        self.portainer.state.add(f"dtn {number}", socket or self.socket, url=self.url)
        return Endpoint(
            docker=parse_engine(f"portainer+http://127.0.0.1:{self.portainer.port}/dtn%20{number}"),
            portainer=Portainer.model_validate({"key": {"secret": f"file:{self.key}"}, "team": self.team}),
            host="127.0.0.1",
        )


@contextmanager
def portainer_backend(url: str, folder: Path) -> Iterator[PortainerBackend]:
    with World([ENDPOINT]) as world, StandIn() as portainer:
        backend = PortainerBackend(world, portainer, url, folder)
        try:
            yield backend
        finally:
            backend.close()
