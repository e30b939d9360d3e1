"""Looks at all endpoints at once. An endpoint that does not answer is silent in the snapshot; nothing is raised for it.

Also finds a single container, or what is stored, by a name of ours, for those who need that name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from dtnctl.errors import DtnctlError, NotFoundError
from dtnctl.model.origin import stranger_text
from dtnctl.model.paths import PathProviderSeen
from dtnctl.model.resources import ContainerSeen, EndpointSeen, Snapshot, Wanted
from dtnctl.providers.base import Observer
from dtnctl.providers.paths.base import PathObserver
from dtnctl.providers.store import Stored


def observe_all(observers: Mapping[str, Observer], wanted: Mapping[str, Wanted]) -> Snapshot:
    """What is on every endpoint now, in name order. All are asked at once: however many are silent, it takes one time-out."""
    if not observers:
        return Snapshot({})

    def look(name: str) -> EndpointSeen:
        return observers[name].observe(wanted.get(name, Wanted()))

    names = sorted(observers)
    with ThreadPoolExecutor(max_workers=len(names), thread_name_prefix="observe") as pool:
        return Snapshot(dict(zip(names, pool.map(look, names), strict=True)))


def observe_paths(observers: Mapping[str, PathObserver], ports: Mapping[str, frozenset[str]]) -> Mapping[str, PathProviderSeen]:
    """What providers of paths report, in name order; all are asked at once. `ports`: by provider, those that paths end at."""
    if not observers:
        return {}
    names = sorted(observers)
    with ThreadPoolExecutor(max_workers=len(names), thread_name_prefix="paths") as pool:
        looks = pool.map(lambda name: observers[name].observe(ports.get(name, frozenset())), names)
        return dict(zip(names, looks, strict=True))


def close_all(clients: Mapping[str, Observer | PathObserver]) -> None:
    """End all connections at once: one by ssh is over when its far end says so, which takes as long as the way there and back."""
    if clients:
        with ThreadPoolExecutor(max_workers=len(clients), thread_name_prefix="close") as pool:
            list(pool.map(lambda client: client.close(), clients.values()))


def observe_ours(observer: Observer, name: str, refuse: Callable[[str], DtnctlError]) -> ContainerSeen | None:
    """Our container of this name; None if there is none.

    A container of that name that is not ours raises what `refuse` makes of the words for it, such as `that is not ours`.
    """
    try:
        seen = observer.inspect(name)
    except NotFoundError:
        return None
    _refuse_stranger(observer, name, seen.labels, refuse)
    return seen


def find_ours(observer: Observer, name: str, refuse: Callable[[str], DtnctlError]) -> Stored | None:
    """The same of a name in the endpoint's store."""
    found = observer.store.find(name)
    if found is not None:
        _refuse_stranger(observer, name, found.labels, refuse)
    return found


def _refuse_stranger(observer: Observer, name: str, labels: Mapping[str, str], refuse: Callable[[str], DtnctlError]) -> None:
    if not observer.owns(labels, name):
        raise refuse(stranger_text(labels, observer.repository))
