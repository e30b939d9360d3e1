"""An empty site must not remove everything: a wrong folder or branch, or an empty commit, looks like it. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from dtnctl.model.plan import Cause
from dtnctl.model.site import Site
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.scope import Scope
from dtnctl.printable import plural


def refuse_empty(site: Site, scope: Scope, doomed: AbstractSet[str]) -> Refusal | None:
    """Why the sessions that would go from a site that declares none stay, whatever its own limit on removals says.

    One may always go: the last one that people remove looks the same. So does what a target names, and a limit that is given for this run.
    """
    if len(doomed) <= 1 or scope.targets or scope.prune is not None:
        return None
    why = "all its sessions have expired" if site.sessions else "it has no session file"
    if scope.selection is not None:
        why = f"no session with --label {scope.selection.text}"
    text = f"the state declares nothing any more ({why}): {plural(len(doomed), 'session')} would be removed and none left"
    return Refusal("E0443", Cause(text, site.settings.file, site.settings.mark().line), "--allow-empty if it is meant")
