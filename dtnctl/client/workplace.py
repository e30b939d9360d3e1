"""A state repository that is open: its site, its commit, and clients of its endpoints."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dtnctl.client.crash import without_secrets
from dtnctl.errors import ConfigError

if TYPE_CHECKING:
    from dtnctl.model.head import Head
    from dtnctl.model.resources import Snapshot
    from dtnctl.model.site import Site
    from dtnctl.providers.base import EndpointAccess, Engine, Observer
    from dtnctl.providers.paths.base import PathAccess, PathObserver, PathService
    from dtnctl.providers.secrets.source import SecretSource

C = TypeVar("C", bound="Observer")
STATE_FOLDER = "state"
SHOWING = {"plan": "dtnctl plan", "apply": "dtnctl plan", "drift": "dtnctl drift", "destroy": "dtnctl destroy --dry-run"}


@dataclass(frozen=True, slots=True)
class Workplace:
    """A loaded site, the commit that it is, and what looks its secrets up. `near`: what `--label` leaves of the site, if it is used.

    `say` takes a sentence about what is no error and still worth a look, such as receipts that cannot be fetched.
    """

    root: Path
    site: Site
    head: Future[Head]
    secrets: SecretSource
    say: Callable[[str], None]
    near: Site | None = None

    @property
    def asked(self) -> Site:
        """The part of the site whose endpoints are asked."""
        return self.near or self.site


def open_workplace(root: Path, say: Callable[[str], None]) -> Workplace:
    """Load the site of the repository at `root`; git is asked meanwhile. ConfigError with everything that is wrong in its files."""
    from dtnctl.repository.git import read_head
    from dtnctl.repository.load import load_site
    from dtnctl.repository.source_cache import user_cache

    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="git")
    head = pool.submit(read_head, root, STATE_FOLDER)
    pool.shutdown(wait=False)
    site = load_site(root, STATE_FOLDER, cache=user_cache(os.environ))
    return Workplace(root, site, head, _secrets_of(site, root), say)


def with_new_head(workplace: Workplace) -> Workplace:
    """The same after a commit."""
    from dtnctl.repository.git import read_head

    head: Future[Head] = Future()
    head.set_result(read_head(workplace.root, STATE_FOLDER))
    return replace(workplace, head=head)


def _secrets_of(site: Site, root: Path) -> SecretSource:
    from dtnctl.providers.secrets.source import SecretSource

    key = site.settings.value.fingerprint_key
    return SecretSource(root, os.environ, f"{site.name}/{site.repository}", key.secret if key is not None else "")


def observers(workplace: Workplace, timeout: float) -> contextlib.AbstractContextManager[Mapping[str, Observer]]:
    """Clients that cannot write, one per endpoint."""
    from dtnctl.providers.endpoint import observer_of

    return _clients(workplace, timeout, observer_of)


def engines(workplace: Workplace, timeout: float) -> contextlib.AbstractContextManager[Mapping[str, Engine]]:
    """Clients that can change their endpoint, one per endpoint."""
    from dtnctl.providers.endpoint import engine_of

    return _clients(workplace, timeout, engine_of)


@contextlib.contextmanager
def _clients(workplace: Workplace, timeout: float, connect: Callable[[EndpointAccess], C]) -> Iterator[Mapping[str, C]]:
    """One per endpoint; all are closed at the end, also those before one that cannot be made."""
    from dtnctl.runtime.observe import close_all

    _refuse_local_mistakes(workplace)
    with contextlib.ExitStack() as stack:
        stack.enter_context(without_secrets(workplace.secrets))
        clients: dict[str, C] = {}
        stack.callback(close_all, clients)
        for access in _accesses(workplace, timeout):
            clients[access.name] = connect(access)
        yield clients


@contextlib.contextmanager
def path_observers(workplace: Workplace, timeout: float) -> Iterator[Mapping[str, PathObserver]]:
    """Clients of the site's path providers that cannot write, one per provider."""
    from dtnctl.providers.paths.connect import path_observer
    from dtnctl.runtime.observe import close_all

    clients = {access.name: path_observer(access) for access in _path_accesses(workplace, timeout)}
    try:
        yield clients
    finally:
        close_all(clients)


@contextlib.contextmanager
def path_services(workplace: Workplace, timeout: float) -> Iterator[Mapping[str, PathService]]:
    """Clients of the same that can."""
    from dtnctl.providers.paths.connect import path_service
    from dtnctl.runtime.observe import close_all

    clients = {access.name: path_service(access) for access in _path_accesses(workplace, timeout)}
    try:
        yield clients
    finally:
        close_all(clients)


def _path_accesses(workplace: Workplace, timeout: float) -> Iterator[PathAccess]:
    from dtnctl.model.paths import PathOwner
    from dtnctl.providers.paths.base import PathAccess
    from dtnctl.providers.timeouts import Timeouts

    site = workplace.site
    owner = PathOwner(site.name, site.repository, adopts=site.settings.value.adopts is not None)
    timeouts = Timeouts(connect=min(timeout, 5.0), answer=timeout)
    for name, settings in workplace.site.settings.value.path_providers.items():
        yield PathAccess(name, settings, owner, workplace.root, timeouts, workplace.secrets)


def _refuse_local_mistakes(workplace: Workplace) -> None:
    """ConfigError for what this machine lacks to ask the endpoints: it would look like endpoints that do not answer."""
    from dtnctl.providers.local.files import find_local_problems

    problems = find_local_problems(workplace.asked, workplace.root, os.environ, workplace.secrets)
    if problems:
        raise ConfigError(problems)


def refuse_ssh_mistakes(workplace: Workplace, snapshot: Snapshot) -> None:
    """ConfigError if endpoints are silent for what this machine's ssh client lacks."""
    from dtnctl.providers.local.ssh import find_ssh_problems

    if any(seen.is_silent for seen in snapshot.endpoints.values()):
        problems = find_ssh_problems(workplace.site, snapshot, os.environ)
        if problems:
            raise ConfigError(problems)


def _accesses(workplace: Workplace, timeout: float) -> Iterator[EndpointAccess]:
    from dtnctl.providers.base import EndpointAccess
    from dtnctl.providers.local.descriptors import DESCRIPTORS, allow_open_files, reads_of_each
    from dtnctl.providers.shared import Shared
    from dtnctl.providers.timeouts import Timeouts

    timeouts = Timeouts(connect=min(timeout, 5.0), answer=timeout)
    site = workplace.asked
    reads, shared = reads_of_each(len(site.endpoints)), Shared()
    allow_open_files(len(site.endpoints) * (reads + DESCRIPTORS))
    for name, document in site.endpoints.items():
        yield EndpointAccess(
            name,
            document.value,
            site.name,
            site.settings.value.registries,
            workplace.root,
            timeouts,
            site.repository,
            site.counts_unlabelled,
            workplace.secrets,
            reads,
            shared,
        )
