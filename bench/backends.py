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

from bench.place import Place, dtnctl, write_state, write_tiny_sessions
from bench.raw import Raw, RawLibpod, RawNamespace, RawOverTcp
from dtnctl.model.site import Site
from dtnctl.repository.load import load_site
from lab import EngineUnavailableError, Lab
from lab.kubernetes import KubernetesApi, kubernetes_api, missing
from lab.layout import default_cache
from lab.releases import RELEASES, system_folder
from tests.providers.kubernetes.kubelet import kubelet

PODMAN = "podman-5.8"
NAMESPACE = "dtn"  # of the cluster
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
def by_podman(here: Place) -> Iterator[Reached]:
    """The same sessions on as many Podmans, of a lab of their own."""
    folder = here.root.parent
    with Lab(folder / "podman", len(here.names), image="tiny", engine=PODMAN) as lab:
        there = Place(lab, folder / "podman-site")
        there.write_site()
        write_tiny_sessions(there.root, there.names, len(here.site().sessions))
        dtnctl(there.root, "apply", "--yes")
        yield Reached(there.site(), lambda: tuple(RawLibpod(lab.endpoint(name).socket) for name in there.names))


def podman_missing() -> str | None:
    """Why no Podman can be had here; None if one can. Its packages are installed in a folder of the cache."""
    try:
        system_folder(RELEASES[PODMAN], default_cache(), lambda _: None)
    except EngineUnavailableError as error:
        return str(error)
    return None


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


@contextlib.contextmanager
def by_cluster(here: Place) -> Iterator[Reached]:
    """The same sessions on nodes of a cluster, in one namespace: a real API server with its store, and pods that only it knows of."""
    root, folder = here.root.parent / "cluster", here.root.parent / "api"
    with kubernetes_api(folder, default_cache()) as api:
        _add(api, "Namespace", NAMESPACE)
        with kubelet(api, NAMESPACE):
            for name in here.names:
                _add(api, "Node", name)
                node = {"node": name, "namespace": NAMESPACE, "context": "lab", "kubeconfig": str(api.kubeconfig)}
                write_state(root, f"endpoints/{name}", {"kubernetes": node, "host": "192.0.2.3"})
            write_state(root, "site", {"name": "bench"})
            write_tiny_sessions(root, here.names, len(here.site().sessions))
            dtnctl(root, "apply", "--yes")
        yield Reached(load_site(root), lambda: (RawNamespace(api.port, api.certificate, api.token, NAMESPACE),))


def _add(api: KubernetesApi, kind: str, name: str) -> None:
    api.call("POST", f"/api/v1/{kind.lower()}s", {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}})


BACKENDS: dict[str, Callable[[Place], AbstractContextManager[Reached]]] = {
    "docker": by_socket,
    "podman": by_podman,
    "portainer": by_portainer,
    "kubernetes": by_cluster,
}
MISSING: dict[str, Callable[[], str | None]] = {"podman": podman_missing, "kubernetes": missing}  # why a backend cannot be had here
