"""What lists and the status show of paths between sites: what their providers report, and what interfaces are promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtnctl.client.workplace import path_observers

if TYPE_CHECKING:
    from dtnctl.client.workplace import Workplace
    from dtnctl.model.path_rows import PathRow, PromisedBandwidth
    from dtnctl.model.resources import Snapshot
    from dtnctl.model.site import Site


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
