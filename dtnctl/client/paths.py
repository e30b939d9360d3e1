"""What lists and the status show of paths between sites: what their providers report, and what interfaces are promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtnctl.client.workplace import STATE_FOLDER, path_observers
from dtnctl.errors import ConfigError, Problem

if TYPE_CHECKING:
    from dtnctl.client.workplace import Workplace
    from dtnctl.model.path_rows import PathRow, PromisedBandwidth
    from dtnctl.model.resources import Snapshot
    from dtnctl.model.site import Site
    from dtnctl.planning.paths.lost import OnVlans
    from dtnctl.repository.former_providers import FormerProvider

SHORT = 7  # characters of a commit


def with_paths(workplace: Workplace, snapshot: Snapshot, timeout: float) -> Snapshot:
    """The snapshot with what the site's path providers report."""
    from dataclasses import replace

    from dtnctl.planning.paths.wanted import ports_by_provider
    from dtnctl.runtime.observe import observe_paths

    with path_observers(workplace, timeout) as asked:
        return replace(snapshot, paths=observe_paths(asked, ports_by_provider(workplace.site)))


def seen_paths(site: Site, snapshot: Snapshot) -> tuple[tuple[PathRow, ...], tuple[PromisedBandwidth, ...]]:
    """A row for each path, and what interfaces are promised."""
    from dtnctl.planning.paths.bandwidth import promised_bandwidth
    from dtnctl.planning.paths.report import path_rows
    from dtnctl.planning.paths.vlans import with_chosen_vlans
    from dtnctl.planning.paths.wanted import declared_paths

    known = with_chosen_vlans(site, snapshot)
    return path_rows(known, snapshot), promised_bandwidth(declared_paths(known), snapshot)


def refuse_lost_providers(workplace: Workplace, snapshot: Snapshot) -> None:
    """ConfigError if services run over paths of providers that site.yaml has no more: what they reserved would never be released.

    A path that a provider still reports is not lost.
    """
    from dtnctl.planning.paths.lost import on_forgotten_vlans

    settings, problems = workplace.site.settings, dict[str, Problem]()
    reported = {path.spec.name for provider in snapshot.paths.values() for path in provider.paths}
    for found in on_forgotten_vlans(workplace.site, snapshot):
        for former in _former(workplace, found):
            if not (lost := [path for path in former.paths if path not in reported]):
                continue
            mark = settings.mark(("path_providers",))
            paths = f"path {' and '.join(lost)} of provider `{former.name}`"
            text = f"{found.service} was made with {paths} ({found.commit[:SHORT]}), which is not asked any more"
            hint = f"`{former.entry}` in `path_providers` once more: apply without the path releases it, and then the entry can go"
            problems.setdefault(former.name, Problem(settings.file, mark.line, mark.column, "E0548", text, hint))
    if problems:
        raise ConfigError(list(problems.values()))


def _former(workplace: Workplace, found: OnVlans) -> tuple[FormerProvider, ...]:
    from dtnctl.repository.former_providers import former_providers

    present = workplace.site.settings.value.path_providers
    return former_providers(workplace.root, STATE_FOLDER, found.commit, present, found.networks)
