"""The backends of which P3 takes its ratio, a row each: how the engines of a place are reached through it, by dtnctl and by raw calls."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import yaml

from bench.place import Place
from bench.raw import Raw, RawOverTcp
from dtnctl.model.site import Site

READY = 60.0  # seconds that a stand-in may take to start


@dataclass(frozen=True, slots=True)
class Reached:
    """The site as its endpoints' files say how they are reached, and raw connections to the same, in the order of names."""

    site: Site
    raws: Callable[[], tuple[Raw, ...]]


@contextlib.contextmanager
def by_socket(here: Place) -> Iterator[Reached]:
    yield Reached(here.site(), lambda: tuple(here.raw(name) for name in here.names))


@contextlib.contextmanager
def by_portainer(here: Place) -> Iterator[Reached]:
    """Through a stand-in for Portainer in a process of its own, over HTTP: what it costs is in both sides of the ratio."""
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe()
    sockets = {name: here.lab.endpoint(name).socket for name in here.names}
    process = context.Process(target=_serve, args=(its, sockets), daemon=True)
    process.start()
    try:
        if not ours.poll(READY):
            raise RuntimeError("the stand-in for Portainer does not start")
        port, key, numbers = ours.recv()
        (here.root / "portainer-key").write_text(key)
        for name in here.names:
            way = {"docker": f"portainer+http://127.0.0.1:{port}/{name}", "portainer": {"key": {"secret": "file:portainer-key"}}}
            here.write(f"endpoints/{name}", {**yaml.safe_load(here.lab.endpoint_yaml(name, "unix")), "interfaces": {}, **way})
        prefixes = [f"/api/endpoints/{numbers[name]}/docker" for name in here.names]
        yield Reached(here.site(), lambda: tuple(RawOverTcp(port, prefix, {"X-API-Key": key}) for prefix in prefixes))
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Connection, sockets: dict[str, Path]) -> None:
    from tests.fakes.portainer import KEY, StandIn

    with StandIn() as portainer:
        numbers = {name: portainer.state.add(name, socket).id for name, socket in sockets.items()}
        pipe.send((portainer.port, KEY, numbers))
        pipe.recv()  # until the bench ends this process


BACKENDS: dict[str, Callable[[Place], AbstractContextManager[Reached]]] = {"docker": by_socket, "portainer": by_portainer}
