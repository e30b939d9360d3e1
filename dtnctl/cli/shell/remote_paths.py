"""What is in a folder that a service sees on its endpoint, for the ends of transfers that are typed. Nothing where it cannot be known."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dtnctl.errors import DtnctlError

if TYPE_CHECKING:
    from dtnctl.client.workplace import Workplace
    from dtnctl.providers.base import Engine

MOST = 500  # entries: a longer list of candidates helps no user
FRESH = 10.0  # seconds for which a list is shown again without asking
TIMEOUT = 3.0  # seconds: who types does not wait for a silent endpoint
SCRIPT = f'ls -1Ap -- "$1" 2>/dev/null | head -n {MOST}'


@dataclass(slots=True)
class RemotePaths:
    """Lists of folders by endpoint, kept for some seconds."""

    _kept: dict[tuple[str, str], tuple[float, tuple[str, ...]]] = field(default_factory=dict)

    def completed(self, endpoint: str, path: str) -> list[str]:
        """The paths that begin as this one; folders end in a slash."""
        folder, _, beginning = path.rpartition("/")
        return [f"{folder}/{name}" for name in self._listed(endpoint, f"{folder}/") if name.startswith(beginning)]

    def _listed(self, endpoint: str, folder: str) -> tuple[str, ...]:
        kept = self._kept.get((endpoint, folder))
        now = time.monotonic()
        if kept is not None and now - kept[0] < FRESH:
            return kept[1]
        try:
            found = tuple(_list(endpoint, folder))
        except DtnctlError:
            found = ()
        self._kept[endpoint, folder] = (now, found)
        return found


def _list(endpoint: str, folder: str) -> Iterator[str]:
    """Asks the first service of ours that runs on the endpoint."""
    from dtnctl.cli.workplace import open_workplace
    from dtnctl.client.workplace import engines
    from dtnctl.model.resources import service_name

    workplace = open_workplace()
    site = workplace.site
    names = [name for name, session in site.sessions.items() if endpoint in session.value.endpoints]
    if endpoint not in site.endpoints or not names:
        return
    with engines(_only(workplace, endpoint), TIMEOUT) as clients:
        for name in names:
            listed = _run(clients, endpoint, service_name(site.name, name), folder)
            if listed is not None:
                yield from listed
                return


def _only(workplace: Workplace, endpoint: str) -> Workplace:
    """The part of the site that is this endpoint."""
    return replace(workplace, near=replace(workplace.site, endpoints={endpoint: workplace.site.endpoints[endpoint]}))


def _run(clients: Mapping[str, Engine], endpoint: str, container: str, folder: str) -> list[str] | None:
    """The folder's entries; None where the container does not run, or has no shell."""
    try:
        ran = clients[endpoint].run(container, ("sh", "-c", SCRIPT, "ls", folder))
    except DtnctlError:
        return None
    return ran.stdout.decode("utf-8", "replace").splitlines() if ran.exit_code == 0 else None
