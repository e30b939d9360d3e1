"""What a command needs before it starts: the site, connections to its endpoints, the terminal's facts."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dtnctl.cli import signals, streams
from dtnctl.cli.crash import without_secrets
from dtnctl.cli.messages import say
from dtnctl.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from dtnctl.cli.invocation import Invocation
    from dtnctl.model.head import Head
    from dtnctl.model.resources import Snapshot
    from dtnctl.model.site import Site
    from dtnctl.planning.planner import Scope
    from dtnctl.providers.base import EndpointAccess, Engine, Observer
    from dtnctl.providers.paths.base import PathAccess, PathObserver, PathService
    from dtnctl.providers.secrets.source import SecretSource
    from dtnctl.render.context import Command, RenderContext

STATE_FOLDER = "state"
SIGNS = "✖▶±→↔·…"  # what text has that is not ASCII
PIPE_WIDTH = 120  # of text that goes into a file or a pipe: the same on every machine


@dataclass(frozen=True, slots=True)
class Workplace:
    """A loaded site, the commit that it is, and what looks its secrets up. `near`: what `--label` leaves of the site, if it is used."""

    root: Path
    site: Site
    head: Future[Head]
    secrets: SecretSource
    near: Site | None = None

    @property
    def asked(self) -> Site:
        """The part of the site whose endpoints are asked."""
        return self.near or self.site


def repository_root() -> Path:
    """The root of the repository that we stand in. Names in messages are relative to it, so it is named when it is another folder."""
    from dtnctl.repository.find import find_repository, standing

    here = standing()
    root = find_repository(here, STATE_FOLDER)
    if root != here:
        say(f"dtnctl: in {root}")
    return root


def open_workplace() -> Workplace:
    """Load the site of the repository that we stand in; git is asked meanwhile."""
    from dtnctl.repository.git import read_head
    from dtnctl.repository.load import load_site
    from dtnctl.repository.source_cache import user_cache

    root = repository_root()
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="git")
    head = pool.submit(read_head, root, STATE_FOLDER)
    pool.shutdown(wait=False)
    site = load_site(root, STATE_FOLDER, cache=user_cache(os.environ))
    return Workplace(root, site, head, _secrets_of(site, root))


def _secrets_of(site: Site, root: Path) -> SecretSource:
    from dtnctl.providers.secrets.source import SecretSource

    key = site.settings.value.fingerprint_key
    return SecretSource(root, os.environ, f"{site.name}/{site.repository}", key.secret if key is not None else "")


@contextlib.contextmanager
def observers(workplace: Workplace, timeout: float) -> Iterator[Mapping[str, Observer]]:
    """Clients that cannot write, one per endpoint."""
    from dtnctl.providers.endpoint import observer_of
    from dtnctl.runtime.observe import close_all

    _refuse_local_mistakes(workplace)
    with contextlib.ExitStack() as stack:
        stack.enter_context(without_secrets(workplace.secrets))
        stack.enter_context(signals.exiting())  # they hold nothing, and after Ctrl-C no user waits for silent endpoints
        clients: dict[str, Observer] = {}
        stack.callback(close_all, clients)
        for access in _accesses(workplace, timeout):
            clients[access.name] = observer_of(access)
        yield clients


@contextlib.contextmanager
def engines(workplace: Workplace, timeout: float) -> Iterator[Mapping[str, Engine]]:
    """Clients that can change their endpoint, one per endpoint."""
    from dtnctl.providers.endpoint import engine_of
    from dtnctl.runtime.observe import close_all

    _refuse_local_mistakes(workplace)
    with contextlib.ExitStack() as stack:
        stack.enter_context(without_secrets(workplace.secrets))
        clients: dict[str, Engine] = {}
        stack.callback(close_all, clients)
        for access in _accesses(workplace, timeout):
            clients[access.name] = engine_of(access)
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

    owner = PathOwner(workplace.site.name, workplace.site.repository)
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
    from dtnctl.providers.timeouts import Timeouts

    timeouts = Timeouts(connect=min(timeout, 5.0), answer=timeout)
    site = workplace.asked
    reads = reads_of_each(len(site.endpoints))
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
        )


SHOWING = {"plan": "dtnctl plan", "apply": "dtnctl plan", "drift": "dtnctl drift", "destroy": "dtnctl destroy --dry-run"}


def render_context(
    command: Command, head: Head, invocation: Invocation, *, brief: bool, show_all: bool, wide: bool, options: str = ""
) -> RenderContext:
    """The terminal's facts, and the command that makes this plan again."""
    return replace(
        list_context(invocation),
        command=command,
        head=head,
        show_all=show_all,
        brief=brief,
        wide=wide,
        options=options,
        reproduce=f"{SHOWING[command]} {options}".strip(),
    )


def list_context(invocation: Invocation, *, show_all: bool = False, wide: bool = False) -> RenderContext:
    """The terminal's facts: its width, its colours, and whether it has our signs."""
    from dtnctl import __version__
    from dtnctl.render.context import RenderContext

    is_ascii = invocation.ascii or not streams.can_encode(SIGNS)
    return RenderContext(
        version=__version__, width=terminal_width(), color=wants_color(invocation.color), ascii=is_ascii, show_all=show_all, wide=wide
    )


def terminal_width() -> int:
    """Columns of the terminal, or a fixed width where stdout is none."""
    return shutil.get_terminal_size((PIPE_WIDTH, 24)).columns if sys.stdout.isatty() else PIPE_WIDTH


def wants_color(choice: str) -> bool:
    """The flag beats the environment: FORCE_COLOR, NO_COLOR, TERM=dumb, and whether stdout is a terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("FORCE_COLOR"):
        return True
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def scope_of(
    targets: list[str],
    excludes: list[str],
    replace: list[str],
    max_prune: str,
    *,
    destroy: bool = False,
    allow_empty: bool = False,
    override_freeze: str = "",
) -> Scope:
    """The scope that the flags ask for; `@FILE` and `-` are read here."""
    from dtnctl.planning.planner import Scope

    prune = max_prune or None
    if prune is not None and not prune.removesuffix("%").isdecimal():
        raise UsageError(f"--max-prune {max_prune!r} is not a number or a share such as 25%")
    if override_freeze and not override_freeze.strip():
        raise UsageError("--override-freeze needs a reason that others understand")
    reason = " ".join(override_freeze.split())
    return Scope(expanded(targets), expanded(excludes), expanded(replace), prune, destroy, allow_empty, reason)


def with_transfers(scope: Scope, interrupt: list[str], *, defer: bool) -> Scope:
    """The same with what the flags say about running transfers; `@FILE` and `-` are read here."""
    return replace(scope, interrupt=expanded(interrupt), defer=defer)


def expanded(items: list[str]) -> tuple[str, ...]:
    """What a repeatable option names; `@FILE` and `-` are read here."""
    return tuple(_expand(items))


def _expand(items: list[str]) -> Iterator[str]:
    for item in items:
        if item == "-":
            yield from sys.stdin.read().split()
        elif item.startswith("@"):
            try:
                yield from Path(item[1:]).read_text(encoding="utf-8").split()
            except OSError as error:
                raise UsageError(f"cannot read {item[1:]}: {error.strerror}") from error
            except UnicodeDecodeError as error:
                raise UsageError(f"cannot read {item[1:]}: it is not UTF-8 text") from error
        else:
            yield item


def lock_seconds(wanted: float | None) -> float:
    """How long to wait for a lease: what was asked for, else a minute, and longer in a CI system, where no person waits."""
    if wanted is not None:
        return wanted
    return 600.0 if is_ci() else 60.0


def note_missing_id(site: Site) -> None:
    """Say the line to add where a repository has no id yet: two of them that chose one site name have the same objects."""
    if site.repository:
        return
    from dtnctl.repository.starter import new_identity

    line = f"id: {new_identity()}"
    say(
        f"note: {site.settings.file} has no `id:`, so another repository with the site name {site.name} has the same objects as this one; "
        f"add the line `{line}`, and `adopts: unlabelled` if there are objects of it already"
    )


def is_ci() -> bool:
    """Whether a CI system runs us: no questions, longer waits for leases."""
    return os.environ.get("CI", "").lower() in ("true", "1")


def write_out(path: str, text: str) -> None:
    """`--out`: a file, or - for stdout."""
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
